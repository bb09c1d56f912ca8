// SPDX-License-Identifier: GPL-2.0

//! A reference is given back without the mutex.
//
// in: slab_list.rs
// expect: error[E0061]: this function takes 2 arguments but 1 argument was supplied

use super::*;

fn control(reference: Reference) {
    SlabCaches::release(&SlabCaches::lock(), reference);
}

#[cfg(misuse)]
fn misuse(reference: Reference) {
    SlabCaches::release(reference);
}
