// SPDX-License-Identifier: GPL-2.0

//! The iterator makes a pin of a pointer.
//
// in: kmem_cache_iter.rs
// expect: error[E0423]: cannot initialize a tuple struct which contains private fields

use super::*;
use kernel::bindings;

fn control() -> Option<PinnedCache> {
    PinnedCache::first()
}

#[cfg(misuse)]
fn misuse(cache: core::ptr::NonNull<bindings::kmem_cache>) -> Option<PinnedCache> {
    Some(PinnedCache(cache))
}
