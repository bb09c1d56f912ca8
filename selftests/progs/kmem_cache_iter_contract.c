// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"

char _license[] SEC("license") = "GPL";

#define PADDING_SIZE	4096
#define MAX_CACHES	1024
/* More than the buffer of a BPF iterator file, which is 8 pages. */
#define OVERFLOW_WRITES	9

/* What dump() is to do, beside printing a line for each cache. */
__u32 overflow_at_call;
__u32 overflows_at_end;
__u32 return_1_at_call;
__u32 silent_calls;
__u32 padding_per_line;
char padding[PADDING_SIZE];

/* What it was called with. */
__u32 calls;
__u32 null_calls;
__u32 calls_after_null;

static void overflow(struct seq_file *seq)
{
	int i;

	bpf_for(i, 0, OVERFLOW_WRITES)
		bpf_seq_write(seq, padding, sizeof(padding));
}

SEC("iter/kmem_cache")
int dump(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kmem_cache *s = ctx->s;
	__u32 len = padding_per_line;

	if (!s) {
		if (null_calls++ < overflows_at_end)
			overflow(seq);
		return 0;
	}

	calls++;
	if (null_calls)
		calls_after_null++;

	if (calls == return_1_at_call)
		return 1;

	if (calls == overflow_at_call)
		overflow(seq);

	if (calls <= silent_calls)
		return 0;

	BPF_SEQ_PRINTF(seq, "%s %u\n", s->name, s->size);
	if (len <= sizeof(padding))
		bpf_seq_write(seq, padding, len);
	return 0;
}

/* The reference counts of all caches, while each of them is visited. */
__u64 caches[MAX_CACHES];
int pinned_refcounts[MAX_CACHES];
__u32 nr_caches;

SEC("iter/kmem_cache")
int collect_refs(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;
	__u32 i = nr_caches;

	if (!s || i >= MAX_CACHES)
		return 0;

	caches[i] = (__u64)s;
	pinned_refcounts[i] = s->refcount;
	nr_caches = i + 1;
	return 0;
}

/* The same while nobody visits them. */
int refcounts[MAX_CACHES];

SEC("syscall")
int read_refcounts(const void *ctx)
{
	int i;

	bpf_for(i, 0, MAX_CACHES) {
		struct kmem_cache *s;

		if (i >= nr_caches)
			break;
		s = bpf_core_cast((void *)caches[i], struct kmem_cache);
		refcounts[i] = s->refcount;
	}
	return 0;
}

/* A helper that only sleepable programs have shows that this one is. */
const char *user_string;
__u32 sleepable_calls;
__u32 sleepable_reads;

SEC("iter.s/kmem_cache")
int sleepable(struct bpf_iter__kmem_cache *ctx)
{
	char buf[8];

	if (!ctx->s)
		return 0;

	sleepable_calls++;
	if (bpf_copy_from_user(buf, sizeof(buf), user_string) == 0 && buf[0] == 's')
		sleepable_reads++;
	return 0;
}

__u32 break_after;
__u32 loop_entries;
__u32 loop_not_pinned;

SEC("syscall")
int break_off(const void *ctx)
{
	struct kmem_cache *s;

	loop_entries = 0;
	bpf_for_each(kmem_cache, s) {
		__u32 i = loop_entries++;

		if (i < MAX_CACHES && s->refcount != pinned_refcounts[i])
			loop_not_pinned++;
		if (loop_entries == break_after)
			break;
	}
	return 0;
}
