// SPDX-License-Identifier: GPL-2.0

//! A reference is made two by copying the pin.
//
// in: slab.rs
// expect: error[E0382]: use of moved value: `pin`

use super::*;

fn control(pin: PinnedCache) -> PinnedCache {
    let moved = pin;

    moved
}

#[cfg(misuse)]
fn misuse(pin: PinnedCache) -> (PinnedCache, PinnedCache) {
    let copy = pin;

    (pin, copy)
}
