/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KMEM_CACHE_ITER_RUST_H
#define __KMEM_CACHE_ITER_RUST_H

extern enum libbpf_tristate CONFIG_BPF_KMEM_CACHE_ITER_RUST __kconfig __weak;

/* Whether the iterator is the one in Rust, which promises more. */
static inline bool kmem_cache_iter_is_rust(void)
{
	return CONFIG_BPF_KMEM_CACHE_ITER_RUST != TRI_NO;
}

#endif
