// SPDX-License-Identifier: GPL-2.0
/*
 * A record of each slab cache whose name fits.
 *
 * It runs on every kernel with the iterator, from Linux 6.13 on. What a kernel does not have is
 * left out of the record, by its BTF.
 */
#include <stdbool.h>

typedef unsigned char __u8;
typedef unsigned short __u16, __be16;
typedef unsigned int __u32, __be32, __wsum;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "slabstat.h"

#define MAX_NODES	1024
#define MAX_CPUS	8192
/* As count_partial_free_approx() in mm/slub.c has it: of longer lists, the two ends are counted. */
#define MAX_PARTIAL	10000
#define NOT_A_CPU	0xffff

/* The kernel's types, as far as they are used. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kmem_cache_cpu;
struct seq_file;

struct bpf_iter_num {
	__u64 opaque;
};

enum bpf_map_type {
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
};

struct list_head {
	struct list_head *next, *prev;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_array {
	void *pptrs[1];
};

struct kmem_cache_order_objects {
	unsigned int x;
};

struct slab {
	struct list_head slab_list;
	unsigned int inuse : 16;
	unsigned int objects : 15;
};

struct slab_sheaf {
	unsigned int size;
};

struct slub_percpu_sheaves {
	struct slab_sheaf *main, *spare, *rcu_free;
};

struct node_barn {
	unsigned int nr_full;
};

typedef struct {
	long counter;
} atomic_long_t;

struct kmem_cache_node {
	unsigned long nr_partial;
	struct list_head partial;
	atomic_long_t nr_slabs;
	atomic_long_t total_objects;
};

/* Until Linux 7.0. */
struct kmem_cache_node___with_barn {
	struct node_barn *barn;
};

struct kmem_cache_per_node_ptrs {
	struct node_barn *barn;
	struct kmem_cache_node *node;
};

struct kmem_cache {
	struct slub_percpu_sheaves *cpu_sheaves;
	unsigned int flags;
	unsigned int size;
	unsigned int sheaf_capacity;
	struct kmem_cache_order_objects oo;
	const char *name;
	struct kmem_cache_per_node_ptrs per_node[1];
};

struct kmem_cache___with_cpu_slab {
	struct kmem_cache_cpu *cpu_slab;
};

struct kmem_cache___with_nodes {
	struct kmem_cache_node *node[1];
};

struct bpf_iter__kmem_cache {
	struct bpf_iter_meta *meta;
	struct kmem_cache *s;
};

#pragma clang attribute pop

enum _slab_flag_bits {
	_SLAB_POISON,
	_SLAB_HWCACHE_ALIGN,
	_SLAB_CACHE_DMA,
	_SLAB_PANIC,
	_SLAB_TYPESAFE_BY_RCU,
	_SLAB_ACCOUNT,
	_SLAB_RECLAIM_ACCOUNT,
	_SLAB_NO_MERGE,
};

/* struct kmem_cache_order_objects: the order of a slab, and the objects in it */
#define OO_SHIFT	16
#define OO_MASK		((1 << OO_SHIFT) - 1)

/* Set before it is loaded. */
/*
 * The pattern of names, as src/pattern.rs has it: bit n is set of all that can be where n
 * characters of the pattern were found.
 */
const volatile __u64 accepts[256];	/* the next character of the name is that of the pattern */
const volatile __u64 stars = 1;		/* or any one, that a star stands for */
const volatile __u64 end = 1;		/* there is no more of the pattern */
const volatile bool by_node;
const volatile unsigned int nr_nodes = 1;
const volatile unsigned int nr_cpus = 1;
const volatile unsigned short node_of_cpu[MAX_CPUS];

/* What a CPU has of it tells where that CPU's part of everything is. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} of_each_cpu SEC(".maps");

/* So that its type is known to slabstat. */
struct slab_record record_type;

char _license[] SEC("license") = "GPL";

static bool matches(const char *name)
{
	__u64 reached = 1;
	unsigned char c;
	int i;

	bpf_for(i, 0, NAME_SIZE) {
		c = name[i];
		if (!c)
			break;
		reached = (reached & accepts[c]) << 1 | (reached & stars);
	}
	return reached & end;
}

/*
 * A function by itself, like what asks for the node's parts: there, the verifier sees which way
 * this kernel has them, and that the other way is not taken.
 */
