// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences of what can be done with the kmem_cache iterator.
 *
 * What is known of the state says what each operation must answer, and what a
 * file must show. A sequence depends on nothing but its seed, which is on the
 * console before it begins: with it as SEED, the same sequence comes first. The
 * sequence in FUZZ is run instead, when there is one: "create 1 0;read 0 5".
 */
#include <poll.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "kmem_cache_iter_caches.h"
#include "kmem_cache_iter_module.h"
#include "kmem_cache_iter_stress.h"

#define PIN		"/sys/fs/bpf/kmem_cache_iter_fuzz"
#define KMSG		"/dev/kmsg"
#define LEVEL_WARNING	4

#define OPERATIONS_DEBUG	100000
#define OPERATIONS		20000
#define SEQUENCE	500
#define UNLOAD_EACH	10
#define BUF_SIZE	65536

#define NR_PROGS	4
#define NR_LINKS	4
#define NR_PINS		2
#define NR_FILES	8
#define NR_CHILDREN	2
#define NR_CACHES	(SEQUENCE + 1)

static const char test_name[] = "kmem_cache_iter_fuzz";

enum kind {
	NAMES,
	NAMES_SLEEPABLE,
	LONG_LINES,
	OVERFLOW,
	AGAIN,
	LOOP,
	NR_KINDS,
};

/* The programs, to be loaded again and again. */
static struct program {
	struct bpf_insn *insns;
	size_t nr_insns;
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
	__u32 flags;
} programs[NR_KINDS];

static struct kmem_cache_iter_stress *skel;
static bool is_module;
static int target_btf_id;
static int nr_others;	/* caches that are not ours */

/* Read into by children, too. */
static struct shared {
	ssize_t result;
	char buf[BUF_SIZE];
} *shared;

/* Nothing can be written there. */
static void *nowhere;

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

/* One of the slots that hold something, or -1. */
static int pick(const struct slot *slots, int nr, __u32 a)
{
	int i, taken = 0;

	for (i = 0; i < nr; i++)
		taken += slots[i].fd >= 0;
	if (!taken)
		return -1;
	for (i = 0, a %= taken; slots[i].fd < 0 || a--; i++)
		;
	return i;
}

static int pick_prog(__u32 a)
{
	struct slot slots[NR_PROGS];
	int i;

	for (i = 0; i < NR_PROGS; i++)
		slots[i].fd = state.progs[i].fd;
	return pick(slots, NR_PROGS, a);
}

static int free_slot(const struct slot *slots, int nr)
{
	int i;

	for (i = 0; i < nr && slots[i].fd >= 0; i++)
		;
	return i < nr ? i : -1;
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
	return pick_prog(0) >= 0 || pick(state.links, NR_LINKS, 0) >= 0 ||
	       pick(state.files, NR_FILES, 0) >= 0;
}

/* Whether anything keeps the module from being unloaded. */
static bool held(void)
{
	int i;

	if (has_prog() || pick(state.pins, NR_PINS, 0) >= 0)
		return true;
	for (i = 0; i < NR_CHILDREN; i++)
		if (state.children[i].pid && state.children[i].holds)
			return true;
	return false;
}

static int op_insmod(__u32 a, __u32 b)
{
	int err;

	if (!is_module)
		return NOTHING;
	err = finit_module_by_path(ITER_MODULE_KO, "");
	if (state.loaded)
		return refused("insmod when it is loaded", err, -EEXIST);
	if (expect("insmod", err, 0))
		return -1;
	state.loaded = true;
	return 0;
}

static int op_rmmod(__u32 a, __u32 b)
{
	if (!is_module)
		return NOTHING;
	if (!state.loaded)
		return nothing("rmmod when it is not loaded", unload_once(ITER_MODULE), -ENOENT);
	if (held())
		return refused("rmmod when it is in use", unload_once(ITER_MODULE), -EWOULDBLOCK);
	if (expect("rmmod", unload_in_the_end(ITER_MODULE), 0))
		return -1;
	state.loaded = false;
	return 0;
}

