// SPDX-License-Identifier: GPL-2.0
/* What an iterator program is called with, and what it returns. */
#include "kmem_cache_iter_verifier.h"

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
