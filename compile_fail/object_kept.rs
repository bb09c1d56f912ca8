// SPDX-License-Identifier: GPL-2.0

//! A target keeps an object that it also returns, and so owns it when its step is over.
//
// in: kmem_cache_iter.rs
// expect: error[E0382]: use of moved value: `current`

use super::*;

struct Place {
    last: Option<PinnedCache>,
}

impl Place {
    fn control(&mut self, current: PinnedCache) -> Option<PinnedCache> {
        self.last = None;
        Some(current)
    }

    #[cfg(misuse)]
    fn misuse(&mut self, current: PinnedCache) -> Option<PinnedCache> {
        self.last = Some(current);
        Some(current)
    }
}
