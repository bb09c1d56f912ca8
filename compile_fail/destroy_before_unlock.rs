// SPDX-License-Identifier: GPL-2.0

//! A cache is destroyed first, and the list unlocked after that.
//
// in: slab.rs
// expect: error[E0382]: use of moved value: `caches`

use super::*;

fn control(pin: PinnedCache) {
    let caches = SlabCaches::lock();
    let orphan = caches.unpin(pin);

    if let Some(orphan) = orphan {
        orphan.destroy();
    }
}

#[cfg(misuse)]
fn misuse(pin: PinnedCache) {
    let caches = SlabCaches::lock();
    let orphan = caches.unpin(pin);

    if let Some(orphan) = orphan {
        orphan.destroy();
    }
    drop(caches);
}
