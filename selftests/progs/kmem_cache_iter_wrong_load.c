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
