// SPDX-License-Identifier: GPL-2.0
/* Loops, and helpers that sleep, in programs and in places that may sleep or not. */
#include "kmem_cache_iter_verifier.h"

struct locked {
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked);
} locked SEC(".maps");

SEC("?syscall")
__success
int loop_in_syscall(const void *ctx)
{
	return loop();
}

SEC("?iter.s/kmem_cache")
__success
int loop_in_sleepable_iter(struct bpf_iter__kmem_cache *ctx)
{
	return loop();
}

SEC("?iter.s/task")
__success
int loop_in_other_sleepable_iter(struct bpf_iter__task *ctx)
{
	return loop();
}

SEC("?raw_tp.s/sys_enter")
__success
int loop_in_sleepable_raw_tp(void *ctx)
{
	return loop();
}

SEC("?tp_btf.s/sys_enter")
__success
int loop_in_sleepable_tp_btf(void *ctx)
{
	return loop();
}

SEC("?tp.s/syscalls/sys_enter_getpid")
__success
int loop_in_sleepable_tp(void *ctx)
{
	return loop();
}

SEC("?uprobe.s")
__success
int loop_in_sleepable_uprobe(void *ctx)
{
	return loop();
}

SEC("?fentry.s/" SYS_PREFIX "sys_getpgid")
__success
int loop_in_sleepable_fentry(void *ctx)
{
	return loop();
}

SEC("?fexit.s/" SYS_PREFIX "sys_getpgid")
__success
int loop_in_sleepable_fexit(void *ctx)
{
	return loop();
}

SEC("?uprobe.multi.s")
__success
int loop_in_sleepable_uprobe_multi(void *ctx)
{
	return loop();
}

SEC("?lsm.s/file_open")
__success
int loop_in_sleepable_lsm(void *ctx)
{
	return loop();
}

SEC("?lsm/file_open")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new")
int loop_in_lsm(void *ctx)
{
	return loop();
}

/* A tracepoint where nothing may sleep. */
SEC("?tp_btf.s/sched_switch")
__failure __msg("Sleepable program cannot attach to non-faultable tracepoint")
int loop_in_tp_btf_that_cannot_sleep(void *ctx)
{
	return loop();
}

SEC("?iter/kmem_cache")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new")
int loop_in_iter(struct bpf_iter__kmem_cache *ctx)
{
	return loop();
}

SEC("?iter/task")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new")
int loop_in_other_iter(struct bpf_iter__task *ctx)
{
	return loop();
}

SEC("?raw_tp")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new")
int loop_in_raw_tp(void *ctx)
{
	return loop();
}

SEC("?fentry/bpf_fentry_test1")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new")
int loop_in_fentry(void *ctx)
{
	return loop();
}

SEC("?kprobe")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new")
int loop_in_kprobe(void *ctx)
{
	return loop();
}

SEC("?tc")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new")
int loop_in_tc(void *ctx)
{
	return loop();
}

SEC("?raw_tp")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_next")
int next_in_raw_tp(void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_next(&it);
	return 0;
}

SEC("?raw_tp")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_destroy")
int destroy_in_raw_tp(void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("kernel func bpf_iter_kmem_cache_new is sleepable within rcu_read_lock region")
int new_under_rcu(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_rcu_read_lock();
	bpf_iter_kmem_cache_new(&it);
	bpf_iter_kmem_cache_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall")
__failure __msg("kernel func bpf_iter_kmem_cache_next is sleepable within rcu_read_lock region")
int next_under_rcu(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_rcu_read_lock();
	bpf_iter_kmem_cache_next(&it);
	bpf_rcu_read_unlock();
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("kernel func bpf_iter_kmem_cache_destroy is sleepable within rcu_read_lock region")
int destroy_under_rcu(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_rcu_read_lock();
	bpf_iter_kmem_cache_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall")
__failure __msg("kernel func bpf_iter_kmem_cache_next is sleepable within non-preemptible region")
int next_without_preemption(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_preempt_disable();
	bpf_iter_kmem_cache_next(&it);
	bpf_preempt_enable();
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("kernel func bpf_iter_kmem_cache_next is sleepable within IRQ-disabled region")
int next_without_irqs(const void *ctx)
{
	struct bpf_iter_kmem_cache it;
	unsigned long flags;

	bpf_iter_kmem_cache_new(&it);
	bpf_local_irq_save(&flags);
	bpf_iter_kmem_cache_next(&it);
	bpf_local_irq_restore(&flags);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("function calls are not allowed while holding a lock")
int next_under_spin_lock(const void *ctx)
{
	struct locked *value = first_of(&locked);
	struct bpf_iter_kmem_cache it;

	if (!value)
		return 0;
	bpf_iter_kmem_cache_new(&it);
	bpf_spin_lock(&value->lock);
	bpf_iter_kmem_cache_next(&it);
	bpf_spin_unlock(&value->lock);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("sleepable helper bpf_copy_from_user#{{[0-9]+}} in non-sleepable prog")
int sleepable_helper(struct bpf_iter__kmem_cache *ctx)
{
	char c;

	bpf_copy_from_user(&c, sizeof(c), NULL);
	return 0;
}
