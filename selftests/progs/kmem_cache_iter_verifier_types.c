// SPDX-License-Identifier: GPL-2.0
/* An entry or an iterator in the place of something else, and the reverse. */
#include "kmem_cache_iter_verifier.h"

SEC("?iter/kmem_cache")
__success __log_level(2) __msg("=untrusted_ptr_kmem_cache(")
int address_of_object(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = bpf_get_kmem_cache(bpf_get_current_task());

	if (s)
		sink = s->size;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("R1 is not a scalar")
int entry_as_address(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = bpf_get_kmem_cache((__u64)ctx->s);

	if (s)
		sink = s->size;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("kernel function bpf_task_acquire")
__msg("expected pointer to STRUCT task_struct but R1 has a pointer to STRUCT kmem_cache")
int entry_as_task_of_kfunc(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;
	struct task_struct *task;

	if (!s)
		return 0;
	task = bpf_task_acquire((struct task_struct *)s);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("?syscall")
__failure __msg("kernel function bpf_task_acquire")
__msg("expected pointer to STRUCT task_struct but R1 has a pointer to STRUCT kmem_cache")
int entry_of_loop_as_task(const void *ctx)
{
	struct task_struct *task;
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s) {
		task = bpf_task_acquire((struct task_struct *)s);
		if (task)
			bpf_task_release(task);
	}
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("R1 is of type kmem_cache but task_struct is expected")
int entry_as_task_of_helper(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		bpf_task_pt_regs((struct task_struct *)s);
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("R1 is of type kmem_cache but seq_file is expected")
int entry_as_seq_file(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		bpf_seq_write((struct seq_file *)s, &sink, sizeof(sink));
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("R1 type=trusted_ptr_ expected=map_ptr")
int entry_as_map(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;
	__u32 key = 0;

	if (s)
		bpf_map_lookup_elem(s, &key);
	return 0;
}

SEC("?iter.s/kmem_cache")
__failure __msg("R1 expected pointer to an iterator on stack")
int entry_as_iterator(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		bpf_iter_kmem_cache_next((struct bpf_iter_kmem_cache *)s);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_kmem_cache as R1")
int other_iterator(const void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	bpf_iter_kmem_cache_next((struct bpf_iter_kmem_cache *)&it);
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_num as R1")
int iterator_as_other(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	bpf_iter_num_next((struct bpf_iter_num *)&it);
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}
