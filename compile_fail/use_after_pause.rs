// SPDX-License-Identifier: GPL-2.0

//! A pin is used after the cursor was paused at it.
//
// in: kmem_cache_iter.rs
// expect: error[E0382]: use of moved value: `pin`

use super::*;

fn control(cursor: Pin<&mut Cursor>, pin: PinnedCache) {
    cursor.pause(pin);
}

#[cfg(misuse)]
fn misuse(cursor: Pin<&mut Cursor>, pin: PinnedCache) -> PinnedCache {
    cursor.pause(pin);
    pin
}
