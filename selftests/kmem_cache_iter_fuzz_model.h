/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the random sequences of prog_tests/kmem_cache_iter_fuzz.c know of the state:
 * which programs, links, files and caches there are, and what a file must show.
 */
#ifndef _KMEM_CACHE_ITER_FUZZ_MODEL_H
#define _KMEM_CACHE_ITER_FUZZ_MODEL_H

#include "kmem_cache_iter_caches.h"

/* Operations in a sequence. */
#define SEQUENCE	500
#define BUF_SIZE	65536

#define NR_PROGS	4
#define NR_LINKS	4
#define NR_PINS		2
#define NR_FILES	8
#define NR_CHILDREN	2
#define NR_CACHES	(SEQUENCE + 1)

static const char test_name[] = "kmem_cache_iter_fuzz";

static int nr_others;	/* caches that are not ours */

/* Read into by children, too. */
static struct shared {
	ssize_t result;
	char buf[BUF_SIZE];
} *shared;

/* What a program does: the ones of progs/kmem_cache_iter_stress.c by these names. */
enum kind {
	NAMES,
	NAMES_SLEEPABLE,
	LONG_LINES,
	OVERFLOW,
	AGAIN,
	LOOP,
	NR_KINDS,
};

/* What the slots hold. Links and files outlive their slots. */
struct prog {
	int fd;
	enum kind kind;
};

struct link {
	int users;
	enum kind kind;
};

struct file {
	int users;
	enum kind kind;
	bool by_path;
	bool begun;
	bool ended;
	bool at_start[NR_CACHES];
	bool shown[NR_CACHES];
	int last_id;
	int others;
	struct line line;
};

struct slot {
	int fd;
	void *of;
};

struct child {
	pid_t pid;
	int pipe;
	bool holds;
	struct slot files[NR_FILES];
};

static struct state {
	bool loaded;
	bool alive[NR_CACHES];
	int next_id;
	struct prog progs[NR_PROGS];
	struct slot links[NR_LINKS];
	struct slot pins[NR_PINS];	/* fd: whether there is one */
	struct slot files[NR_FILES];
	struct child children[NR_CHILDREN];
} state;

static void begin_state(void)
{
	int i;

	memset(&state, 0, sizeof(state));
	state.loaded = true;
	for (i = 0; i < NR_PROGS; i++)
		state.progs[i].fd = -1;
	for (i = 0; i < NR_LINKS; i++)
		state.links[i].fd = -1;
	for (i = 0; i < NR_PINS; i++)
		state.pins[i].fd = -1;
	for (i = 0; i < NR_FILES; i++)
		state.files[i].fd = -1;
}

/* What an operation returns. */
enum outcome {
	FAILED = -1,
	DONE,
	REFUSED,	/* as it must be */
	NOTHING,	/* there was nothing to work on */
};

#define fail(fmt, ...) ({ note(fmt, ##__VA_ARGS__); FAILED; })

static int expect(const char *what, long result, long expected)
{
	return result == expected ? DONE : fail("%s: %ld instead of %ld", what, result, expected);
}

static int refused(const char *what, long result, long expected)
{
	return expect(what, result, expected) ?: REFUSED;
}

static int nothing(const char *what, long result, long expected)
{
	return expect(what, result, expected) ?: NOTHING;
}

/* One of the slots that hold something, or NULL. */
static struct slot *pick(struct slot *slots, int nr, __u32 a)
{
	int i, taken = 0;

	for (i = 0; i < nr; i++)
		taken += slots[i].fd >= 0;
	if (!taken)
		return NULL;
	for (i = 0, a %= taken; slots[i].fd < 0 || a--; i++)
		;
	return &slots[i];
}

static struct slot *pick_link(__u32 a)
{
	return pick(state.links, NR_LINKS, a);
}

static struct slot *pick_file(__u32 a)
{
	return pick(state.files, NR_FILES, a);
}

static struct prog *pick_prog(__u32 a)
{
	struct slot slots[NR_PROGS], *slot;
	int i;

	for (i = 0; i < NR_PROGS; i++)
		slots[i].fd = state.progs[i].fd;
	slot = pick(slots, NR_PROGS, a);
	return slot ? &state.progs[slot - slots] : NULL;
}

static struct slot *free_slot(struct slot *slots, int nr)
{
	int i;

	for (i = 0; i < nr && slots[i].fd >= 0; i++)
		;
	return i < nr ? &slots[i] : NULL;
}

static void *get(void *of)
{
	(*(int *)of)++;
	return of;
}

static void put(void *of)
{
	if (!--*(int *)of)
		free(of);
}

/* Whether this process, and so a child that is forked, has a program. */
static bool has_prog(void)
{
	return pick_prog(0) || pick_link(0) || pick_file(0);
}

/* Whether anything keeps the module from being unloaded. */
static bool held(void)
{
	int i;

	if (has_prog() || pick(state.pins, NR_PINS, 0))
		return true;
	for (i = 0; i < NR_CHILDREN; i++)
		if (state.children[i].pid && state.children[i].holds)
			return true;
	return false;
}

static int count_alive(void)
{
	int id, nr = 0;

	for (id = 0; id < NR_CACHES; id++)
		nr += state.alive[id];
	return nr;
}

static void begin(struct file *file)
{
	if (file->begun)
		return;
	file->begun = true;
	memcpy(file->at_start, state.alive, sizeof(file->at_start));
	file->last_id = state.next_id;
}

static int check_line(struct file *file)
{
	int id;

	if (sscanf(file->line.text, CACHE_PREFIX "-%d", &id) != 1) {
		file->others++;
		return 0;
	}
	if (id < 0 || id >= NR_CACHES || !file->at_start[id])
		return fail("cache %d was not there when the walk began", id);
	if (file->shown[id])
		return fail("cache %d is shown twice", id);
	if (id >= file->last_id)
		return fail("cache %d is shown after %d", id, file->last_id);
	file->shown[id] = true;
	file->last_id = id;
	return 0;
}

static int end_of_file(struct file *file)
{
	int id;

	file->ended = true;
	if (file->line.len)
		return fail("end within a line");
	if (expect("caches of the kernel", file->others, nr_others))
		return -1;
	for (id = 0; id < NR_CACHES; id++)
		if (file->at_start[id] && state.alive[id] && !file->shown[id])
			return fail("cache %d is not shown", id);
	return 0;
}

static int check_read(struct file *file, ssize_t ret, size_t size)
{
	ssize_t i;

	if (file->kind == OVERFLOW)
		return refused("read with too much output", ret, -E2BIG);
	if (file->kind == AGAIN)
		return refused("read with a program that returns 1", ret, -EAGAIN);
	if (ret < 0 || ret > size)
		return fail("read of %zu: %zd", size, ret);
	if (ret && file->ended)
		return fail("read %zd bytes where there are none", ret);
	for (i = 0; i < ret; i++)
		if (end_of_line(&file->line, shared->buf[i]) && check_line(file))
			return -1;
	return !ret && size && !file->ended ? end_of_file(file) : 0;
}

#endif /* _KMEM_CACHE_ITER_FUZZ_MODEL_H */
