/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the kmem_cache iterator share: slab caches on command, looking
 * for leaks, allocations that fail, and numbers that can be repeated.
 */
#ifndef _KMEM_CACHE_ITER_COMMON_H
#define _KMEM_CACHE_ITER_COMMON_H

#include <sys/syscall.h>
#include <test_progs.h>
#include "testing_helpers.h"

#define ITER_MODULE	"kmem_cache_iter_rust"
#define ITER_MODULE_KO	ITER_MODULE ".ko"
#define CHURN_MODULE	"kmem_cache_iter_churn"
#define CHURN_CONTROL	"/sys/kernel/debug/" CHURN_MODULE
#define CACHE_PREFIX	"kci"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define FAULTS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAIL_ALL	"/proc/thread-self/make-it-fail"

#define UNLOAD_TRIES	10000

static inline int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), err;

	if (fd < 0)
		return -errno;
	err = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* A kernel that looks for errors while it runs: it finds more, and is slow. */
static inline bool is_debug_kernel(void)
{
	return !access(KMEMLEAK, F_OK);
}

/* A number from the environment. */
static inline long env_number(const char *name, long otherwise)
{
	const char *value = getenv(name);

	return value && *value ? atol(value) : otherwise;
}

/* So many operations, or what LOAD makes of it, which is in percent. */
static inline long loaded(long operations)
{
	return operations * env_number("LOAD", 100) / 100;
}

/* Past the runner, which shows the output of failed tests alone. */
#define note(fmt, ...) dprintf(STDERR_FILENO, "%s: " fmt "\n", test_name, ##__VA_ARGS__)

/* For long tests, to say how far they are. */
#define note_each_minute(fmt, ...)				\
	({							\
		static time_t noted;				\
		time_t now = time(NULL);			\
								\
		noted = noted ?: now;				\
		if (now - noted >= 60) {			\
			noted = now;				\
			note(fmt, ##__VA_ARGS__);		\
		}						\
	})

/* The seed of the random numbers, which repeats a run when it is given as SEED. */
static inline unsigned int pick_seed(const char *test_name)
{
	unsigned int seed = env_number("SEED", time(NULL));

	note("SEED=%u", seed);
	return seed;
}

/* The caches kci-FIRST to kci-(FIRST + COUNT - 1), made by the module for it. */
static inline int churn_control(const char *format, int first, int count)
{
	char command[64];

	snprintf(command, sizeof(command), format, first, count);
	return write_file(CHURN_CONTROL, command);
}

static inline int create_caches(int first, int count)
{
	return churn_control("create " CACHE_PREFIX " %d %d", first, count);
}

static inline int destroy_caches(int first, int count)
{
	return churn_control("destroy %d %d", first, count);
}

/* How many caches /proc/slabinfo has whose name begins with @prefix. */
static inline int count_caches(const char *prefix)
{
	FILE *slabinfo = fopen("/proc/slabinfo", "r");
	char line[256];
	int nr = 0;

	if (!ASSERT_OK_PTR(slabinfo, "slabinfo"))
		return -1;
	while (fgets(line, sizeof(line), slabinfo))
		nr += !strncmp(line, prefix, strlen(prefix));
	fclose(slabinfo);
	return nr;
}

static inline bool cache_exists(const char *name)
{
	char column[64];

	snprintf(column, sizeof(column), "%s ", name);
	return count_caches(column) > 0;
}

/* A file of the iterator that alone holds its program. */
static inline int open_iter_file(struct bpf_program *prog)
{
	struct bpf_link *link;
	int fd;

	link = bpf_program__attach_iter(prog, NULL);
	if (!ASSERT_OK_PTR(link, "attach"))
		return -1;
	fd = bpf_iter_create(bpf_link__fd(link));
	ASSERT_GE(fd, 0, "create an iterator file");
	bpf_link__destroy(link);
	return fd;
}

/* Nothing has leaked up to now; always so on a kernel that does not look for it. */
static inline void check_leaks(void)
{
	char line[256];
	FILE *kmemleak;

	if (!is_debug_kernel())
		return;
	/*
	 * An object is reported once it is five seconds old, and has not changed
	 * since the scan before.
	 */
	sleep(6);
	ASSERT_OK(write_file(KMEMLEAK, "scan"), "scan for leaks");
	ASSERT_OK(write_file(KMEMLEAK, "scan"), "scan for leaks again");
	kmemleak = fopen(KMEMLEAK, "r");
	if (!ASSERT_OK_PTR(kmemleak, "kmemleak"))
		return;
	while (fgets(line, sizeof(line), kmemleak))
		ASSERT_STREQ(line, "", "kmemleak");
	fclose(kmemleak);
}

static inline int unload_once(const char *name)
{
	return delete_module(name, O_NONBLOCK) ? -errno : 0;
}

/* A program is freed some time after it was let go. */
static inline int unload_in_the_end(const char *name)
{
	int err = 0, i;

	for (i = 0; i < UNLOAD_TRIES; i++) {
		err = unload_once(name);
		if (err != -EWOULDBLOCK)
			break;
		usleep(1000);
	}
	return err;
}

static inline int finit_module_by_path(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY), err;

	if (fd < 0)
		return -errno;
	err = syscall(__NR_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return err;
}

/* The newest BTF of a module. An older one is there for as long as somebody has it open. */
static inline int module_btf_fd(const char *name)
{
	struct bpf_btf_info info;
	int fd, newest = -ENOENT;
	__u32 id = 0, len;
	char found[64];

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		info.name = ptr_to_u64(found);
		info.name_len = sizeof(found);
		len = sizeof(info);
		if (!bpf_btf_get_info_by_fd(fd, &info, &len) && !strcmp(found, name)) {
			if (newest >= 0)
				close(newest);
			newest = fd;
		} else {
			close(fd);
		}
	}
	return newest;
}

