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

mod open_coded;
mod slab;
mod slab_list;

use kernel::{
    bpf::iter::{
        Registration,
        Target,
        TargetBtf, //
    },
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};
use slab::{
    Cursor,
    PinnedCache, //
};

module! {
    type: KmemCacheIterModule,
    name: "kmem_cache_iter_rust",
    description: "BPF iterator over all slab caches",
    license: "GPL",
}

struct KmemCacheIterModule {
    _target: Registration<KmemCacheIter>,
}

impl kernel::Module for KmemCacheIterModule {
    #[inline]
    fn init(module: &'static ThisModule) -> Result<Self> {
        open_coded::register_kfuncs()?;
        Ok(Self {
            _target: Registration::new(module)?,
        })
    }
}

/// An open file of the iterator.
#[derive(Zeroable)]
#[pin_data]
struct KmemCacheIter {
    #[pin]
    cursor: Cursor,
}

#[vtable]
impl Target for KmemCacheIter {
    const BTF: TargetBtf<PinnedCache> = slab::ITER_BTF;
    const RESCHED: bool = true;

    type Object = PinnedCache;

    #[inline]
    fn start(self: Pin<&mut Self>) -> Result<Option<PinnedCache>> {
        Ok(self.project().cursor.resume())
    }

    #[inline]
    fn next(self: Pin<&mut Self>, current: PinnedCache) -> Result<Option<PinnedCache>> {
        Ok(current.next())
    }

    #[inline]
    fn stop(self: Pin<&mut Self>, current: Option<PinnedCache>) {
        // A walk that is not paused has ended.
        if let Some(cache) = current {
            self.project().cursor.pause(cache);
        }
    }

    #[inline]
    fn show_fdinfo(m: &SeqFile) {
        seq_print!(m, "kmem_cache iter\n");
    }
}
