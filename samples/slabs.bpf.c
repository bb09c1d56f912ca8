// SPDX-License-Identifier: GPL-2.0
/*
 * A table of all slab caches, for Linux 7.1 and newer; slabstat/ has one for older kernels.
 * To see it:
 *
 *   bpftool iter pin slabs.bpf.o /sys/fs/bpf/slabs
 *   cat /sys/fs/bpf/slabs
 */
#include <vmlinux.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* struct kmem_cache_order_objects: the order of a slab, and the objects in it */
#define OO_SHIFT	16
#define OO_MASK		((1 << OO_SHIFT) - 1)

/* How many NUMA nodes a cache has room for. Without NUMA, it is 1, and no variable. */
extern const void nr_node_ids __ksym __weak;
extern unsigned int CONFIG_PAGE_SHIFT __kconfig;

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

/* With CONFIG_SLUB_DEBUG alone. */
struct kmem_cache_node___debug {
	atomic_long_t nr_slabs, total_objects;
} __attribute__((preserve_access_index));

struct sums {
	unsigned long slabs, objects;
};

static void add_node(struct sums *sums, struct kmem_cache *s, int node)
{
	struct kmem_cache_per_node_ptrs *ptrs = (void *)s + bpf_core_field_offset(s->per_node);
	struct kmem_cache_node___debug *n = (void *)BPF_CORE_READ(ptrs + node, node);

	if (!bpf_core_field_exists(n->nr_slabs))
		return;
	sums->slabs += BPF_CORE_READ(n, nr_slabs.counter);
	sums->objects += BPF_CORE_READ(n, total_objects.counter);
}

SEC("iter/kmem_cache")
int slabs(struct bpf_iter__kmem_cache *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kmem_cache *s = ctx->s;
	unsigned int nr_nodes = 1, order;
	struct sums sums = {};
	int node;

	/* At the end, the number is that of the last cache, counted from 0. */
	if (!s) {
		BPF_SEQ_PRINTF(seq, "%llu slab caches\n", ctx->meta->seq_num + 1);
		return 0;
	}

	if (ctx->meta->seq_num == 0)
		BPF_SEQ_PRINTF(seq, "%-28s %10s %8s %8s %8s %8s %s\n", "CACHE", "MEMORY",
			       "OBJECTS", "OBJSIZE", "SLABS", "OBJ/SLAB", "FLAGS");

	if (&nr_node_ids)
		bpf_probe_read_kernel(&nr_nodes, sizeof(nr_nodes), &nr_node_ids);
	bpf_for(node, 0, nr_nodes)
		add_node(&sums, s, node);
	order = s->oo.x >> OO_SHIFT;

	BPF_SEQ_PRINTF(seq, "%-28s %9luK %8lu %8u %8lu %8u%s%s%s%s%s%s\n", s->name,
		       sums.slabs << (order + CONFIG_PAGE_SHIFT) >> 10, sums.objects, s->size,
		       sums.slabs, s->oo.x & OO_MASK,
		       FLAG(_SLAB_HWCACHE_ALIGN, "hwalign"), FLAG(_SLAB_RECLAIM_ACCOUNT, "reclaim"),
		       FLAG(_SLAB_TYPESAFE_BY_RCU, "rcu"), FLAG(_SLAB_CACHE_DMA, "dma"),
		       FLAG(_SLAB_PANIC, "panic"), FLAG(_SLAB_NO_MERGE, "nomerge"));
	return 0;
}
