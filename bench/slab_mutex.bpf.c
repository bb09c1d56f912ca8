// SPDX-License-Identifier: GPL-2.0
/*
 * How often slab_mutex is taken by a thread, and how long it is held when nothing
 * interrupts that.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

extern const void slab_mutex __ksym;

/* The thread that is watched. */
__u32 thread;
__u64 taken, held_max, since;

static bool is_watched(struct mutex *lock)
{
	__u32 current_thread = bpf_get_current_pid_tgid();

	return current_thread == thread && (const void *)lock == &slab_mutex;
}

bool interrupted;

SEC("tp_btf/local_timer_entry")
int BPF_PROG(timer)
{
	interrupted = true;
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(device)
{
	interrupted = true;
	return 0;
}

SEC("fexit/mutex_lock")
int BPF_PROG(locked, struct mutex *lock)
{
	if (is_watched(lock)) {
		taken++;
		interrupted = false;
		since = bpf_ktime_get_ns();
	}
	return 0;
}

SEC("fentry/mutex_unlock")
int BPF_PROG(unlocked, struct mutex *lock)
{
	__u64 held;

	if (is_watched(lock)) {
		held = bpf_ktime_get_ns() - since;
		if (!interrupted && held > held_max)
			held_max = held;
	}
	return 0;
}
