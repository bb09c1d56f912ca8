// SPDX-License-Identifier: GPL-2.0

//! A target lends a lock to the program, with the object that it protects.
//
// in: kmem_cache_iter.rs
// expect: error[E0277]: `*mut ()` cannot be sent between threads safely

use super::*;
use kernel::{
    bpf::iter::Trust,
    sync::rcu, //
};

#[derive(Zeroable)]
struct Place {}

#[cfg_attr(misuse, allow(dead_code))]
struct Locked {
    cache: PinnedCache,
    #[cfg(misuse)]
    guard: rcu::Guard,
}

#[vtable]
impl Target for Place {
    // SAFETY: It is never registered.
    const BTF: TargetBtf<KBox<Locked>> = unsafe { TargetBtf::new(c"locked", Trust::Trusted) };

    type Object = KBox<Locked>;

    fn start(self: Pin<&mut Self>) -> Result<Option<Self::Object>> {
        Ok(None)
    }

    fn next(self: Pin<&mut Self>, _current: Self::Object) -> Result<Option<Self::Object>> {
        Ok(None)
    }
}
