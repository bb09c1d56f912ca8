// SPDX-License-Identifier: GPL-2.0
/* Programs for the targets of test_kmods/kmem_cache_iter_entry*.c. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kmem_cache_iter_lookup.h"

char _license[] SEC("license") = "GPL";

/* What is used of it. */
struct kmem_cache_iter_entry {
	__u32 number;
	__u64 square;
} __attribute__((preserve_access_index));

struct bpf_iter__entry {
	struct bpf_iter_meta *meta;
	struct kmem_cache_iter_entry *entry;
};

/* The helper that the target has of its own. */
static long (*entry_double)(__u64 number) = (void *)BPF_FUNC_setsockopt;

__u64 numbers, squares, doubles;
int ends;

static __always_inline int sum(struct bpf_iter__entry *ctx)
{
	struct kmem_cache_iter_entry *entry = ctx->entry;

	if (!entry) {
		ends++;
		return 0;
	}
	numbers += entry->number;
	squares += entry->square;
	return 0;
}

SEC("?iter/entry")
int built_outside(struct bpf_iter__entry *ctx)
{
	return sum(ctx);
}

SEC("?iter/entry_in_tree")
int built_in_tree(struct bpf_iter__entry *ctx)
{
	return sum(ctx);
}

SEC("?iter/entry")
int calls_helper(struct bpf_iter__entry *ctx)
{
	struct kmem_cache_iter_entry *entry = ctx->entry;

	if (entry)
		doubles += entry_double(entry->number);
	return 0;
}

SEC("?fexit/bpf_iter_get_func_proto")
int BPF_PROG(helper_found, enum bpf_func_id id, const struct bpf_prog *prog,
	     const struct bpf_func_proto *proto)
{
	return proto ? wait_in_thread() : 0;
}
