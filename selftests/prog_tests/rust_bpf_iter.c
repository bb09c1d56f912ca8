// SPDX-License-Identifier: GPL-2.0
/* The Rust BPF iterator sample, samples/rust/rust_bpf_iter_main.rs. */
#include <test_progs.h>
#include "kmem_cache_iter_module.h"
#include "rust_bpf_iter.skel.h"

#define SAMPLE	"rust_bpf_iter"
#define DEVICE	"/dev/rust_item"
#define LARGEST	"18446744073709551615"

/* The number of the last item that was created. */
static int last;

static bool is_module(void)
{
	return !access(SAMPLE ".ko", F_OK);
}

/* Items of these values, whose numbers follow that of the last one. */
static int create(const char *const *values)
{
	char line[32];
	int err;

	for (; *values; values++) {
		snprintf(line, sizeof(line), "+%s\n", *values);
		err = write_file(DEVICE, line);
		if (err)
			return err;
		last++;
	}
	return 0;
}

#define CREATE(...) create((const char *const []){ __VA_ARGS__, NULL })

static int remove_item(int number)
{
	char line[32];

	snprintf(line, sizeof(line), "-%d\n", number);
	return write_file(DEVICE, line);
}

/* Those that are left of the ones that were created since @base was the last. */
static void remove_items(int base)
{
	int number;

	for (number = base + 1; number <= last; number++)
		remove_item(number);
}

/* With one program alone. */
static struct rust_bpf_iter *load_prog(const char *name, struct bpf_program **prog)
{
	struct rust_bpf_iter *skel = rust_bpf_iter__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	*prog = bpf_object__find_program_by_name(skel->obj, name);
	if (ASSERT_OK_PTR(*prog, name) && ASSERT_OK(bpf_program__set_autoload(*prog, true), name) &&
	    ASSERT_OK(rust_bpf_iter__load(skel), "load"))
		return skel;
	rust_bpf_iter__destroy(skel);
	return NULL;
}

/* Read with @size, and expect the numbers in @want, which are counted from @base. */
static void check_read(int fd, size_t size, int base, const char *want, const char *what)
{
	char buf[256] = "", expected[256] = "", *out = expected;
	ssize_t len = 0, total = 0;
	const char *c;

	for (c = want; *c; c++) {
		if (*c >= '0' && *c <= '9')
			out += sprintf(out, "%d", base + *c - '0');
		else
			*out++ = *c;
	}
	while (total + size < sizeof(buf)) {
		len = read(fd, buf + total, size);
		if (len <= 0)
			break;
		total += len;
	}
	ASSERT_EQ(len, 0, what);
	ASSERT_STREQ(buf, expected, what);
}

static void check_prog(const char *name, size_t size, int base, const char *want)
{
	struct bpf_program *prog;
	struct rust_bpf_iter *skel = load_prog(name, &prog);
	int fd;

	if (!skel)
		return;
	fd = open_iter_file(prog);
	check_read(fd, size, base, want, name);
	close(fd);
	ASSERT_EQ(skel->bss->ends, 1, "calls at the end");
	rust_bpf_iter__destroy(skel);
}

static void test_in_order(void)
{
	int base = last;

	if (!ASSERT_OK(CREATE("30", "10", "40", "20"), "create"))
		return;
	check_prog("all_items", 64, base, "1 2 3 4 .");
	check_prog("all_items", 1, base, "1 2 3 4 .");
	check_prog("sleepable", 64, base, "1 2 3 4 .");
	check_prog("high_items", 64, base, "1 3 .");
	check_prog("high_items", 1, base, "1 3 .");
	ASSERT_OK(remove_item(base + 2), "remove");
	check_prog("all_items", 64, base, "1 3 4 .");
	remove_items(base);
	check_prog("all_items", 64, base, ".");
	check_prog("high_items", 64, base, ".");
}

/* The program was told of the end, so what is created after that is not shown. */
static void check_end(const char *name)
{
	struct bpf_program *prog;
	struct rust_bpf_iter *skel = load_prog(name, &prog);
	int fd, base = last;

	if (!skel)
		return;
	if (!ASSERT_OK(CREATE("10"), "create"))
		goto out;
	fd = open_iter_file(prog);
	check_read(fd, 64, base, "1 .", name);
	ASSERT_OK(CREATE("20"), "create");
	check_read(fd, 64, base, "", "after the end");
	close(fd);
	ASSERT_EQ(skel->bss->ends, 1, "calls at the end");
	remove_items(base);
out:
	rust_bpf_iter__destroy(skel);
}

static void test_end(void)
{
	check_end("all_items");
	check_end("high_items");
}

