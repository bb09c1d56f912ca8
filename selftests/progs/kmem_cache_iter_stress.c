// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"

char _license[] SEC("license") = "GPL";

/* A few lines fill the buffer of an iterator file, which is 8 pages. */
#define PADDING_SIZE	3000
#define OVERFLOW_LINES	12

/* How often nobody but the iterator had a cache: it is the iterator's to destroy. */
__u64 orphans;

static __always_inline void visit(struct kmem_cache *s)
{
	if (s->refcount == 1)
		__sync_fetch_and_add(&orphans, 1);
}

static __always_inline int print_name(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kmem_cache *s = ctx->s;

	if (!s)
		return 0;
	BPF_SEQ_PRINTF(seq, "%s\n", s->name);
	visit(s);
	return 0;
}

SEC("iter/kmem_cache")
int names(struct bpf_iter__kmem_cache *ctx)
{
	return print_name(ctx);
}

SEC("iter.s/kmem_cache")
int names_sleepable(struct bpf_iter__kmem_cache *ctx)
{
	return print_name(ctx);
}

char padding[PADDING_SIZE];

SEC("iter/kmem_cache")
int long_lines(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kmem_cache *s = ctx->s;

	if (!s)
		return 0;
	BPF_SEQ_PRINTF(seq, "%s ", s->name);
	bpf_seq_write(seq, padding, sizeof(padding));
	BPF_SEQ_PRINTF(seq, "\n");
	visit(s);
	return 0;
}

SEC("iter/kmem_cache")
int overflow(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	int i;

	for (i = 0; i < OVERFLOW_LINES; i++)
		bpf_seq_write(seq, padding, sizeof(padding));
	return 0;
}

/* What is printed is thrown away, and the read fails. */
SEC("iter/kmem_cache")
int again(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;

	if (!ctx->s)
		return 0;
	BPF_SEQ_PRINTF(seq, "thrown away\n");
	return 1;
}

/* The entries of the last loop. */
__u32 entries;

SEC("syscall")
int loop(const void *ctx)
{
	struct kmem_cache *s;
	__u32 nr = 0;

	bpf_for_each(kmem_cache, s) {
		nr++;
		visit(s);
	}
	entries = nr;
	return 0;
}

#define MAX_CACHES	1024

/* Each slab cache, and its reference count while the loop is there. */
struct {
	__u64 cache;
	__s64 refcount;
} counted[MAX_CACHES];
__u32 nr_counted;

SEC("syscall")
int count_references(const void *ctx)
{
	struct kmem_cache *s;

	nr_counted = 0;
	bpf_for_each(kmem_cache, s) {
		__u32 i = nr_counted;

		if (i >= MAX_CACHES)
			break;
		counted[i].cache = (__u64)s;
		counted[i].refcount = s->refcount;
		nr_counted = i + 1;
	}
	return 0;
}
