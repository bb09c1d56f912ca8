// SPDX-License-Identifier: GPL-2.0

//! A walk of the list goes on when the mutex is released.
//
// in: slab.rs
// expect: error[E0515]: cannot return value referencing local variable `caches`

use super::*;

fn control(caches: &SlabCaches) -> Iter<'_> {
    caches.iter()
}

#[cfg(misuse)]
fn misuse<'a>() -> Iter<'a> {
    let caches = SlabCaches::lock();

    caches.iter()
}
