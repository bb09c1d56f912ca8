// SPDX-License-Identifier: GPL-2.0

//! A pin is used after the cursor was paused at it.
//
// in: kmem_cache_iter.rs
// expect: error[E0382]: use of moved value: `pin`

use super::*;

fn control(cursor: Pin<&mut Cursor>, pin: Option<PinnedCache>) {
    KmemCacheIter::stop(cursor, pin);
}

#[cfg(misuse)]
fn misuse(cursor: &Cursor, pin: Option<PinnedCache>) -> Option<PinnedCache> {
    cursor.pause(pin);
    pin
}