static __noinline void *address_of_node(struct kmem_cache *s, unsigned int node)
{
	if (bpf_core_field_exists(s->per_node))
		return (void *)s + bpf_core_field_offset(s->per_node) +
		       node * bpf_core_type_size(struct kmem_cache_per_node_ptrs);
	return (void *)s + bpf_core_field_offset(struct kmem_cache___with_nodes, node) +
	       node * sizeof(void *);
}

static __noinline struct kmem_cache_node *get_node(struct kmem_cache *s, unsigned int node)
{
	void *address = address_of_node(s, node);
	struct kmem_cache_node *n = NULL;

	if (bpf_core_field_exists(s->per_node))
		address += bpf_core_field_offset(struct kmem_cache_per_node_ptrs, node);
	bpf_probe_read_kernel(&n, sizeof(n), address);
	return n;
}

static __noinline struct node_barn *get_barn(struct kmem_cache *s, unsigned int node)
{
	struct node_barn *barn = NULL;

	if (bpf_core_field_exists(s->per_node)) {
		void *address = address_of_node(s, node);

		address += bpf_core_field_offset(struct kmem_cache_per_node_ptrs, barn);
		bpf_probe_read_kernel(&barn, sizeof(barn), address);
	} else if (bpf_core_field_exists(struct kmem_cache_node___with_barn, barn)) {
		struct kmem_cache_node___with_barn *n = (void *)get_node(s, node);

		barn = BPF_CORE_READ(n, barn);
	}
	return barn;
}

/*
 * What the slabs of a list have free. It is read without the lock of the node, so a slab may be
 * about to leave the list.
 */
static __u64 count_free_from(struct list_head *head, bool forward, __u64 nr_slabs, __u64 *seen)
{
	struct list_head *entry = forward ? BPF_CORE_READ(head, next) : BPF_CORE_READ(head, prev);
	__u64 free = 0;
	int i;

	bpf_for(i, 0, MAX_PARTIAL) {
		__u64 objects, inuse;
		struct slab *slab;

		if (!entry || entry == head || i >= nr_slabs)
			break;
		slab = (void *)entry - bpf_core_field_offset(struct slab, slab_list);
		objects = BPF_CORE_READ_BITFIELD_PROBED(slab, objects);
		inuse = BPF_CORE_READ_BITFIELD_PROBED(slab, inuse);
		if (inuse < objects)
			free += objects - inuse;
		*seen = i + 1;
		entry = forward ? BPF_CORE_READ(entry, next) : BPF_CORE_READ(entry, prev);
	}
	return free;
}

static __u64 count_free(struct kmem_cache_node *n, __u64 objects)
{
	struct list_head *head = (void *)n + bpf_core_field_offset(n->partial);
	__u64 nr_partial = BPF_CORE_READ(n, nr_partial);
	__u64 free, at_head = 0, at_tail = 0;

	if (nr_partial <= MAX_PARTIAL) {
		free = count_free_from(head, true, nr_partial, &at_head);
	} else {
		free = count_free_from(head, true, MAX_PARTIAL / 2, &at_head) +
		       count_free_from(head, false, MAX_PARTIAL / 2, &at_tail);
		if (at_head + at_tail)
			free = free * nr_partial / (at_head + at_tail);
	}
	return free < objects ? free : objects;
}

static void add_node(struct slab_record *record, struct kmem_cache *s, unsigned int node)
{
	struct kmem_cache_node *n = get_node(s, node);
	struct node_barn *barn;
	__u64 objects;

	if (n && bpf_core_field_exists(n->nr_slabs)) {
		objects = BPF_CORE_READ(n, total_objects.counter);
		record->slabs += BPF_CORE_READ(n, nr_slabs.counter);
		record->objects += objects;
		record->free += count_free(n, objects);
	}
	barn = get_barn(s, node);
	if (barn)
		record->parked += (__u64)BPF_CORE_READ(barn, nr_full) * s->sheaf_capacity;
}

