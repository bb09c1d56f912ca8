// SPDX-License-Identifier: GPL-2.0
/*
 * What the kmem_cache iterator costs, in the guest of scripts/bench.
 *
 *   kmem_cache_iter_bench instructions
 *   kmem_cache_iter_bench slab_mutex SLABSTAT
 *   kmem_cache_iter_bench slabstat SLABSTAT
 *   kmem_cache_iter_bench pairs_in_turns
 *   kmem_cache_iter_bench pairs
 *
 * SLABSTAT is the program of that name.
 *
 * Each line of the output is a measure, the number of caches that were made for
 * it, and the result, with tabs in between. All but the last want a guest whose clock
 * counts instructions, and the last two want two CPUs.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "kmem_cache_iter_bench.skel.h"
#include "slab_mutex.skel.h"

#define CHURN_CONTROL	"/sys/kernel/debug/kmem_cache_iter_churn"
#define READ_MAX	65536
/* The least of so many runs is the result: an interrupt can only add to it. */
#define RUNS		5
#define SLABSTAT_PIN	"/sys/fs/bpf/kmem_cache_iter_bench"
#define SLAB_SYSFS	"/sys/kernel/slab/kmem_cache/"

/* So that all names are as long, and the output for each cache is, too. */
#define CACHES_AT	10000
#define PAIRS_AT	90000
#define PAIRS		50
#define PAIRS_RUNS	21
#define FILES_MAX	10000
#define PAIRS_SECONDS	5
#define PAIRS_SECONDS_IN_TURNS	15
#define PAIRS_CACHES	1000

static const int numbers[] = { 100, 1000, 10000 };
static const size_t read_sizes[] = { 1, 64, 4096, READ_MAX };

static struct kmem_cache_iter_bench *skel;
static int nr_caches;

static void churn(const char *format, ...)
{
	char command[64];
	va_list args;
	int fd;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	fd = open(CHURN_CONTROL, O_WRONLY);
	if (fd < 0 || write(fd, command, strlen(command)) < 0)
		err(1, CHURN_CONTROL ": %s", command);
	close(fd);
}

static void have_caches(int nr)
{
	churn("create bench %d %d", CACHES_AT + nr_caches, nr - nr_caches);
	nr_caches = nr;
}

static void report(const char *measure, unsigned long long result)
{
	printf("%s\t%d\t%llu\n", measure, nr_caches, result);
	fflush(stdout);
}

static int attach_prog(struct bpf_program *prog)
{
	int link = bpf_link_create(bpf_program__fd(prog), 0, BPF_TRACE_ITER, NULL);

	if (link < 0)
		err(1, "attach %s", bpf_program__name(prog));
	return link;
}

static int open_link(int link)
{
	int fd = bpf_iter_create(link);

	if (fd < 0)
		err(1, "create an iterator file");
	return fd;
}

