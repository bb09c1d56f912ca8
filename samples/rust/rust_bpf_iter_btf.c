// SPDX-License-Identifier: GPL-2.0
/*
 * The C side of the Rust BPF iterator sample: what BPF must see by type.
 *
 * pahole leaves Rust out of BTF.
 */
#include <linux/bpf.h>
#include <linux/types.h>

/* As `Item` in rust_bpf_iter_main.rs. */
struct rust_item {
	u64 number;
	u64 value;
};

DEFINE_BPF_ITER_FUNC(rust_item, struct bpf_iter_meta *meta, struct rust_item *item)
DEFINE_BPF_ITER_FUNC(rust_item_high, struct bpf_iter_meta *meta, struct rust_item *item)
