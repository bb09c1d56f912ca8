// SPDX-License-Identifier: GPL-2.0
/*
 * The kmem_cache iterator under load: caches are created and destroyed on all
 * CPUs while readers of every kind are at work. Nothing must be left of it.
 */
#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <test_progs.h>
#include "kmem_cache_iter_caches.h"
#include "kmem_cache_iter_stress.h"

#define PIN		"/sys/fs/bpf/kmem_cache_iter_load"

/* In a run with LOAD=100. */
#define READS		20000
#define PAIRS		10000

/* Destroying a cache is waiting, most of the time. */
#define CHURNERS_PER_CPU	4
#define MAX_CHURNERS		(8 * CHURNERS_PER_CPU)
/* How many caches one of them has at a time, at most. */
#define BATCH			8
/* Readers never wait. */
#define READER_NICE		10

static const char test_name[] = "kmem_cache_iter_load";

static unsigned int seed;
static long reads_left, pairs_left;
static int failures;

static void failed(const char *what, int err)
{
	note("%s: %d", what, err);
	__sync_fetch_and_add(&failures, 1);
}

/* All go on until both numbers are reached, so that they are never alone. */
static bool go_on(void)
{
	return !READ_ONCE(failures) && (READ_ONCE(reads_left) > 0 || READ_ONCE(pairs_left) > 0);
}

struct reader {
	const char *kind;
	pthread_t thread;
	struct bpf_program *prog;	/* or a pinned link */
	bool by_loop;
	size_t size;			/* at most; 0: anything */
	unsigned int seed;
	long reads;
};

