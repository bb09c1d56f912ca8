// SPDX-License-Identifier: GPL-2.0

//! What a target keeps of an open file cannot be used by another thread than the one that opened it.
//
// in: kmem_cache_iter.rs
// expect: error[E0277]: `*mut u8` cannot be sent between threads safely

use super::*;

#[derive(Zeroable)]
#[cfg_attr(misuse, allow(dead_code))]
struct Place {
    #[cfg(misuse)]
    ptr: *mut u8,
}

#[vtable]
impl Target for Place {
    const BTF: TargetBtf<PinnedCache> = slab::ITER_BTF;

    type Object = PinnedCache;

    fn start(self: Pin<&mut Self>) -> Result<Option<PinnedCache>> {
        Ok(None)
    }

    fn next(self: Pin<&mut Self>, _current: PinnedCache) -> Result<Option<PinnedCache>> {
        Ok(None)
    }
}
