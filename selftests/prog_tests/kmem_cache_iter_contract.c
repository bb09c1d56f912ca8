// SPDX-License-Identifier: GPL-2.0
/*
 * What the kmem_cache iterator promises whatever its reader does: read sizes,
 * errors in the middle, loops broken off, several readers at once.
 */
#include <test_progs.h>
#include <bpf/libbpf.h>
/* before <sys/uio.h>, which defines some of the same */
#include <io_uring/mini_liburing.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include "kmem_cache_iter_common.h"
#include "kmem_cache_iter_contract.skel.h"

#define OUTPUT_MAX	(1024 * 1024)
#define PADDING		'~'
#define PIN		"/sys/fs/bpf/kmem_cache_iter_contract"

static char expected[OUTPUT_MAX];
static char output[OUTPUT_MAX];

/*
 * Read to the end in pieces of @size bytes. An error that a program provoked is
 * counted in @errors, and reading goes on.
 */
static ssize_t read_to_end(int fd, char *buf, size_t size, int expected_errno, int *errors)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, buf + len, MIN(size, OUTPUT_MAX - 1 - len));
		if (n == 0)
			break;
		if (n < 0) {
			if (!expected_errno || errno != expected_errno || ++*errors > 10)
				return -errno;
			continue;
		}
		len += n;
		if (len == OUTPUT_MAX - 1)
			return -ENOSPC;
	}
	buf[len] = '\0';
	return len;
}

static void remove_padding(char *buf)
{
	char *to = buf;

	for (; *buf; buf++)
		if (*buf != PADDING)
			*to++ = *buf;
	*to = '\0';
}

static int nr_lines(const char *buf)
{
	int lines = 0;

	for (; *buf; buf++)
		lines += *buf == '\n';
	return lines;
}

static void reset(struct kmem_cache_iter_contract *skel)
{
	skel->bss->overflow_at_call = 0;
	skel->bss->overflows_at_end = 0;
	skel->bss->return_1_at_call = 0;
	skel->bss->silent_calls = 0;
	skel->bss->padding_per_line = 0;
	skel->bss->calls = 0;
	skel->bss->null_calls = 0;
	skel->bss->calls_after_null = 0;
}

/* Run dump() over all caches, as the caller has set it up. */
static bool dump(struct kmem_cache_iter_contract *skel, char *buf, size_t size,
		 int expected_errno, int *errors)
{
	int fd = open_iter_file(skel->progs.dump);
	ssize_t len;

	if (fd < 0)
		return false;

	len = read_to_end(fd, buf, size, expected_errno, errors);
	ASSERT_GT(len, 0, "output length");

	/* The end stays the end, and the program is not called for it again. */
	ASSERT_EQ(read(fd, buf + OUTPUT_MAX - 1, 1), 0, "read after the end");
	ASSERT_EQ(skel->bss->null_calls, 1, "calls without an entry");
	ASSERT_EQ(skel->bss->calls_after_null, 0, "calls after the one without an entry");

	close(fd);
	remove_padding(buf);
	return len > 0;
}

/* The output without any complication, to compare with. */
static bool dump_expected(struct kmem_cache_iter_contract *skel)
{
	reset(skel);
	return dump(skel, expected, OUTPUT_MAX, 0, NULL);
}

static void test_slabinfo(struct kmem_cache_iter_contract *skel)
{
	char name[256], line[512], want[300];
	unsigned int size, lines = 0;
	char *at = expected, *end;
	FILE *slabinfo;
	int fields;

	slabinfo = fopen("/proc/slabinfo", "r");
	if (!slabinfo) {
		skip_test("the kernel has no /proc/slabinfo");
		return;
	}

	while (fgets(line, sizeof(line), slabinfo)) {
		if (!strncmp(line, "slabinfo - ", 11) || line[0] == '#')
			continue;
		fields = sscanf(line, "%255s %*u %*u %u", name, &size);
		if (!ASSERT_EQ(fields, 2, "fields of a line of slabinfo"))
			break;
		snprintf(want, sizeof(want), "%s %u", name, size);

		end = strchr(at, '\n');
		if (!ASSERT_OK_PTR(end, "line for each line of slabinfo"))
			break;
		if (!ASSERT_STRNEQ(at, want, end - at, "line as in slabinfo") ||
		    !ASSERT_EQ(end - at, strlen(want), "length of the line"))
			break;
		at = end + 1;
		lines++;
	}
	ASSERT_GT(lines, 10, "lines of slabinfo");
	ASSERT_STREQ(at, "", "lines that slabinfo does not have");
	fclose(slabinfo);
}

