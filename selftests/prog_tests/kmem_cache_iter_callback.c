// SPDX-License-Identifier: GPL-2.0
/* Which callbacks of a sleepable program may sleep. */
#include <test_progs.h>
#include "kmem_cache_iter_callback.skel.h"

void test_kmem_cache_iter_callback(void)
{
	RUN_TESTS(kmem_cache_iter_callback);
}
