// SPDX-License-Identifier: GPL-2.0
/*
 * Loops in callbacks. One that is called under the RCU read lock must not sleep, even if
 * the program may.
 */
#include "kmem_cache_iter_verifier.h"

#define MAP(name, map_type)			\
	struct {				\
		__uint(type, map_type);		\
		__uint(max_entries, 1);		\
		__type(key, __u32);		\
		__type(value, __u64);		\
	} name SEC(".maps")

MAP(array, BPF_MAP_TYPE_ARRAY);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY);
MAP(hash, BPF_MAP_TYPE_HASH);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH);
MAP(lru_hash, BPF_MAP_TYPE_LRU_HASH);
MAP(lru_percpu_hash, BPF_MAP_TYPE_LRU_PERCPU_HASH);

#define SLEEPS_UNDER_RCU "bpf_iter_kmem_cache_new is sleepable within callback under rcu_read_lock"

static int loop_for_elem(void *map, __u32 *key, __u64 *value, void *ctx)
{
	return loop();
}

SEC("?syscall")
__success __retval(1)
int callback_of_array(const void *ctx)
{
	return bpf_for_each_map_elem(&array, loop_for_elem, NULL, 0);
}

SEC("?syscall")
__success __retval(1)
int callback_of_percpu_array(const void *ctx)
{
	return bpf_for_each_map_elem(&percpu_array, loop_for_elem, NULL, 0);
}

SEC("?syscall")
__failure __msg(SLEEPS_UNDER_RCU)
int callback_of_hash(const void *ctx)
{
	return bpf_for_each_map_elem(&hash, loop_for_elem, NULL, 0);
}

SEC("?syscall")
__failure __msg(SLEEPS_UNDER_RCU)
int callback_of_percpu_hash(const void *ctx)
{
	return bpf_for_each_map_elem(&percpu_hash, loop_for_elem, NULL, 0);
}

SEC("?syscall")
__failure __msg(SLEEPS_UNDER_RCU)
int callback_of_lru_hash(const void *ctx)
{
	return bpf_for_each_map_elem(&lru_hash, loop_for_elem, NULL, 0);
}

SEC("?syscall")
__failure __msg(SLEEPS_UNDER_RCU)
int callback_of_lru_percpu_hash(const void *ctx)
{
	return bpf_for_each_map_elem(&lru_percpu_hash, loop_for_elem, NULL, 0);
}

SEC("?iter.s/kmem_cache")
__failure __msg(SLEEPS_UNDER_RCU)
int callback_in_iter(struct bpf_iter__kmem_cache *ctx)
{
	return bpf_for_each_map_elem(&hash, loop_for_elem, NULL, 0) > 1;
}

/*
 * The two calls are one instruction, which must be looked at for each of the maps, although
 * the verifier remembers each state of the callback.
 */
SEC("?syscall")
__failure __msg(SLEEPS_UNDER_RCU) __flag(BPF_F_TEST_STATE_FREQ)
int callback_of_either(const void *ctx)
{
	void *map = bpf_get_prandom_u32() & 1 ? (void *)&hash : (void *)&array;

	barrier_var(map);
	return bpf_for_each_map_elem(map, loop_for_elem, NULL, 0);
}

/* The verifier comes to the other map first. */
SEC("?syscall")
__failure __msg(SLEEPS_UNDER_RCU) __flag(BPF_F_TEST_STATE_FREQ)
int callback_of_other(const void *ctx)
{
	void *map = bpf_get_prandom_u32() & 1 ? (void *)&array : (void *)&hash;

	barrier_var(map);
	return bpf_for_each_map_elem(map, loop_for_elem, NULL, 0);
}

/* The callback has returned. */
static int nop_for_elem(void *map, __u32 *key, __u64 *value, void *ctx)
{
	return 0;
}

SEC("?syscall")
__success __retval(0)
int loop_after_for_each(const void *ctx)
{
	bpf_for_each_map_elem(&hash, nop_for_elem, NULL, 0);
	return loop();
}

static int loop_in_frame(__u64 index, void *ctx)
{
	return loop();
}

/* A callback in a callback. */
static int bpf_loop_for_elem(void *map, __u32 *key, __u64 *value, void *ctx)
{
	return bpf_loop(2, loop_in_frame, NULL, 0) > 2;
}