static void test_read_sizes(struct kmem_cache_iter_contract *skel)
{
	size_t line = strchr(expected, '\n') + 1 - expected;
	size_t sizes[] = { 1, 16, line, 4096, 65536 };
	int i;

	/* With padding, even the largest read does not get all at once. */
	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		reset(skel);
		if (i % 2)
			skel->bss->padding_per_line = 1000;
		if (!dump(skel, output, sizes[i / 2], 0, NULL))
			return;
		if (!ASSERT_OK(strcmp(output, expected), "same output for each read size"))
			printf("read size %zu, padding %d\n", sizes[i / 2], i % 2);
	}
}

static void test_null_entry_last(struct kmem_cache_iter_contract *skel)
{
	/* The calls without an entry are checked by dump(). */
	reset(skel);
	if (!dump(skel, output, OUTPUT_MAX, 0, NULL))
		return;
	ASSERT_EQ(skel->bss->calls, nr_lines(expected), "one call for each cache");
}

/* At the first entry, it is an error. */
static void test_error_first(struct kmem_cache_iter_contract *skel, __u32 *at_call,
			     int expected_errno)
{
	int errors = 0;

	reset(skel);
	*at_call = 1;
	if (!dump(skel, output, 4096, expected_errno, &errors))
		return;
	ASSERT_EQ(errors, 1, "reads that fail");
	ASSERT_OK(strcmp(output, expected), "every cache once");
}

/* Later, what others have printed is returned, and the entry is repeated. */
static void test_error_later(struct kmem_cache_iter_contract *skel, __u32 *at_call)
{
	reset(skel);
	*at_call = 5;
	if (!dump(skel, output, 4096, 0, NULL))
		return;
	ASSERT_EQ(skel->bss->calls, nr_lines(expected) + 1, "calls, with the repeated one");
	ASSERT_OK(strcmp(output, expected), "every cache once");
}

/* The output for others is returned first, and without such it is an error. */
static void test_overflow_at_end(struct kmem_cache_iter_contract *skel)
{
	int errors = 0, fd;

	reset(skel);
	skel->bss->overflows_at_end = 2;
	fd = open_iter_file(skel->progs.dump);
	if (fd < 0)
		return;

	if (ASSERT_GT(read_to_end(fd, output, OUTPUT_MAX, E2BIG, &errors), 0, "output length"))
		ASSERT_OK(strcmp(output, expected), "every cache once");
	ASSERT_EQ(errors, 1, "reads that fail with E2BIG");
	ASSERT_EQ(skel->bss->null_calls, 3, "calls without an entry");
	ASSERT_EQ(skel->bss->calls_after_null, 0, "calls after the first one without an entry");
	close(fd);
}

/* An entry after the first one, with no output for others before it. */
static void test_error_without_output(struct kmem_cache_iter_contract *skel, __u32 *at_call,
				      int expected_errno)
{
	const char *from = expected;
	int errors = 0, i;

	reset(skel);
	*at_call = 5;
	skel->bss->silent_calls = 5;
	if (!dump(skel, output, 4096, expected_errno, &errors))
		return;
	for (i = 0; i < 4; i++)
		from = strchr(from, '\n') + 1;
	ASSERT_EQ(errors, 1, "reads that fail");
	ASSERT_EQ(skel->bss->calls, nr_lines(expected) + 1, "calls, with the repeated one");
	ASSERT_OK(strcmp(output, from), "every cache once");
}

/*
 * A read that has looked at very many caches without any output gives up, and the next
 * one goes on. With CONFIG=limit in the environment, the kernel gives up after 30 caches
 * instead of MAX_ITER_OBJECTS.
 */
static void test_silent(struct kmem_cache_iter_contract *skel)
{
	bool limited = !strcmp(getenv("CONFIG") ?: "", "limit");
	int errors = 0, nr = nr_lines(expected);
	const char *last = expected;

	reset(skel);
	skel->bss->silent_calls = nr - 1;
	if (!dump(skel, output, 4096, EAGAIN, &errors))
		return;
	while (strchr(last, '\n')[1])
		last = strchr(last, '\n') + 1;
	ASSERT_STREQ(output, last, "the last cache");
	ASSERT_EQ(skel->bss->calls, nr, "calls, none repeated");
	if (limited)
		ASSERT_GT(errors, 1, "reads that have given up");
	else
		ASSERT_EQ(errors, 0, "reads that have given up");
}

