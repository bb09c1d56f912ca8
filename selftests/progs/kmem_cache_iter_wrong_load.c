// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"

char _license[] SEC("license") = "GPL";

SEC("iter/kmem_cache")
int target(struct bpf_iter__kmem_cache *ctx)
{
	return 0;
}

SEC("syscall")
int loop(const void *ctx)
{
	struct kmem_cache *s;
	int nr = 0;

	bpf_for_each(kmem_cache, s)
		nr++;
	return nr;
}

/* The names and the arguments of functions of targets. */
__noinline int bpf_iter_kmem_cache(struct bpf_iter_meta *meta, struct kmem_cache *s)
{
	/* Used, so that they are passed. */
	if (!meta)
		return 1;
	return s ? 2 : 3;
}

__noinline int bpf_iter_bpf_map(struct bpf_iter_meta *meta, struct bpf_map *map)
{
	if (!meta)
		return 1;
	return map ? 2 : 3;
}

SEC("syscall")
int calls_namesakes(const void *ctx)
{
	return bpf_iter_kmem_cache(NULL, NULL) + bpf_iter_bpf_map(NULL, NULL);
}

/* There is no such function. */
SEC("?iter/kmem_cache_x")
int unknown_target(void *ctx)
{
	return 0;
}

/* The function is there, but it is not for a target. */
SEC("?iter/kmem_cache_new")
int no_target(void *ctx)
{
	return 0;
}