static int op_load(__u32 a, __u32 b)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct prog *prog = &state.progs[a % NR_PROGS];
	struct program *program = &programs[b % NR_KINDS];
	int btf_fd = 0, fds[2] = {}, fd;

	if (prog->fd >= 0)
		close(prog->fd);
	prog->fd = -1;

	if (is_module) {
		btf_fd = module_btf_fd(ITER_MODULE);
		if (!state.loaded)
			return nothing("BTF of the module", btf_fd, -ENOENT);
		if (btf_fd < 0)
			return fail("no BTF of the module");
	}
	fds[1] = btf_fd;
	opts.expected_attach_type = program->attach_type;
	opts.prog_flags = program->flags;
	if (program->type == BPF_PROG_TYPE_TRACING) {
		opts.attach_btf_obj_fd = btf_fd;
		opts.attach_btf_id = target_btf_id;
	} else if (is_module) {
		opts.fd_array = fds;
	}
	fd = result_of(bpf_prog_load(program->type, "fuzz", "GPL", program->insns,
				     program->nr_insns, &opts));
	if (btf_fd > 0)
		close(btf_fd);
	if (fd < 0)
		return fail("load: %d", fd);
	prog->fd = fd;
	prog->kind = b % NR_KINDS;
	return 0;
}

static int op_unload(__u32 a, __u32 b)
{
	int i = pick_prog(a);

	if (i < 0)
		return NOTHING;
	close(state.progs[i].fd);
	state.progs[i].fd = -1;
	return 0;
}

static int op_attach(__u32 a, __u32 b)
{
	int i = pick_prog(a), slot = free_slot(state.links, NR_LINKS);
	int fd = i < 0 ? -1 : state.progs[i].fd;
	long ret = result_of(bpf_link_create(fd, 0, BPF_TRACE_ITER, NULL));
	struct link *link;

	if (i < 0)
		return nothing("attach no program", ret, -EBADF);
	if (state.progs[i].kind == LOOP)
		return refused("attach a program of another type", ret, -EINVAL);
	if (ret < 0)
		return fail("attach: %ld", ret);
	if (slot < 0) {
		close(ret);
		return 0;
	}
	link = calloc(1, sizeof(*link));
	link->kind = state.progs[i].kind;
	state.links[slot] = (struct slot){ ret, get(link) };
	return 0;
}

static int op_update(__u32 a, __u32 b)
{
	int i = pick_prog(a), slot = pick(state.links, NR_LINKS, b);
	struct link *link;
	long ret;

	if (i < 0 || slot < 0)
		return NOTHING;
	link = state.links[slot].of;
	ret = result_of(bpf_link_update(state.links[slot].fd, state.progs[i].fd, NULL));
	if (state.progs[i].kind == LOOP)
		return refused("update with a program of another type", ret, -EINVAL);
	if (expect("update", ret, 0))
		return -1;
	link->kind = state.progs[i].kind;
	return 0;
}

static int op_detach(__u32 a, __u32 b)
{
	int slot = pick(state.links, NR_LINKS, a);

	if (slot < 0)
		return NOTHING;
	return expect("detach", result_of(bpf_link_detach(state.links[slot].fd)), -EOPNOTSUPP);
}

static int op_info(__u32 a, __u32 b)
{
	int slot = pick(state.links, NR_LINKS, a);
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char name[32] = "";
	long ret;

	if (slot < 0)
		return NOTHING;
	info.iter.target_name = ptr_to_u64(name);
	info.iter.target_name_len = b % sizeof(name);
	if (!info.iter.target_name_len)
		info.iter.target_name = 0;
	ret = result_of(bpf_link_get_info_by_fd(state.links[slot].fd, &info, &len));
	if (info.iter.target_name && b % sizeof(name) < sizeof(ITER_TARGET))
		return refused("info with too short a buffer", ret, -ENOSPC);
	if (expect("info", ret, 0))
		return -1;
	return info.iter.target_name ? expect("name in info", strcmp(name, ITER_TARGET), 0) : 0;
}

