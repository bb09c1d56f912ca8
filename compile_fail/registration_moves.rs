// SPDX-License-Identifier: GPL-2.0

//! A registration is moved, although BPF has a pointer to it.
//
// in: bpf_iter.rs
// expect: error[E0277]: `PhantomPinned` cannot be unpinned

use super::*;

fn control<T: Target>(registration: Pin<&mut Registration<T>>) -> Pin<&mut Registration<T>> {
    registration
}

#[cfg(misuse)]
fn misuse<T: Target>(registration: Pin<&mut Registration<T>>) -> &mut Registration<T> {
    registration.get_mut()
}
