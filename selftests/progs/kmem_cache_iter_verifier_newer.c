// SPDX-License-Identifier: GPL-2.0
/* Loops where Linux 7.2 has no place for them. */
#include "kmem_cache_iter_verifier.h"

/* BPF_MAP_TYPE_RHASH */
#define MAP_TYPE_RHASH	35

struct {
	__uint(type, MAP_TYPE_RHASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} rhash SEC(".maps");

static int loop_for_elem(void *map, __u32 *key, __u64 *value, void *ctx)
{
	return loop();
}

SEC("?syscall")
__failure
__msg("bpf_iter_kmem_cache_new is sleepable within callback under rcu_read_lock")
int callback_of_rhash(const void *ctx)
{
	return bpf_for_each_map_elem(&rhash, loop_for_elem, NULL, 0);
}

SEC("?fentry.multi.s/" SYS_PREFIX "sys_getpgid")
__success
int loop_in_sleepable_fentry_multi(void *ctx)
{
	return loop();
}

SEC("?fsession.multi.s/" SYS_PREFIX "sys_getpgid")
__success
int loop_in_sleepable_fsession_multi(void *ctx)
{
	return loop();
}

SEC("?fentry.multi/" SYS_PREFIX "sys_getpgid")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new")
int loop_in_fentry_multi(void *ctx)
{
	return loop();
}