/* What can be made to fail. */
enum fault {
	FAULT_SLAB,
	FAULT_PAGE,
	FAULT_USERCOPY,
	NR_FAULTS,
};

static const char * const fault_names[NR_FAULTS] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

static inline int set_fault(enum fault fault, const char *setting, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), FAULTS "%s/%s", fault_names[fault], setting);
	return write_file(path, value);
}

/*
 * Let the calls of one kind fail that are chosen by fail_nth() or fail_all(), or those
 * of all kinds with NR_FAULTS, without a word on the console. -ENOENT where the kernel
 * is not built for that.
 */
static inline int choose_fault(enum fault only)
{
	enum fault i;
	int err;

	if (access(FAIL_NTH, W_OK))
		return -ENOENT;
	for (i = 0; i < NR_FAULTS; i++) {
		bool chosen = only == i || only == NR_FAULTS;

		/* The end of the callers that are looked for: all match, or none. */
		err = set_fault(i, "require-end", chosen ? "0xffffffffffffffff" : "0") ?:
		      set_fault(i, "stacktrace-depth", "0") ?:
		      set_fault(i, "task-filter", "Y") ?:
		      /* What ends fail_all() is a copy itself. */
		      set_fault(i, "probability", i == FAULT_USERCOPY ? "0" : "100") ?:
		      set_fault(i, "times", "-1") ?:
		      set_fault(i, "verbose", "0");
		if (err)
			return err;
	}
	return set_fault(FAULT_SLAB, "ignore-gfp-wait", "N") ?:
	       set_fault(FAULT_PAGE, "ignore-gfp-wait", "N") ?:
	       set_fault(FAULT_PAGE, "ignore-gfp-highmem", "N") ?:
	       set_fault(FAULT_PAGE, "min-order", "0");
}

/* Let all allocations of this thread fail, or none, by @fd of FAIL_ALL. */
static inline int fail_all(int fd, bool fail)
{
	return pwrite(fd, fail ? "1" : "0", 1, 0) == 1 ? 0 : -errno;
}

/* Let the @nth call that can fail, from now on in this thread, do so; 0 lets none. */
static inline int fail_nth(int fd, int nth)
{
	char value[16];
	int len = snprintf(value, sizeof(value), "%d", nth);

	return pwrite(fd, value, len, 0) == len ? 0 : -errno;
}

/* Whether what fail_nth() asked for has not happened, or only to this call. */
static inline bool fail_nth_left(int fd)
{
	char value[16] = "";

	return pread(fd, value, sizeof(value) - 1, 0) < 0 || atoi(value) > 0;
}

#endif /* _KMEM_CACHE_ITER_COMMON_H */
