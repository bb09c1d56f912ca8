// SPDX-License-Identifier: GPL-2.0
/*
 * A table of all slab caches. To see it on any kernel with the iterator:
 *
 *   bpftool iter pin slabs.bpf.o /sys/fs/bpf/slabs
 *   cat /sys/fs/bpf/slabs
 */
#include <vmlinux.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define PAGE_SIZE	4096

/* struct kmem_cache_order_objects: the order of a slab, and the objects in it */
#define OO_SHIFT	16
#define OO_MASK		((1 << OO_SHIFT) - 1)

/* The kernel that this runs on may have other values, and may lack some. */
enum _slab_flag_bits___any {
	_SLAB_HWCACHE_ALIGN___any,
	_SLAB_RECLAIM_ACCOUNT___any,
	_SLAB_TYPESAFE_BY_RCU___any,
	_SLAB_CACHE_DMA___any,
	_SLAB_PANIC___any,
	_SLAB_NO_MERGE___any,
};

#define FLAG(bit, word)							\
	(bpf_core_enum_value_exists(enum _slab_flag_bits___any, bit##___any) &&	\
	 s->flags & (1U << bpf_core_enum_value(enum _slab_flag_bits___any,	\
					       bit##___any)) ? " " word : "")

char _license[] SEC("license") = "GPL";

SEC("iter/kmem_cache")
int slabs(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kmem_cache *s = ctx->s;
	unsigned int order_objects, aliases;

	/* At the end, the number is that of the last cache, counted from 0. */
	if (!s) {
		BPF_SEQ_PRINTF(seq, "%llu slab caches\n", ctx->meta->seq_num + 1);
		return 0;
	}

	if (ctx->meta->seq_num == 0)
		BPF_SEQ_PRINTF(seq, "%-28s %8s %9s %8s %8s %s\n", "NAME", "OBJSIZE",
			       "SLABSIZE", "OBJ/SLAB", "ALIASES", "FLAGS");

	order_objects = s->oo.x;
	/* One reference is the owner's, and one ours. Boot caches count none. */
	aliases = s->refcount > 2 ? s->refcount - 2 : 0;

	BPF_SEQ_PRINTF(seq, "%-28s %8u %9u %8u %8u%s%s%s%s%s%s\n", s->name, s->object_size,
		       PAGE_SIZE << (order_objects >> OO_SHIFT), order_objects & OO_MASK, aliases,
		       FLAG(_SLAB_HWCACHE_ALIGN, "hwalign"), FLAG(_SLAB_RECLAIM_ACCOUNT, "reclaim"),
		       FLAG(_SLAB_TYPESAFE_BY_RCU, "rcu"), FLAG(_SLAB_CACHE_DMA, "dma"),
		       FLAG(_SLAB_PANIC, "panic"), FLAG(_SLAB_NO_MERGE, "nomerge"));
	return 0;
}
