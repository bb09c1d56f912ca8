// SPDX-License-Identifier: GPL-2.0

//! The open-coded iterator: `bpf_for_each(kmem_cache, s)`.
//!
//! Each function is the body of one of the kfuncs in `helpers.c`.

use crate::slab::{
    self,
    PinnedCache, //
};
use kernel::{
    bindings,
    bpf::iter::open_coded::{
        OpenCoded,
        Walk, //
    },
    error::to_result,
    prelude::*, //
};

/// All slab caches, for a walk that is not interrupted.
struct KmemCaches;

impl Walk for KmemCaches {
    type Object = PinnedCache;

    #[inline]
    fn check_context() -> Result {
        slab::check_unlocked()
    }

    #[inline]
    fn first() -> Option<PinnedCache> {
        PinnedCache::first()
    }

    #[inline]
    fn next(current: PinnedCache) -> Option<PinnedCache> {
        current.next()
    }
}

static_assert!(size_of::<bindings::bpf_iter_kmem_cache>() == 8);
static_assert!(align_of::<bindings::bpf_iter_kmem_cache>() == 8);

/// Makes the kfuncs known to BPF.
///
/// They are forgotten when the module is unloaded, which a program that uses them delays.
///
/// # Errors
///
/// [`ENOMEM`] when there is no memory, or that of the BTF of the module when something is wrong
/// with it.
#[inline]
pub(crate) fn register_kfuncs() -> Result {
    // SAFETY: This can be called whenever the module is initialised. No program can use its BTF
    // until that has succeeded.
    to_result(unsafe { bindings::kmem_cache_iter_register_kfuncs() })
}

/// # Safety
///
/// As for [`OpenCoded::kfunc_new`].
#[export]
pub(crate) unsafe extern "C" fn kmem_cache_iter_open_coded_new(
    it: *mut bindings::bpf_iter_kmem_cache,
) -> c_int {
    // SAFETY: By the safety requirements, it is valid for writes. Its size and alignment are
    // asserted above.
    unsafe { OpenCoded::<KmemCaches>::kfunc_new(it.cast()) }
}

/// # Safety
///
/// As for [`OpenCoded::kfunc_next`].
#[export]
pub(crate) unsafe extern "C" fn kmem_cache_iter_open_coded_next(
    it: *mut bindings::bpf_iter_kmem_cache,
) -> *mut bindings::kmem_cache {
    // SAFETY: The verifier sees to it that the loop has begun, and that this is its only use. A
    // `PinnedCache` is turned into the pointer to its cache, and keeps it alive. When the loop has
    // gone on, nobody keeps the cache for the program: not here, and not by the iterator in C. The
    // documentation says that programs must not use it then.
    unsafe { OpenCoded::<KmemCaches>::kfunc_next(it.cast()) }.cast()
}

/// # Safety
///
/// As for [`OpenCoded::kfunc_destroy`].
#[export]
pub(crate) unsafe extern "C" fn kmem_cache_iter_open_coded_destroy(
    it: *mut bindings::bpf_iter_kmem_cache,
) {
    // SAFETY: The verifier sees to it that the loop has begun, and that this is the last use.
    unsafe { OpenCoded::<KmemCaches>::kfunc_destroy(it.cast()) };
}
