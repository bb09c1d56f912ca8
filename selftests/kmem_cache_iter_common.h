/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the kmem_cache iterator share: how much they do and what they
 * say, iterator files, and looking for leaks.
 */
#ifndef _KMEM_CACHE_ITER_COMMON_H
#define _KMEM_CACHE_ITER_COMMON_H

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <test_progs.h>

#define ITER_TARGET	"kmem_cache"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define CPU1		"/sys/devices/system/cpu/cpu1/online"

static inline int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), err;

	if (fd < 0)
		return -errno;
	err = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* What a system call returns, or the error. */
static inline long result_of(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* A kernel that looks for errors while it runs: it finds more, and is slow. */
static inline bool is_debug_kernel(void)
{
	return !access(KMEMLEAK, F_OK);
}

/* A kernel that knows several CPUs, and has them. */
static inline bool is_smp(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, " SMP ") &&
	       ASSERT_GE(sysconf(_SC_NPROCESSORS_ONLN), 2, "CPUs");
}

/* A number from the environment. */
static inline long env_number(const char *name, long otherwise)
{
	const char *value = getenv(name);

	return value && *value ? atol(value) : otherwise;
}

/*
 * Of so many operations, what LOAD says in percent. Without it they are few, so that
 * the runner's watchdog does not lose its patience.
 */
static inline long loaded(long operations)
{
	return operations * env_number("LOAD", 2) / 100;
}

/* Past the runner, which shows the output of failed tests alone. */
#define note(fmt, ...) dprintf(STDERR_FILENO, "%s: " fmt "\n", test_name, ##__VA_ARGS__)

/* The same way, for what the kernel cannot run. */
#define skip_test(why)							\
	({								\
		dprintf(STDERR_FILENO, "%s is skipped: " why "\n", __func__); \
		test__skip();						\
	})

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

struct subtest {
	const char *name;
	void (*run)(void);
};

static inline void run_subtests(const struct subtest *tests, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (test__start_subtest(tests[i].name))
			tests[i].run();
}

/* Memory that nothing can be read from or written to. */
static inline void *map_nowhere(size_t size)
{
	void *nowhere = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return ASSERT_NEQ(nowhere, MAP_FAILED, "mmap") ? nowhere : NULL;
}

static inline int stay_on_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return -pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
}

static inline int run_prog(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
}

/* Whether a program has come to where it sets @flag; it has ten seconds. */
static inline bool wait_for(const int *flag)
{
	int i;

	for (i = 0; i < 10000 && !READ_ONCE(*flag); i++)
		usleep(1000);
	return ASSERT_TRUE(READ_ONCE(*flag), "program waits");
}

static inline int create_iter_link(int prog_fd)
{
	return bpf_link_create(prog_fd, 0, BPF_TRACE_ITER, NULL);
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

/* What must be an error is. */
static inline void check_refused(int fd, int err, const char *what)
{
	if (!ASSERT_EQ(fd, err, what) && fd >= 0)
		close(fd);
}

/* What must be a file is, and is closed. */
static inline void check_granted(int fd, const char *what)
{
	if (ASSERT_GE(fd, 0, what))
		close(fd);
}

/* A link is one of an iterator with this target. */
static inline void check_target(int link_fd, const char *target)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char name[32] = "";

	info.iter.target_name = ptr_to_u64(name);
	info.iter.target_name_len = sizeof(name);
	if (!ASSERT_OK(bpf_link_get_info_by_fd(link_fd, &info, &len), "link info"))
		return;
	ASSERT_EQ(info.type, BPF_LINK_TYPE_ITER, "link type");
	ASSERT_STREQ(name, target, "target name");
	ASSERT_EQ(info.iter.target_name_len, strlen(target) + 1, "target name length");
}

/* Whether the fdinfo of a link has this @line: 1, 0 or an error. */
static inline int fdinfo_has(int link_fd, const char *line)
{
	char path[64], got[128];
	bool found = false;
	FILE *fdinfo;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", link_fd);
	fdinfo = fopen(path, "r");
	if (!fdinfo)
		return -errno;
	while (fgets(got, sizeof(got), fdinfo))
		found |= !strcmp(got, line);
	fclose(fdinfo);
	return found;
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

#endif /* _KMEM_CACHE_ITER_COMMON_H */
