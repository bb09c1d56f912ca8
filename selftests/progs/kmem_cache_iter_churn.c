// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_atomic.h"
#include "bpf_experimental.h"
#include "kmem_cache_iter_rust.h"

char _license[] SEC("license") = "GPL";

int is_rust;

SEC("syscall")
int find_out(const void *ctx)
{
	is_rust = kmem_cache_iter_is_rust();
	return 0;
}

SEC("iter/kmem_cache")
int names(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kmem_cache *s = ctx->s;

	if (s)
		BPF_SEQ_PRINTF(seq, "%s\n", s->name);
	return 0;
}

#define WAIT_MAX_NS	20000000000ULL

/* Waits at the cache of this name, until told to go on, or for so long. */
static const char wait_at[] = "kci-1";
int waiting;
int go_on;
__u32 references;

static void wait(struct kmem_cache *s)
{
	char name[32];
	__u64 end;
	int i, j;

	if (READ_ONCE(waiting) || bpf_probe_read_kernel_str(name, sizeof(name), s->name) < 0 ||
	    bpf_strncmp(name, sizeof(wait_at), wait_at))
		return;

	WRITE_ONCE(waiting, 1);
	end = bpf_ktime_get_ns() + WAIT_MAX_NS;
	bpf_for(i, 0, 1 << 10) {
		if (READ_ONCE(go_on) || bpf_ktime_get_ns() > end)
			break;
		bpf_for(j, 0, 1 << 20) {
			if (READ_ONCE(go_on) || bpf_ktime_get_ns() > end)
				break;
		}
	}
	references = s->refcount;
}

SEC("iter.s/kmem_cache")
int wait_in_program(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		wait(s);
	return 0;
}

SEC("syscall")
int wait_in_loop(const void *ctx)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s)
		wait(s);
	return 0;
}