static int open_reader(struct reader *reader)
{
	struct bpf_link *link;
	int fd;

	if (!reader->prog) {
		fd = open(PIN, O_RDONLY);
		return fd < 0 ? -errno : fd;
	}
	link = bpf_program__attach_iter(reader->prog, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	bpf_link__destroy(link);
	return fd;
}

/* Read a file to its end, or close it before that. */
static int read_file(struct reader *reader)
{
	bool to_end = rand_r(&reader->seed) % 4;
	int fd = open_reader(reader), left = rand_r(&reader->seed) % 100, err = 0;
	size_t size = reader->size;
	char buf[8192];
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((to_end || left--) && go_on()) {
		if (!reader->size)
			size = 1 + rand_r(&reader->seed) % sizeof(buf);
		n = read(fd, buf, size);
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		/* Few reads of one byte come to the iterator. */
		if (reader->size != 1)
			__sync_fetch_and_sub(&reads_left, 1);
		reader->reads++;
	}
	close(fd);
	return err;
}

static void *read_thread(void *arg)
{
	struct reader *reader = arg;
	int err;

	setpriority(PRIO_PROCESS, sys_gettid(), READER_NICE);
	while (go_on()) {
		if (reader->by_loop) {
			err = run_prog(reader->prog);
			__sync_fetch_and_sub(&reads_left, 1);
			reader->reads++;
			/*
			 * A task leaves a CPU that goes offline when it is switched to
			 * outside of a program. This one would never be.
			 */
			usleep(1000);
		} else {
			err = read_file(reader);
		}
		if (err)
			failed(reader->kind, err);
	}
	return NULL;
}

struct churner {
	pthread_t thread;
	int nr;
	int cpu;
	unsigned int seed;
	long pairs;
};

/* Create some caches, and destroy them one by one in another order. */
static int create_and_destroy(struct churner *churner)
{
	int nr = 1 + rand_r(&churner->seed) % BATCH, start = rand_r(&churner->seed) % nr;
	int first = churner->nr * BATCH, i, err;

	err = create_caches_anew(churner->pairs, first, nr);
	for (i = 0; i < nr; i++)
		err = destroy_caches(first + (start + i) % nr, 1) ?: err;
	__sync_fetch_and_sub(&pairs_left, nr);
	churner->pairs += nr;
	return err;
}

static void *churn_thread(void *arg)
{
	struct churner *churner = arg;
	int err = stay_on_cpu(churner->cpu);

	while (!err && go_on())
		err = create_and_destroy(churner);
	if (err)
		failed("create and destroy", err);
	return NULL;
}

/* Have the kernel look at each eighth cache, and at its objects. */
static void touch_caches(unsigned int round)
{
	DIR *dir = opendir(SLAB_SYSFS);
	struct dirent *cache;
	unsigned int nr = 0;
	char path[512];

	if (!dir) {
		if (errno != ENOENT)
			failed("opendir", -errno);
		return;
	}
	while ((cache = readdir(dir))) {
		if (nr++ % 8 != round % 8)
			continue;
		/* It can be gone meanwhile, and not all can be validated. */
		snprintf(path, sizeof(path), SLAB_SYSFS "/%s/shrink", cache->d_name);
		write_file(path, "1");
		snprintf(path, sizeof(path), SLAB_SYSFS "/%s/validate", cache->d_name);
		write_file(path, "1");
	}
	closedir(dir);
}

/* What an administrator can do beside, once a second. */
static void disturb(unsigned int round)
{
	int err;

	touch_caches(round);
	if (round % 5 || !is_smp())
		return;
	err = write_file(CPU1, "0") ?: write_file(CPU1, "1");
	if (err)
		failed("CPU 1 off and on", err);
}

static void run_load(struct kmem_cache_iter_stress *skel)
{
	struct reader readers[] = {
		{ "plain", .prog = skel->progs.names },
		{ "sleepable", .prog = skel->progs.names_sleepable, .size = 4096 },
		{ "long lines", .prog = skel->progs.long_lines, .size = 8192 },
		{ "1 byte", .prog = skel->progs.names, .size = 1 },
		{ "pinned", .prog = NULL, .size = 64 },
		{ "open-coded", .prog = skel->progs.loop, .by_loop = true },
	};
	int nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), nr_readers, nr_churners, i, err;
	struct churner churners[MAX_CHURNERS] = {};
	unsigned int round = 0;
	long pairs = 0;
	time_t start = time(NULL);

	reads_left = loaded(READS);
	pairs_left = loaded(PAIRS);
	failures = 0;
	skel->bss->orphans = 0;
	seed = pick_seed(test_name);

	for (nr_readers = 0; nr_readers < ARRAY_SIZE(readers); nr_readers++) {
		readers[nr_readers].seed = seed + nr_readers;
		err = pthread_create(&readers[nr_readers].thread, NULL, read_thread,
				     &readers[nr_readers]);
		if (err) {
			failed("thread", -err);
			break;
		}
	}
	for (nr_churners = 0; nr_churners < MIN(nr_cpus * CHURNERS_PER_CPU, MAX_CHURNERS);
	     nr_churners++) {
		churners[nr_churners].nr = nr_churners;
		churners[nr_churners].cpu = nr_churners % nr_cpus;
		churners[nr_churners].seed = seed + 100 + nr_churners;
		err = pthread_create(&churners[nr_churners].thread, NULL, churn_thread,
				     &churners[nr_churners]);
		if (err) {
			failed("thread", -err);
			break;
		}
	}
	for (; go_on(); sleep(1)) {
		disturb(round++);
		note_each_minute("%ld reads and %ld pairs to go",
				 MAX(READ_ONCE(reads_left), 0), MAX(READ_ONCE(pairs_left), 0));
	}
	for (i = 0; i < nr_churners; i++) {
		pthread_join(churners[i].thread, NULL);
		ASSERT_GT(churners[i].pairs, 0, "caches created and destroyed");
		pairs += churners[i].pairs;
	}
	for (i = 0; i < nr_readers; i++) {
		pthread_join(readers[i].thread, NULL);
		note("%s: %ld reads", readers[i].kind, readers[i].reads);
		ASSERT_GE(readers[i].reads, 1 + loaded(READS) / 200, readers[i].kind);
	}
	note("%ld caches created and destroyed, on %d CPUs, in %ld s", pairs, nr_cpus,
	     (long)(time(NULL) - start));
	note("%llu times a reader alone held a cache", skel->bss->orphans);
	/* Few pairs leave it to chance, and so does one CPU. */
	if (pairs >= PAIRS && is_smp())
		ASSERT_GT(skel->bss->orphans, 0, "caches destroyed while they were pinned");
	ASSERT_EQ(failures, 0, "failures");
}

/* Serial: it counts the references to all caches. */
void serial_test_kmem_cache_iter_load(void)
{
	struct kmem_cache_iter_stress *skel = NULL;
	struct bpf_link *link = NULL;
	struct references *before;

	if (!ASSERT_OK(load_module(CHURN_MODULE ".ko", false), "load the module"))
		return;
	skel = kmem_cache_iter_stress__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		goto out;
	link = bpf_program__attach_iter(skel->progs.names, NULL);
	if (!ASSERT_OK_PTR(link, "attach") || !ASSERT_OK(bpf_link__pin(link, PIN), "pin"))
		goto out;

	before = take_references();
	if (test__start_subtest("all_kinds"))
		run_load(skel);
	ASSERT_TRUE(caches_go(CACHE_PREFIX), "caches are destroyed");
	check_references(before);
	unlink(PIN);
out:
	bpf_link__destroy(link);
	kmem_cache_iter_stress__destroy(skel);
	ASSERT_OK(unload_module(CHURN_MODULE, false), "unload the module");
	check_leaks();
}
