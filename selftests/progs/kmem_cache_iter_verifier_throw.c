// SPDX-License-Identifier: GPL-2.0
/* Exceptions in loops. The kernel has them where it unwinds the stack by ORC. */
#include "kmem_cache_iter_verifier.h"

SEC("?syscall")
__success
int throw_after_loop(const void *ctx)
{
	loop();
	bpf_throw(sink & 1);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id={{[0-9]+}}")
__msg("bpf_throw would lead to reference leak")
int throw_in_loop(const void *ctx)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s)
		bpf_throw(0);
	return 0;
}

static __noinline void throw_if_large(struct kmem_cache *s)
{
	if (s->size > 4096)
		bpf_throw(0);
}

SEC("?syscall")
__failure __msg("Unreleased reference id={{[0-9]+}}")
__msg("bpf_throw would lead to reference leak")
int throw_in_function(const void *ctx)
{
	struct kmem_cache *s;

	bpf_for_each(kmem_cache, s)
		throw_if_large(s);
	return 0;
}
