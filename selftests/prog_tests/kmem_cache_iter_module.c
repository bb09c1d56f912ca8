// SPDX-License-Identifier: GPL-2.0
/*
 * The kmem_cache iterator as a loadable module: what keeps it from being
 * unloaded, and what does not.
 *
 * Each subtest that has to do with use after free goes on when the module could
 * be unloaded although it must not: a kernel with KASAN then reports what is
 * used.
 */
#include <pthread.h>
#include <test_progs.h>
#include "kmem_cache_iter_faults.h"
#include "kmem_cache_iter_module.h"
#include "kmem_cache_iter_module_alias.h"
#include "kmem_cache_iter_stress.h"
#include "kmem_cache_iter_module.skel.h"

#define PIN		"/sys/fs/bpf/kmem_cache_iter_module"

#define CHURN_ROUNDS	1000
#define CHURN_ROUNDS_DEBUG	100
#define CHURN_READERS	4
#define FAIL_NTH_MAX	5000

static const char test_name[] = "kmem_cache_iter_module";

/* The id of bpf_iter_kmem_cache() in the BTF of the module. */
static int target_btf_id;

/* Whatever was tried, the module is there and not in use when this returns. */
static void check_unused(void)
{
	ASSERT_OK(unload_in_the_end(ITER_MODULE), "unload when unused");
	ASSERT_OK(load_by_name(ITER_MODULE), "load again");
}

static void check_in_use(const char *by)
{
	ASSERT_EQ(unload_once(ITER_MODULE), -EWOULDBLOCK, by);
}

static int load_prog(void)
{
	int btf_fd = module_btf_fd(ITER_MODULE), fd;

	if (btf_fd < 0)
		return btf_fd;
	fd = load_nop_iter(btf_fd, target_btf_id);
	close(btf_fd);
	return fd;
}

/* A link that alone holds its program. */
static int attach(void)
{
	int prog_fd = load_prog(), link_fd;

	if (!ASSERT_GE(prog_fd, 0, "load a program"))
		return -1;
	link_fd = create_iter_link(prog_fd);
	ASSERT_GE(link_fd, 0, "create a link");
	close(prog_fd);
	return link_fd;
}

/* An iterator file that alone holds its program. */
static int open_iter(void)
{
	int link_fd = attach(), fd;

	if (link_fd < 0)
		return -1;
	fd = bpf_iter_create(link_fd);
	ASSERT_GE(fd, 0, "create an iterator file");
	close(link_fd);
	return fd;
}

/*
 * With one program alone, or two: each of the others would wait somewhere, or keep
 * the module.
 */
static struct kmem_cache_iter_module *open_skel(const char *name, const char *also)
{
	struct kmem_cache_iter_module *skel = kmem_cache_iter_module__open();
	struct bpf_program *prog;

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	bpf_object__for_each_program(prog, skel->obj)
		if (!strcmp(bpf_program__name(prog), name) ||
		    (also && !strcmp(bpf_program__name(prog), also)))
			bpf_program__set_autoload(prog, true);
	return skel;
}

static struct kmem_cache_iter_module *load_skel(const char *name, const char *also)
{
	struct kmem_cache_iter_module *skel = open_skel(name, also);

	if (skel && ASSERT_OK(kmem_cache_iter_module__load(skel), "load"))
		return skel;
	kmem_cache_iter_module__destroy(skel);
	return NULL;
}

static void *load_thread(void *arg)
{
	struct kmem_cache_iter_module *skel = arg;
	int fd;

	skel->bss->waiting_tid = sys_gettid();
	fd = load_prog();
	skel->bss->waiting_tid = 0;
	if (ASSERT_GE(fd, 0, "load a program"))
		close(fd);
	return NULL;
}