/* The file takes the place of its link. */
static int open_iter(struct bpf_program *prog)
{
	int link = attach_prog(prog), fd = open_link(link);

	close(link);
	return fd;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* How much the last file has shown. */
static unsigned long long bytes_read;

static void read_to_end(int fd, size_t size)
{
	static char buf[READ_MAX];
	ssize_t len;

	bytes_read = 0;
	do {
		len = read(fd, buf, size);
		bytes_read += len;
	} while (len > 0);
	if (len < 0)
		err(1, "read");
}

static void run_prog(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		err(1, "run %s", bpf_program__name(prog));
}

static void visit_all(void)
{
	int fd = open_iter(skel->progs.count);

	skel->bss->visited = 0;
	read_to_end(fd, READ_MAX);
	close(fd);
	report("caches", skel->bss->visited);

	skel->bss->visited = 0;
	run_prog(skel->progs.count_in_loop);
	report("caches_in_loop", skel->bss->visited);
}

/* A counter of the CPU: where QEMU counts instructions, it counts each of them. */
static unsigned long long counter(void)
{
#if defined(__x86_64__)
	return __rdtsc();
#elif defined(__aarch64__)
	unsigned long long count;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r" (count));
	return count;
#else
#error "which register counts instructions?"
#endif
}

#define MEASURE(measure, before, what, after)				\
do {									\
	unsigned long long least = ~0ULL, start, took;			\
	int run;							\
									\
	for (run = 0; run < RUNS; run++) {				\
		before;							\
		start = counter();					\
		what;							\
		took = counter() - start;				\
		after;							\
		if (took < least)					\
			least = took;					\
	}								\
	report(measure, least);						\
} while (0)

/* The file then stands at the second cache. */
static void read_byte(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		err(1, "read");
}

static void count_reads(void)
{
	char measure[32];
	size_t i;
	int link, fd;

	visit_all();
	MEASURE("attach_open", (void)0,
		link = attach_prog(skel->progs.return_at_once); fd = open_link(link),
		close(fd); close(link));
	link = attach_prog(skel->progs.return_at_once);
	MEASURE("open_close", (void)0, close(open_link(link)), (void)0);
	close(link);
	link = attach_prog(skel->progs.print);
	MEASURE("close_paused", fd = open_link(link); read_byte(fd), close(fd), (void)0);
	close(link);
	MEASURE("return_at_once", fd = open_iter(skel->progs.return_at_once),
		read_to_end(fd, READ_MAX), close(fd));
	for (i = 0; i < sizeof(read_sizes) / sizeof(*read_sizes); i++) {
		snprintf(measure, sizeof(measure), "print_%zu", read_sizes[i]);
		MEASURE(measure, fd = open_iter(skel->progs.print),
			read_to_end(fd, read_sizes[i]), close(fd));
		snprintf(measure, sizeof(measure), "bytes_%zu", read_sizes[i]);
		report(measure, bytes_read);
	}
	MEASURE("loop", (void)0, run_prog(skel->progs.loop), (void)0);
	MEASURE("slabinfo", fd = open_file("/proc/slabinfo"),
		read_to_end(fd, READ_MAX), close(fd));
}

/* Of this thread alone: to destroy a cache waits for others, too. */
static unsigned long long cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const unsigned long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static unsigned long long median(unsigned long long *results, int nr)
{
	qsort(results, nr, sizeof(*results), compare);
	return results[nr / 2];
}

static int files[FILES_MAX];

/* Files of one link, which is closed with the last of them. */
static void open_files(int nr)
{
	int link = attach_prog(skel->progs.print), i;

	for (i = 0; i < nr; i++)
		files[i] = open_link(link);
	close(link);
}

/* They have shown the first byte of the first cache, and so stand at the second. */
static void pause_files(int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		read_byte(files[i]);
}

static void close_files(int nr)
{
	while (nr--)
		close(files[nr]);
}

/* What a cache costs to create and to destroy. */
static void count_pairs(const char *meanwhile)
{
	unsigned long long creates[PAIRS_RUNS], destroys[PAIRS_RUNS], start;
	char measure[32];
	int i;

	for (i = 0; i < PAIRS_RUNS; i++) {
		start = cpu_time();
		churn("create pair %d %d", PAIRS_AT, PAIRS);
		creates[i] = cpu_time() - start;
		start = cpu_time();
		churn("destroy %d %d", PAIRS_AT, PAIRS);
		destroys[i] = cpu_time() - start;
	}
	snprintf(measure, sizeof(measure), "create_%s", meanwhile);
	report(measure, median(creates, PAIRS_RUNS) / PAIRS);
	snprintf(measure, sizeof(measure), "destroy_%s", meanwhile);
	report(measure, median(destroys, PAIRS_RUNS) / PAIRS);
}

/* The same while there are files, none of them at that cache. */
static void count_pairs_beside_files(int nr)
{
	char meanwhile[32];

	open_files(nr);
	snprintf(meanwhile, sizeof(meanwhile), "open_%d", nr);
	count_pairs(meanwhile);
	pause_files(nr);
	snprintf(meanwhile, sizeof(meanwhile), "paused_%d", nr);
	count_pairs(meanwhile);
	close_files(nr);
}

/* What a cache costs to destroy while files stand at it, and then the one that gets them. */
static void count_destroy_here(int nr)
{
	unsigned long long least = ~0ULL, least_next = ~0ULL, start, took;
	char measure[32];
	int i;

	for (i = 0; i < RUNS; i++) {
		churn("create pair %d 3", PAIRS_AT);
		open_files(nr);
		pause_files(nr);
		start = cpu_time();
		churn("destroy %d 1", PAIRS_AT + 1);
		took = cpu_time() - start;
		if (took < least)
			least = took;
		start = cpu_time();
		churn("destroy %d 1", PAIRS_AT);
		took = cpu_time() - start;
		if (took < least_next)
			least_next = took;
		close_files(nr);
		churn("destroy %d 1", PAIRS_AT + 2);
	}
	snprintf(measure, sizeof(measure), "destroy_here_%d", nr);
	report(measure, least);
	snprintf(measure, sizeof(measure), "destroy_next_%d", nr);
	report(measure, least_next);
}

static void report_file(const char *measure, const char *path)
{
	unsigned long long value;
	FILE *file = fopen(path, "r");

	if (!file || fscanf(file, "%llu", &value) != 1)
		err(1, "%s", path);
	fclose(file);
	report(measure, value);
}

static void count_instructions(void)
{
	struct rlimit many = { FILES_MAX + 100, FILES_MAX + 100 };
	size_t i;

	if (setrlimit(RLIMIT_NOFILE, &many))
		err(1, "open %d files", FILES_MAX);
	report_file("struct_size", SLAB_SYSFS "object_size");
	report_file("slab_size", SLAB_SYSFS "slab_size");
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		have_caches(numbers[i]);
		count_reads();
		count_pairs("alone");
		count_pairs_beside_files(1);
		count_pairs_beside_files(FILES_MAX);
		count_destroy_here(1);
		count_destroy_here(FILES_MAX / 10);
		count_destroy_here(FILES_MAX);
	}
}

