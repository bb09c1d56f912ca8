// SPDX-License-Identifier: GPL-2.0

//! A target whose objects are not those that its C side has.
//
// in: kmem_cache_iter.rs
// expect: error[E0308]: mismatched types

use super::*;

type Object = PinnedCache;

#[cfg(not(misuse))]
const BTF: TargetBtf<Object> = slab::ITER_BTF;
#[cfg(misuse)]
const BTF: TargetBtf<KBox<Object>> = slab::ITER_BTF;
