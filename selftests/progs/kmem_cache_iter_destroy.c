// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"
#include "kmem_cache_iter_wait.h"

char _license[] SEC("license") = "GPL";

#define WAIT_MAX_NS	20000000000ULL

/* Waits at the cache of this name. */
static const char wait_at[] = "kci-1";
__u32 references;

static void wait_and_count(struct kmem_cache *s)
{
	char name[32];

	if (READ_ONCE(waiting) || bpf_probe_read_kernel_str(name, sizeof(name), s->name) < 0 ||
	    bpf_strncmp(name, sizeof(wait_at), wait_at))
		return;

	wait(WAIT_MAX_NS);
	references = s->refcount;
}

SEC("iter.s/kmem_cache")
int wait_in_program(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		wait_and_count(s);
	return 0;
}

SEC("syscall")
int wait_in_loop(const void *ctx)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s)
		wait_and_count(s);
	return 0;
}
