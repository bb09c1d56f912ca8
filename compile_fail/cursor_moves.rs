// SPDX-License-Identifier: GPL-2.0

//! A cursor is moved, although a slab cache may have it on its list.
//
// in: kmem_cache_iter.rs
// expect: error[E0277]: `PhantomPinned` cannot be unpinned

use super::*;

fn control(file: Pin<&mut KmemCacheIter>) -> Result<Option<PinnedCache>> {
    file.start()
}

#[cfg(misuse)]
fn misuse(cursor: Pin<&mut Cursor>, other: &mut Cursor) {
    core::mem::swap(cursor.get_mut(), other);
}
