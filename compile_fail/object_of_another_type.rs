// SPDX-License-Identifier: GPL-2.0

//! A target whose objects are not those that its C side has.
//
// in: kmem_cache_iter.rs
// expect: error[E0326]: implemented const `BTF` has an incompatible type for trait

use super::*;

#[derive(Zeroable)]
struct Place {}

#[vtable]
impl Target for Place {
    const BTF: TargetBtf<PinnedCache> = slab::ITER_BTF;

    #[cfg(not(misuse))]
    type Object = PinnedCache;
    #[cfg(misuse)]
    type Object = KBox<PinnedCache>;

    fn start(self: Pin<&mut Self>) -> Result<Option<Self::Object>> {
        Ok(None)
    }

    fn next(self: Pin<&mut Self>, current: Self::Object) -> Result<Option<Self::Object>> {
        Ok(Some(current))
    }
}
