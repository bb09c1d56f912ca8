// SPDX-License-Identifier: GPL-2.0
/* A loop at an LSM hook that is called with and without slab_mutex held. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"

char _license[] SEC("license") = "GPL";

int tid;
int hits;
int err;
int entries;

/* Called when a file or directory of sysfs or cgroups is made. */
SEC("lsm.s/kernfs_init_security")
int BPF_PROG(loop, struct kernfs_node *dir, struct kernfs_node *node)
{
	struct bpf_iter_kmem_cache it;
	struct kmem_cache *s;

	if ((int)bpf_get_current_pid_tgid() != tid)
		return 0;
	hits++;
	err = bpf_iter_kmem_cache_new(&it);
	while ((s = bpf_iter_kmem_cache_next(&it)))
		entries++;
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}
