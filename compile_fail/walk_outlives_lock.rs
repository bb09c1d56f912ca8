// SPDX-License-Identifier: GPL-2.0

//! A walk of the list goes on when the mutex is released.
//
// in: slab_list.rs
// expect: error[E0515]: cannot return value referencing local variable `caches`

use super::*;

fn control<'a>(caches: &'a SlabCaches, reference: &Reference) -> Option<KmemCache<'a>> {
    caches.after(reference)
}

#[cfg(misuse)]
fn misuse<'a>(reference: &Reference) -> Option<KmemCache<'a>> {
    let caches = SlabCaches::lock();

    caches.after(reference)
}