/*
 * Runs a command to its end, without its output. Returns the CPU time of it, which is a number of
 * instructions, too: while it waits for its files, which QEMU has, the clock goes on.
 */
static unsigned long long run_command(char *const *argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int error, status;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	error = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error || wait4(child, &status, 0, &usage) < 0 || status)
		errx(1, "%s failed", argv[0]);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ULL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL;
}

static void count_command(const char *measure, char *const *argv)
{
	unsigned long long least = ~0ULL, took;
	int run;

	for (run = 0; run < RUNS; run++) {
		took = run_command(argv);
		if (took < least)
			least = took;
	}
	report(measure, least);
}

#define COMMAND(...) ((char *const []){ __VA_ARGS__, NULL })

/* What is pinned asks for the caches of all names. */
static void pin_slabstat(char *slabstat)
{
	unlink(SLABSTAT_PIN);
	run_command(COMMAND(slabstat, "--pin", SLABSTAT_PIN));
}

/* Commands that show a table of all caches. */
static void count_commands(char *slabstat)
{
	size_t i;

	pin_slabstat(slabstat);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		have_caches(numbers[i]);
		count_command("slabstat", COMMAND(slabstat));
		count_command("slabstat_read", COMMAND(slabstat, "--read", SLABSTAT_PIN));
		count_command("slabtop", COMMAND("slabtop", "--once"));
		count_command("cat", COMMAND("cat", "/proc/slabinfo"));
	}
}

static struct slab_mutex *watch;

static void report_watched(const char *measure, unsigned long long held)
{
	char name[64];

	snprintf(name, sizeof(name), "taken_%s", measure);
	report(name, watch->bss->taken);
	snprintf(name, sizeof(name), "held_%s", measure);
	report(name, held);
}

/*
 * The longest section of a run is missing when it was interrupted, and one can be
 * longer than it should: the middle of the runs is the result.
 */
#define WATCH(measure, what)						\
do {									\
	unsigned long long held[RUNS];					\
	int run;							\
									\
	for (run = 0; run < RUNS; run++) {				\
		watch->bss->taken = 0;					\
		watch->bss->held_max = 0;				\
		what;							\
		held[run] = watch->bss->held_max;			\
	}								\
	report_watched(measure, median(held, RUNS));			\
} while (0)

static void read_and_close(int fd, size_t size)
{
	read_to_end(fd, size);
	close(fd);
}