static void test_device(void)
{
	ASSERT_EQ(write_file(DEVICE, "+\n"), -EINVAL, "no value");
	ASSERT_EQ(write_file(DEVICE, "+ten\n"), -EINVAL, "word");
	ASSERT_EQ(write_file(DEVICE, "5\n"), -EINVAL, "no sign");
	ASSERT_EQ(write_file(DEVICE, "\xff\n"), -EINVAL, "no text");
	ASSERT_EQ(write_file(DEVICE, "+000000000000000000000001\n"), -EINVAL, "too long");
	ASSERT_EQ(write_file(DEVICE, "-1000000\n"), -ENOENT, "no such item");
}

/* Items come and go between two reads. Each one that stays is shown once. */
static void test_churn(void)
{
	struct bpf_program *prog;
	struct rust_bpf_iter *skel = load_prog("all_items", &prog);
	int fd, base = last;
	char buf[16] = "";

	if (!skel)
		return;
	if (!ASSERT_OK(CREATE("1", "1", "1", "1", "1"), "create"))
		goto out;
	fd = open_iter_file(prog);
	/* The file stops at the second item then. */
	ASSERT_GT(read(fd, buf, 1), 0, "read");
	ASSERT_OK(remove_item(base + 1), "remove what was shown");
	ASSERT_OK(remove_item(base + 2), "remove what is next");
	ASSERT_OK(remove_item(base + 4), "remove what is ahead");
	ASSERT_OK(CREATE("1"), "create");
	/* The rest of the first number, of which one digit is there. */
	while (buf[0] != ' ' && read(fd, buf, 1) == 1)
		;
	check_read(fd, 1, base, "3 5 6 .", "what stays, and what is new");
	close(fd);
	remove_items(base);
out:
	rust_bpf_iter__destroy(skel);
}

/* Whatever next() fails with is what read() returns, and then the file goes on. */
static void check_error(bool is_silent)
{
	struct bpf_program *prog;
	struct rust_bpf_iter *skel = load_prog("high_items", &prog);
	int fd, base = last;
	char buf[64];

	if (!skel)
		return;
	skel->bss->is_silent = is_silent;
	/* The sum of the first two is too large; so is that with the third or the fourth. */
	if (!ASSERT_OK(CREATE(LARGEST, "5", "7", "0"), "create"))
		goto out;
	fd = open_iter_file(prog);
	ASSERT_EQ(result_of(read(fd, buf, sizeof(buf))), -EOVERFLOW, "next() fails");
	ASSERT_EQ(skel->bss->ends, 0, "calls at the end");
	if (!is_silent) {
		char expected[16];
		ssize_t len = read(fd, buf, sizeof(buf) - 1);

		snprintf(expected, sizeof(expected), "%d ", base + 1);
		if (ASSERT_GE(len, 0, "output from before")) {
			buf[len] = 0;
			ASSERT_STREQ(buf, expected, "output from before");
		}
	}
	ASSERT_EQ(result_of(read(fd, buf, sizeof(buf))), -EOVERFLOW, "start() fails");
	ASSERT_EQ(skel->bss->ends, 0, "calls at the end");
	check_read(fd, sizeof(buf), base, ".", "the end");
	ASSERT_EQ(skel->bss->ends, 1, "calls at the end");
	close(fd);
	remove_items(base);
out:
	rust_bpf_iter__destroy(skel);
}

static void test_error_after_output(void)
{
	check_error(false);
}

static void test_error_without_output(void)
{
	check_error(true);
}

static void test_refused(void)
{
	static const char *const names[] = { "unchecked", "writes" };
	struct rust_bpf_iter *skel;
	struct bpf_program *prog;
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		skel = rust_bpf_iter__open();
		if (!ASSERT_OK_PTR(skel, "open"))
			return;
		prog = bpf_object__find_program_by_name(skel->obj, names[i]);
		bpf_program__set_autoload(prog, true);
		ASSERT_EQ(rust_bpf_iter__load(skel), -EACCES, names[i]);
		rust_bpf_iter__destroy(skel);
	}
}

/* What the verifier takes an item of a target for. */
static void check_trust(const char *name, const char *type)
{
	struct rust_bpf_iter *skel = rust_bpf_iter__open();
	struct bpf_program *prog;
	static char log[16384];

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	prog = bpf_object__find_program_by_name(skel->obj, name);
	bpf_program__set_autoload(prog, true);
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, 2);
	if (ASSERT_OK(rust_bpf_iter__load(skel), name))
		ASSERT_HAS_SUBSTR(log, type, name);
	rust_bpf_iter__destroy(skel);
}