static void test_buffer_fills(struct kmem_cache_iter_contract *skel)
{
	reset(skel);
	skel->bss->padding_per_line = 1000;
	/* A read larger than the buffer is ended by the buffer. */
	if (!dump(skel, output, OUTPUT_MAX, 0, NULL))
		return;
	ASSERT_GT(skel->bss->calls, nr_lines(expected), "calls, with the repeated ones");
	ASSERT_OK(strcmp(output, expected), "every cache once");
}

static void test_readers_apart(struct kmem_cache_iter_contract *skel)
{
	static char output2[OUTPUT_MAX];
	size_t len = 0, len2 = 0;
	struct bpf_link *link;
	ssize_t n, n2;
	int fd, fd2;

	reset(skel);
	link = bpf_program__attach_iter(skel->progs.dump, NULL);
	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	fd = bpf_iter_create(bpf_link__fd(link));
	fd2 = bpf_iter_create(bpf_link__fd(link));
	if (!ASSERT_GE(fd, 0, "first file") || !ASSERT_GE(fd2, 0, "second file"))
		goto out;

	do {
		n = read(fd, output + len, 100);
		n2 = read(fd2, output2 + len2, 33);
		if (!ASSERT_GE(n, 0, "read") || !ASSERT_GE(n2, 0, "second read"))
			break;
		len += n;
		len2 += n2;
	} while ((n || n2) && MAX(len, len2) < OUTPUT_MAX - 100);

	output[len] = '\0';
	output2[len2] = '\0';
	ASSERT_OK(strcmp(output, expected), "every cache once");
	ASSERT_OK(strcmp(output2, expected), "every cache once for the second reader");
out:
	close(fd2);
	close(fd);
	bpf_link__destroy(link);
}

/* What reads like read(), and what does not read at all. */
static void test_other_calls(struct kmem_cache_iter_contract *skel)
{
	int fds[2] = { -1, -1 }, fd;
	size_t len = 0;
	struct iovec iov[2];
	ssize_t n;
	char c;

	reset(skel);
	fd = open_iter_file(skel->progs.dump);
	if (fd < 0 || !ASSERT_OK(pipe(fds), "pipe"))
		goto out;
	ASSERT_OK(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	ASSERT_EQ(result_of(lseek(fd, 0, SEEK_SET)), -ESPIPE, "lseek");
	ASSERT_EQ(result_of(pread(fd, &c, 1, 0)), -ESPIPE, "pread");
	ASSERT_EQ(result_of(splice(fd, NULL, fds[1], NULL, 1, 0)), -EINVAL, "splice");
	ASSERT_EQ(result_of(sendfile(fds[1], fd, NULL, 1)), -EINVAL, "sendfile");
	ASSERT_EQ(result_of(write(fd, &c, 1)), -EBADF, "write");
	ASSERT_EQ(skel->bss->calls, 0, "calls of the program");

	do {
		iov[0].iov_base = output + len;
		iov[0].iov_len = 7;
		iov[1].iov_base = output + len + 7;
		iov[1].iov_len = 100;
		n = readv(fd, iov, 2);
		if (!ASSERT_GE(n, 0, "readv"))
			goto out;
		len += n;
	} while (n && len < OUTPUT_MAX - 200);
	output[len] = '\0';
	ASSERT_STREQ(output, expected, "every cache once");
out:
	close(fds[0]);
	close(fds[1]);
	close(fd);
}

static ssize_t read_by_ring(struct io_uring *ring, int fd, void *buf, size_t size)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	ssize_t n;
	int err;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->fd = fd;
	sqe->addr = (unsigned long)buf;
	sqe->len = size;
	/* from where the file has come to */
	sqe->off = -1;
	err = io_uring_submit(ring);
	if (err != 1)
		return err < 0 ? err : -EIO;
	err = io_uring_wait_cqe(ring, &cqe);
	if (err)
		return err;
	n = cqe->res;
	io_uring_cqe_seen(ring);
	return n;
}

/* Workers of io_uring read, since a read can sleep. */
static void test_io_uring(struct kmem_cache_iter_contract *skel)
{
	struct io_uring ring;
	size_t len = 0;
	ssize_t n;
	int fd;

	if (access("/proc/sys/kernel/io_uring_disabled", F_OK)) {
		skip_test("the kernel has no io_uring");
		return;
	}
	if (!ASSERT_OK(io_uring_queue_init(1, &ring, 0), "io_uring"))
		return;
	reset(skel);
	fd = open_iter_file(skel->progs.dump);
	do {
		n = read_by_ring(&ring, fd, output + len, 100);
		if (!ASSERT_GE(n, 0, "read"))
			goto out;
		len += n;
	} while (n && len < OUTPUT_MAX - 100);
	output[len] = '\0';
	ASSERT_STREQ(output, expected, "every cache once");
out:
	close(fd);
	io_uring_queue_exit(&ring);
}

