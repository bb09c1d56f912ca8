// SPDX-License-Identifier: GPL-2.0
/*
 * Slab caches are destroyed while a program or a loop of the kmem_cache iterator is at
 * them, which then has the last reference.
 */
#include <pthread.h>
#include <test_progs.h>
#include "kmem_cache_iter_caches.h"
#include "kmem_cache_iter_destroy.skel.h"

static void *read_thread(void *arg)
{
	char buf[64];

	while (read((long)arg, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static void *loop_thread(void *arg)
{
	run_prog(arg);
	return NULL;
}

/* Let a program stop at a cache, and do something @meanwhile. */
static void hold_cache(struct kmem_cache_iter_destroy *skel, void *(*run)(void *), void *arg,
		       void (*meanwhile)(void))
{
	pthread_t thread;

	skel->bss->waiting = 0;
	skel->bss->go_on = 0;
	skel->bss->gave_up = 0;
	if (!ASSERT_OK(pthread_create(&thread, NULL, run, arg), "thread"))
		return;
	if (wait_for(&skel->bss->waiting))
		meanwhile();
	WRITE_ONCE(skel->bss->go_on, 1);
	pthread_join(thread, NULL);
	ASSERT_FALSE(skel->bss->gave_up, "program gave up waiting");
	ASSERT_EQ(skel->bss->references, 1, "references left to the program");
}

/*
 * The owner lets go of a cache while a program has it. The cache stays, with the
 * one reference of the iterator, and is destroyed when that is given up.
 */
static void destroy_it(void)
{
	ASSERT_OK(destroy_caches(1, 1), "destroy the cache");
	ASSERT_TRUE(cache_exists(CACHE_PREFIX "-1"), "pinned cache");
}

static void test_pinned(struct kmem_cache_iter_destroy *skel, void *(*run)(void *), void *arg)
{
	if (!ASSERT_OK(create_caches(0, 3), "create caches"))
		return;
	hold_cache(skel, run, arg, destroy_it);
	ASSERT_TRUE(cache_goes(CACHE_PREFIX "-1"), "destroyed cache");
	destroy_caches(0, 3);
}

static void test_in_program(struct kmem_cache_iter_destroy *skel)
{
	long fd = open_iter_file(skel->progs.wait_in_program);

	test_pinned(skel, read_thread, (void *)fd);
	close(fd);
}

static void test_in_loop(struct kmem_cache_iter_destroy *skel)
{
	test_pinned(skel, loop_thread, skel->progs.wait_in_loop);
}

static void create_it_again(void)
{
	destroy_it();
	/* With DEBUG_VM. */
	expect_complaints(true);
	ASSERT_OK(create_caches(1, 1), "create it again by the same name");
	expect_complaints(false);
	ASSERT_EQ(count_caches(CACHE_PREFIX "-1 "), 2, "caches of the name");
}

/* The new cache takes the place of the old one in sysfs, and keeps it. */
static void test_created_again(struct kmem_cache_iter_destroy *skel)
{
	if (!survives_complaints()) {
		skip_test("a complaint of the kernel is a panic");
		return;
	}
	if (!ASSERT_OK(create_caches(0, 3), "create caches"))
		return;
	hold_cache(skel, loop_thread, skel->progs.wait_in_loop, create_it_again);
	ASSERT_TRUE(caches_go_but(1, CACHE_PREFIX "-1 "), "destroyed cache");
	/* It leaves sysfs after the list. */
	usleep(100000);
	if (!access(SLAB_SYSFS, F_OK))
		ASSERT_OK(access(SLAB_SYSFS "/" CACHE_PREFIX "-1", F_OK), "new cache in sysfs");
	ASSERT_OK(destroy_caches(0, 3), "destroy caches");
	ASSERT_TRUE(caches_go(CACHE_PREFIX), "destroyed caches");
}

static void leak_and_destroy_it(void)
{
	ASSERT_OK(leak_from_caches(1, 1), "leak an object");
	destroy_it();
}

static bool kmsg_says(int kmsg, const char *what)
{
	char record[1024];
	ssize_t len;

	while ((len = read(kmsg, record, sizeof(record) - 1)) > 0) {
		record[len] = '\0';
		if (strstr(record, what))
			return true;
	}
	return false;
}

/* The kernel says so, and the cache is listed no more, as without the iterator. */
static void test_leaky(struct kmem_cache_iter_destroy *skel)
{
	int kmsg;

	/* Kmemleak would look no further. */
	if (is_debug_kernel() || !survives_complaints()) {
		skip_test("a complaint of the kernel is a panic, or the end of kmemleak");
		return;
	}
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (!ASSERT_GE(kmsg, 0, "kmsg") || !ASSERT_OK(lseek(kmsg, 0, SEEK_END), "end of kmsg") ||
	    !ASSERT_OK(create_caches(0, 3), "create caches"))
		goto out;
	expect_complaints(true);
	hold_cache(skel, loop_thread, skel->progs.wait_in_loop, leak_and_destroy_it);
	ASSERT_TRUE(cache_goes(CACHE_PREFIX "-1"), "destroyed cache");
	ASSERT_TRUE(kmsg_says(kmsg, CACHE_PREFIX "-1: Slab cache still has objects"), "kmsg");
	expect_complaints(false);
	destroy_caches(0, 3);
out:
	close(kmsg);
}

#define OFFLINE_ROUNDS	10

static void *loop_on_cpu1_thread(void *arg)
{
	if (!stay_on_cpu(1))
		run_prog(arg);
	return NULL;
}

static void *offline_thread(void *arg)
{
	return (void *)(long)write_file(CPU1, "0");
}

/*
 * A program whose CPU goes offline cannot migrate, and the kernel waits for it with
 * cpu_hotplug_lock held. So a loop must not wait for that, not even if it holds the
 * last reference to a cache.
 */
static void test_offline(struct kmem_cache_iter_destroy *skel)
{
	pthread_t loop, offline;
	void *err = NULL;
	int round;

	if (!is_smp()) {
		skip_test("there is one CPU");
		return;
	}
	for (round = 0; round < OFFLINE_ROUNDS; round++) {
		if (!ASSERT_OK(create_caches(0, 3), "create caches"))
			return;
		skel->bss->waiting = 0;
		skel->bss->go_on = 0;
		if (!ASSERT_OK(pthread_create(&loop, NULL, loop_on_cpu1_thread,
					      skel->progs.wait_in_loop), "thread"))
			break;
		if (wait_for(&skel->bss->waiting))
			ASSERT_OK(destroy_caches(1, 1), "destroy the cache");
		if (!ASSERT_OK(pthread_create(&offline, NULL, offline_thread, NULL), "thread")) {
			WRITE_ONCE(skel->bss->go_on, 1);
			pthread_join(loop, NULL);
			break;
		}
		/* It has come to where it waits for the program. */
		usleep(200000);
		WRITE_ONCE(skel->bss->go_on, 1);
		pthread_join(loop, NULL);
		pthread_join(offline, &err);
		ASSERT_OK((long)err, "CPU 1 off");
		ASSERT_OK(write_file(CPU1, "1"), "CPU 1 on");
		ASSERT_EQ(skel->bss->references, 1, "references left to the program");
		ASSERT_FALSE(skel->bss->gave_up, "program gave up waiting");
		ASSERT_TRUE(cache_goes(CACHE_PREFIX "-1"), "destroyed cache");
		destroy_caches(0, 3);
	}
	destroy_caches(0, 3);
}

/* Serial: a CPU goes offline. */
void serial_test_kmem_cache_iter_destroy(void)
{
	struct kmem_cache_iter_destroy *skel;

	if (!ASSERT_OK(load_module(CHURN_MODULE ".ko", false), "load the module"))
		return;
	skel = kmem_cache_iter_destroy__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		goto out;

	if (test__start_subtest("in_program"))
		test_in_program(skel);
	if (test__start_subtest("in_loop"))
		test_in_loop(skel);
	if (test__start_subtest("created_again"))
		test_created_again(skel);
	if (test__start_subtest("leaky"))
		test_leaky(skel);
	if (test__start_subtest("offline"))
		test_offline(skel);
out:
	kmem_cache_iter_destroy__destroy(skel);
	ASSERT_OK(unload_module(CHURN_MODULE, false), "unload the module");
}
