// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_atomic.h"
#include "bpf_experimental.h"

char _license[] SEC("license") = "GPL";

#define WAIT_MAX_NS	5000000000ULL

/* wait() sets and awaits them. It gives up at last, lest it hang. */
int waiting;
int go_on;
bool gave_up;

static void wait(void)
{
	__u64 end = bpf_ktime_get_ns() + WAIT_MAX_NS;
	int i, j;

	WRITE_ONCE(waiting, 1);
	bpf_for(i, 0, 1 << 20) {
		bpf_for(j, 0, 1 << 8) {
			if (READ_ONCE(go_on))
				return;
		}
		if (bpf_ktime_get_ns() > end)
			break;
	}
	gave_up = true;
}

/* Sleepable: it does not keep RCU waiting for it. */
SEC("?iter.s/kmem_cache")
int wait_inside_read(struct bpf_iter__kmem_cache *ctx)
{
	if (!READ_ONCE(waiting))
		wait();
	return 0;
}

extern const void targets_mutex __ksym;

/* Waits where the lookup of a target drops its mutex. */
int waiting_tid;
bool looking_up;

SEC("?fentry/bpf_iter_prog_supported")
int BPF_PROG(lookup_begins)
{
	if ((int)bpf_get_current_pid_tgid() == waiting_tid)
		looking_up = true;
	return 0;
}

SEC("?fentry/bpf_iter_link_attach")
int BPF_PROG(attach_begins)
{
	if ((int)bpf_get_current_pid_tgid() == waiting_tid)
		looking_up = true;
	return 0;
}

SEC("?fexit/mutex_unlock")
int BPF_PROG(lookup_done, struct mutex *lock)
{
	if ((__u64)lock != (__u64)&targets_mutex)
		return 0;
	if (looking_up && !READ_ONCE(waiting) && (int)bpf_get_current_pid_tgid() == waiting_tid)
		wait();
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

/* What all positive reference counts add up to, read while each is pinned. */
__u64 references;

SEC("?iter/kmem_cache")
int count_references(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s && s->refcount > 0)
		references += s->refcount - 1;
	return 0;
}
