// SPDX-License-Identifier: GPL-2.0

//! What a target keeps of an open file cannot be all zero, as it is when the file is opened.
//
// in: kmem_cache_iter.rs
// expect: error[E0277]: the trait bound `Place: pin_init::Zeroable` is not satisfied

use super::*;

#[cfg_attr(not(misuse), derive(Zeroable))]
struct Place {}

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
