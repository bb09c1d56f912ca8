// SPDX-License-Identifier: GPL-2.0
/*
 * Each call that can fail while the kmem_cache iterator is attached, opened, read
 * and closed is made to fail, one after the other: allocations of objects, those
 * of pages, and copies from and to user space; and then each allocation and all
 * after it. That is a clean error, after which the same thing works, and nothing is
 * lost of what is read.
 */
#include <sys/resource.h>
#include <test_progs.h>
#include "kmem_cache_iter_faults.h"
#include "kmem_cache_iter_stress.h"

#define PIN		"/sys/fs/bpf/kmem_cache_iter_faults"
#define BUF_SIZE	65536
#define NTH_MAX		2000
#define READ_TRIES	10
#define FILES_MAX	4000
#define PAGE_FAILURES	20

static const char test_name[] = "kmem_cache_iter_faults";

static struct kmem_cache_iter_stress *skel;
static int prog_fd, link_fd, fail_fd, fail_all_fd;
/* Not just the nth allocation fails, but those after it, too. */
static bool all_after;
/* What a file shows when nothing fails. */
static char expected[BUF_SIZE];
static long expected_len;

/* Each returns a negative errno if something failed, and leaves nothing then; else 0 or a file. */
static long attach(void)
{
	return create_iter_link(prog_fd);
}

static long create_file(void)
{
	return result_of(bpf_iter_create(link_fd));
}

static long open_pinned(void)
{
	return result_of(open(PIN, O_RDONLY));
}

static long run_loop(void)
{
	return result_of(run_prog(skel->progs.loop));
}

static long run_and_close(long (*run)(void))
{
	long ret = run();

	if (ret > 0)
		close(ret);
	return ret;
}

static void begin_failing(int nth)
{
	if (all_after)
		fail_all(fail_all_fd, true);
	fail_nth(fail_fd, nth);
}

/* Whether there was no nth call. */
static bool end_failing(void)
{
	bool left = fail_nth_left(fail_fd);

	fail_nth(fail_fd, 0);
	if (all_after)
		fail_all(fail_all_fd, false);
	return left;
}

/* What becomes of it: a clean error, and always the same. */
static int fault_error(enum fault fault)
{
	return fault == FAULT_USERCOPY ? -EFAULT : -ENOMEM;
}

static const char *how(void)
{
	return all_after ? " and all after it" : "";
}

/* A read that fails is repeated, as it would be after a signal. */
static long read_all(int fd, char *buf, size_t size, int error, int *failures)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = result_of(read(fd, buf + len, MIN(size, BUF_SIZE - len)));
		if (n >= 0)
			len += n;
		else if (n == error)
			(*failures)++;
		else
			return n;
		/* There is memory again. */
		if (n < 0 && all_after)
			fail_all(fail_all_fd, false);
	} while (n && *failures < READ_TRIES);
	return len;
}

/* All of a file, whichever call failed while it was read, and then closed. */
static void test_read(size_t size, enum fault fault)
{
	static char buf[BUF_SIZE];
	int nth, fd, err, failures, calls = 0, all = 0;
	bool left = false;
	long len;

	for (nth = 1; nth < NTH_MAX && !left; nth++) {
		fd = bpf_iter_create(link_fd);
		if (!ASSERT_GE(fd, 0, "create an iterator file"))
			return;
		failures = 0;
		begin_failing(nth);
		len = read_all(fd, buf, size, fault_error(fault), &failures);
		err = close(fd);
		left = end_failing();
		calls += !left;
		all += failures;
		if (!ASSERT_OK(err, "close") || !ASSERT_EQ(len, expected_len, "bytes read") ||
		    !ASSERT_OK(memcmp(buf, expected, len), "what was read"))
			return;
	}
	note("%s: reads of %zu: %d calls%s failed, and %d reads", fault_names[fault], size,
	     calls, how(), all);
	ASSERT_TRUE(left, "all calls have failed");
	/* There are two ways to get pages for the buffer. */
	if (fault == FAULT_PAGE)
		ASSERT_GT(calls, 0, "calls failed");
	if (fault == FAULT_USERCOPY || (fault == FAULT_PAGE && all_after))
		ASSERT_GT(all, 0, "reads failed");
}

