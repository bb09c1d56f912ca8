// SPDX-License-Identifier: GPL-2.0

//! A walk that begins at a pin goes on after the pin was given up.
//
// in: slab.rs
// expect: error[E0505]: cannot move out of `pin` because it is borrowed

use super::*;

fn control(caches: &SlabCaches, pin: PinnedCache) -> (c_int, PinnedCache) {
    let refcount = caches.after(&pin).next().map_or(0, KmemCache::refcount);

    (refcount, pin)
}

#[cfg(misuse)]
fn misuse(caches: &SlabCaches, pin: PinnedCache) -> c_int {
    let mut walk = caches.after(&pin);

    drop(pin);
    walk.next().map_or(0, KmemCache::refcount)
}
