// SPDX-License-Identifier: GPL-2.0

//! A reference is made two by cloning the pin.
//
// in: slab.rs
// expect: error[E0599]: no method named `clone` found for struct `slab::PinnedCache` in the current scope

use super::*;

fn control(cache: KmemCache<'_>, caches: &SlabCaches) -> (PinnedCache, PinnedCache) {
    (caches.pin(cache), caches.pin(cache))
}

#[cfg(misuse)]
fn misuse(cache: KmemCache<'_>, caches: &SlabCaches) -> (PinnedCache, PinnedCache) {
    let pin = caches.pin(cache);

    (pin.clone(), pin)
}
