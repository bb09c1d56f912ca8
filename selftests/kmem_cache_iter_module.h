/* SPDX-License-Identifier: GPL-2.0 */
/* The iterator as a module: loading and unloading it, and its BTF. */
#ifndef _KMEM_CACHE_ITER_MODULE_H
#define _KMEM_CACHE_ITER_MODULE_H

#include <sys/syscall.h>
#include "kmem_cache_iter_common.h"
#include "testing_helpers.h"

#define ITER_MODULE	"kmem_cache_iter_rust"
#define ITER_MODULE_KO	ITER_MODULE ".ko"

#define UNLOAD_TRIES	10000

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
	err = syscall(__NR_finit_module, fd, params, 0) ? -errno : 0;
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

#endif /* _KMEM_CACHE_ITER_MODULE_H */
