// SPDX-License-Identifier: GPL-2.0

//! A row of the table: a slab cache, or what one has on a NUMA node.

use std::{cmp::Reverse, collections::HashMap};

use crate::cli::Key;

/// What is None is not known to this kernel.
#[derive(Clone, Default)]
pub struct Cache {
    pub name: String,
    /// Its place in the kernel's list.
    pub number: u32,
    pub node: Option<u32>,
    /// Counts the caches of the same name, from 1 on.
    pub nth: u32,
    pub object_size: u64,
    pub objects_per_slab: u64,
    pub order: u32,
    /// How many other caches are merged into it.
    pub merged: u32,
    /// What the kernel does with it, by name.
    pub flags: Vec<&'static str>,
    pub slabs: Option<u64>,
    pub objects: Option<u64>,
    pub free: Option<u64>,
    pub parked: Option<u64>,
}

impl Cache {
    /// Bytes of all slabs.
    pub fn memory(&self, page_size: u64) -> Option<u64> {
        self.slabs.map(|slabs| slabs * (page_size << self.order))
    }

    /// What is neither free nor parked. The figures are not of one moment, so it could be negative.
    pub fn in_use(&self) -> Option<u64> {
        let objects = self.objects?.saturating_sub(self.free?);
        Some(objects.saturating_sub(self.parked.unwrap_or(0)))
    }

    /// What it is sorted by, unless that is the name.
    pub fn value(&self, key: Key, page_size: u64) -> Option<u64> {
        match key {
            Key::Memory => self.memory(page_size),
            Key::Objects => self.objects,
            Key::Inuse => self.in_use(),
            Key::Parked => self.parked,
            Key::Free => self.free,
            Key::Objsize => Some(self.object_size),
            Key::Slabs => self.slabs,
            Key::Name => None,
        }
    }
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
pub fn sort(caches: &mut [Cache], key: Key, page_size: u64) {
    caches.sort_by(|a, b| {
        let order = |cache: &Cache| {
            (
                Reverse(cache.value(key, page_size)),
                cache.name.clone(),
                cache.nth,
                cache.node,
            )
        };
        order(a).cmp(&order(b))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, number: u32, slabs: u64) -> Cache {
        Cache {
            name: name.into(),
            number,
            slabs: Some(slabs),
            ..Cache::default()
        }
    }

    #[test]
    fn in_use_is_what_is_left() {
        let mut cache = Cache {
            objects: Some(100),
            free: Some(10),
            parked: Some(30),
            ..Cache::default()
        };
        assert_eq!(cache.in_use(), Some(60));
        // Objects that were freed between the two looks.
        cache.parked = Some(95);
        assert_eq!(cache.in_use(), Some(0));
        cache.parked = None;
        assert_eq!(cache.in_use(), Some(90));
        cache.free = None;
        assert_eq!(cache.in_use(), None);
    }

    #[test]
    fn memory_is_that_of_the_pages() {
        let cache = Cache {
            order: 3,
            ..named("a", 0, 5)
        };
        assert_eq!(cache.memory(4096), Some(5 * 32768));
        assert_eq!(cache.memory(65536), Some(5 * 8 * 65536));
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
        assert_eq!(caches.map(|cache| cache.nth), [2, 1, 1, 1]);
    }

    #[test]
    fn the_largest_come_first() {
        let mut caches = [named("b", 0, 1), named("c", 1, 2), named("a", 2, 1)];
        sort(&mut caches, Key::Memory, 4096);
        assert_eq!(
            caches.each_ref().map(|cache| cache.name.as_str()),
            ["c", "a", "b"]
        );
        sort(&mut caches, Key::Name, 4096);
        assert_eq!(
            caches.each_ref().map(|cache| cache.name.as_str()),
            ["a", "b", "c"]
        );
    }
}