static unsigned long as_number(const void *pointer)
{
	unsigned long number = 0;

	/* The verifier does not let a pointer that it knows be moved so far. */
	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

static unsigned long offset_of_cpu(unsigned int cpu)
{
	struct bpf_array *array = (void *)as_number(&of_each_cpu);
	__u32 first = 0;
	void *there = bpf_map_lookup_percpu_elem(&of_each_cpu, &first, cpu);

	return there ? as_number(there) - (unsigned long)BPF_CORE_READ(array, pptrs[0]) : 0;
}

/* A sheaf may be about to be freed. */
static __u64 in_sheaf(struct slab_sheaf *sheaf, unsigned int capacity)
{
	unsigned int size = BPF_CORE_READ(sheaf, size);

	return size < capacity ? size : capacity;
}

/* Those of all CPUs, if the node is -1. */
static void add_cpus(struct slab_record *record, struct kmem_cache *s, int node)
{
	unsigned long sheaves = 0;
	unsigned int cpu;

	if (bpf_core_field_exists(s->cpu_sheaves))
		sheaves = (unsigned long)BPF_CORE_READ(s, cpu_sheaves);
	/* Until Linux 7.0, some caches have none. */
	if (!sheaves)
		return;
	bpf_for(cpu, 0, nr_cpus) {
		unsigned short on = node_of_cpu[cpu % MAX_CPUS];
		struct slub_percpu_sheaves *these;

		if (on == NOT_A_CPU || (node >= 0 && on != node))
			continue;
		these = (void *)(sheaves + offset_of_cpu(cpu));
		record->parked += in_sheaf(BPF_CORE_READ(these, main), s->sheaf_capacity) +
				  in_sheaf(BPF_CORE_READ(these, spare), s->sheaf_capacity) +
				  in_sheaf(BPF_CORE_READ(these, rcu_free), s->sheaf_capacity);
	}
}

#define FLAG(bit, flag)								\
	(bpf_core_enum_value_exists(enum _slab_flag_bits, bit) &&		\
	 s->flags & (1U << bpf_core_enum_value(enum _slab_flag_bits, bit)) ? flag : 0)

/* Where it has its part of each CPU's memory. That is no address, so it may be told to others. */
static __u64 id_of(struct kmem_cache *s)
{
	struct kmem_cache___with_cpu_slab *older = (void *)s;

	if (bpf_core_field_exists(older->cpu_slab))
		return (unsigned long)BPF_CORE_READ(older, cpu_slab);
	if (bpf_core_field_exists(s->cpu_sheaves))
		return (unsigned long)BPF_CORE_READ(s, cpu_sheaves);
	return 0;
}

static void describe(struct slab_record *record, struct kmem_cache *s)
{
	unsigned int oo = s->oo.x;

	record->id = id_of(s);
	record->size = sizeof(*record);
	record->object_size = s->size;
	record->objects_per_slab = oo & OO_MASK;
	record->order = oo >> OO_SHIFT;
	record->flags = FLAG(_SLAB_HWCACHE_ALIGN, HWALIGN) | FLAG(_SLAB_RECLAIM_ACCOUNT, RECLAIM) |
			FLAG(_SLAB_TYPESAFE_BY_RCU, RCU) | FLAG(_SLAB_CACHE_DMA, DMA) |
			FLAG(_SLAB_PANIC, PANIC) | FLAG(_SLAB_NO_MERGE, NOMERGE) |
			FLAG(_SLAB_ACCOUNT, ACCOUNT) | FLAG(_SLAB_POISON, POISON);
	if (bpf_core_field_exists(struct kmem_cache_node, nr_slabs))
		record->flags |= HAS_SLABS;
	if (bpf_core_field_exists(s->cpu_sheaves))
		record->flags |= HAS_SHEAVES;
}

static void write_all(struct seq_file *seq, struct slab_record *record, struct kmem_cache *s)
{
	int node;

	record->node = -1;
	bpf_for(node, 0, nr_nodes)
		add_node(record, s, node);
	add_cpus(record, s, -1);
	bpf_seq_write(seq, record, sizeof(*record));
}

static void write_each_node(struct seq_file *seq, struct slab_record *record, struct kmem_cache *s)
{
	int node;

	bpf_for(node, 0, nr_nodes) {
		record->node = node;
		record->slabs = 0;
		record->objects = 0;
		record->free = 0;
		record->parked = 0;
		/* Possible, but not there. */
		if (!get_node(s, node))
			continue;
		add_node(record, s, node);
		add_cpus(record, s, node);
		bpf_seq_write(seq, record, sizeof(*record));
	}
}

SEC("iter/kmem_cache")
int slabstat(struct bpf_iter__kmem_cache *ctx)
{
	struct slab_record record = {};
	struct kmem_cache *s = ctx->s;

	if (!s)
		return 0;
	bpf_probe_read_kernel_str(record.name, sizeof(record.name), s->name);
	if (!matches(record.name))
		return 0;
	record.number = ctx->meta->seq_num;
	describe(&record, s);
	if (by_node)
		write_each_node(ctx->meta->seq, &record, s);
	else
		write_all(ctx->meta->seq, &record, s);
	return 0;
}
