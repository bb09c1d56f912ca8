// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

SEC("iter/kmem_cache")
int names(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kmem_cache *s = ctx->s;

	/* As in /proc/slabinfo, the name is the first column. */
	if (s)
		BPF_SEQ_PRINTF(seq, "%s %u\n", s->name, s->object_size);
	return 0;
}
