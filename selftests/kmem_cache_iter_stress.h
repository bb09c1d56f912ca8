/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests share that load progs/kmem_cache_iter_stress.c. */
#ifndef _KMEM_CACHE_ITER_STRESS_H
#define _KMEM_CACHE_ITER_STRESS_H

#include "kmem_cache_iter_common.h"
#include "kmem_cache_iter_stress.skel.h"

/* Each slab cache, and its reference count. */
struct references {
	__u32 nr;
	char counted[sizeof(((struct kmem_cache_iter_stress__bss *)0)->counted)];
};

/* Of each cache, while nothing is going on. */
static inline struct references *take_references(void)
{
	struct kmem_cache_iter_stress *skel = kmem_cache_iter_stress__open_and_load();
	struct references *references = calloc(1, sizeof(*references));

	if (!ASSERT_OK_PTR(skel, "open_and_load") || !ASSERT_OK_PTR(references, "memory") ||
	    !ASSERT_OK(run_prog(skel->progs.count_references), "count references") ||
	    !ASSERT_GT(skel->bss->nr_counted, 10, "slab caches") ||
	    !ASSERT_LT(skel->bss->nr_counted, ARRAY_SIZE(skel->bss->counted), "slab caches")) {
		free(references);
		references = NULL;
		goto out;
	}
	references->nr = skel->bss->nr_counted;
	memcpy(references->counted, skel->bss->counted, sizeof(references->counted));
out:
	kmem_cache_iter_stress__destroy(skel);
	return references;
}

/* Each cache has as many references as it had @before, which is freed. */
static inline void check_references(struct references *before)
{
	struct references *after = take_references();

	if (before && after) {
		ASSERT_EQ(after->nr, before->nr, "slab caches");
		ASSERT_OK(memcmp(after->counted, before->counted, sizeof(after->counted)),
			  "references to slab caches");
	}
	free(before);
	free(after);
}

#endif /* _KMEM_CACHE_ITER_STRESS_H */
