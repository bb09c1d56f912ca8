// SPDX-License-Identifier: GPL-2.0
/*
 * The C side of the Rust kmem_cache iterator: what BPF must see by type.
 *
 * pahole leaves Rust compile units out of BTF. So the function whose BTF id
 * programs attach to, with the type of the entry, and the kfuncs are C.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/init.h>
#include <linux/module.h>

#include "../../../mm/slab.h"	/* struct kmem_cache, whole, for BTF */
#include "helpers.h"

DEFINE_BPF_ITER_FUNC(kmem_cache, struct bpf_iter_meta *meta, struct kmem_cache *s)

__bpf_kfunc_start_defs();

/**
 * bpf_iter_kmem_cache_new() - Begin a bpf_for_each() loop over all slab caches.
 * @it: State of the loop, uninitialised.
 *
 * Context: Sleepable programs.
 * Return: 0, or -EDEADLK if the task holds slab_mutex. The loop has no elements then.
 */
__bpf_kfunc int bpf_iter_kmem_cache_new(struct bpf_iter_kmem_cache *it)
{
	return kmem_cache_iter_open_coded_new(it);
}

/**
 * bpf_iter_kmem_cache_next() - Go to the next slab cache.
 * @it: State of the loop.
 *
 * The slab cache is kept alive until the next call with the same @it, be it
 * this one or bpf_iter_kmem_cache_destroy().
 *
 * Context: Sleepable programs. Takes slab_mutex. If the owner of the cache that was
 *          visited has let go of it meanwhile, a worker destroys it.
 * Return: The slab cache, or NULL after the last one.
 */
__bpf_kfunc struct kmem_cache *bpf_iter_kmem_cache_next(struct bpf_iter_kmem_cache *it)
{
	return kmem_cache_iter_open_coded_next(it);
}

/**
 * bpf_iter_kmem_cache_destroy() - End a bpf_for_each() loop.
 * @it: State of the loop, wherever it has come to.
 *
 * Context: As bpf_iter_kmem_cache_next().
 */
__bpf_kfunc void bpf_iter_kmem_cache_destroy(struct bpf_iter_kmem_cache *it)
{
	kmem_cache_iter_open_coded_destroy(it);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(kmem_cache_iter_kfunc_ids)
BTF_ID_FLAGS(func, bpf_iter_kmem_cache_new, KF_ITER_NEW | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_iter_kmem_cache_next, KF_ITER_NEXT | KF_RET_NULL | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_iter_kmem_cache_destroy, KF_ITER_DESTROY | KF_SLEEPABLE)
BTF_KFUNCS_END(kmem_cache_iter_kfunc_ids)

static const struct btf_kfunc_id_set kmem_cache_iter_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &kmem_cache_iter_kfunc_ids,
};

/**
 * kmem_cache_iter_register_kfuncs() - Make the kfuncs known to the verifier.
 *
 * Programs of every type may call them, as they may with the iterator in C. A
 * program that does so keeps the module from being unloaded. There is no
 * reverse: the set goes away with the BTF of the module.
 *
 * Context: Initialisation of the module.
 * Return: 0, or a negative errno.
 */
int kmem_cache_iter_register_kfuncs(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_UNSPEC, &kmem_cache_iter_kfunc_set);
}
