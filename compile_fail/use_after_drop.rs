// SPDX-License-Identifier: GPL-2.0

//! A pin is used after it was given up.
//
// in: slab.rs
// expect: error[E0382]: use of moved value: `pin`

use super::*;

fn control(pin: PinnedCache) {
    drop(pin.next());
}

#[cfg(misuse)]
fn misuse(pin: PinnedCache) {
    drop(pin);
    drop(pin.next());
}
