/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KMEM_CACHE_ITER_RUST_H
#define __KMEM_CACHE_ITER_RUST_H

extern enum libbpf_tristate CONFIG_BPF_KMEM_CACHE_ITER_RUST __kconfig __weak;

/* Whether the iterator is the one in Rust, which promises more: after find_out(). */
int is_rust;

SEC("syscall")
int find_out(const void *ctx)
{
	is_rust = CONFIG_BPF_KMEM_CACHE_ITER_RUST != TRI_NO;
	return 0;
}

#endif
