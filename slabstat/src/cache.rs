// SPDX-License-Identifier: GPL-2.0

//! A row of the table, and an object in JSON: a slab cache, or what one has on a NUMA node.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use serde::Serialize;

use crate::cli::Key;

/// What is None is not known to this kernel. Sizes are in bytes.
#[derive(Clone, Default, Serialize)]
pub struct Cache {
    pub name: String,
    /// Counts the caches of the same name, from 1 on.
    pub nth: u32,
    pub node: Option<u32>,
    /// Of all slabs.
    pub memory: Option<u64>,
    pub objects: Option<u64>,
    /// What is neither parked nor free.
    pub in_use: Option<u64>,
    pub parked: Option<u64>,
    pub free: Option<u64>,
    pub object_size: u64,
    pub slabs: Option<u64>,
    pub objects_per_slab: u64,
    /// What the kernel does with it.
    pub flags: Vec<&'static str>,
    /// The names of caches that are merged into it, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<String>>,
    /// No other cache has this, unless it is 0.
    #[serde(skip)]
    pub id: u64,
    /// Its place in the kernel's list.
    #[serde(skip)]
    pub number: u32,
}

impl Cache {
    /// What it is sorted by, unless that is the name.
    pub fn value(&self, key: Key) -> Option<u64> {
        match key {
            Key::Memory => self.memory,
            Key::Objects => self.objects,
            Key::Inuse => self.in_use,
            Key::Parked => self.parked,
            Key::Free => self.free,
            Key::Objsize => Some(self.object_size),
            Key::Slabs => self.slabs,
            Key::Name => None,
        }
    }

    /// What the name must be followed by, so that the row is not taken for another one.
    pub fn suffix(&self) -> String {
        let nth = match self.nth {
            0 | 1 => String::new(),
            nth => format!("#{nth}"),
        };
        let node = self
            .node
            .map_or(String::new(), |node| format!(" node {node}"));
        nth + &node
    }

    fn order(&self, other: &Self, key: Key) -> Ordering {
        let by_value = other.value(key).cmp(&self.value(key));
        by_value
            .then_with(|| self.name.cmp(&other.name))
            .then(self.nth.cmp(&other.nth))
            .then(self.node.cmp(&other.node))
    }
}

/// Drops what is there twice: the iterator in C may show a cache again if others come and go.
pub fn drop_repeated(caches: &mut Vec<Cache>) {
    let mut seen = HashSet::new();

    caches.retain(|cache| cache.id == 0 || seen.insert((cache.id, cache.node)));
}

/// Counts the caches of each name, the oldest first: the kernel's list begins with the newest.
pub fn number_namesakes(caches: &mut [Cache]) {
    let mut seen = HashMap::new();

    for cache in caches.iter_mut().rev() {
        let (count, last) = seen.entry(cache.name.clone()).or_insert((0, None));
        // The nodes of a cache are one.
        if *last != Some(cache.number) {
            *count += 1;
            *last = Some(cache.number);
        }
        cache.nth = *count;
    }
}

/// Sorts the largest first, and what is as large by name.
pub fn sort(caches: &mut [Cache], key: Key) {
    caches.sort_by(|a, b| a.order(b, key));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, number: u32, memory: u64) -> Cache {
        Cache {
            name: name.into(),
            number,
            memory: Some(memory),
            ..Cache::default()
        }
    }

    #[test]
    fn namesakes_count_from_the_oldest() {
        let mut caches = [
            named("a", 0, 1),
            named("b", 1, 1),
            named("a", 2, 1),
            named("a", 2, 1),
        ];
        number_namesakes(&mut caches);
        assert_eq!(caches.each_ref().map(|cache| cache.nth), [2, 1, 1, 1]);
        assert_eq!(caches[0].suffix(), "#2");
        caches[2].node = Some(3);
        assert_eq!(caches[2].suffix(), " node 3");
    }

    #[test]
    fn repeated_ones_are_dropped() {
        let with_id = |id, node| Cache {
            id,
            node,
            ..Cache::default()
        };
        let mut caches = vec![
            with_id(1, Some(0)),
            with_id(1, Some(1)),
            with_id(2, Some(0)),
            with_id(1, Some(0)),
            with_id(0, None),
            with_id(0, None),
        ];
        drop_repeated(&mut caches);
        let left: Vec<_> = caches.iter().map(|cache| (cache.id, cache.node)).collect();
        assert_eq!(
            left,
            [
                (1, Some(0)),
                (1, Some(1)),
                (2, Some(0)),
                (0, None),
                (0, None)
            ]
        );
    }

    #[test]
    fn the_largest_come_first() {
        let mut caches = [named("b", 0, 1), named("c", 1, 2), named("a", 2, 1)];
        let names = |caches: &[Cache]| -> Vec<String> {
            caches.iter().map(|cache| cache.name.clone()).collect()
        };
        sort(&mut caches, Key::Memory);
        assert_eq!(names(&caches), ["c", "a", "b"]);
        sort(&mut caches, Key::Name);
        assert_eq!(names(&caches), ["a", "b", "c"]);
    }
}
