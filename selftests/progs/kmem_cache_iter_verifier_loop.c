// SPDX-License-Identifier: GPL-2.0
/* The kfuncs of a loop: their order, and the state of the iterator on the stack. */
#include "kmem_cache_iter_verifier.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

SEC("?syscall")
__success __log_level(2)
__msg("=iter_kmem_cache(id={{[0-9]+}},state=active,depth=0)")
int new_and_destroy(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__success
int new_again(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_iter_kmem_cache_next(&it);
	bpf_iter_kmem_cache_destroy(&it);
	bpf_iter_kmem_cache_new(&it);
	bpf_iter_kmem_cache_next(&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__success
int next_beyond_end(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	if (!bpf_iter_kmem_cache_next(&it))
		bpf_iter_kmem_cache_next(&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__success
int loop_in_loop(const void *ctx)
{
	struct kmem_cache *outer, *inner;

	bpf_for_each(kmem_cache, outer) {
		bpf_for_each(kmem_cache, inner)
			sink += outer->size - inner->size;
	}
	return 0;
}

SEC("?syscall")
__success
int return_from_loop(const void *ctx)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s) {
		if (s->size > 4096)
			return 1;
	}
	return 0;
}

static __noinline struct kmem_cache *next_in_function(struct bpf_iter_kmem_cache *it)
{
	return bpf_iter_kmem_cache_next(it);
}

SEC("?syscall")
__success
int loop_with_function(const void *ctx)
{
	struct bpf_iter_kmem_cache it;
	struct kmem_cache *s;

	bpf_iter_kmem_cache_new(&it);
	while ((s = next_in_function(&it)))
		sink += s->size;
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id={{[0-9]+}}")
__msg("would lead to reference leak")
int no_destroy(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id={{[0-9]+}}")
__msg("would lead to reference leak")
int no_destroy_after_loop(const void *ctx)
{
	struct bpf_iter_kmem_cache it;
	struct kmem_cache *s;

	bpf_iter_kmem_cache_new(&it);
	while ((s = bpf_iter_kmem_cache_next(&it)))
		sink += s->size;
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id={{[0-9]+}}")
__msg("would lead to reference leak")
int no_destroy_on_return(const void *ctx)
{
	struct bpf_iter_kmem_cache it;
	struct kmem_cache *s;

	bpf_iter_kmem_cache_new(&it);
	while ((s = bpf_iter_kmem_cache_next(&it))) {
		if (s->size > 4096)
			return 1;
	}
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?iter.s/kmem_cache")
__failure __msg("Unreleased reference id={{[0-9]+}}")
__msg("tail_call would lead to reference leak")
int no_destroy_before_tail_call(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s)
		bpf_tail_call(ctx, &programs, 0);
	return 0;
}

static __noinline void new_in_function(void)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
}

SEC("?syscall")
__failure __msg("Unreleased reference id={{[0-9]+}}")
int no_destroy_in_function(const void *ctx)
{
	new_in_function();
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int next_without_new(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_next(&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int next_of_zero(const void *ctx)
{
	struct bpf_iter_kmem_cache it = {};

	bpf_iter_kmem_cache_next(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int destroy_without_new(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected uninitialized iter_kmem_cache as R1")
int new_twice(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_iter_kmem_cache_new(&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int destroy_twice(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_iter_kmem_cache_destroy(&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int next_after_destroy(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_iter_kmem_cache_destroy(&it);
	bpf_iter_kmem_cache_next(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int destroy_in_loop(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	while (bpf_iter_kmem_cache_next(&it))
		bpf_iter_kmem_cache_destroy(&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int write_state_and_next(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	*(__u64 *)&it = 0;
	bpf_iter_kmem_cache_next(&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int write_state_and_destroy(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	*(__u8 *)&it = 0;
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id={{[0-9]+}}")
__msg("would lead to reference leak")
int write_state_and_exit(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	*(__u64 *)&it = 0;
	barrier();
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int write_state_by_helper(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_probe_read_kernel(&it, 1, NULL);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("invalid read from stack")
int read_state(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	sink = *(__u64 *)&it;
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("cannot pass in iter at an offset=")
int state_misaligned(const void *ctx)
{
	struct bpf_iter_kmem_cache its[2];
	struct bpf_iter_kmem_cache *it = (void *)its + 4;

	bpf_iter_kmem_cache_new(it);
	bpf_iter_kmem_cache_destroy(it);
	return 0;
}

SEC("?syscall")
__failure __msg("R1 expected pointer to an iterator on stack")
int state_in_map(const void *ctx)
{
	struct bpf_iter_kmem_cache *it = first_of(&numbers);

	if (!it)
		return 0;
	bpf_iter_kmem_cache_new(it);
	bpf_iter_kmem_cache_destroy(it);
	return 0;
}

SEC("?syscall")
__failure __msg("Possibly NULL pointer passed to trusted R1")
int state_null(const void *ctx)
{
	bpf_iter_kmem_cache_new(NULL);
	return 0;
}
