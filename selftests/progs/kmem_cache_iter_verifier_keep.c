// SPDX-License-Identifier: GPL-2.0
/* Keeping the entry for later. */
#include "kmem_cache_iter_verifier.h"

struct kept {
	__u64 address;

	/* The verifier knows what these point at. */
	__kptr_untrusted struct kmem_cache *cache;
	__kptr_untrusted struct task_struct *task;

	/* This one owns a reference, too. */
	__kptr struct task_struct *owned_task;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kept);
} kept SEC(".maps");

SEC("?iter/kmem_cache")
__success
int keep_address(struct bpf_iter__kmem_cache *ctx)
{
	struct kept *value = first_of(&kept);

	if (value)
		value->address = (__u64)ctx->s;
	return 0;
}

SEC("?syscall")
__success
int keep_address_in_loop(const void *ctx)
{
	struct kept *value = first_of(&kept);
	struct kmem_cache *s;

	if (!value)
		return 0;
	bpf_for_each(kmem_cache, s)
		value->address = (__u64)s;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("invalid mem access 'scalar'")
int keep_address_and_read(struct bpf_iter__kmem_cache *ctx)
{
	struct kept *value = first_of(&kept);
	struct kmem_cache *s;

	if (!value)
		return 0;
	value->address = (__u64)ctx->s;
	barrier();
	s = (struct kmem_cache *)value->address;
	if (s)
		sink = s->size;
	return 0;
}

SEC("?iter/kmem_cache")
__success
int keep_untrusted(struct bpf_iter__kmem_cache *ctx)
{
	struct kept *value = first_of(&kept);
	struct kmem_cache *s = ctx->s;

	if (value)
		value->cache = s;
	return 0;
}

SEC("?syscall")
__success
int keep_untrusted_in_loop(const void *ctx)
{
	struct kept *value = first_of(&kept);
	struct kmem_cache *s;

	if (!value)
		return 0;
	bpf_for_each(kmem_cache, s)
		value->cache = s;
	return 0;
}

SEC("?syscall")
__success __log_level(2) __msg("=untrusted_ptr_kmem_cache(")
int keep_untrusted_and_read(const void *ctx)
{
	struct kept *value = first_of(&kept);
	struct kmem_cache *s;

	if (!value)
		return 0;
	s = value->cache;
	if (s)
		sink = s->size;
	return 0;
}

SEC("?syscall")
__failure __msg("only read is supported")
int keep_untrusted_and_write(const void *ctx)
{
	struct kept *value = first_of(&kept);
	struct kmem_cache *s;

	if (!value)
		return 0;
	s = value->cache;
	if (s)
		s->size = 0;
	return 0;
}

SEC("?iter/kmem_cache")
__failure
__msg("invalid kptr access")
__msg("type=trusted_ptr_or_null_kmem_cache expected=ptr_task_struct or untrusted_ptr_task_struct")
int keep_untrusted_of_other_type(struct bpf_iter__kmem_cache *ctx)
{
	struct kept *value = first_of(&kept);

	if (value)
		value->task = (struct task_struct *)ctx->s;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("store to referenced kptr disallowed")
int keep_owned_by_store(struct bpf_iter__kmem_cache *ctx)
{
	struct kept *value = first_of(&kept);

	if (value)
		value->owned_task = (struct task_struct *)ctx->s;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("off=8 kptr isn't referenced kptr")
int keep_untrusted_by_xchg(struct bpf_iter__kmem_cache *ctx)
{
	struct kept *value = first_of(&kept);
	struct kmem_cache *s = ctx->s;

	if (value && s)
		bpf_kptr_xchg(&value->cache, s);
	return 0;
}

SEC("?iter/kmem_cache")
__failure
__msg("invalid kptr access")
__msg("type=trusted_ptr_kmem_cache expected=ptr_task_struct")
int keep_owned_of_other_type(struct bpf_iter__kmem_cache *ctx)
{
	struct kept *value = first_of(&kept);
	struct kmem_cache *s = ctx->s;

	if (value && s)
		bpf_kptr_xchg(&value->owned_task, (struct task_struct *)s);
	return 0;
}

/*
 * The verifier does not tie an entry to its iterator: it takes a struct that a
 * kfunc returns for valid as long as the program runs.
 */

SEC("?syscall")
__success __log_level(2) __msg("=trusted_ptr_kmem_cache(")
int use_after_next(const void *ctx)
{
	struct bpf_iter_kmem_cache it;
	struct kmem_cache *s;

	bpf_iter_kmem_cache_new(&it);
	s = bpf_iter_kmem_cache_next(&it);
	bpf_iter_kmem_cache_next(&it);
	if (s)
		sink = s->size;
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__success __log_level(2) __msg("=trusted_ptr_kmem_cache(")
int use_after_destroy(const void *ctx)
{
	struct bpf_iter_kmem_cache it;
	struct kmem_cache *s;

	bpf_iter_kmem_cache_new(&it);
	s = bpf_iter_kmem_cache_next(&it);
	bpf_iter_kmem_cache_destroy(&it);
	if (s)
		sink = s->size;
	return 0;
}

SEC("?syscall")
__success
int use_after_loop(const void *ctx)
{
	struct kmem_cache *s, *last = NULL;

	bpf_for_each(kmem_cache, s)
		last = s;
	if (last)
		sink = last->size;
	return 0;
}
