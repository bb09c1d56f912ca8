/* SPDX-License-Identifier: GPL-2.0 */
/* Waits while a thread loads a program, once the target of that was looked up. */
#ifndef __KMEM_CACHE_ITER_LOOKUP_H
#define __KMEM_CACHE_ITER_LOOKUP_H

#include "kmem_cache_iter_wait.h"

#define WAIT_MAX_NS	5000000000ULL

int waiting_tid;

static bool is_waiting_thread(void)
{
	return (int)bpf_get_current_pid_tgid() == waiting_tid;
}

/* Just once. */
static int wait_in_thread(void)
{
	if (!READ_ONCE(waiting) && is_waiting_thread())
		wait(WAIT_MAX_NS);
	return 0;
}

#endif
