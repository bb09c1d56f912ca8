/* SPDX-License-Identifier: GPL-2.0 */
/* Slab caches on command, which a module of the tests creates and destroys. */
#ifndef _KMEM_CACHE_ITER_CACHES_H
#define _KMEM_CACHE_ITER_CACHES_H

#include "kmem_cache_iter_common.h"
#include "kmem_cache_iter_names.skel.h"

#define CHURN_MODULE	"kmem_cache_iter_churn"
#define CHURN_CONTROL	"/sys/kernel/debug/" CHURN_MODULE
#define CACHE_PREFIX	"kci"

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

/* A kernel with SLUB_TINY has no such directory. */
#define SLAB_SYSFS	"/sys/kernel/slab"

/* By names that are new in each @round: a reader may still hold the caches before. */
static inline int create_caches_anew(long round, int first, int count)
{
	char command[64];

	snprintf(command, sizeof(command), "create " CACHE_PREFIX ".%ld %d %d", round, first,
		 count);
	return write_file(CHURN_CONTROL, command);
}

/* Objects of these caches stay for ever. */
static inline int leak_from_caches(int first, int count)
{
	char command[64];

	snprintf(command, sizeof(command), "leak %d %d", first, count);
	return write_file(CHURN_CONTROL, command);
}

/* The names of all caches, by the iterator. */
static inline FILE *open_names(void)
{
	struct kmem_cache_iter_names *skel = kmem_cache_iter_names__open_and_load();
	int fd = -1;

	if (ASSERT_OK_PTR(skel, "open_and_load"))
		fd = open_iter_file(skel->progs.names);
	kmem_cache_iter_names__destroy(skel);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

/*
 * How many caches there are whose name begins with @prefix. A kernel without SLUB_DEBUG
 * has no /proc/slabinfo.
 */
static inline int count_caches(const char *prefix)
{
	FILE *caches = fopen("/proc/slabinfo", "r") ?: open_names();
	char line[256];
	int nr = 0;

	if (!ASSERT_OK_PTR(caches, "list of caches"))
		return -1;
	while (fgets(line, sizeof(line), caches))
		nr += !strncmp(line, prefix, strlen(prefix));
	fclose(caches);
	return nr;
}

static inline bool cache_exists(const char *name)
{
	char column[64];

	snprintf(column, sizeof(column), "%s ", name);
	return count_caches(column) > 0;
}

/*
 * Whether of the caches that begin with @prefix no more than @nr are left in the end.
 * Those to which the iterator had the last reference are destroyed by a worker, one
 * after the other. It has ten seconds for each.
 */
static inline bool caches_go_but(int nr, const char *prefix)
{
	int left = count_caches(prefix), now, i;

	for (i = 0; i < 1000 && left > nr; i++) {
		usleep(10000);
		now = count_caches(prefix);
		if (now < left)
			i = 0;
		left = now;
	}
	return left == nr;
}

static inline bool caches_go(const char *prefix)
{
	return caches_go_but(0, prefix);
}

static inline bool cache_goes(const char *name)
{
	char column[64];

	snprintf(column, sizeof(column), "%s ", name);
	return caches_go(column);
}

/* Whether a complaint of the kernel is all that it does then. */
static inline bool survives_complaints(void)
{
	char value[8] = "";
	int fd = open("/proc/sys/kernel/panic_on_warn", O_RDONLY);

	if (fd < 0)
		return true;
	if (read(fd, value, sizeof(value) - 1) < 0)
		value[0] = '1';
	close(fd);
	return !atoi(value);
}

/*
 * From here on the kernel may complain, or not any more. These lines are for whoever reads
 * its log.
 */
static inline void expect_complaints(bool expected)
{
	ASSERT_OK(write_file("/dev/kmsg", expected ? "selftest: complaints are expected\n" :
						     "selftest: end of expected complaints\n"),
		  "kmsg");
}

/* A line that comes byte by byte, cut off where the name of a cache has ended. */
struct line {
	char text[64];
	int len;
};

/* Whether @c ends the line. The next byte begins another one. */
static inline bool end_of_line(struct line *line, char c)
{
	if (c != '\n') {
		if (line->len < sizeof(line->text) - 1)
			line->text[line->len++] = c;
		return false;
	}
	line->text[line->len] = '\0';
	line->len = 0;
	return true;
}

#endif /* _KMEM_CACHE_ITER_CACHES_H */