/* Try to unload while the lookup of the target has just released its mutex. */
static void test_load_prog(void)
{
	struct kmem_cache_iter_module *skel;
	pthread_t thread;

	skel = load_skel("lookup_begins", "lookup_done");
	if (!skel)
		return;
	if (!ASSERT_OK(kmem_cache_iter_module__attach(skel), "attach") ||
	    !ASSERT_OK(pthread_create(&thread, NULL, load_thread, skel), "thread"))
		goto out;
	if (wait_for(&skel->bss->waiting))
		check_in_use("lookup");
	WRITE_ONCE(skel->bss->go_on, 1);
	pthread_join(thread, NULL);
	ASSERT_FALSE(skel->bss->gave_up, "program gave up waiting");
out:
	kmem_cache_iter_module__destroy(skel);
}

static void test_prog(void)
{
	int prog_fd = load_prog();

	check_in_use("program");
	close(prog_fd);
}

static void test_release_link(void)
{
	int link_fd = attach();

	check_in_use("link");
	close(link_fd);
}

static void test_fdinfo(void)
{
	int link_fd = attach();

	check_in_use("link");
	ASSERT_EQ(fdinfo_has(link_fd, ITER_TARGET " iter\n"), 1, "fdinfo of the target");
	close(link_fd);
}

static void test_link_info(void)
{
	int link_fd = attach();

	check_in_use("link");
	check_target(link_fd, ITER_TARGET);
	close(link_fd);
}

static void test_create(void)
{
	int link_fd = attach(), fd;

	check_in_use("link");
	fd = bpf_iter_create(link_fd);
	if (ASSERT_GE(fd, 0, "create an iterator file"))
		close(fd);
	close(link_fd);
}

static void test_open_pinned(void)
{
	int link_fd = attach(), fd;

	ASSERT_OK(bpf_obj_pin(link_fd, PIN), "pin the link");
	close(link_fd);
	check_in_use("pinned link");
	fd = open(PIN, O_RDONLY);
	if (ASSERT_GE(fd, 0, "open the pinned link"))
		close(fd);
	unlink(PIN);
}

static void test_read(void)
{
	int fd = open_iter();
	char buf[16];

	check_in_use("iterator file");
	ASSERT_EQ(read(fd, buf, sizeof(buf)), 0, "read");
	close(fd);
}

static void *read_thread(void *arg)
{
	char buf[16];

	read((long)arg, buf, sizeof(buf));
	return NULL;
}

static void test_inside_read(void)
{
	struct kmem_cache_iter_module *skel = load_skel("wait_inside_read", NULL);
	pthread_t thread;
	long fd;

	if (!skel)
		return;
	fd = open_iter_file(skel->progs.wait_inside_read);
	if (fd < 0)
		goto out;
	if (!ASSERT_OK(pthread_create(&thread, NULL, read_thread, (void *)fd), "thread"))
		goto out;
	if (wait_for(&skel->bss->waiting))
		check_in_use("read");
	WRITE_ONCE(skel->bss->go_on, 1);
	pthread_join(thread, NULL);
	ASSERT_FALSE(skel->bss->gave_up, "program gave up waiting");
out:
	close(fd);
	kmem_cache_iter_module__destroy(skel);
}

static void test_close(void)
{
	int fd = open_iter();
	char buf[16];

	ASSERT_EQ(read(fd, buf, sizeof(buf)), 0, "read");
	check_in_use("iterator file");
	close(fd);
}

/* By the owner of the kfuncs that it calls, and not for a target. */
static void test_open_coded(void)
{
	struct kmem_cache_iter_module *skel = load_skel("open_coded", NULL);

	if (!skel)
		return;
	check_in_use("program that calls kfuncs");
	ASSERT_OK(run_prog(skel->progs.open_coded), "run");
	ASSERT_GT(skel->bss->entries, 10, "entries of the loop");
	kmem_cache_iter_module__destroy(skel);
}

static void test_load_twice(void)
{
	ASSERT_EQ(finit_module_by_path(ITER_MODULE_KO, ""), -EEXIST, "load a second time");
}

