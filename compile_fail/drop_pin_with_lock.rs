// SPDX-License-Identifier: GPL-2.0

//! A pin is dropped, which takes the mutex, by who holds it.
//
// in: slab.rs
// expect: error[E0603]: struct `SlabCaches` is private

use super::*;

fn control(reference: Reference) {
    reference.release();
}

#[cfg(misuse)]
fn misuse(caches: crate::slab_list::SlabCaches, pin: PinnedCache) {
    drop(pin);
    drop(caches);
}
