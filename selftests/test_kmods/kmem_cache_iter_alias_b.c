// SPDX-License-Identifier: GPL-2.0
#define TARGET	alias_b

#include "kmem_cache_iter_alias_a.c"