/* A file has one position, which is where the last read of any kind has come to. */
static void test_pread_pinned(struct kmem_cache_iter_contract *skel)
{
	struct bpf_link *link;
	char buf[20] = "";
	int fd;

	reset(skel);
	link = bpf_program__attach_iter(skel->progs.dump, NULL);
	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	if (!ASSERT_OK(bpf_link__pin(link, PIN), "pin"))
		goto out;
	fd = open(PIN, O_RDONLY);
	if (ASSERT_GE(fd, 0, "open")) {
		ASSERT_EQ(result_of(pread(fd, buf, 10, 1000)), 10, "pread at 1000");
		ASSERT_EQ(result_of(pread(fd, buf + 10, 5, 0)), 5, "pread at 0");
		ASSERT_EQ(result_of(lseek(fd, 0, SEEK_SET)), -ESPIPE, "lseek");
		ASSERT_STRNEQ(buf, expected, 15, "the first bytes");
		close(fd);
	}
	unlink(PIN);
out:
	bpf_link__destroy(link);
}

static void test_bad_buffer(struct kmem_cache_iter_contract *skel)
{
	size_t page_size = sysconf(_SC_PAGESIZE);
	void *bad = map_nowhere(page_size);
	ssize_t len;
	int fd;

	if (!bad)
		return;

	reset(skel);
	fd = open_iter_file(skel->progs.dump);
	if (fd < 0)
		goto unmap;

	ASSERT_EQ(read(fd, bad, page_size), -1, "read to a bad address");
	ASSERT_EQ(errno, EFAULT, "errno of a read to a bad address");

	len = read_to_end(fd, output, 4096, 0, NULL);
	if (ASSERT_GT(len, 0, "output length"))
		ASSERT_OK(strcmp(output, expected), "every cache once");
	close(fd);
unmap:
	munmap(bad, page_size);
}

static void test_info(struct kmem_cache_iter_contract *skel)
{
	struct bpf_link *link;
	int fd;

	link = bpf_program__attach_iter(skel->progs.dump, NULL);
	if (!ASSERT_OK_PTR(link, "attach"))
		return;

	fd = bpf_link__fd(link);
	check_target(fd, ITER_TARGET);
	ASSERT_EQ(fdinfo_has(fd, "target_name:\t" ITER_TARGET "\n"), 1, "target in fdinfo");
	ASSERT_EQ(fdinfo_has(fd, ITER_TARGET " iter\n"), 1, "text of the target in fdinfo");
	bpf_link__destroy(link);
}

static void test_sleepable(struct kmem_cache_iter_contract *skel)
{
	ssize_t len;
	int fd;

	reset(skel);
	skel->bss->user_string = "sleepable";
	skel->bss->sleepable_calls = 0;
	skel->bss->sleepable_reads = 0;
	fd = open_iter_file(skel->progs.sleepable);
	if (fd < 0)
		return;

	len = read_to_end(fd, output, 4096, 0, NULL);
	ASSERT_EQ(len, 0, "output length");
	ASSERT_GT(skel->bss->sleepable_calls, 10, "calls");
	ASSERT_EQ(skel->bss->sleepable_reads, skel->bss->sleepable_calls, "reads of user memory");
	close(fd);
}

static bool collect_refs(struct kmem_cache_iter_contract *skel)
{
	ssize_t len;
	int fd;

	skel->bss->nr_caches = 0;
	fd = open_iter_file(skel->progs.collect_refs);
	if (fd < 0)
		return false;
	len = read_to_end(fd, output, 4096, 0, NULL);
	close(fd);
	return ASSERT_EQ(len, 0, "collect references") &&
	       ASSERT_GT(skel->bss->nr_caches, 10, "caches") &&
	       ASSERT_LT(skel->bss->nr_caches, ARRAY_SIZE(skel->bss->caches), "caches") &&
	       ASSERT_OK(run_prog(skel->progs.read_refcounts), "read reference counts");
}

static bool break_off(struct kmem_cache_iter_contract *skel, __u32 after)
{
	skel->bss->break_after = after;
	return ASSERT_OK(run_prog(skel->progs.break_off), "run the loop");
}

