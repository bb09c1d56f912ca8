// SPDX-License-Identifier: GPL-2.0
/* Loops that run elsewhere than in a program that somebody calls. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"

char _license[] SEC("license") = "GPL";

/* How many caches the last loop has visited, and how many loops there were. */
__u32 visited;
__u32 loops;

static __always_inline void loop(void)
{
	struct kmem_cache *s;
	__u32 nr = 0;

	bpf_for_each(kmem_cache, s)
		nr += s->refcount != 0;
	visited = nr;
	__sync_fetch_and_add(&loops, 1);
}

SEC("syscall")
int in_program(const void *ctx)
{
	loop();
	return 0;
}

SEC("uprobe.s")
int in_uprobe(void *ctx)
{
	loop();
	return 0;
}

struct later {
	struct bpf_wq wq;
	struct bpf_task_work work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct later);
} later SEC(".maps");

static struct later *first(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&later, &key);
}

static int loop_in_wq(void *map, int *key, void *value)
{
	loop();
	return 0;
}

SEC("syscall")
int start_wq(const void *ctx)
{
	struct later *value = first();

	if (!value)
		return -1;
	return bpf_wq_init(&value->wq, &later, 0) ?:
	       bpf_wq_set_callback(&value->wq, loop_in_wq, 0) ?:
	       bpf_wq_start(&value->wq, 0);
}

static int loop_in_task_work(struct bpf_map *map, void *key, void *value)
{
	loop();
	return 0;
}

SEC("syscall")
int start_task_work(const void *ctx)
{
	struct later *value = first();

	if (!value)
		return -1;
	return bpf_task_work_schedule_resume(bpf_get_current_task_btf(), &value->work,
					     &later, loop_in_task_work);
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, int (const void *));
} programs SEC(".maps") = {
	.values = { (void *)&in_program },
};

SEC("syscall")
int tail_call(const void *ctx)
{
	bpf_tail_call((void *)ctx, &programs, 0);
	return -1;
}

SEC("?syscall")
int throw_after(const void *ctx)
{
	loop();
	bpf_throw(7);
	return 0;
}
