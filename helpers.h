/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Rust kmem_cache iterator and its C side know of each other.
 * rust/bindings/bindings_helper.h includes this for bindgen.
 */
#ifndef _KMEM_CACHE_ITER_HELPERS_H
#define _KMEM_CACHE_ITER_HELPERS_H

#include <linux/bpf.h>

struct kmem_cache;

/*
 * Context of SEC("iter/kmem_cache") programs. BPF programs name it, so it is
 * C: Rust types are not in BTF.
 */
struct bpf_iter__kmem_cache {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct kmem_cache *, s);
};

/*
 * State of bpf_for_each(kmem_cache, s) on the stack of a BPF program. Only
 * open_coded.rs knows what it holds.
 */
struct bpf_iter_kmem_cache {
	__u64 __opaque[1];
} __aligned(8);

/* Implemented in helpers.c. */
int kmem_cache_iter_register_kfuncs(void);

/* Implemented in Rust (open_coded.rs), one for each kfunc in helpers.c. */
int kmem_cache_iter_open_coded_new(struct bpf_iter_kmem_cache *it);
struct kmem_cache *kmem_cache_iter_open_coded_next(struct bpf_iter_kmem_cache *it);
void kmem_cache_iter_open_coded_destroy(struct bpf_iter_kmem_cache *it);

#endif /* _KMEM_CACHE_ITER_HELPERS_H */
