// SPDX-License-Identifier: GPL-2.0

//! The iterator turns a pointer into a pin, without a word on whose reference it is.
//
// in: kmem_cache_iter.rs
// expect: error[E0133]: call to unsafe function `from_foreign` is unsafe and requires unsafe block

use super::*;
use kernel::types::ForeignOwnable;

fn control(pin: PinnedCache) -> *mut c_void {
    pin.into_foreign()
}

#[cfg(misuse)]
fn misuse(ptr: *mut c_void) -> PinnedCache {
    PinnedCache::from_foreign(ptr)
}
