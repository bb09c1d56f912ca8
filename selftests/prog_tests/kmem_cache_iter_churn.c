// SPDX-License-Identifier: GPL-2.0
/*
 * The kmem_cache iterator while slab caches come and go between two reads.
 *
 * The caches of the test are called kci-NUMBER, the numbers going up. The newest
 * cache is the first on the list, so a walk must show the numbers going down.
 */
#include <pthread.h>
#include <test_progs.h>
#include "kmem_cache_iter_caches.h"
#include "kmem_cache_iter_churn.skel.h"

#define NR_CACHES	1000
#define NR_CACHES_DEBUG	200
#define ROUNDS		10000
#define ROUNDS_DEBUG	2000
#define IDS_MAX		(NR_CACHES + 2 * ROUNDS)
#define FILES		64
#define WALKS		(4 * FILES)
#define WALKS_DEBUG	FILES
#define BUF_SIZE	32768	/* of the kernel's buffer, which a read gets at most */

enum {
	ALIVE		= 1 << 0,
	AT_START	= 1 << 1,	/* alive when the walk began */
	DESTROYED	= 1 << 2,	/* since then */
};

static const char test_name[] = "kmem_cache_iter_churn";

/* What is known of each cache in the course of a walk. */
static unsigned char state[IDS_MAX];
static unsigned char shown[IDS_MAX];
static int next_id;
static int nr_caches;

/* A file that is read in pieces, and what it has shown. */
struct walk {
	int fd;
	struct line line;
	int last_id;		/* of the last whole line of ours; none: next_id */
	bool line_by_line;	/* nothing is left in the buffer of the file */
	int others;		/* caches that are not ours */
	int repeated;
	int strange;
};

static void walk_line(struct walk *walk)
{
	int id;

	if (sscanf(walk->line.text, CACHE_PREFIX "-%d", &id) != 1) {
		walk->others++;
		return;
	}
	if (id >= IDS_MAX || !(state[id] & AT_START) || id >= walk->last_id ||
	    (walk->line_by_line && (state[id] & DESTROYED)))
		walk->strange++;
	if (id < IDS_MAX && shown[id]++)
		walk->repeated++;
	walk->last_id = id;
}

/* Returns what read() does, and takes note of the caches that it shows. */
static ssize_t walk_read(struct walk *walk, size_t size)
{
	char buf[BUF_SIZE];
	ssize_t n, i;

	n = read(walk->fd, buf, size);
	for (i = 0; i < n; i++)
		if (end_of_line(&walk->line, buf[i]))
			walk_line(walk);
	return n;
}

/* Bytes that are read one by one do not come from the list, but for the first of a line. */
static ssize_t walk_step(struct walk *walk, size_t size)
{
	ssize_t n;

	do {
		n = walk_read(walk, size);
	} while (n > 0 && size == 1 && walk->line.len);
	return n;
}

static int pick_alive(int from, int step)
{
	int id = from;

	while (id >= 0 && id < next_id && !(state[id] & ALIVE))
		id += step;
	return id >= 0 && id < next_id ? id : -1;
}

/* Create a cache, or destroy one that is before, at or behind the place of the walk. */
static bool mutate(const struct walk *walk, int nr_alive)
{
	int id = -1, err;

	if (nr_alive < nr_caches || (nr_alive < nr_caches + 50 && rand() % 2)) {
		err = create_caches(next_id, 1);
		state[next_id++] = ALIVE;
		return ASSERT_OK(err, "create a cache");
	}

	switch (rand() % 3) {
	case 0:
		if (next_id > walk->last_id + 1)
			id = pick_alive(walk->last_id + 1 +
					rand() % (next_id - walk->last_id - 1), 1);
		break;
	case 1:
		id = pick_alive(walk->last_id - 1 - rand() % 8, -1);
		break;
	case 2:
		if (walk->last_id > 0)
			id = pick_alive(rand() % walk->last_id, -1);
		break;
	}
	if (id < 0)
		id = pick_alive(next_id - 1, -1);
	state[id] = (state[id] & AT_START) | DESTROYED;
	return ASSERT_OK(destroy_caches(id, 1), "destroy a cache");
}

