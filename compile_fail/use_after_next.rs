// SPDX-License-Identifier: GPL-2.0

//! A pin is used after `next()` has taken it.
//
// in: slab.rs
// expect: error[E0382]: use of moved value: `pin`

use super::*;

fn control(pin: PinnedCache) {
    let next = pin.next();

    drop(next);
}

#[cfg(misuse)]
fn misuse(pin: PinnedCache) {
    let next = pin.next();

    drop(pin.next());
    drop(next);
}
