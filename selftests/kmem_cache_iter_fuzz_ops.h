/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The operations of which prog_tests/kmem_cache_iter_fuzz.c makes random sequences.
 * Each has two numbers, which choose among what is there, and compares what happens
 * with what the model says.
 */
#ifndef _KMEM_CACHE_ITER_FUZZ_OPS_H
#define _KMEM_CACHE_ITER_FUZZ_OPS_H

#include <poll.h>
#include <sys/wait.h>
#include "kmem_cache_iter_fuzz_model.h"
#include "kmem_cache_iter_module.h"
#include "kmem_cache_iter_stress.h"

#define PIN		"/sys/fs/bpf/kmem_cache_iter_fuzz"

static struct kmem_cache_iter_stress *skel;
static bool is_module;
static int target_btf_id;

/* The programs, to be loaded again and again. */
static struct program {
	struct bpf_insn *insns;
	size_t nr_insns;
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
	__u32 flags;
} programs[NR_KINDS];

/* Nothing can be written there. */
static void *nowhere;

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
	struct prog *prog = pick_prog(a);

	if (!prog)
		return NOTHING;
	close(prog->fd);
	prog->fd = -1;
	return 0;
}

static int op_attach(__u32 a, __u32 b)
{
	struct prog *prog = pick_prog(a);
	struct slot *slot = free_slot(state.links, NR_LINKS);
	long ret = create_iter_link(prog ? prog->fd : -1);
	struct link *link;

	if (!prog)
		return nothing("attach no program", ret, -EBADF);
	if (prog->kind == LOOP)
		return refused("attach a program of another type", ret, -EINVAL);
	if (ret < 0)
		return fail("attach: %ld", ret);
	if (!slot) {
		close(ret);
		return 0;
	}
	link = calloc(1, sizeof(*link));
	link->kind = prog->kind;
	*slot = (struct slot){ ret, get(link) };
	return 0;
}

static int op_update(__u32 a, __u32 b)
{
	struct prog *prog = pick_prog(a);
	struct slot *slot = pick_link(b);
	struct link *link;
	long ret;

	if (!prog || !slot)
		return NOTHING;
	link = slot->of;
	ret = result_of(bpf_link_update(slot->fd, prog->fd, NULL));
	if (prog->kind == LOOP)
		return refused("update with a program of another type", ret, -EINVAL);
	if (expect("update", ret, 0))
		return -1;
	link->kind = prog->kind;
	return 0;
}

static int op_detach(__u32 a, __u32 b)
{
	struct slot *slot = pick_link(a);

	if (!slot)
		return NOTHING;
	return expect("detach", result_of(bpf_link_detach(slot->fd)), -EOPNOTSUPP);
}

static int op_info(__u32 a, __u32 b)
{
	struct slot *slot = pick_link(a);
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char name[32] = "";
	long ret;

	if (!slot)
		return NOTHING;
	info.iter.target_name = ptr_to_u64(name);
	info.iter.target_name_len = b % sizeof(name);
	if (!info.iter.target_name_len)
		info.iter.target_name = 0;
	ret = result_of(bpf_link_get_info_by_fd(slot->fd, &info, &len));
	if (info.iter.target_name && b % sizeof(name) < sizeof(ITER_TARGET))
		return refused("info with too short a buffer", ret, -ENOSPC);
	if (expect("info", ret, 0))
		return -1;
	return info.iter.target_name ? expect("name in info", strcmp(name, ITER_TARGET), 0) : 0;
}

static int op_fdinfo(__u32 a, __u32 b)
{
	struct slot *slot = pick_link(a);

	if (!slot)
		return NOTHING;
	return expect("target_name in fdinfo",
		      fdinfo_has(slot->fd, "target_name:\t" ITER_TARGET "\n"), 1);
}

static const char *pin_path(int pin)
{
	static char path[64];

	snprintf(path, sizeof(path), PIN "_%d", pin);
	return path;
}

