// SPDX-License-Identifier: GPL-2.0

//! What a target keeps of an open file needs more alignment than the private data of a file has.
//
// in: kmem_cache_iter.rs
// emit: obj
// expect: error[E0080]: evaluation panicked: assertion failed: align_of::<T>() <= 8

use super::*;

#[derive(Zeroable)]
#[cfg_attr(not(misuse), repr(align(8)))]
#[cfg_attr(misuse, repr(align(16)))]
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

#[no_mangle]
extern "C" fn case_state_overaligned(module: &'static ThisModule) -> bool {
    Registration::<Place>::new(module).is_ok()
}
