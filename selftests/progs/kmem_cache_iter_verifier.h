/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs share that use the kmem_cache iterator rightly and wrongly, with
 * what the verifier answers: those of kmem_cache_iter_callback and
 * kmem_cache_iter_verifier.
 */
#ifndef __KMEM_CACHE_ITER_VERIFIER_H
#define __KMEM_CACHE_ITER_VERIFIER_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"
#include "bpf_misc.h"

char _license[] SEC("license") = "GPL";

/* What is stored here cannot be optimized away. */
__u64 sink;

static __always_inline void *first_of(void *map)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(map, &key);
}

static __always_inline int loop(void)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s)
		sink += s->size;
	return 0;
}

#endif
