// SPDX-License-Identifier: GPL-2.0

//! A target keeps an object that it also returns, and so has it when its step is over.
//
// in: kmem_cache_iter.rs
// expect: error[E0382]: use of moved value: `current`

use super::*;

struct Kept(Option<PinnedCache>);

// SAFETY: Zero is no pointer, and so none.
unsafe impl Zeroable for Kept {}

#[derive(Zeroable)]
struct Place {
    last: Kept,
}

#[vtable]
impl Target for Place {
    const BTF: TargetBtf<PinnedCache> = slab::ITER_BTF;

    type Object = PinnedCache;

    fn start(self: Pin<&mut Self>) -> Result<Option<Self::Object>> {
        Ok(None)
    }

    fn next(mut self: Pin<&mut Self>, current: Self::Object) -> Result<Option<Self::Object>> {
        self.last = Kept(None);
        #[cfg(misuse)]
        {
            self.last = Kept(Some(current));
        }
        Ok(Some(current))
    }
}
