// SPDX-License-Identifier: GPL-2.0
/* Programs for the targets of samples/rust/rust_bpf_iter_main.rs. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* What is used of struct rust_item. If the sample is built in, vmlinux.h has the whole. */
struct rust_item___used {
	__u64 number;
	__u64 value;
} __attribute__((preserve_access_index));

struct bpf_iter__rust_item {
	struct bpf_iter_meta *meta;
	struct rust_item___used *item;
};

struct bpf_iter__rust_item_high {
	struct bpf_iter_meta *meta;
	struct rust_item___used *item;
};

bool is_silent;
int ends;

static __always_inline int print(struct seq_file *seq, struct rust_item___used *item)
{
	if (!item) {
		ends++;
		BPF_SEQ_PRINTF(seq, ".");
		return 0;
	}
	if (!is_silent)
		BPF_SEQ_PRINTF(seq, "%llu ", item->number);
	return 0;
}

SEC("?iter/rust_item")
int all_items(struct bpf_iter__rust_item *ctx)
{
	return print(ctx->meta->seq, ctx->item);
}

SEC("?iter.s/rust_item")
int sleepable(struct bpf_iter__rust_item *ctx)
{
	return print(ctx->meta->seq, ctx->item);
}

SEC("?iter/rust_item_high")
int high_items(struct bpf_iter__rust_item_high *ctx)
{
	return print(ctx->meta->seq, ctx->item);
}

SEC("?iter/rust_item")
int unchecked(struct bpf_iter__rust_item *ctx)
{
	BPF_SEQ_PRINTF(ctx->meta->seq, "%llu ", ctx->item->number);
	return 0;
}

SEC("?iter/rust_item")
int writes(struct bpf_iter__rust_item *ctx)
{
	struct rust_item___used *item = ctx->item;

	if (item)
		item->value = 0;
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} goes_on_as SEC(".maps");

SEC("?iter/rust_item")
int goes_on(struct bpf_iter__rust_item *ctx)
{
	bpf_tail_call(ctx, &goes_on_as, 0);
	return 0;
}

SEC("?iter/kmem_cache")
int caches(struct bpf_iter__kmem_cache *ctx)
{
	if (ctx->s)
		BPF_SEQ_PRINTF(ctx->meta->seq, "c");
	return 0;
}
