// SPDX-License-Identifier: GPL-2.0

//! The iterator takes the mutex, with which it could do anything.
//
// in: kmem_cache_iter.rs
// expect: error[E0603]: struct `SlabCaches` is private

use super::*;

fn control(pin: PinnedCache) {
    drop(pin);
}

#[cfg(misuse)]
fn misuse(caches: slab_list::SlabCaches, pin: PinnedCache) {
    drop(pin);
    drop(caches);
}
