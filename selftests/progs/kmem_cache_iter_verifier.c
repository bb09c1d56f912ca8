// SPDX-License-Identifier: GPL-2.0
/*
 * What the verifier answers to programs that use the kmem_cache iterator wrongly.
 * Each group of them begins with programs that are right.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"
#include "bpf_misc.h"

char _license[] SEC("license") = "GPL";

/* What is stored here cannot be optimized away. */
__u64 sink;

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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct locked {
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked);
} locked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

static __always_inline void *first_of(void *map)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(map, &key);
}

/* The context */

SEC("?iter/kmem_cache")
__success __log_level(2)
__msg("=trusted_ptr_bpf_iter_meta(")
__msg("=trusted_ptr_or_null_kmem_cache(")
__naked int ctx_read(void)
{
	asm volatile ("r6 = *(u64 *)(r1 + %[meta]);"
		"r7 = *(u64 *)(r1 + %[s]);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(meta, offsetof(struct bpf_iter__kmem_cache, meta)),
		  __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s))
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("func 'bpf_iter_kmem_cache' doesn't have 3-th argument")
__msg("invalid bpf_context access off=16 size=8")
__naked int ctx_read_beyond(void)
{
	asm volatile ("r0 = *(u64 *)(r1 + %[end]);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(end, sizeof(struct bpf_iter__kmem_cache))
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("invalid bpf_context access off=-8 size=8")
__naked int ctx_read_before(void)
{
	asm volatile ("r0 = *(u64 *)(r1 - 8);"
		"r0 = 0;"
		"exit;"
		::: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("func 'bpf_iter_kmem_cache' size 4 must be 8")
__msg("invalid bpf_context access off=8 size=4")
__naked int ctx_read_half(void)
{
	asm volatile ("r0 = *(u32 *)(r1 + %[s]);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s))
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("func 'bpf_iter_kmem_cache' offset 12 is not multiple of 8")
__msg("invalid bpf_context access off=12 size=4")
__naked int ctx_read_inside(void)
{
	asm volatile ("r0 = *(u32 *)(r1 + %[inside_s]);"
		"r0 = 0;"
		"exit;"
		:
		: __imm_const(inside_s, offsetof(struct bpf_iter__kmem_cache, s) + 4)
		: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("invalid bpf_context access off=8 size=8")
__naked int ctx_write(void)
{
	asm volatile ("r0 = 0;"
		"*(u64 *)(r1 + %[s]) = r0;"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s))
		: __clobber_all
	);
}

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

/* Keeping the entry */

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

/* Programs, and places in a program, that cannot sleep */

static __always_inline int loop(void)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s)
		sink += s->size;
	return 0;
}

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

/* The order of the kfuncs, and the state of the iterator */

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

/* One type for another */

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

/* What is returned */

SEC("?iter/kmem_cache")
__success
__naked int return_1(void)
{
	asm volatile ("r0 = 1;"
		"exit;"
		::: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("At program exit the register R0")
__msg("should have been in [0, 1]")
__naked int return_2(void)
{
	asm volatile ("r0 = 2;"
		"exit;"
		::: __clobber_all
	);
}

SEC("?iter/kmem_cache")
__failure __msg("At program exit the register R0")
__naked int return_entry(void)
{
	asm volatile ("r0 = *(u64 *)(r1 + %[s]);"
		"exit;"
		:
		: __imm_const(s, offsetof(struct bpf_iter__kmem_cache, s))
		: __clobber_all
	);
}