static void test_trust(void)
{
	check_trust("all_items", "=trusted_ptr_or_null_rust_item(");
	check_trust("high_items", "=rcu_ptr_or_null_rust_item(");
}

/* The functions of both targets have the same type. */
static void test_tail_call(void)
{
	int base = last, same_fd, other_fd, fd;
	struct rust_bpf_iter *skel = rust_bpf_iter__open();
	__u32 first = 0;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_program__set_autoload(skel->progs.goes_on, true);
	bpf_program__set_autoload(skel->progs.all_items, true);
	bpf_program__set_autoload(skel->progs.high_items, true);
	if (!ASSERT_OK(rust_bpf_iter__load(skel), "load") ||
	    !ASSERT_OK(CREATE("1", "2"), "create"))
		goto out;
	same_fd = bpf_program__fd(skel->progs.all_items);
	other_fd = bpf_program__fd(skel->progs.high_items);
	ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(skel->maps.goes_on_as), &first, &other_fd, 0),
		  -EINVAL, "program of another target");
	ASSERT_OK(bpf_map_update_elem(bpf_map__fd(skel->maps.goes_on_as), &first, &same_fd, 0),
		  "program of the same target");
	fd = open_iter_file(skel->progs.goes_on);
	check_read(fd, 64, base, "1 2 .", "goes on as that");
	close(fd);
	remove_items(base);
out:
	rust_bpf_iter__destroy(skel);
}

/* A program, a link and a file keep the module. */
static void test_unload(void)
{
	struct bpf_program *prog;
	struct rust_bpf_iter *skel;
	struct bpf_link *link;
	int fd;

	if (!is_module()) {
		skip_test("the sample is built in");
		return;
	}
	skel = load_prog("all_items", &prog);
	if (!skel)
		return;
	ASSERT_EQ(unload_once(SAMPLE), -EWOULDBLOCK, "unload with a program");
	link = bpf_program__attach_iter(prog, NULL);
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	fd = bpf_iter_create(bpf_link__fd(link));
	rust_bpf_iter__destroy(skel);
	skel = NULL;
	ASSERT_EQ(unload_once(SAMPLE), -EWOULDBLOCK, "unload with a link");
	bpf_link__destroy(link);
	ASSERT_EQ(unload_once(SAMPLE), -EWOULDBLOCK, "unload with a file");
	close(fd);
	ASSERT_OK(unload_in_the_end(SAMPLE), "unload when unused");
	ASSERT_OK(load_by_name(SAMPLE), "load again");
	last = 0;
	check_prog("all_items", 64, 0, ".");
out:
	rust_bpf_iter__destroy(skel);
}

/* Of two modules, each has its targets. */
static void test_beside_kmem_cache(void)
{
	struct bpf_program *items, *caches;
	struct rust_bpf_iter *skel = load_prog("all_items", &items), *other = NULL;
	int fd, other_fd, base = last;
	char c = 0;

	if (!skel)
		return;
	if (!ASSERT_OK(CREATE("1", "1"), "create"))
		goto out;
	other = load_prog("caches", &caches);
	if (!other)
		goto out;
	fd = open_iter_file(items);
	other_fd = open_iter_file(caches);
	ASSERT_EQ(read(other_fd, &c, 1), 1, "read a cache");
	ASSERT_EQ(c, 'c', "cache");
	check_read(fd, 1, base, "1 2 .", "items");
	ASSERT_EQ(read(other_fd, &c, 1), 1, "read a cache");
	close(fd);
	close(other_fd);
	remove_items(base);
out:
	rust_bpf_iter__destroy(other);
	rust_bpf_iter__destroy(skel);
}

/* Serial: it looks at the modules that are there. */
void serial_test_rust_bpf_iter(void)
{
	static const struct subtest tests[] = {
		{ "in_order", test_in_order },
		{ "end", test_end },
		{ "device", test_device },
		{ "churn", test_churn },
		{ "error_after_output", test_error_after_output },
		{ "error_without_output", test_error_without_output },
		{ "refused", test_refused },
		{ "trust", test_trust },
		{ "tail_call", test_tail_call },
		{ "unload", test_unload },
		{ "beside_kmem_cache", test_beside_kmem_cache },
	};

	if (is_module() && !ASSERT_OK(load_by_name(SAMPLE), "load the module"))
		return;
	if (access(DEVICE, F_OK)) {
		skip_test("the sample is not there");
		return;
	}
	run_subtests(tests, ARRAY_SIZE(tests));
	if (is_module())
		ASSERT_OK(unload_in_the_end(SAMPLE), "unload when unused");
}
