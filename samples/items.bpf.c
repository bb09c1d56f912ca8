// SPDX-License-Identifier: GPL-2.0
/*
 * A table of the items of samples/rust/rust_bpf_iter_main.rs:
 *
 *   bpftool iter pin items.bpf.o /sys/fs/bpf/items
 *   cat /sys/fs/bpf/items
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* For each target a file of its own, as bpftool wants it. */
#ifndef TARGET
#define TARGET	"rust_item"
#endif

/* What is used of struct rust_item. If the sample is built in, vmlinux.h has the whole. */
struct rust_item___used {
	__u64 number;
	__u64 value;
} __attribute__((preserve_access_index));

struct bpf_iter__rust_item {
	struct bpf_iter_meta *meta;
	struct rust_item___used *item;
};

char _license[] SEC("license") = "GPL";

SEC("iter/" TARGET)
int items(struct bpf_iter__rust_item *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct rust_item___used *item = ctx->item;

	if (item)
		BPF_SEQ_PRINTF(seq, "item %llu: %llu\n", item->number, item->value);
	else
		BPF_SEQ_PRINTF(seq, "the end\n");
	return 0;
}
