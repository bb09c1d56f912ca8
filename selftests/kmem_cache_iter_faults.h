/* SPDX-License-Identifier: GPL-2.0 */
/* Letting calls fail on purpose, where the kernel can do so. */
#ifndef _KMEM_CACHE_ITER_FAULTS_H
#define _KMEM_CACHE_ITER_FAULTS_H

#include "kmem_cache_iter_common.h"

#define FAULTS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAIL_ALL	"/proc/thread-self/make-it-fail"

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

#endif /* _KMEM_CACHE_ITER_FAULTS_H */
