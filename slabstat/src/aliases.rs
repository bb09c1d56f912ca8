// SPDX-License-Identifier: GPL-2.0

//! The names of caches that are merged into another one. Only sysfs has them: as links to the
//! directory of that one.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    fs,
};

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
    /// Names that fit, whether or not they are a cache's own.
    pub fn matching<'a>(&'a self, pattern: &'a Pattern) -> impl Iterator<Item = &'a str> {
        let names = self.links.keys().map(String::as_str);
        names.filter(|name| pattern.matches(name))
    }

    /// Names that fit, but of which `caches` has only what they are merged into, each with that.
    pub fn merged<'a>(
        &'a self,
        pattern: &'a Pattern,
        caches: &HashSet<String>,
    ) -> Vec<(&'a str, &'a str)> {
        let mut merged: Vec<_> = self
            .matching(pattern)
            .filter(|name| !caches.contains(*name))
            .filter_map(|name| {
                let mut others = self.links.iter().filter(|(other, target)| {
                    Some(*target) == self.links.get(name) && caches.contains(*other)
                });
                Some((name, others.next()?.0.as_str()))
            })
            .collect();
        merged.sort();
        merged
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

    fn example() -> Aliases {
        let links = [
            ("a", ":0000064"),
            ("b", ":0000064"),
            ("c", ":0000064"),
            ("d", ":0000128"),
        ];
        Aliases {
            links: links
                .into_iter()
                .map(|(name, to)| (name.into(), to.into()))
                .collect(),
        }
    }

    #[test]
    fn others_of_the_same_directory() {
        let aliases = example();
        assert_eq!(aliases.of("b"), ["a", "c"]);
        assert!(aliases.of("d").is_empty());
        assert!(aliases.of("kmalloc-64").is_empty());
    }

    #[test]
    fn names_that_are_no_cache_are_merged() {
        let aliases = example();
        let caches = HashSet::from(["b".into(), "d".into()]);
        let merged = |pattern| {
            aliases
                .merged(&Pattern::new(pattern).unwrap(), &caches)
                .len()
        };
        assert_eq!(
            aliases.merged(&Pattern::new("a").unwrap(), &caches),
            [("a", "b")]
        );
        assert_eq!((merged("b"), merged("d"), merged("*")), (0, 0, 2));
    }
}