static int count_alive(void)
{
	int id, nr = 0;

	for (id = 0; id < next_id; id++)
		nr += !!(state[id] & ALIVE);
	return nr;
}

static void walk_begin(struct walk *walk)
{
	int id;

	for (id = 0; id < next_id; id++)
		state[id] = state[id] & ALIVE ? ALIVE | AT_START : 0;
	memset(shown, 0, sizeof(shown));
	walk->line.len = 0;
	walk->last_id = next_id;
	walk->others = 0;
}

static int count_skipped(void)
{
	int id, nr = 0;

	for (id = 0; id < next_id; id++)
		nr += (state[id] & AT_START) && !(state[id] & DESTROYED) && !shown[id];
	return nr;
}

/* One walk with changes before it, between its reads, and at its end. */
static int walk_and_mutate(struct walk *walk, size_t size, int others)
{
	int changes = 0, err;

	walk->last_id = next_id;
	if (!mutate(walk, count_alive()))
		return -1;
	walk_begin(walk);
	while (walk_step(walk, size) > 0) {
		if (!mutate(walk, count_alive()))
			return -1;
		changes++;
	}

	/* The end stays the end, although there are newer caches by now. */
	err = create_caches(next_id, 1);
	state[next_id++] = ALIVE;
	if (!ASSERT_OK(err, "create a cache") || !ASSERT_GT(changes, 0, "reads of a walk"))
		return -1;
	if (walk_read(walk, size) != 0)
		walk->strange++;
	if (walk->others != others)
		walk->strange++;
	return changes;
}

/* Each cache that is there all the time is shown once, the others at most once. */
static void walk_in_all_sizes(struct kmem_cache_iter_churn *skel, int all_rounds)
{
	/* The last is what cat and bpftool get of a table. */
	const struct {
		size_t size;
		struct bpf_program *prog;
	} reads[] = {
		{ 1, skel->progs.names },
		{ 64, skel->progs.names },
		{ 4096, skel->progs.names },
		{ BUF_SIZE, skel->progs.long_lines },
	};
	int rounds = MAX(all_rounds / ARRAY_SIZE(reads), 1);
	int i, round, walks, skipped, changes, others, sum_wrong = 0;
	struct walk walk = {};

	nr_caches = is_debug_kernel() ? NR_CACHES_DEBUG : NR_CACHES;
	if (!ASSERT_OK(create_caches(0, nr_caches), "create caches"))
		goto out;
	next_id = nr_caches;
	memset(state, ALIVE, next_id);

	walk.fd = open_iter_file(skel->progs.names);
	if (walk.fd < 0)
		goto out;
	walk_begin(&walk);
	while (walk_read(&walk, BUF_SIZE) > 0)
		;
	close(walk.fd);
	others = walk.others;
	ASSERT_GT(others, 10, "caches of the kernel");
	ASSERT_EQ(count_skipped() + walk.repeated + walk.strange, 0, "errors without changes");

	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		memset(&walk, 0, sizeof(walk));
		walk.line_by_line = reads[i].size == 1;
		skipped = 0;
		walks = 0;
		for (round = 0; round < rounds; round += changes) {
			walk.fd = open_iter_file(reads[i].prog);
			if (walk.fd < 0)
				goto out;
			changes = walk_and_mutate(&walk, reads[i].size, others);
			close(walk.fd);
			if (changes < 0)
				goto out;
			skipped += count_skipped();
			walks++;
		}
		note("reads of %zu: %d changes, %d walks, %d skipped, %d repeated, %d wrong",
		     reads[i].size, round, walks, skipped, walk.repeated, walk.strange);
		sum_wrong += skipped + walk.repeated + walk.strange;
	}
	ASSERT_EQ(sum_wrong, 0, "caches that were not shown exactly once");
