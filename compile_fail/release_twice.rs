// SPDX-License-Identifier: GPL-2.0

//! A reference is given back twice.
//
// in: slab.rs
// expect: error[E0382]: use of moved value: `pin`

use super::*;

fn control(pin: PinnedCache) {
    SlabCaches::lock().release(pin);
}

#[cfg(misuse)]
fn misuse(pin: PinnedCache) {
    SlabCaches::lock().release(pin);
    SlabCaches::lock().release(pin);
}
