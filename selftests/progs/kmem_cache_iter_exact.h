/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KMEM_CACHE_ITER_EXACT_H
#define __KMEM_CACHE_ITER_EXACT_H

#include <bpf/bpf_core_read.h>

struct kmem_cache___cursors {
	struct hlist_head cursors;
} __attribute__((preserve_access_index));

/* Whether the iterator shows each cache exactly once: after find_out(). */
int is_exact;

SEC("syscall")
int find_out(const void *ctx)
{
	is_exact = bpf_core_field_exists(struct kmem_cache___cursors, cursors);
	return 0;
}

#endif