static int op_fdinfo(__u32 a, __u32 b)
{
	int slot = pick(state.links, NR_LINKS, a);

	if (slot < 0)
		return NOTHING;
	return expect("target_name in fdinfo",
		      fdinfo_has(state.links[slot].fd, "target_name:\t" ITER_TARGET "\n"), 1);
}

static const char *pin_path(int pin)
{
	static char path[64];

	snprintf(path, sizeof(path), PIN "_%d", pin);
	return path;
}

static int op_pin(__u32 a, __u32 b)
{
	int slot = pick(state.links, NR_LINKS, a), pin = b % NR_PINS;
	long ret;

	if (slot < 0)
		return NOTHING;
	ret = result_of(bpf_obj_pin(state.links[slot].fd, pin_path(pin)));
	if (state.pins[pin].fd >= 0)
		return refused("pin in the place of another", ret, -EEXIST);
	if (expect("pin", ret, 0))
		return -1;
	state.pins[pin] = (struct slot){ 0, get(state.links[slot].of) };
	return 0;
}

static int op_unpin(__u32 a, __u32 b)
{
	int pin = a % NR_PINS;
	long ret = result_of(unlink(pin_path(pin)));

	if (state.pins[pin].fd < 0)
		return nothing("unpin what is not", ret, -ENOENT);
	if (expect("unpin", ret, 0))
		return -1;
	put(state.pins[pin].of);
	state.pins[pin].fd = -1;
	return 0;
}

static int op_close_link(__u32 a, __u32 b)
{
	int slot = pick(state.links, NR_LINKS, a);

	if (slot < 0)
		return NOTHING;
	close(state.links[slot].fd);
	put(state.links[slot].of);
	state.links[slot].fd = -1;
	return 0;
}

static void new_file(int fd, const struct link *link, bool by_path)
{
	int slot = free_slot(state.files, NR_FILES);
	struct file *file;

	if (slot < 0) {
		close(fd);
		return;
	}
	file = calloc(1, sizeof(*file));
	file->kind = link->kind;
	file->by_path = by_path;
	state.files[slot] = (struct slot){ fd, get(file) };
}

static int op_open(__u32 a, __u32 b)
{
	int pin = a % NR_PINS;
	long fd = result_of(open(pin_path(pin), O_RDONLY));

	if (state.pins[pin].fd < 0)
		return nothing("open what is not pinned", fd, -ENOENT);
	if (fd < 0)
		return fail("open: %ld", fd);
	new_file(fd, state.pins[pin].of, true);
	return 0;
}

