// SPDX-License-Identifier: GPL-2.0

//! The iterator destroys a cache, without a word on why it may.
//
// in: kmem_cache_iter.rs
// expect: error[E0133]: call to unsafe function `kernel::bindings::kmem_cache_destroy` is unsafe and requires unsafe block

use super::*;
use kernel::bindings;

fn control(cache: *mut bindings::kmem_cache) -> bool {
    cache.is_null()
}

#[cfg(misuse)]
fn misuse(cache: *mut bindings::kmem_cache) {
    bindings::kmem_cache_destroy(cache);
}
