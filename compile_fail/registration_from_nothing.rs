// SPDX-License-Identifier: GPL-2.0

//! A registration is made of nothing, and would unregister what somebody else has registered.
//
// in: kmem_cache_iter.rs
// expect: error: cannot construct `kernel::bpf::iter::Registration<_>` with struct literal syntax due to private fields

use super::*;
use kernel::bindings;

fn control(module: &'static ThisModule) -> Result<Registration<KmemCacheIter>> {
    Registration::new(module)
}

#[cfg(misuse)]
fn misuse(reg: *const bindings::bpf_iter_reg) -> Registration<KmemCacheIter> {
    Registration { reg }
}