/* Without the module, there is nothing to attach to. */
static void test_absent(void)
{
	struct kmem_cache_iter_module *skel;
	int btf_fd = module_btf_fd(ITER_MODULE);

	ASSERT_OK(unload_in_the_end(ITER_MODULE), "unload");

	/* The BTF is there for as long as somebody has it open. */
	ASSERT_EQ(load_nop_iter(btf_fd, target_btf_id), -ENOENT, "load by an old BTF");
	close(btf_fd);

	skel = open_skel("wait_inside_read", NULL);
	if (skel)
		ASSERT_EQ(kmem_cache_iter_module__load(skel), -ESRCH, "load by name");
	kmem_cache_iter_module__destroy(skel);

	ASSERT_OK(load_by_name(ITER_MODULE), "load again");
}

static bool churn_pause, churn_stop;
static int churn_reads, churn_err;
/* Odd while the module may be away. */
static unsigned int churn_generation;

/* All that can be refused is the program, when the module is not there. */
static int load_and_read(void)
{
	unsigned int generation = __atomic_load_n(&churn_generation, __ATOMIC_SEQ_CST);
	int prog_fd = load_prog(), link_fd, fd, err = 0;
	char buf[16];

	if (prog_fd == -ENOENT &&
	    (generation % 2 ||
	     generation != __atomic_load_n(&churn_generation, __ATOMIC_SEQ_CST))) {
		usleep(1000);
		return 0;
	}
	if (prog_fd < 0)
		return prog_fd;
	link_fd = create_iter_link(prog_fd);
	close(prog_fd);
	if (link_fd < 0)
		return link_fd;
	fd = bpf_iter_create(link_fd);
	close(link_fd);
	if (fd < 0)
		return fd;
	if (read(fd, buf, sizeof(buf)) == 0)
		__sync_fetch_and_add(&churn_reads, 1);
	else
		err = -EIO;
	close(fd);
	return err;
}

static void *churn_thread(void *arg)
{
	int err;

	while (!READ_ONCE(churn_stop)) {
		err = READ_ONCE(churn_pause) ? 0 : load_and_read();
		if (err)
			WRITE_ONCE(churn_err, err);
		if (READ_ONCE(churn_pause))
			usleep(1000);
	}
	return NULL;
}

/* Unloading and loading again while others read all the time. */
static void test_churn(void)
{
	struct references *before = take_references();
	pthread_t readers[CHURN_READERS];
	int rounds, round, fd, i, refused = 0, started = 0, err = 0;
	char buf[16];

	rounds = loaded(is_debug_kernel() ? CHURN_ROUNDS_DEBUG : CHURN_ROUNDS);
	WRITE_ONCE(churn_stop, false);
	churn_reads = 0;
	churn_err = 0;
	churn_generation = 0;
	for (; started < CHURN_READERS; started++) {
		if (!ASSERT_OK(pthread_create(&readers[started], NULL, churn_thread, NULL),
			       "thread"))
			goto stop;
	}

	for (round = 0; round < rounds; round++) {
		fd = open_iter();
		if (!ASSERT_EQ(read(fd, buf, sizeof(buf)), 0, "read"))
			break;
		close(fd);

		__atomic_add_fetch(&churn_generation, 1, __ATOMIC_SEQ_CST);
		for (i = 0; i < UNLOAD_TRIES; i++) {
			err = unload_once(ITER_MODULE);
			if (err != -EWOULDBLOCK)
				break;
			refused++;
			/* They would go on for ever. */
			WRITE_ONCE(churn_pause, i >= 10);
			usleep(100);
		}
		WRITE_ONCE(churn_pause, false);
		if (!ASSERT_OK(err, "unload") || !ASSERT_OK(load_by_name(ITER_MODULE), "load"))
			break;
		__atomic_add_fetch(&churn_generation, 1, __ATOMIC_SEQ_CST);
	}
	ASSERT_GT(refused, 0, "unloads refused");
	ASSERT_GT(READ_ONCE(churn_reads), rounds / 10, "reads beside");
stop:
	WRITE_ONCE(churn_stop, true);
	while (started)
		pthread_join(readers[--started], NULL);
	ASSERT_OK(churn_err, "load, attach, open and read beside");

	check_references(before);
	check_leaks();
}

