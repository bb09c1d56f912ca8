// SPDX-License-Identifier: GPL-2.0

//! A registration is moved, although it is registered by its address.
//
// in: kmem_cache_iter.rs
// expect: error[E0277]: `PhantomPinned` cannot be unpinned

use super::*;

fn control(registration: Pin<&mut Registration<KmemCacheIter>>) {
    let _ = registration;
}

#[cfg(misuse)]
fn misuse(
    registration: Pin<&mut Registration<KmemCacheIter>>,
    other: &mut Registration<KmemCacheIter>,
) {
    core::mem::swap(registration.get_mut(), other);
}
