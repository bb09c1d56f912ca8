// SPDX-License-Identifier: GPL-2.0

//! A reference is given back without the mutex.
//
// in: slab.rs
// expect: error[E0061]: this function takes 2 arguments but 1 argument was supplied

use super::*;

fn control(pin: PinnedCache) {
    SlabCaches::release(&SlabCaches::lock(), pin);
}

#[cfg(misuse)]
fn misuse(pin: PinnedCache) {
    SlabCaches::release(pin);
}
