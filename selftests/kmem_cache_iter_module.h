/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The iterator as a module: loading and unloading it, and loading programs by its
 * BTF, which is that of vmlinux if it is not one.
 */
#ifndef _KMEM_CACHE_ITER_MODULE_H
#define _KMEM_CACHE_ITER_MODULE_H

#include <bpf/btf.h>
#include <linux/filter.h>
#include "kmem_cache_iter_common.h"
#include "testing_helpers.h"

#define ITER_MODULE	"kmem_cache_iter_rust"
#define ITER_MODULE_KO	ITER_MODULE ".ko"
#define TARGET_FUNC	"bpf_iter_" ITER_TARGET

#define UNLOAD_TRIES	10000

static inline int load_by_name(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s.ko", name);
	return load_module(path, false);
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
	err = finit_module(fd, params, 0) ? -errno : 0;
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

/* The BTF id of a function of @module, or of vmlinux for NULL; an error if it has none. */
static inline int func_btf_id(const char *module, const char *func)
{
	struct btf *vmlinux_btf = btf__load_vmlinux_btf(), *btf = vmlinux_btf;
	int id = -ENOENT;

	if (!ASSERT_OK_PTR(vmlinux_btf, "BTF of vmlinux"))
		return id;
	if (module)
		btf = btf__load_module_btf(module, vmlinux_btf);
	if (ASSERT_OK_PTR(btf, "BTF of the module"))
		id = btf__find_by_name_kind(btf, func, BTF_KIND_FUNC);
	if (module)
		btf__free(btf);
	btf__free(vmlinux_btf);
	return id;
}

/* Load the smallest program, to be attached as @opts says. */
static inline int load_nop(struct bpf_prog_load_opts *opts)
{
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};

	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "nop", "GPL", insns, ARRAY_SIZE(insns),
			     opts);
}

/* The same for the iterator whose function is @btf_id of the BTF @btf_fd. */
static inline int load_nop_iter(int btf_fd, int btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	opts.expected_attach_type = BPF_TRACE_ITER;
	opts.attach_btf_obj_fd = btf_fd;
	opts.attach_btf_id = btf_id;
	return load_nop(&opts);
}

/* Load a copy of a program that loops, with the kfuncs that are there now. */
static inline int load_loop(const struct bpf_program *loop, const char *license,
			    struct bpf_prog_load_opts *opts)
{
	/* The second is not looked at if the kfuncs are in vmlinux. */
	int fds[2] = { 0, module_btf_fd(ITER_MODULE) }, fd;

	opts->prog_flags = BPF_F_SLEEPABLE;
	opts->fd_array = fds;
	fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "loop", license, bpf_program__insns(loop),
			   bpf_program__insn_cnt(loop), opts);
	opts->fd_array = NULL;
	if (fds[1] >= 0)
		close(fds[1]);
	return fd;
}

#endif /* _KMEM_CACHE_ITER_MODULE_H */
