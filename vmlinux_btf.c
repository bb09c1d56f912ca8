// SPDX-License-Identifier: GPL-2.0
/*
 * The types that BPF programs of the kmem_cache iterator name, for the BTF of
 * vmlinux.
 *
 * vmlinux.h is made from that BTF, and perf looks for bpf_iter__kmem_cache in
 * no other. So they are there when the iterator is a module, too, loaded or not.
 */
#include <linux/btf.h>
#include <linux/init.h>

#include "helpers.h"

static void __init __used kmem_cache_iter_emit_types(void)
{
	BTF_TYPE_EMIT(struct bpf_iter__kmem_cache);
	BTF_TYPE_EMIT(struct bpf_iter_kmem_cache);
}