/* Every way to come to an end, or to be broken off, gives all references back. */
static void test_references(struct kmem_cache_iter_contract *skel)
{
	static typeof(skel->bss->caches) caches;
	static typeof(skel->bss->refcounts) refcounts;
	__u32 nr_before, i;
	int errors = 0, fd;

	/* Whatever the tests allocate for the first time is there from now on. */
	if (!dump_expected(skel) || !collect_refs(skel))
		return;
	skel->bss->loop_not_pinned = 0;
	memcpy(caches, skel->bss->caches, sizeof(caches));
	memcpy(refcounts, skel->bss->refcounts, sizeof(refcounts));
	nr_before = skel->bss->nr_caches;

	/* One more while it is visited; boot caches are not counted. */
	for (i = 0; i < nr_before; i++) {
		int pinned = refcounts[i] + (refcounts[i] > 0);

		if (!ASSERT_NEQ(refcounts[i], 0, "refcount") ||
		    !ASSERT_EQ(skel->bss->pinned_refcounts[i], pinned, "pinned refcount"))
			break;
	}

	reset(skel);
	dump(skel, output, OUTPUT_MAX, 0, NULL);
	reset(skel);
	dump(skel, output, 1, 0, NULL);
	reset(skel);
	skel->bss->overflow_at_call = 1;
	dump(skel, output, 4096, E2BIG, &errors);
	reset(skel);
	skel->bss->return_1_at_call = 1;
	dump(skel, output, 4096, EAGAIN, &errors);

	/* closed half-way */
	reset(skel);
	fd = open_iter_file(skel->progs.dump);
	if (fd >= 0) {
		ASSERT_EQ(read(fd, output, 100), 100, "read half-way");
		close(fd);
	}

	/* an open-coded loop broken off at each entry in turn, and run to its end */
	for (i = 1; i <= nr_before + 1; i++) {
		if (!break_off(skel, i))
			break;
		ASSERT_EQ(skel->bss->loop_entries, MIN(i, nr_before), "entries of the loop");
	}
	ASSERT_EQ(skel->bss->loop_not_pinned, 0, "entries that the loop has not pinned");

	if (!collect_refs(skel))
		return;
	ASSERT_EQ(skel->bss->nr_caches, nr_before, "number of caches");
	for (i = 0; i < MIN(nr_before, skel->bss->nr_caches); i++) {
		if (!ASSERT_EQ(skel->bss->caches[i], caches[i], "cache") ||
		    !ASSERT_EQ(skel->bss->refcounts[i], refcounts[i], "refcount"))
			break;
	}
}

/* Serial: caches that other tests create would show up in the middle. */
void serial_test_kmem_cache_iter_contract(void)
{
	struct kmem_cache_iter_contract *skel;

	skel = kmem_cache_iter_contract__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		return;

	memset(skel->bss->padding, PADDING, sizeof(skel->bss->padding));
	if (!dump_expected(skel))
		goto out;

	if (test__start_subtest("slabinfo"))
		test_slabinfo(skel);
	if (test__start_subtest("read_sizes"))
		test_read_sizes(skel);
	if (test__start_subtest("silent"))
		test_silent(skel);
	if (test__start_subtest("null_entry_last"))
		test_null_entry_last(skel);
	if (test__start_subtest("overflow_first"))
		test_error_first(skel, &skel->bss->overflow_at_call, E2BIG);
	if (test__start_subtest("overflow_later"))
		test_error_later(skel, &skel->bss->overflow_at_call);
	if (test__start_subtest("return_1_first"))
		test_error_first(skel, &skel->bss->return_1_at_call, EAGAIN);
	if (test__start_subtest("return_1_later"))
		test_error_later(skel, &skel->bss->return_1_at_call);
	if (test__start_subtest("overflow_without_output"))
		test_error_without_output(skel, &skel->bss->overflow_at_call, E2BIG);
	if (test__start_subtest("return_1_without_output"))
		test_error_without_output(skel, &skel->bss->return_1_at_call, EAGAIN);
	if (test__start_subtest("overflow_at_end"))
		test_overflow_at_end(skel);
	if (test__start_subtest("buffer_fills"))
		test_buffer_fills(skel);
	if (test__start_subtest("readers_apart"))
		test_readers_apart(skel);
	if (test__start_subtest("other_calls"))
		test_other_calls(skel);
	if (test__start_subtest("io_uring"))
		test_io_uring(skel);
	if (test__start_subtest("pread_pinned"))
		test_pread_pinned(skel);
	if (test__start_subtest("bad_buffer"))
		test_bad_buffer(skel);
	if (test__start_subtest("info"))
		test_info(skel);
	if (test__start_subtest("sleepable"))
		test_sleepable(skel);
	if (test__start_subtest("references"))
		test_references(skel);
out:
	kmem_cache_iter_contract__destroy(skel);
}