out:
	destroy_caches(0, MAX(next_id, nr_caches));
}

static void test_exactly_once(struct kmem_cache_iter_churn *skel)
{
	int rounds = is_debug_kernel() ? ROUNDS_DEBUG : ROUNDS;
	long left = MAX(loaded(rounds), 1);

	srand(pick_seed(test_name));
	/* The numbers of the caches begin anew. */
	for (; left > 0; left -= rounds)
		walk_in_all_sizes(skel, MIN(left, rounds));
}

/* A cache is destroyed at once although a reader has stopped in front of it. */
static void test_no_reference(struct kmem_cache_iter_churn *skel)
{
	struct walk walk = {};
	int id;

	if (!ASSERT_OK(create_caches(0, 10), "create caches"))
		return;
	next_id = 10;
	memset(state, ALIVE, next_id);

	walk.fd = open_iter_file(skel->progs.names);
	walk_begin(&walk);
	while (walk.last_id != 5 && walk_step(&walk, 1) > 0)
		;
	ASSERT_EQ(walk.last_id, 5, "stopped in the middle");

	ASSERT_OK(destroy_caches(4, 1), "destroy the next cache");
	ASSERT_FALSE(cache_exists(CACHE_PREFIX "-4"), "destroyed cache");
	ASSERT_OK(create_caches(4, 1), "create it again by the same name");
	ASSERT_OK(destroy_caches(9, 1), "destroy one before");

	while (walk_step(&walk, 1) > 0)
		;
	for (id = 0; id < 10; id++)
		ASSERT_EQ(shown[id], id != 4, "times that it was shown");
	ASSERT_EQ(walk.repeated + walk.strange, 0, "shown twice or out of order");
	close(walk.fd);
	destroy_caches(0, 10);
}

/* All cursors in front of the first cache, at one, and at the end. */
static void test_cursors_together(struct kmem_cache_iter_churn *skel)
{
	static const int order[] = { 5, 9, 0, 8, 4, 1, 2, 3, 6, 7 };
	struct walk walks[FILES] = {};
	int i, j, others = 0;

	if (!ASSERT_OK(create_caches(0, 10), "create caches"))
		goto out;
	next_id = 10;
	memset(state, ALIVE, next_id);

	for (i = 0; i < FILES; i++) {
		walks[i].fd = open_iter_file(skel->progs.names);
		walk_begin(&walks[i]);
		/* a third in front of the first, a third at 5, a third at the end */
		while (i % 3 && walk_step(&walks[i], 1) > 0)
			if (i % 3 == 1 && walks[i].last_id == 6)
				break;
		if (i % 3 == 2)
			others = walks[i].others;
	}
	for (i = 0; i < ARRAY_SIZE(order); i++)
		ASSERT_OK(destroy_caches(order[i], 1), "destroy a cache");
	for (i = 0; i < FILES; i++) {
		memset(shown, 0, sizeof(shown));
		while (walk_step(&walks[i], 64) > 0)
			;
		for (j = 0; j < 10; j++)
			ASSERT_EQ(shown[j], 0, "times that a destroyed cache was shown");
		ASSERT_EQ(walks[i].others, others, "caches of the kernel");
		close(walks[i].fd);
	}
out:
	destroy_caches(0, 10);
}

#define NR_STAYING	100
#define CHURN_IDS	(3 * 1000)

struct churn {
	pthread_t thread;
	int nr;
	int err;
};

static bool stop_churn;

static void *churn_thread(void *arg)
{
	struct churn *churn = arg;
	int first = (churn->nr + 1) * 1000, round;

	churn->err = stay_on_cpu(is_smp() ? churn->nr : 0);
	for (round = 0; !READ_ONCE(stop_churn) && !churn->err; round++) {
		churn->err = create_caches_anew(round, first, 10);
		destroy_caches(first, 10);
	}
	return NULL;
}

/* What one of many readers has seen of its walk. */
struct reader {
	int fd;
	struct line line;
	int last_staying;
	int shown[NR_STAYING];
	int last_round[CHURN_IDS];
};

