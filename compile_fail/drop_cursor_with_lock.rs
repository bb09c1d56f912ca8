// SPDX-License-Identifier: GPL-2.0

//! A cursor is dropped, which may take the mutex, where that is held. The file that can hold it
//! imports no cursors.
//
// in: slab_list.rs
// expect: error[E0425]: cannot find type `Cursor` in this scope

use super::*;

fn control(caches: &SlabCaches, reference: Reference) {
    caches.release(reference);
}

#[cfg(misuse)]
fn misuse(_caches: &SlabCaches, cursor: Pin<KBox<Cursor>>) {
    drop(cursor);
}
