// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"
#include "kmem_cache_iter_wait.h"

char _license[] SEC("license") = "GPL";

#define WAIT_MAX_NS	5000000000ULL

/* Sleepable: it does not keep RCU waiting for it. */
SEC("?iter.s/kmem_cache")
int wait_inside_read(struct bpf_iter__kmem_cache *ctx)
{
	if (!READ_ONCE(waiting))
		wait(WAIT_MAX_NS);
	return 0;
}

extern const void targets_mutex __ksym;

/* Waits where the lookup of a target drops its mutex. */
int waiting_tid;
bool looking_up;

static bool is_waiting_thread(void)
{
	return (int)bpf_get_current_pid_tgid() == waiting_tid;
}

SEC("?fentry/bpf_iter_prog_supported")
int BPF_PROG(lookup_begins)
{
	if (is_waiting_thread())
		looking_up = true;
	return 0;
}

SEC("?fentry/bpf_iter_get_func_proto")
int BPF_PROG(helper_begins)
{
	if (is_waiting_thread())
		looking_up = true;
	return 0;
}

SEC("?fentry/bpf_iter_link_attach")
int BPF_PROG(attach_begins)
{
	if (is_waiting_thread())
		looking_up = true;
	return 0;
}

SEC("?fexit/mutex_unlock")
int BPF_PROG(lookup_done, struct mutex *lock)
{
	if ((__u64)lock != (__u64)&targets_mutex)
		return 0;
	if (looking_up && !READ_ONCE(waiting) && is_waiting_thread())
		wait(WAIT_MAX_NS);
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
