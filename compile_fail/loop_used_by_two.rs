// SPDX-License-Identifier: GPL-2.0

//! A loop goes on through a shared reference, which two may have at once.
//
// in: bpf_iter.rs
// expect: error[E0596]: cannot borrow `*walk` as mutable, as it is behind a `&` reference

use super::*;

fn control<T: Target>(walk: &mut OpenCoded<T>) -> *mut c_void {
    walk.next()
}

#[cfg(misuse)]
fn misuse<T: Target>(walk: &OpenCoded<T>) -> *mut c_void {
    walk.next()
}