static int op_iter(__u32 a, __u32 b)
{
	int slot = pick(state.links, NR_LINKS, a);
	long fd;

	if (slot < 0)
		return NOTHING;
	fd = result_of(bpf_iter_create(state.links[slot].fd));
	if (fd < 0)
		return fail("create an iterator file: %ld", fd);
	new_file(fd, state.links[slot].of, false);
	return 0;
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
	if (!skel->bss->is_rust)
		return 0;
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

	/* The one in C goes on when caches are created after the end. */
	if (!skel->bss->is_rust)
		return 0;
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

/* Of each order of magnitude. The buffer in the kernel has 32768 bytes. */
static size_t pick_size(__u32 b)
{
	static const size_t sizes[] = { 0, 1, 2, 7, 64, 500, 4096, 32768 };
	__u32 c = b / 2;

	return b % 2 ? sizes[c % ARRAY_SIZE(sizes)] : 1 + c * 131 % (1 << (c % 17));
}

static int op_read(__u32 a, __u32 b)
{
	int slot = pick(state.files, NR_FILES, a);
	size_t size = pick_size(b);

	if (slot < 0)
		return NOTHING;
	begin(state.files[slot].of);
	return check_read(state.files[slot].of,
			  result_of(read(state.files[slot].fd, shared->buf, size)), size);
}

/* What could not be copied is not lost. */
static int op_read_badly(__u32 a, __u32 b)
{
	int slot = pick(state.files, NR_FILES, a);
	struct file *file;
	long ret;

	if (slot < 0)
		return NOTHING;
	file = state.files[slot].of;
	begin(file);
	ret = result_of(read(state.files[slot].fd, nowhere, 4096));
	if (file->kind == OVERFLOW || file->kind == AGAIN)
		return check_read(file, ret, 4096);
	if (ret == 0)
		return file->ended ? 0 : end_of_file(file);
	return expect("read to a bad address", ret, file->ended ? 0 : -EFAULT);
}

/* Only a file that was opened by its path can do it, and it reads on where it is. */
static int op_pread(__u32 a, __u32 b)
{
	int slot = pick(state.files, NR_FILES, a);
	size_t size = pick_size(b);
	struct file *file;
	long ret;

	if (slot < 0)
		return NOTHING;
	file = state.files[slot].of;
	ret = result_of(pread(state.files[slot].fd, shared->buf, size, b));
	if (!file->by_path)
		return refused("pread", ret, -ESPIPE);
	begin(file);
	return check_read(file, ret, size);
}

static int op_lseek(__u32 a, __u32 b)
{
	int slot = pick(state.files, NR_FILES, a);

	if (slot < 0)
		return NOTHING;
	return expect("lseek", result_of(lseek(state.files[slot].fd, b % 3, b % 3)), -ESPIPE);
}

static int op_write(__u32 a, __u32 b)
{
	int slot = pick(state.files, NR_FILES, a);

	if (slot < 0)
		return NOTHING;
	return expect("write", result_of(write(state.files[slot].fd, "x", 1)), -EBADF);
}

static int op_poll(__u32 a, __u32 b)
{
	int slot = pick(state.files, NR_FILES, a);
	struct pollfd pollfd = { .events = POLLIN };

	if (slot < 0)
		return NOTHING;
	pollfd.fd = state.files[slot].fd;
	return expect("poll", result_of(poll(&pollfd, 1, b % 3)), 1);
}

static int op_dup(__u32 a, __u32 b)
{
	int slot = pick(state.files, NR_FILES, a), to = free_slot(state.files, NR_FILES);

	if (slot < 0 || to < 0)
		return NOTHING;
	state.files[to] = (struct slot){ dup(state.files[slot].fd), get(state.files[slot].of) };
	return state.files[to].fd < 0 ? fail("dup: %d", -errno) : 0;
}

static int op_close(__u32 a, __u32 b)
{
	int slot = pick(state.files, NR_FILES, a);

	if (slot < 0)
		return NOTHING;
	close(state.files[slot].fd);
	put(state.files[slot].of);
	state.files[slot].fd = -1;
	return 0;
}

/* A child keeps what is open, until it is told to read one of the files and exit. */
static int op_fork(__u32 a, __u32 b)
{
	struct child *child = &state.children[a % NR_CHILDREN];
	struct { int fd; size_t size; } command;
	int fds[2], i;
	pid_t pid;

	if (child->pid)
		return NOTHING;
	if (pipe(fds))
		return fail("pipe: %d", -errno);
	pid = result_of(fork());
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return fail("fork: %d", pid);
	}
	if (!pid) {
		close(fds[1]);
		if (read(fds[0], &command, sizeof(command)) != sizeof(command))
			_exit(1);
		shared->result = result_of(read(command.fd, shared->buf, command.size));
		_exit(0);
	}
	close(fds[0]);
	child->pid = pid;
	child->pipe = fds[1];
	child->holds = has_prog();
	memcpy(child->files, state.files, sizeof(child->files));
	for (i = 0; i < NR_FILES; i++)
		if (child->files[i].fd >= 0)
			get(child->files[i].of);
	return 0;
}

static int op_reap(__u32 a, __u32 b)
{
	struct child *child = &state.children[a % NR_CHILDREN];
	int slot = pick(child->files, NR_FILES, b), i, err = 0;
	struct { int fd; size_t size; } command = { -1, pick_size(b) };
	int status;

	if (!child->pid)
		return NOTHING;
	if (slot >= 0) {
		command.fd = child->files[slot].fd;
		begin(child->files[slot].of);
	}
	if (write(child->pipe, &command, sizeof(command)) != sizeof(command))
		err = fail("write to the child: %d", -errno);
	close(child->pipe);
	if (waitpid(child->pid, &status, 0) != child->pid || status)
		err = fail("the child has not ended well");
	child->pid = 0;
	if (!err && slot >= 0)
		err = check_read(child->files[slot].of, shared->result, command.size);
	for (i = 0; i < NR_FILES; i++)
		if (child->files[i].fd >= 0)
			put(child->files[i].of);
	return err;
}

