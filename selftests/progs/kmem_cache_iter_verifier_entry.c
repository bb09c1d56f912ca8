// SPDX-License-Identifier: GPL-2.0
/* Access to the entry while it is there. Each group begins with programs that are right. */
#include "kmem_cache_iter_verifier.h"

/* The check for NULL */

SEC("?iter/kmem_cache")
__success
int null_checked(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		sink = s->size;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("invalid mem access 'trusted_ptr_or_null_'")
int null_read(struct bpf_iter__kmem_cache *ctx)
{
	sink = ctx->s->size;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("invalid mem access 'trusted_ptr_or_null_'")
int null_write(struct bpf_iter__kmem_cache *ctx)
{
	ctx->s->size = 0;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("pointer arithmetic on trusted_ptr_or_null_ prohibited, null-check it first")
__naked int null_add(void)
{
	asm volatile ("r1 = *(u64 *)(r1 + %[s]);"
		"r1 += 8;"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s))
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("type=trusted_ptr_or_null_ expected=")
int null_to_helper(struct bpf_iter__kmem_cache *ctx)
{
	bpf_seq_write(ctx->meta->seq, ctx->s, 8);
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("Possibly NULL pointer passed to trusted R1")
int null_to_kfunc(struct bpf_iter__kmem_cache *ctx)
{
	struct task_struct *task = bpf_task_acquire((struct task_struct *)ctx->s);

	if (task)
		bpf_task_release(task);
	return 0;
}

/* After the last entry, what is returned is known to be 0. */
SEC("?syscall")
__failure __msg("invalid mem access 'scalar'")
int null_read_in_loop(const void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	sink = bpf_iter_kmem_cache_next(&it)->size;
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

/* Reading within the bounds of the entry */

SEC("?iter/kmem_cache")
__success
int read_followed(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		sink = (__u64)s->list.next->prev;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("access beyond struct kmem_cache at off")
__naked int read_beyond(void)
{
	asm volatile ("r1 = *(u64 *)(r1 + %[s]);"
		"if r1 == 0 goto +1;"
		"r0 = *(u8 *)(r1 + %[end]);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s)),
		  __imm_const(end, sizeof(struct kmem_cache))
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("is ptr_kmem_cache invalid negative access: off=-8")
__naked int read_before(void)
{
	asm volatile ("r1 = *(u64 *)(r1 + %[s]);"
		"if r1 == 0 goto +1;"
		"r0 = *(u64 *)(r1 - 8);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s))
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("access beyond the end of member size")
__naked int read_two_members(void)
{
	asm volatile ("r1 = *(u64 *)(r1 + %[s]);"
		"if r1 == 0 goto +1;"
		"r0 = *(u64 *)(r1 + %[size]);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s)),
		  __imm_const(size, offsetof(struct kmem_cache, size))
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("cannot access ptr member name")
__naked int read_half_pointer(void)
{
	asm volatile ("r1 = *(u64 *)(r1 + %[s]);"
		"if r1 == 0 goto +1;"
		"r0 = *(u32 *)(r1 + %[name]);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s)),
		  __imm_const(name, offsetof(struct kmem_cache, name))
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("is ptr_kmem_cache invalid variable offset")
__naked int read_somewhere(void)
{
	asm volatile ("r6 = *(u64 *)(r1 + %[s]);"
		"call %[bpf_get_prandom_u32];"
		"if r6 == 0 goto +3;"
		"r0 &= 7;"
		"r6 += r0;"
		"r0 = *(u8 *)(r6 + 0);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s)),
		  __imm(bpf_get_prandom_u32)
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__success
int read_by_helper(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		bpf_seq_write(ctx->meta->seq, &s->size, sizeof(s->size));
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("access beyond struct kmem_cache at off")
int read_beyond_by_helper(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		bpf_seq_write(ctx->meta->seq, s, sizeof(*s) + 1);
	return 0;
}

/* Writing to the entry */

SEC("?iter/kmem_cache")
__success
int write_copy(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;
	__u32 size;

	if (s && !bpf_probe_read_kernel(&size, sizeof(size), &s->size)) {
		size++;
		sink = size;
	}
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("only read is supported")
int write_size(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		s->size = 0;
	return 0;
}

SEC("?iter.s/kmem_cache")
__failure __msg("only read is supported")
int write_size_sleepable(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		s->size = 0;
	return 0;
}

SEC("?syscall")
__failure __msg("only read is supported")
int write_size_in_loop(const void *ctx)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s)
		s->size = 0;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("only read is supported")
int write_refcount(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		__sync_fetch_and_add(&s->refcount, 1);
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("only read is supported")
int write_list(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		s->list.next->prev = NULL;
	return 0;
}

SEC("?iter/kmem_cache")
__failure __msg("bpf_probe_read_kernel() may write into memory pointed by R1 type=trusted_ptr_")
int write_by_helper(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		bpf_probe_read_kernel(&s->size, sizeof(s->size), &s->object_size);
	return 0;
}
