/* SPDX-License-Identifier: GPL-2.0 */
/* Waits where the lookup of an iterator target drops its mutex. */
#ifndef __KMEM_CACHE_ITER_LOOKUP_H
#define __KMEM_CACHE_ITER_LOOKUP_H

#include "kmem_cache_iter_wait.h"

#define WAIT_MAX_NS	5000000000ULL

extern const void targets_mutex __ksym;

int waiting_tid;
bool looking_up;

static bool is_waiting_thread(void)
{
	return (int)bpf_get_current_pid_tgid() == waiting_tid;
}

/* For a program that is called where the lookup begins. */
static int lookup_begins_here(void)
{
	if (is_waiting_thread())
		looking_up = true;
	return 0;
}

SEC("?fexit/mutex_unlock")
int BPF_PROG(lookup_done, struct mutex *lock)
{
	if ((__u64)lock != (__u64)&targets_mutex)
		return 0;
	if (looking_up && !READ_ONCE(waiting) && is_waiting_thread())
		wait(WAIT_MAX_NS);
	return 0;
}

#endif
