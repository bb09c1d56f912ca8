// SPDX-License-Identifier: GPL-2.0
/*
 * The BPF programs of the benchmark: what they cost themselves is the same for
 * each iterator.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* How many caches the programs have been called for. */
__u64 visited;

extern struct kmem_cache *bpf_iter_kmem_cache_next(struct bpf_iter_kmem_cache *it) __ksym;
extern int bpf_iter_kmem_cache_new(struct bpf_iter_kmem_cache *it) __ksym;
extern void bpf_iter_kmem_cache_destroy(struct bpf_iter_kmem_cache *it) __ksym;

SEC("iter/kmem_cache")
int return_at_once(struct bpf_iter__kmem_cache *ctx)
{
	return 0;
}

SEC("iter/kmem_cache")
int print(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;

	if (s)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%s %u %u\n", s->name, s->object_size, s->size);
	return 0;
}

SEC("iter/kmem_cache")
int count(struct bpf_iter__kmem_cache *ctx)
{
	if (ctx->s)
		visited++;
	return 0;
}

SEC("syscall")
int count_in_loop(void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	while (bpf_iter_kmem_cache_next(&it))
		visited++;
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}

SEC("syscall")
int loop(void *ctx)
{
	struct bpf_iter_kmem_cache it;

	bpf_iter_kmem_cache_new(&it);
	while (bpf_iter_kmem_cache_next(&it))
		;
	bpf_iter_kmem_cache_destroy(&it);
	return 0;
}
