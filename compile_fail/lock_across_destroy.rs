// SPDX-License-Identifier: GPL-2.0

//! A cache is destroyed while the mutex is still in use under which it was given up.
//
// in: slab.rs
// expect: error[E0382]: borrow of moved value: `caches`

use super::*;

fn control(pin: PinnedCache) -> usize {
    let caches = SlabCaches::lock();
    let count = caches.iter().count();

    if let Some(orphan) = caches.unpin(pin) {
        orphan.destroy();
    }
    count
}

#[cfg(misuse)]
fn misuse(pin: PinnedCache) -> usize {
    let caches = SlabCaches::lock();

    if let Some(orphan) = caches.unpin(pin) {
        orphan.destroy();
    }
    caches.iter().count()
}