/* Files pile up, so that slab caches come to ask for a page that there is not. */
static void test_without_pages(const char *what, long (*run)(void))
{
	static int fds[FILES_MAX];
	int nr = 0, failures = 0;
	long ret;

	/* A stack that cannot grow is not what is tested. */
	if (!ASSERT_GE(run_and_close(run), 0, what))
		return;
	while (nr < FILES_MAX && failures < PAGE_FAILURES) {
		begin_failing(1);
		ret = run();
		end_failing();
		if (ret < 0) {
			failures++;
			if (!ASSERT_EQ(ret, -ENOMEM, what))
				break;
			ret = run();
			if (!ASSERT_GE(ret, 0, "again after a failure"))
				break;
		}
		fds[nr++] = ret;
	}
	note("%s: %d of %d without pages", what, failures, nr);
	ASSERT_EQ(failures, PAGE_FAILURES, "failures for want of a page");
	while (nr)
		close(fds[--nr]);
}

static void test_step(const char *what, long (*run)(void), enum fault fault)
{
	int nth, calls = 0, failures = 0;
	bool left = false;
	long ret;

	for (nth = 1; nth < NTH_MAX && !left; nth++) {
		begin_failing(nth);
		ret = run_and_close(run);
		left = end_failing();
		calls += !left;
		if (ret >= 0)
			continue;
		failures++;
		if (!ASSERT_EQ(ret, fault_error(fault), what) ||
		    !ASSERT_GE(run_and_close(run), 0, "again after a failure"))
			return;
	}
	note("%s: %s: %d calls%s failed, and %d times all of it", fault_names[fault], what,
	     calls, how(), failures);
	ASSERT_TRUE(left, "all calls have failed");
	/* Whether a slab of objects has to be made depends on what was before. */
	if (fault != FAULT_PAGE)
		ASSERT_GT(failures, 0, what);
	else if (all_after)
		test_without_pages(what, run);
}

static void test_steps(enum fault fault)
{
	test_step("attach", attach, fault);
	test_step("create", create_file, fault);
	test_step("open pinned", open_pinned, fault);
	/* It allocates nothing. */
	if (fault == FAULT_USERCOPY)
		test_step("open-coded loop", run_loop, fault);
	test_read(64, fault);
	test_read(BUF_SIZE, fault);
}

static void test_fault(enum fault fault)
{
	if (!ASSERT_OK(choose_fault(fault), "choose what fails"))
		return;
	test_steps(fault);
	if (fault == FAULT_USERCOPY)
		return;
	all_after = true;
	test_steps(fault);
	all_after = false;
}

static void test_faults(void)
{
	struct references *before;
	enum fault fault;
	int fd, failures = 0;

	fd = bpf_iter_create(link_fd);
	if (!ASSERT_GE(fd, 0, "create an iterator file"))
		return;
	expected_len = read_all(fd, expected, BUF_SIZE, 0, &failures);
	close(fd);
	if (!ASSERT_GT(expected_len, 100, "bytes read"))
		return;

	before = take_references();
	for (fault = 0; fault < NR_FAULTS; fault++)
		if (test__start_subtest(fault_names[fault]))
			test_fault(fault);
	check_references(before);
}

/* Serial: the lists of caches that it reads must not differ. */
void serial_test_kmem_cache_iter_faults(void)
{
	struct rlimit files = { FILES_MAX + 100, FILES_MAX + 100 }, files_before;
	struct bpf_link *link = NULL;

	if (choose_fault(NR_FAULTS) == -ENOENT) {
		skip_test("the kernel injects no faults");
		return;
	}
	if (!ASSERT_OK(getrlimit(RLIMIT_NOFILE, &files_before), "getrlimit") ||
	    !ASSERT_OK(setrlimit(RLIMIT_NOFILE, &files), "setrlimit"))
		return;
	fail_fd = open(FAIL_NTH, O_RDWR);
	fail_all_fd = open(FAIL_ALL, O_RDWR);
	skel = kmem_cache_iter_stress__open_and_load();
	if (!ASSERT_GE(fail_fd, 0, "open fail-nth") ||
	    !ASSERT_GE(fail_all_fd, 0, "open make-it-fail") ||
	    !ASSERT_OK_PTR(skel, "open_and_load"))
		goto out;
	prog_fd = bpf_program__fd(skel->progs.names);
	link = bpf_program__attach_iter(skel->progs.names, NULL);
	if (!ASSERT_OK_PTR(link, "attach") || !ASSERT_OK(bpf_link__pin(link, PIN), "pin"))
		goto out;
	link_fd = bpf_link__fd(link);

	test_faults();
	unlink(PIN);
out:
	bpf_link__destroy(link);
	kmem_cache_iter_stress__destroy(skel);
	close(fail_fd);
	close(fail_all_fd);
	setrlimit(RLIMIT_NOFILE, &files_before);
	check_leaks();
}