SEC("?syscall")
__failure __msg(SLEEPS_UNDER_RCU)
int bpf_loop_in_for_each(const void *ctx)
{
	return bpf_for_each_map_elem(&hash, bpf_loop_for_elem, NULL, 0);
}

/* It may sleep, so it must not be called where that is not allowed. */
__noinline int global_loop(void)
{
	return loop();
}

static int call_for_elem(void *map, __u32 *key, __u64 *value, void *ctx)
{
	return global_loop();
}

SEC("?syscall")
__failure __msg("sleepable global function global_loop() called in callback under rcu_read_lock")
int global_in_for_each(const void *ctx)
{
	return bpf_for_each_map_elem(&hash, call_for_elem, NULL, 0);
}

static int copy_for_elem(void *map, __u32 *key, __u64 *value, void *ctx)
{
	char byte;

	return bpf_copy_from_user(&byte, sizeof(byte), NULL) > 1;
}

SEC("?syscall")
__failure __msg("sleepable helper bpf_copy_from_user#148 in callback under rcu_read_lock")
int helper_in_for_each(const void *ctx)
{
	return bpf_for_each_map_elem(&hash, copy_for_elem, NULL, 0);
}

/* What holds nothing that a loop could meet. */
SEC("?syscall")
__success __retval(2)
int in_bpf_loop(const void *ctx)
{
	return bpf_loop(2, loop_in_frame, NULL, 0);
}

static long loop_for_vma(struct task_struct *task, struct vm_area_struct *vma, void *ctx)
{
	return loop();
}

/* Called with mmap_lock held, and so under RCU, where nothing may sleep. */
SEC("?syscall")
__failure __msg(SLEEPS_UNDER_RCU)
int in_find_vma(const void *ctx)
{
	return bpf_find_vma(bpf_get_current_task_btf(), 0, loop_for_vma, NULL, 0);
}

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} ringbuf SEC(".maps");

static long loop_for_sample(struct bpf_dynptr *sample, void *ctx)
{
	return loop();
}

SEC("?syscall")
__success __retval(0)
int in_user_ringbuf_drain(const void *ctx)
{
	return bpf_user_ringbuf_drain(&ringbuf, loop_for_sample, NULL, 0);
}

/* What is called later. */
struct later {
	struct bpf_timer timer;
	struct bpf_wq wq;
	struct bpf_task_work work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct later);
} later SEC(".maps");

static int loop_later(void *map, int *key, void *value)
{
	return loop();
}

/* With PREEMPT_RT, the verifier refuses all timers. */
SEC("?syscall")
__failure __msg("{{(program must be sleepable to call|bpf_timer cannot be used for PREEMPT_RT)}}")
int in_timer(const void *ctx)
{
	struct later *value = first_of(&later);

	return value ? bpf_timer_set_callback(&value->timer, loop_later) : 0;
}

SEC("?syscall")
__success
int in_wq(const void *ctx)
{
	struct later *value = first_of(&later);

	return value ? bpf_wq_set_callback(&value->wq, loop_later, 0) : 0;
}

static int loop_in_task(struct bpf_map *map, void *key, void *value)
{
	return loop();
}

SEC("?syscall")
__success
int in_task_work(const void *ctx)
{
	struct later *value = first_of(&later);

	return value ? bpf_task_work_schedule_resume(bpf_get_current_task_btf(), &value->work,
						     &later, loop_in_task) : 0;
}

/* Called with the lock of the tree held. */
struct tree_node {
	struct bpf_rb_node node;
	__u64 key;
};

SEC(".data.tree") __hidden struct bpf_spin_lock tree_lock;
SEC(".data.tree") __hidden struct bpf_rb_root tree __contains(tree_node, node);

static bool loop_to_compare(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return loop();
}

SEC("?syscall")
__failure __msg("function calls are not allowed while holding a lock")
int in_rbtree_add(const void *ctx)
{
	struct tree_node *node = bpf_obj_new(typeof(*node));

	if (!node)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add(&tree, &node->node, loop_to_compare);
	bpf_spin_unlock(&tree_lock);
	return 0;
}