static int op_create(__u32 a, __u32 b)
{
	if (state.next_id >= NR_CACHES)
		return NOTHING;
	if (expect("create a cache", create_caches(state.next_id, 1), 0))
		return -1;
	state.alive[state.next_id++] = true;
	return 0;
}

static int count_alive(void)
{
	int id, nr = 0;

	for (id = 0; id < NR_CACHES; id++)
		nr += state.alive[id];
	return nr;
}

static int op_destroy(__u32 a, __u32 b)
{
	int id, nr = count_alive();

	if (!nr)
		return NOTHING;
	for (id = 0, nr = a % nr; !state.alive[id] || nr--; id++)
		;
	state.alive[id] = false;
	return expect("destroy a cache", destroy_caches(id, 1), 0);
}

static int op_run(__u32 a, __u32 b)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int i = pick_prog(a), err;

	if (i < 0)
		return NOTHING;
	err = bpf_prog_test_run_opts(state.progs[i].fd, &opts);
	if (state.progs[i].kind != LOOP)
		return refused("run of an iterator program", err, -EFAULT);
	if (expect("run", err, 0))
		return -1;
	return expect("entries of the loop", skel->bss->entries, nr_others + count_alive());
}

static const struct op {
	const char *name;
	int weight;
	int (*run)(__u32 a, __u32 b);
} ops[] = {
	{ "insmod",	5,	op_insmod },
	{ "rmmod",	2,	op_rmmod },
	{ "load",	6,	op_load },
	{ "unload",	5,	op_unload },
	{ "run",	6,	op_run },
	{ "attach",	16,	op_attach },
	{ "update",	8,	op_update },
	{ "detach",	3,	op_detach },
	{ "info",	8,	op_info },
	{ "fdinfo",	4,	op_fdinfo },
	{ "pin",	8,	op_pin },
	{ "unpin",	6,	op_unpin },
	{ "close_link",	12,	op_close_link },
	{ "iter",	28,	op_iter },
	{ "open",	10,	op_open },
	{ "read",	130,	op_read },
	{ "read_badly",	8,	op_read_badly },
	{ "pread",	12,	op_pread },
	{ "lseek",	4,	op_lseek },
	{ "write",	4,	op_write },
	{ "poll",	4,	op_poll },
	{ "dup",	12,	op_dup },
	{ "close",	28,	op_close },
	{ "fork",	2,	op_fork },
	{ "reap",	2,	op_reap },
	{ "create",	10,	op_create },
	{ "destroy",	8,	op_destroy },
};

static long done[ARRAY_SIZE(ops)];

struct step {
	const struct op *op;
	__u32 a, b;
};

static int pick_steps(struct step *steps, int nr, unsigned int seed)
{
	int i, j, total = 0, left;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	srand(seed);
	for (i = 0; i < nr; i++) {
		left = rand() % total;
		for (j = 0; left >= ops[j].weight; j++)
			left -= ops[j].weight;
		steps[i].op = &ops[j];
		steps[i].a = rand() % 1000;
		steps[i].b = rand() % 1000;
	}
	return nr;
}

/* The number of steps in @text, or -1. */
static int parse_steps(struct step *steps, int max, const char *text)
{
	char name[32];
	int nr = 0, i;

	while (*text && nr < max) {
		if (sscanf(text, "%31s %u %u", name, &steps[nr].a, &steps[nr].b) != 3)
			return -1;
		for (i = 0; i < ARRAY_SIZE(ops) && strcmp(ops[i].name, name); i++)
			;
		if (i == ARRAY_SIZE(ops))
			return -1;
		steps[nr++].op = &ops[i];
		text += strcspn(text, ";");
		text += *text == ';';
	}
	return nr;
}

