// SPDX-License-Identifier: GPL-2.0

//! Two use the state of one loop.
//
// in: bpf_iter.rs
// expect: error[E0499]: cannot borrow `*walk` as mutable more than once at a time

use super::*;

fn control<T: Target>(walk: &mut OpenCoded<T>) {
    walk.next();
    walk.next();
}

#[cfg(misuse)]
fn misuse<T: Target>(walk: &mut OpenCoded<T>) {
    let (one, other) = (&mut *walk, &mut *walk);

    one.next();
    other.next();
}
