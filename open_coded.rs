// SPDX-License-Identifier: GPL-2.0

//! The open-coded iterator: `bpf_for_each(kmem_cache, s)`.
//!
//! Each function is the body of one of the kfuncs in `helpers.c`.

use crate::{
    bpf_iter::{
        OpenCoded,
        Target, //
    },
    slab::PinnedCache,
    KmemCacheIter, //
};
use core::ptr::drop_in_place;
use kernel::{
    bindings,
    error::to_result,
    prelude::*, //
};

type State = OpenCoded<KmemCacheIter>;

// What the kfuncs return is a `struct kmem_cache`.
const _: fn(<KmemCacheIter as Target>::Entry) -> PinnedCache = |entry| entry;

static_assert!(size_of::<State>() <= size_of::<bindings::bpf_iter_kmem_cache>());
static_assert!(align_of::<State>() <= align_of::<bindings::bpf_iter_kmem_cache>());

/// Makes the kfuncs known to BPF.
///
/// To be called by [`Target::init`] alone, which is once. They are forgotten when the module is
/// unloaded, which a program that uses them delays.
///
/// # Errors
///
/// [`ENOMEM`] when there is no memory, or that of the BTF of the module when something is wrong
/// with it.
#[inline]
pub(crate) fn register_kfuncs() -> Result {
    // SAFETY: This is called once, while the module is initialised. No program can use its BTF
    // until that has succeeded.
    to_result(unsafe { bindings::kmem_cache_iter_register_kfuncs() })
}

/// # Safety
///
/// `it` must be valid for writes.
#[export]
pub(crate) unsafe extern "C" fn kmem_cache_iter_open_coded_new(
    it: *mut bindings::bpf_iter_kmem_cache,
) -> c_int {
    let (state, ret) = match State::begin() {
        Ok(state) => (state, 0),
        Err(error) => (State::ended(), error.to_errno()),
    };

    // SAFETY: `it` is valid for writes, and has room for the state.
    unsafe { it.cast::<State>().write(state) };
    ret
}

/// # Safety
///
/// `it` must have been initialised by [`kmem_cache_iter_open_coded_new`], not be destroyed, and not
/// be in use by anybody else.
#[export]
pub(crate) unsafe extern "C" fn kmem_cache_iter_open_coded_next(
    it: *mut bindings::bpf_iter_kmem_cache,
) -> *mut bindings::kmem_cache {
    // SAFETY: By the safety requirements, `it` is a valid `State` of which we have the only use.
    let state = unsafe { &mut *it.cast::<State>() };

    state.next().cast()
}

/// # Safety
///
/// As for [`kmem_cache_iter_open_coded_next`]. `it` must not be used again.
#[export]
pub(crate) unsafe extern "C" fn kmem_cache_iter_open_coded_destroy(
    it: *mut bindings::bpf_iter_kmem_cache,
) {
    // SAFETY: By the safety requirements, `it` is a valid `State` that nobody uses from now on.
    unsafe { drop_in_place(it.cast::<State>()) };
}