static void print_steps(const struct step *steps, int nr)
{
	int i;

	dprintf(STDERR_FILENO, "FUZZ='");
	for (i = 0; i < nr; i++)
		dprintf(STDERR_FILENO, "%s%s %u %u", i ? ";" : "", steps[i].op->name,
			steps[i].a, steps[i].b);
	dprintf(STDERR_FILENO, "'\n");
}

/* Whether the kernel has warned of anything since the last call. */
static int check_kmsg(int kmsg)
{
	char record[8192];
	unsigned int priority;
	int err = 0;
	ssize_t n;

	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		/* There was too much of it to be read. */
		if (n < 0) {
			err = fail("the kernel says more than its log can hold");
			continue;
		}
		record[n] = '\0';
		if (sscanf(record, "%u,", &priority) == 1 && priority % 8 <= LEVEL_WARNING)
			err = fail("the kernel says: %s", strchr(record, ';') ?: record);
	}
	return err;
}

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

/*
 * Let go of everything. A sequence leaves nothing behind, and nothing that holds the
 * module, which is for @unload to see: that is slow.
 */
static int end_state(bool unload)
{
	bool ok = true;
	int i;

	for (i = 0; i < NR_CHILDREN; i++)
		if (state.children[i].pid)
			ok &= op_reap(i, 0) != FAILED;
	while (pick(state.files, NR_FILES, 0) >= 0)
		op_close(0, 0);
	for (i = 0; i < NR_PINS; i++)
		if (state.pins[i].fd >= 0)
			ok &= op_unpin(i, 0) != FAILED;
	while (pick(state.links, NR_LINKS, 0) >= 0)
		op_close_link(0, 0);
	while (pick_prog(0) >= 0)
		op_unload(0, 0);
	if (unload)
		ok &= op_rmmod(0, 0) != FAILED;
	if (!state.loaded)
		ok &= op_insmod(0, 0) != FAILED;
	destroy_caches(0, NR_CACHES);
	ok &= expect("caches that are left", count_caches(CACHE_PREFIX "-"), 0) != FAILED;
	return ok ? DONE : FAILED;
}

/* Returns how many of the operations had something to work on. */
static int run_steps(const struct step *steps, int nr, bool unload)
{
	int i, outcome = DONE, worked = 0;

	begin_state();
	for (i = 0; i < nr && outcome != FAILED; i++) {
		outcome = steps[i].op->run(steps[i].a, steps[i].b);
		worked += outcome == DONE || outcome == REFUSED;
		done[steps[i].op - ops] += outcome == DONE;
		if (outcome == FAILED)
			note("operation %d is it: %s %u %u", i + 1, steps[i].op->name,
			     steps[i].a, steps[i].b);
	}
	return end_state(unload) == FAILED || outcome == FAILED ? FAILED : worked;
}

/* Each operation has been done, and was not refused each time. */
static void check_done(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!is_module && (ops[i].run == op_insmod || ops[i].run == op_rmmod))
			continue;
		note("%-10s %ld times", ops[i].name, done[i]);
		ASSERT_GT(done[i], 0, ops[i].name);
	}
}

static void copy_program(enum kind kind, struct bpf_program *prog, __u32 flags)
{
	struct program *program = &programs[kind];

	program->nr_insns = bpf_program__insn_cnt(prog);
	program->insns = malloc(program->nr_insns * sizeof(struct bpf_insn));
	memcpy(program->insns, bpf_program__insns(prog),
	       program->nr_insns * sizeof(struct bpf_insn));
	program->type = bpf_program__type(prog);
	program->attach_type = bpf_program__expected_attach_type(prog);
	program->flags = flags;
}

