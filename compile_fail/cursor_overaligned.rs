// SPDX-License-Identifier: GPL-2.0

//! The cursor of a target needs more alignment than the private data of a file has.
//
// in: bpf_iter.rs
// expect: error[E0080]: evaluation panicked: assertion failed: align_of::<T::Cursor>() <= 8

use super::*;
use crate::slab::PinnedCache;

#[derive(Zeroable)]
#[cfg_attr(not(misuse), repr(align(8)))]
#[cfg_attr(misuse, repr(align(16)))]
struct Place {}

struct Nothing;

impl Target for Nothing {
    const RESCHED: bool = false;

    type Entry = PinnedCache;
    type Cursor = Place;

    fn start(_cursor: Pin<&mut Place>) -> Option<PinnedCache> {
        None
    }

    fn next(_entry: PinnedCache) -> Option<PinnedCache> {
        None
    }

    fn stop(_cursor: Pin<&mut Place>, _entry: Option<PinnedCache>) {}

    fn first() -> Option<PinnedCache> {
        None
    }

    fn show_fdinfo(_seq: &SeqFile) {}

    fn table() -> &'static TargetTable<Self> {
        loop {}
    }
}

const _: bindings::bpf_iter_seq_info = TargetVTable::<Nothing>::SEQ_INFO;
