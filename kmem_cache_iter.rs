// SPDX-License-Identifier: GPL-2.0

//! The `kmem_cache` BPF iterator: every slab cache of the running kernel.
//!
//! A BPF program is called for each slab cache without `slab_mutex` held. What keeps the cache
//! alive meanwhile is a reference, taken and given up under that mutex. One step is one critical
//! section: the next cache is pinned before the current one is given up.
//!
//! Between two reads of a file no reference is held. A cursor remembers where to go on, and is
//! moved when the cache there is destroyed. For each open file:
//!
//! - A cache that exists when the first read begins, and still exists when the walk reaches the
//!   end, is shown exactly once, in list order.
//! - A cache that is destroyed in between is shown at most once.
//! - A cache that is created after the first read began is not shown.
//! - After the end of file, reads stay at the end of file.
//! - To go on costs the same wherever the file has come to.
//!
//! C counterpart: [`kernel/bpf/kmem_cache_iter.c`](srctree/kernel/bpf/kmem_cache_iter.c)

mod bpf_iter;
mod open_coded;
mod slab;
mod slab_list;

use bpf_iter::{
    Context,
    Target,
    TargetModule,
    TargetTable, //
};
use core::mem::offset_of;
use kernel::{
    bindings,
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};
use slab::{
    Cursor,
    PinnedCache, //
};

module! {
    type: TargetModule<KmemCacheIter>,
    name: "kmem_cache_iter_rust",
    description: "BPF iterator over all slab caches",
    license: "GPL",
}

/// The iterator target `kmem_cache`.
struct KmemCacheIter;

static TABLE: TargetTable<KmemCacheIter> = TargetTable::new();

impl Target for KmemCacheIter {
    const RESCHED: bool = true;

    type Entry = PinnedCache;
    type Cursor = Cursor;

    #[inline]
    fn start(cursor: Pin<&mut Cursor>) -> Option<PinnedCache> {
        cursor.resume()
    }

    #[inline]
    fn next(current: PinnedCache) -> Option<PinnedCache> {
        current.next()
    }

    #[inline]
    fn stop(cursor: Pin<&mut Cursor>, entry: Option<PinnedCache>) {
        // A walk that is not paused has ended.
        if let Some(entry) = entry {
            cursor.pause(entry);
        }
    }

    #[inline]
    fn check_context() -> Result {
        slab::check_unlocked()
    }

    #[inline]
    fn first() -> Option<PinnedCache> {
        PinnedCache::first()
    }

    #[inline]
    fn show_fdinfo(seq: &SeqFile) {
        seq_print!(seq, "kmem_cache iter\n");
    }

    fn table() -> &'static TargetTable<Self> {
        &TABLE
    }

    #[inline]
    fn init() -> Result {
        open_coded::register_kfuncs()
    }
}

// The layout that programs know.
static_assert!(size_of::<Context>() == size_of::<bindings::bpf_iter__kmem_cache>());
static_assert!(
    Context::ENTRY_OFFSET == offset_of!(bindings::bpf_iter__kmem_cache, __bindgen_anon_2)
);
