// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* The names and the arguments of functions of targets. */
__noinline int bpf_iter_kmem_cache(struct bpf_iter_meta *meta, struct kmem_cache *s)
{
	/* Used, so that they are passed. */
	if (!meta)
		return 1;
	return s ? 2 : 3;
}

__noinline int bpf_iter_bpf_map(struct bpf_iter_meta *meta, struct bpf_map *map)
{
	if (!meta)
		return 1;
	return map ? 2 : 3;
}

SEC("syscall")
int calls_namesakes(const void *ctx)
{
	return bpf_iter_kmem_cache(NULL, NULL) + bpf_iter_bpf_map(NULL, NULL);
}

/* Of a target whose programs must not sleep. */
SEC("iter/bpf_map")
int wakeful(struct bpf_iter__bpf_map *ctx)
{
	return 0;
}

SEC("iter.s/bpf_map")
int wakeful_sleepable(struct bpf_iter__bpf_map *ctx)
{
	return 0;
}

/* Elements of a map, whose values have 4 bytes. */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} small SEC(".maps");

__u32 seen;

SEC("iter/bpf_map_elem")
int within_value(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *value = ctx->value;

	if (value)
		seen = value[0];
	return 0;
}

SEC("iter/bpf_map_elem")
int behind_value(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *value = ctx->value;

	if (value)
		seen = value[1];
	return 0;
}

SEC("iter/bpf_map_elem")
int within_both(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *value = ctx->value, *key = ctx->key;

	if (value && key)
		seen = value[0] + key[0];
	return 0;
}

SEC("iter/bpf_map_elem")
int looks_at_nothing(struct bpf_iter__bpf_map_elem *ctx)
{
	return 0;
}

/* Goes on as what is in the map, if that reaches as far. */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} goes_on_as SEC(".maps");

SEC("iter/bpf_map_elem")
int goes_on(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *value = ctx->value;

	if (value)
		seen = value[0];
	bpf_tail_call(ctx, &goes_on_as, 0);
	return 0;
}
