// SPDX-License-Identifier: GPL-2.0

//! A reference is given back twice.
//
// in: slab_list.rs
// expect: error[E0382]: use of moved value: `reference`

use super::*;

fn control(reference: Reference) {
    SlabCaches::lock().release(reference);
}

#[cfg(misuse)]
fn misuse(reference: Reference) {
    SlabCaches::lock().release(reference);
    SlabCaches::lock().release(reference);
}
