// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* Links can be made of these. */

SEC("iter/kmem_cache")
int first(struct bpf_iter__kmem_cache *ctx)
{
	return 0;
}

SEC("iter/kmem_cache")
int second(struct bpf_iter__kmem_cache *ctx)
{
	return 0;
}

SEC("iter.s/kmem_cache")
int sleepable(struct bpf_iter__kmem_cache *ctx)
{
	return 0;
}

/* These are for other links, or for none. */

SEC("iter/task")
int other_target(struct bpf_iter__task *ctx)
{
	return 0;
}

SEC("raw_tp/sched_switch")
int other_type(void *ctx)
{
	return 0;
}

SEC("syscall")
int is_run(const void *ctx)
{
	return 0;
}