/* Returns false at the end. */
static bool reader_line(struct reader *reader, int *wrong)
{
	int id, round = 0;
	char c;

	do {
		if (read(reader->fd, &c, 1) != 1)
			return false;
	} while (!end_of_line(&reader->line, c));

	if ((sscanf(reader->line.text, CACHE_PREFIX "-%d", &id) != 1 &&
	     sscanf(reader->line.text, CACHE_PREFIX ".%d-%d", &round, &id) != 2) || id >= CHURN_IDS)
		return true;
	/* A worker may not yet have destroyed the cache of that number from an earlier round. */
	if (round >= reader->last_round[id])
		(*wrong)++;
	reader->last_round[id] = round;
	if (id < NR_STAYING) {
		reader->shown[id]++;
		if (id >= reader->last_staying)
			(*wrong)++;
		reader->last_staying = id;
	}
	return true;
}

/* Many files at different places, and caches coming and going on both CPUs. */
static void test_many_readers(struct kmem_cache_iter_churn *skel)
{
	static struct reader readers[FILES];
	struct churn churns[2] = { { .nr = 0 }, { .nr = 1 } };
	int i, j, started = 0, walks = 0, wrong = 0;
	struct reader *reader;

	memset(readers, 0, sizeof(readers));
	for (i = 0; i < FILES; i++)
		readers[i].fd = -1;
	if (!ASSERT_OK(create_caches(0, NR_STAYING), "create caches"))
		goto out;

	stop_churn = false;
	for (; started < ARRAY_SIZE(churns); started++)
		if (!ASSERT_OK(pthread_create(&churns[started].thread, NULL, churn_thread,
					      &churns[started]), "thread"))
			goto out;

	/* Each file goes on by its own number of lines in a round, and begins again at its end. */
	while (walks < (is_debug_kernel() ? WALKS_DEBUG : WALKS)) {
		for (i = 0; i < FILES; i++) {
			reader = &readers[i];
			if (reader->fd < 0) {
				memset(reader, 0, sizeof(*reader));
				reader->last_staying = NR_STAYING;
				for (j = 0; j < CHURN_IDS; j++)
					reader->last_round[j] = INT_MAX;
				reader->fd = open_iter_file(skel->progs.names);
				if (reader->fd < 0)
					goto out;
			}
			for (j = 0; j <= i; j++)
				if (!reader_line(reader, &wrong))
					break;
			if (j > i)
				continue;
			for (j = 0; j < NR_STAYING; j++)
				wrong += reader->shown[j] != 1;
			close(reader->fd);
			reader->fd = -1;
			walks++;
		}
	}
	ASSERT_EQ(wrong, 0, "caches that a reader has not shown exactly once");
out:
	WRITE_ONCE(stop_churn, true);
	while (started) {
		pthread_join(churns[--started].thread, NULL);
		ASSERT_OK(churns[started].err, "create and destroy");
	}
	for (i = 0; i < FILES; i++)
		if (readers[i].fd >= 0)
			close(readers[i].fd);
	destroy_caches(0, NR_STAYING);
}

/* Serial: it counts on the order of the list, and other tests create caches. */
void serial_test_kmem_cache_iter_churn(void)
{
	struct kmem_cache_iter_churn *skel;

	if (!ASSERT_OK(load_module(CHURN_MODULE ".ko", false), "load the module"))
		return;
	skel = kmem_cache_iter_churn__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		goto out;

	if (test__start_subtest("exactly_once"))
		test_exactly_once(skel);
	if (test__start_subtest("no_reference"))
		test_no_reference(skel);
	if (test__start_subtest("cursors_together"))
		test_cursors_together(skel);
	if (test__start_subtest("many_readers"))
		test_many_readers(skel);
out:
	kmem_cache_iter_churn__destroy(skel);
	ASSERT_OK(unload_module(CHURN_MODULE, false), "unload the module");
}
