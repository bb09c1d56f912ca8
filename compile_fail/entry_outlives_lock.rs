// SPDX-License-Identifier: GPL-2.0

//! A cache that is not pinned is used when the mutex is released.
//
// in: slab_list.rs
// expect: error[E0505]: cannot move out of `caches` because it is borrowed

use super::*;

fn control() -> c_int {
    let caches = SlabCaches::lock();
    let refcount = caches.first().map_or(0, KmemCache::refcount);

    drop(caches);
    refcount
}

#[cfg(misuse)]
fn misuse() -> c_int {
    let caches = SlabCaches::lock();
    let cache = caches.first();

    drop(caches);
    cache.map_or(0, KmemCache::refcount)
}