static void fuzz(void)
{
	long operations = loaded(is_debug_kernel() ? OPERATIONS_DEBUG : OPERATIONS), worked = 0;
	int kmsg = open(KMSG, O_RDWR | O_NONBLOCK), nr, ret, err = 0;
	struct step steps[SEQUENCE];
	const char *text = getenv("FUZZ");
	unsigned int seed;

	if (!ASSERT_GE(kmsg, 0, "open " KMSG))
		return;
	/* A record with no newline is not shown until there is a next one. */
	dprintf(kmsg, "<6>%s: begins\n", test_name);
	lseek(kmsg, 0, SEEK_END);

	if (text && *text) {
		nr = parse_steps(steps, SEQUENCE, text);
		if (ASSERT_GT(nr, 0, "FUZZ is \"NAME NUMBER NUMBER;...\"") &&
		    ASSERT_GE(run_steps(steps, nr, true), 0, "sequence"))
			ASSERT_OK(check_kmsg(kmsg), "console");
		goto out;
	}

	memset(done, 0, sizeof(done));
	for (seed = pick_seed(test_name); worked < operations && !err; seed++) {
		/* The kernel may not live to tell. */
		dprintf(kmsg, "<6>%s: SEED=%u\n", test_name, seed);
		note_each_minute("%ld of %ld operations", worked, operations);
		nr = pick_steps(steps, SEQUENCE, seed);
		ret = run_steps(steps, nr, seed % UNLOAD_EACH == 0);
		err = ret < 0 ? ret : check_kmsg(kmsg);
		if (!err) {
			worked += ret;
		} else {
			note("SEED=%u repeats the sequence that has failed, and so does", seed);
			print_steps(steps, nr);
		}
	}
	note("%ld operations", worked);
	/* Too few of them leave some to chance. */
	if (ASSERT_OK(err, "sequence") && operations >= OPERATIONS)
		check_done();
out:
	close(kmsg);
}

/* Serial: it counts all caches, and takes the module away from others. */
void serial_test_kmem_cache_iter_fuzz(void)
{
	struct references *references;
	int i;

	if (!ASSERT_OK(load_module(CHURN_MODULE ".ko", false), "load the module"))
		return;
	is_module = !access(ITER_MODULE_KO, R_OK);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	nowhere = map_nowhere(BUF_SIZE);
	skel = kmem_cache_iter_stress__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load") || !ASSERT_NEQ(shared, MAP_FAILED, "mmap") ||
	    !nowhere)
		goto out;
	target_btf_id = func_btf_id(is_module ? ITER_MODULE : NULL, TARGET_FUNC);
	if (!ASSERT_GT(target_btf_id, 0, "BTF id of the target"))
		goto out;
	if (!ASSERT_OK(run_prog(skel->progs.find_out), "find out") ||
	    !ASSERT_OK(run_prog(skel->progs.loop), "loop"))
		goto out;
	nr_others = skel->bss->entries;
	references = take_references();

	copy_program(NAMES, skel->progs.names, 0);
	copy_program(NAMES_SLEEPABLE, skel->progs.names_sleepable, BPF_F_SLEEPABLE);
	copy_program(LONG_LINES, skel->progs.long_lines, 0);
	copy_program(OVERFLOW, skel->progs.overflow, 0);
	copy_program(AGAIN, skel->progs.again, 0);
	copy_program(LOOP, skel->progs.loop, BPF_F_SLEEPABLE);
	/* They would hold the module. Their maps are used by the copies. */
	bpf_program__unload(skel->progs.names);
	bpf_program__unload(skel->progs.names_sleepable);
	bpf_program__unload(skel->progs.long_lines);
	bpf_program__unload(skel->progs.overflow);
	bpf_program__unload(skel->progs.again);
	bpf_program__unload(skel->progs.loop);
	bpf_program__unload(skel->progs.count_references);

	if (test__start_subtest("sequences"))
		fuzz();

	check_references(references);
out:
	for (i = 0; i < NR_KINDS; i++) {
		free(programs[i].insns);
		programs[i].insns = NULL;
	}
	munmap(shared, sizeof(*shared));
	munmap(nowhere, BUF_SIZE);
	kmem_cache_iter_stress__destroy(skel);
	ASSERT_OK(unload_module(CHURN_MODULE, false), "unload the module");
	check_leaks();
}
