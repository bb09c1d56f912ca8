// SPDX-License-Identifier: GPL-2.0
/*
 * The same target, to be built with RESOLVE_BTFIDS_FLAGS= on the command line of make. It then has
 * BTF as that of modules which are built with the kernel. Without that, it is another one of those
 * whose BTF is distilled.
 */
#define TARGET	entry_in_tree
#include "kmem_cache_iter_entry.c"
