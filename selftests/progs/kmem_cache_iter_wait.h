/* SPDX-License-Identifier: GPL-2.0 */
/* A program that waits, so that something happens while it runs. */
#ifndef __KMEM_CACHE_ITER_WAIT_H
#define __KMEM_CACHE_ITER_WAIT_H

#include "bpf_atomic.h"
#include "bpf_experimental.h"

/* wait() sets the first, and goes on with the second. It gives up at last, lest it hang. */
int waiting;
int go_on;
bool gave_up;

static void wait(__u64 max_ns)
{
	__u64 end = bpf_ktime_get_ns() + max_ns;
	int i, j;

	WRITE_ONCE(waiting, 1);
	bpf_for(i, 0, 1 << 10) {
		bpf_for(j, 0, 1 << 20) {
			if (READ_ONCE(go_on))
				return;
			if (bpf_ktime_get_ns() > end)
				goto out;
		}
	}
out:
	gave_up = true;
}

#endif