static void watch_slab_mutex(char *slabstat)
{
	char measure[32];
	size_t i, j;

	pin_slabstat(slabstat);
	watch = slab_mutex__open();
	if (!watch)
		err(1, "slab_mutex.bpf.o");
	/* Where there is no such event, the timer is a device like others. */
	bpf_program__set_autoload(watch->progs.timer,
				  libbpf_find_vmlinux_btf_id("local_timer_entry",
							     BPF_TRACE_RAW_TP) > 0);
	if (slab_mutex__load(watch) || slab_mutex__attach(watch))
		err(1, "attach to mutex_lock() and mutex_unlock()");
	watch->bss->thread = syscall(SYS_gettid);

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		have_caches(numbers[i]);
		visit_all();
		WATCH("return_at_once",
		      read_and_close(open_iter(skel->progs.return_at_once), READ_MAX));
		for (j = 0; j < sizeof(read_sizes) / sizeof(*read_sizes); j++) {
			snprintf(measure, sizeof(measure), "print_%zu", read_sizes[j]);
			WATCH(measure,
			      read_and_close(open_iter(skel->progs.print), read_sizes[j]));
		}
		WATCH("loop", run_prog(skel->progs.loop));
		WATCH("slabstat", read_and_close(open_file(SLABSTAT_PIN), READ_MAX));
		WATCH("slabinfo", read_and_close(open_file("/proc/slabinfo"), READ_MAX));
	}
}

enum reader {
	NO_READER,
	ITER_READER,
	SLABINFO_READER,
	NR_READERS,
};

static const char * const reader_names[] = { "alone", "iter", "slabinfo" };
static bool stop_reading;
static unsigned long long full_reads;

static void use_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		err(1, "run on CPU %d", cpu);
}

/* The link is made once, as by somebody who reads a pinned one again and again. */
static void *keep_reading(void *arg)
{
	enum reader reader = *(enum reader *)arg;
	int link = attach_prog(skel->progs.print), fd;

	use_cpu(1);
	while (!__atomic_load_n(&stop_reading, __ATOMIC_RELAXED)) {
		fd = reader == ITER_READER ? open_link(link) : open_file("/proc/slabinfo");
		read_to_end(fd, READ_MAX);
		close(fd);
		full_reads++;
	}
	close(link);
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void report_rate(const char *what, enum reader reader, const char *how, double per_second)
{
	char measure[64];

	snprintf(measure, sizeof(measure), "%s_%s%s", what, reader_names[reader], how);
	report(measure, per_second * 1000);
}

/* Pairs of create and destroy in 1,000 seconds, and full reads meanwhile. */
static void time_pairs(enum reader reader, const char *how, int length)
{
	unsigned long long pairs = 0;
	double start, took;
	pthread_t thread;

	stop_reading = false;
	full_reads = 0;
	start = seconds();
	if (reader != NO_READER && pthread_create(&thread, NULL, keep_reading, &reader))
		errx(1, "cannot start the reader");
	for (; seconds() < start + length; pairs++) {
		churn("create pair %d 1", PAIRS_AT);
		churn("destroy %d 1", PAIRS_AT);
	}
	took = seconds() - start;
	report_rate("pairs", reader, how, pairs / took);
	if (reader == NO_READER)
		return;
	__atomic_store_n(&stop_reading, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	report_rate("reads", reader, how, full_reads / (seconds() - start));
}

static void time_all_pairs(const char *how, int length)
{
	enum reader reader;

	use_cpu(0);
	have_caches(PAIRS_CACHES);
	for (reader = NO_READER; reader < NR_READERS; reader++)
		time_pairs(reader, how, length);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	skel = kmem_cache_iter_bench__open_and_load();
	if (!skel)
		err(1, "load the BPF programs");

	if (!strcmp(mode, "instructions"))
		count_instructions();
	else if (!strcmp(mode, "slab_mutex") && argc == 3)
		watch_slab_mutex(argv[2]);
	else if (!strcmp(mode, "slabstat") && argc == 3)
		count_commands(argv[2]);
	else if (!strcmp(mode, "pairs_in_turns"))
		time_all_pairs("_in_turns", PAIRS_SECONDS_IN_TURNS);
	else if (!strcmp(mode, "pairs"))
		time_all_pairs("", PAIRS_SECONDS);
	else
		errx(2, "usage: %s MODE [SLABSTAT]; its source says more", argv[0]);
	return 0;
}
