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

extern const void targets_mutex __ksym;

bool looking_up;

SEC("?fentry/bpf_iter_prog_supported")
int BPF_PROG(lookup_begins)
{
	if (is_waiting_thread())
		looking_up = true;
	return 0;
}

/* The lookup is over when it drops its mutex. */
SEC("?fexit/mutex_unlock")
int BPF_PROG(lookup_done, struct mutex *lock)
{
	if (looking_up && (__u64)lock == (__u64)&targets_mutex)
		wait_in_thread();
	return 0;
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
