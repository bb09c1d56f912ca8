// SPDX-License-Identifier: GPL-2.0
/* bpf_for_each(kmem_cache, s) in a program that the slab code itself calls. */
#include <sys/stat.h>
#include <test_progs.h>
#include "kmem_cache_iter_caches.h"
#include "kmem_cache_iter_lsm.skel.h"

#define CGROUP	"/sys/fs/cgroup/kmem_cache_iter_lsm"

/* A cache gets its directory in sysfs with slab_mutex held. */
static void test_locked(struct kmem_cache_iter_lsm *skel)
{
	if (access(SLAB_SYSFS, F_OK)) {
		skip_test("the kernel has no slab caches in sysfs");
		return;
	}
	skel->bss->hits = 0;
	skel->bss->entries = 0;
	ASSERT_OK(create_caches(0, 1), "create a cache");
	ASSERT_GT(skel->bss->hits, 0, "calls of the program");
	ASSERT_EQ(skel->bss->err, -EDEADLK, "new");
	ASSERT_EQ(skel->bss->entries, 0, "entries of the loop");
	ASSERT_OK(destroy_caches(0, 1), "destroy the cache");
}

static void test_unlocked(struct kmem_cache_iter_lsm *skel)
{
	skel->bss->hits = 0;
	skel->bss->entries = 0;
	ASSERT_OK(mkdir(CGROUP, 0700), "make a cgroup");
	ASSERT_GT(skel->bss->hits, 0, "calls of the program");
	ASSERT_OK(skel->bss->err, "new");
	ASSERT_GT(skel->bss->entries, 10, "entries of the loop");
	ASSERT_OK(rmdir(CGROUP), "remove it");
}

void serial_test_kmem_cache_iter_lsm(void)
{
	struct kmem_cache_iter_lsm *skel;

	if (!ASSERT_OK(load_module(CHURN_MODULE ".ko", false), "load the module"))
		return;
	skel = kmem_cache_iter_lsm__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		goto out;
	skel->bss->tid = sys_gettid();
	if (!ASSERT_OK(kmem_cache_iter_lsm__attach(skel), "attach"))
		goto out;

	if (test__start_subtest("locked"))
		test_locked(skel);
	if (test__start_subtest("unlocked"))
		test_unlocked(skel);
out:
	kmem_cache_iter_lsm__destroy(skel);
	ASSERT_OK(unload_module(CHURN_MODULE, false), "unload the module");
}
