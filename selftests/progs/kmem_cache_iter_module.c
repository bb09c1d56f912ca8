// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"
#include "kmem_cache_iter_lookup.h"

char _license[] SEC("license") = "GPL";

/* Sleepable: it does not keep RCU waiting for it. */
SEC("?iter.s/kmem_cache")
int wait_inside_read(struct bpf_iter__kmem_cache *ctx)
{
	if (!READ_ONCE(waiting))
		wait(WAIT_MAX_NS);
	return 0;
}

SEC("?fentry/bpf_iter_prog_supported")
int BPF_PROG(lookup_begins)
{
	return lookup_begins_here();
}

SEC("?fentry/bpf_iter_link_attach")
int BPF_PROG(attach_begins)
{
	return lookup_begins_here();
}

__u32 entries;

SEC("?syscall")
int open_coded(const void *ctx)
{
	struct kmem_cache *s;

	entries = 0;
	bpf_for_each(kmem_cache, s)
		entries++;
	return 0;
}
