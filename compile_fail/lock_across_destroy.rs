// SPDX-License-Identifier: GPL-2.0

//! The list is walked on, with the mutex that was released to destroy a cache.
//
// in: slab.rs
// expect: error[E0382]: borrow of moved value: `caches`

use super::*;

fn control(pin: PinnedCache) -> usize {
    let caches = SlabCaches::lock();
    let count = caches.iter().count();

    caches.release(pin);
    count
}

#[cfg(misuse)]
fn misuse(pin: PinnedCache) -> usize {
    let caches = SlabCaches::lock();

    caches.release(pin);
    caches.iter().count()
}