/* Load with the @nth call that can fail doing so; @unused if there are not as many. */
static int load_and_fail(int fail_fd, int nth, bool *unused)
{
	int fd = open(ITER_MODULE_KO, O_RDONLY), err;

	if (!ASSERT_GE(fd, 0, "open the module"))
		return -errno;
	fail_nth(fail_fd, nth);
	err = finit_module(fd, "", 0) ? -errno : 0;
	*unused = fail_nth_left(fail_fd);
	fail_nth(fail_fd, 0);
	close(fd);
	return err;
}

/* Whether the kfuncs are there: whether a copy of a loop that was loaded before can be loaded. */
static bool can_loop(const struct kmem_cache_iter_module *skel)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd = load_loop(skel->progs.open_coded, "GPL", &opts);

	if (!ASSERT_GE(fd, 0, "load a loop"))
		return false;
	close(fd);
	return true;
}

/* Each call that loading needs, and that can fail, does so once. */
static void test_init_fails(void)
{
	int nth, fail_fd, err, calls = 0, failures = 0;
	struct kmem_cache_iter_module *skel;
	bool unused = false;

	if (choose_fault(NR_FAULTS)) {
		skip_test("the kernel injects no faults");
		return;
	}
	fail_fd = open(FAIL_NTH, O_RDWR);
	skel = load_skel("open_coded", NULL);
	if (!ASSERT_GE(fail_fd, 0, "open fail-nth") || !skel)
		goto out;
	/* It would hold the module. The maps are used by the copies. */
	bpf_program__unload(skel->progs.open_coded);
	if (!ASSERT_OK(unload_in_the_end(ITER_MODULE), "unload"))
		goto out;

	for (nth = 1; nth < FAIL_NTH_MAX && !unused; nth++) {
		err = load_and_fail(fail_fd, nth, &unused);
		calls += !unused;
		if (err) {
			failures++;
			/* What it has not given back is in its way. */
			if (!ASSERT_OK(load_by_name(ITER_MODULE), "load after a failure"))
				break;
		} else if (!can_loop(skel)) {
			break;
		}
		if (!ASSERT_OK(unload_in_the_end(ITER_MODULE), "unload after a failure"))
			break;
	}
	ASSERT_TRUE(unused, "all calls have failed");
	ASSERT_GT(failures, 10, "failures");
	ASSERT_OK(load_by_name(ITER_MODULE), "load again");
	check_leaks();
	note("%d calls failed, and %d times the loading", calls, failures);
out:
	kmem_cache_iter_module__destroy(skel);
	close(fail_fd);
}

/* Serial: it takes the module away from others. */
void serial_test_kmem_cache_iter_module(void)
{
	static const struct subtest tests[] = {
		{ "load_prog", test_load_prog },
		{ "prog", test_prog },
		{ "release_link", test_release_link },
		{ "fdinfo", test_fdinfo },
		{ "link_info", test_link_info },
		{ "create", test_create },
		{ "open_pinned", test_open_pinned },
		{ "read", test_read },
		{ "inside_read", test_inside_read },
		{ "close", test_close },
		{ "open_coded", test_open_coded },
		{ "load_twice", test_load_twice },
		{ "absent", test_absent },
		{ "alias", test_alias },
		{ "churn", test_churn },
		{ "init_fails", test_init_fails },
	};
	int i;

	if (access(ITER_MODULE_KO, R_OK)) {
		skip_test("the iterator is built in, or not there");
		return;
	}
	if (access("/sys/module/" ITER_MODULE, F_OK) &&
	    !ASSERT_OK(load_by_name(ITER_MODULE), "load"))
		return;
	target_btf_id = func_btf_id(ITER_MODULE, TARGET_FUNC);
	if (!ASSERT_GT(target_btf_id, 0, TARGET_FUNC " in the BTF of the module"))
		return;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!test__start_subtest(tests[i].name))
			continue;
		tests[i].run();
		check_unused();
	}
}
