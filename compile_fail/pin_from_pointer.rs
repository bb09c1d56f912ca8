// SPDX-License-Identifier: GPL-2.0

//! The iterator turns a pointer into a pin, without a word on whose reference it is.
//
// in: kmem_cache_iter.rs
// expect: error[E0133]: call to unsafe function `bpf_iter::Entry::from_raw` is unsafe and requires unsafe block

use super::*;
use bpf_iter::Entry;

fn control(pin: PinnedCache) -> core::ptr::NonNull<c_void> {
    pin.into_raw()
}

#[cfg(misuse)]
fn misuse(ptr: core::ptr::NonNull<c_void>) -> PinnedCache {
    PinnedCache::from_raw(ptr)
}
