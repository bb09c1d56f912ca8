// SPDX-License-Identifier: GPL-2.0
/* The same target with BTF as that of modules which are built with the kernel. */
#define TARGET	entry_in_tree
#include "kmem_cache_iter_entry.c"
