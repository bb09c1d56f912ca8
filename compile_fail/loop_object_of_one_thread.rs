// SPDX-License-Identifier: GPL-2.0

//! A loop lends a lock to the program, with the object that it protects.
//
// in: open_coded.rs
// expect: error[E0277]: `*mut ()` cannot be sent between threads safely

use super::*;
use kernel::sync::rcu;

struct Locked {
    cache: PinnedCache,
    #[cfg(misuse)]
    guard: rcu::Guard,
}

struct LockedCaches;

impl Walk for LockedCaches {
    type Object = KBox<Locked>;

    fn first() -> Option<Self::Object> {
        None
    }

    fn next(_current: Self::Object) -> Option<Self::Object> {
        None
    }
}
