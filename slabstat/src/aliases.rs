// SPDX-License-Identifier: GPL-2.0

//! The names of caches that are merged into another one. Only sysfs has them: as links to the
//! directory of that one.

use std::{collections::HashMap, ffi::OsString, fs};

use anyhow::{Context, Result};

use crate::pattern::Pattern;

const SLAB: &str = "/sys/kernel/slab";

pub struct Aliases {
    /// The name of each link, and what it is a link to.
    links: HashMap<String, OsString>,
}

pub fn read() -> Result<Aliases> {
    let entries = fs::read_dir(SLAB).with_context(|| {
        format!("the names of merged caches are not known, since this kernel has no {SLAB}")
    })?;
    let mut links = HashMap::new();

    for entry in entries.flatten() {
        if let Ok(target) = fs::read_link(entry.path()) {
            if let Some(target) = target.file_name() {
                links.insert(
                    entry.file_name().to_string_lossy().into_owned(),
                    target.into(),
                );
            }
        }
    }
    Ok(Aliases { links })
}

impl Aliases {
    /// Names that fit, each with a cache that it is another name of.
    pub fn matching<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let fitting = self.links.iter().filter(|(name, _)| pattern.matches(name));
        fitting.filter_map(|(name, target)| {
            let other = self
                .links
                .iter()
                .find(|(other, to)| *to == target && *other != name)?;
            Some((name.as_str(), other.0.as_str()))
        })
    }

    /// The other names of a cache.
    pub fn of(&self, name: &str) -> Vec<String> {
        let Some(target) = self.links.get(name) else {
            return Vec::new();
        };
        let others = self
            .links
            .iter()
            .filter(|(other, to)| *to == target && *other != name);
        let mut names: Vec<String> = others.map(|(other, _)| other.clone()).collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_of_the_same_directory() {
        let links = [
            ("a", ":0000064"),
            ("b", ":0000064"),
            ("c", ":0000064"),
            ("d", ":0000128"),
        ];
        let aliases = Aliases {
            links: links
                .into_iter()
                .map(|(name, to)| (name.into(), to.into()))
                .collect(),
        };
        assert_eq!(aliases.of("b"), ["a", "c"]);
        assert!(aliases.of("d").is_empty());
        assert!(aliases.of("kmalloc-64").is_empty());
    }
}
