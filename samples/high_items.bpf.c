// SPDX-License-Identifier: GPL-2.0
/* The same as items.bpf.c, for the items that are above the average of those before. */
#define TARGET	"rust_item_high"

#include "items.bpf.c"