static int op_pin(__u32 a, __u32 b)
{
	struct slot *slot = pick_link(a);
	int pin = b % NR_PINS;
	long ret;

	if (!slot)
		return NOTHING;
	ret = result_of(bpf_obj_pin(slot->fd, pin_path(pin)));
	if (state.pins[pin].fd >= 0)
		return refused("pin in the place of another", ret, -EEXIST);
	if (expect("pin", ret, 0))
		return -1;
	state.pins[pin] = (struct slot){ 0, get(slot->of) };
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

static int close_slot(struct slot *slot)
{
	if (!slot)
		return NOTHING;
	close(slot->fd);
	put(slot->of);
	slot->fd = -1;
	return 0;
}

static int op_close_link(__u32 a, __u32 b)
{
	return close_slot(pick_link(a));
}

static void new_file(int fd, const struct link *link, bool by_path)
{
	struct slot *slot = free_slot(state.files, NR_FILES);
	struct file *file;

	if (!slot) {
		close(fd);
		return;
	}
	file = calloc(1, sizeof(*file));
	file->kind = link->kind;
	file->by_path = by_path;
	*slot = (struct slot){ fd, get(file) };
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
	struct slot *slot = pick_link(a);
	long fd;

	if (!slot)
		return NOTHING;
	fd = result_of(bpf_iter_create(slot->fd));
	if (fd < 0)
		return fail("create an iterator file: %ld", fd);
	new_file(fd, slot->of, false);
	return 0;
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
	struct slot *slot = pick_file(a);
	size_t size = pick_size(b);

	if (!slot)
		return NOTHING;
	begin(slot->of);
	return check_read(slot->of, result_of(read(slot->fd, shared->buf, size)), size);
}

/* What could not be copied is not lost. */
static int op_read_badly(__u32 a, __u32 b)
{
	struct slot *slot = pick_file(a);
	struct file *file;
	long ret;

	if (!slot)
		return NOTHING;
	file = slot->of;
	begin(file);
	ret = result_of(read(slot->fd, nowhere, 4096));
	if (file->kind == OVERFLOW || file->kind == AGAIN)
		return check_read(file, ret, 4096);
	if (ret == 0)
		return file->ended ? 0 : end_of_file(file);
	return expect("read to a bad address", ret, file->ended ? 0 : -EFAULT);
}

/* Only a file that was opened by its path can do it, and it reads on where it is. */
static int op_pread(__u32 a, __u32 b)
{
	struct slot *slot = pick_file(a);
	size_t size = pick_size(b);
	struct file *file;
	long ret;

	if (!slot)
		return NOTHING;
	file = slot->of;
	ret = result_of(pread(slot->fd, shared->buf, size, b));
	if (!file->by_path)
		return refused("pread", ret, -ESPIPE);
	begin(file);
	return check_read(file, ret, size);
}

static int op_lseek(__u32 a, __u32 b)
{
	struct slot *slot = pick_file(a);

	if (!slot)
		return NOTHING;
	return expect("lseek", result_of(lseek(slot->fd, b % 3, b % 3)), -ESPIPE);
}

static int op_write(__u32 a, __u32 b)
{
	struct slot *slot = pick_file(a);

	if (!slot)
		return NOTHING;
	return expect("write", result_of(write(slot->fd, "x", 1)), -EBADF);
}

static int op_poll(__u32 a, __u32 b)
{
	struct slot *slot = pick_file(a);
	struct pollfd pollfd = { .events = POLLIN };

	if (!slot)
		return NOTHING;
	pollfd.fd = slot->fd;
	return expect("poll", result_of(poll(&pollfd, 1, b % 3)), 1);
}

static int op_dup(__u32 a, __u32 b)
{
	struct slot *slot = pick_file(a), *to = free_slot(state.files, NR_FILES);

	if (!slot || !to)
		return NOTHING;
	*to = (struct slot){ dup(slot->fd), get(slot->of) };
	return to->fd < 0 ? fail("dup: %d", -errno) : 0;
}

static int op_close(__u32 a, __u32 b)
{
	return close_slot(pick_file(a));
}

/* What a child is told. */
struct read_command {
	int fd;
	size_t size;
};

/* A child keeps what is open, until it is told to read one of the files and exit. */
static int op_fork(__u32 a, __u32 b)
{
	struct child *child = &state.children[a % NR_CHILDREN];
	struct read_command command;
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
	struct slot *slot = pick(child->files, NR_FILES, b);
	struct read_command command = { -1, pick_size(b) };
	int status, i, err = 0;

	if (!child->pid)
		return NOTHING;
	if (slot) {
		command.fd = slot->fd;
		begin(slot->of);
	}
	if (write(child->pipe, &command, sizeof(command)) != sizeof(command))
		err = fail("write to the child: %d", -errno);
	close(child->pipe);
	if (waitpid(child->pid, &status, 0) != child->pid || status)
		err = fail("the child has not ended well");
	child->pid = 0;
	if (!err && slot)
		err = check_read(slot->of, shared->result, command.size);
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
	struct prog *prog = pick_prog(a);
	int err;

	if (!prog)
		return NOTHING;
	err = bpf_prog_test_run_opts(prog->fd, &opts);
	if (prog->kind != LOOP)
		return refused("run of an iterator program", err, -EFAULT);
	if (expect("run", err, 0))
		return -1;
	return expect("entries of the loop", skel->bss->entries, nr_others + count_alive());
}

#endif /* _KMEM_CACHE_ITER_FUZZ_OPS_H */
