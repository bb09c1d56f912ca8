// SPDX-License-Identifier: GPL-2.0

//! A reference is made two by cloning the pin.
//
// in: slab.rs
// expect: error[E0599]: no method named `clone` found for struct `slab::PinnedCache` in the current scope

use super::*;

fn control(first: Reference, second: Reference) -> (PinnedCache, PinnedCache) {
    (PinnedCache::new(first), PinnedCache::new(second))
}

#[cfg(misuse)]
fn misuse(reference: Reference) -> (PinnedCache, PinnedCache) {
    let pin = PinnedCache::new(reference);

    (pin.clone(), pin)
}
