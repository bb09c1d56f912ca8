/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the BPF program writes, and slabstat reads: one record for each slab cache, or one for
 * each of its NUMA nodes.
 */
#ifndef SLABSTAT_H
#define SLABSTAT_H

#define NAME_SIZE	64

enum record_flags {
	HAS_SLABS	= 1 << 0,	/* slabs, objects and free are known */
	HAS_SHEAVES	= 1 << 1,	/* parked is known */

	HWALIGN		= 1 << 8,
	RECLAIM		= 1 << 9,
	RCU		= 1 << 10,
	DMA		= 1 << 11,
	PANIC		= 1 << 12,
	NOMERGE		= 1 << 13,
	ACCOUNT		= 1 << 14,
	POISON		= 1 << 15,
};

struct slab_record {
	unsigned int size;		/* of the record: another version has another one */
	enum record_flags flags;
	char name[NAME_SIZE];		/* ends with 0, and is cut off where that is needed */
	unsigned long long id;		/* no other cache has it, unless it is 0 */
	unsigned int number;		/* that of the cache, from 0 on */
	int node;			/* -1: all together */
	unsigned int object_size;	/* with what the slab code adds */
	unsigned int objects_per_slab;
	unsigned int order;		/* a slab has 2 to the power of this pages */
	unsigned long long slabs;
	unsigned long long objects;
	unsigned long long free;	/* on slabs that the nodes have in their lists */
	unsigned long long parked;	/* in sheaves, of CPUs and of nodes */
};

#endif
