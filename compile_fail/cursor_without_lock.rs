// SPDX-License-Identifier: GPL-2.0

//! The iterator looks into a cursor without the mutex.
//
// in: kmem_cache_iter.rs
// expect: error[E0616]: field `inner` of struct `slab::Cursor` is private

use super::*;
use kernel::bindings;

fn control(cursor: Pin<&mut Cursor>) -> Option<PinnedCache> {
    cursor.resume()
}

#[cfg(misuse)]
fn misuse(cursor: &Cursor) -> *mut bindings::slab_cursor {
    cursor.inner.get()
}
