/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A part of prog_tests/kmem_cache_iter_module.c: two more modules with a target each,
 * whose functions have the same BTF ids (test_kmods/kmem_cache_iter_alias_*.c). The BTF
 * of each module continues that of vmlinux, so that an id alone says nothing.
 */
#ifndef _KMEM_CACHE_ITER_MODULE_ALIAS_H
#define _KMEM_CACHE_ITER_MODULE_ALIAS_H

#include "kmem_cache_iter_module.h"

/* Another module: its BTF, a program for its target, and a link of that. */
struct alias {
	const char *module;
	const char *target;
	int btf_fd;
	int btf_id;
	int foreign_btf_id;
	int prog_fd;
	int link_fd;
};

static bool load_alias(struct alias *alias)
{
	char func[32];

	if (!ASSERT_OK(load_by_name(alias->module), "load another module"))
		return false;
	alias->btf_fd = module_btf_fd(alias->module);
	if (!ASSERT_GE(alias->btf_fd, 0, "its BTF"))
		return false;

	snprintf(func, sizeof(func), "bpf_iter_%s", alias->target);
	alias->btf_id = func_btf_id(alias->module, func);
	alias->foreign_btf_id = func_btf_id(alias->module, TARGET_FUNC);
	return ASSERT_GT(alias->btf_id, 0, "function of its target") &&
	       ASSERT_GT(alias->foreign_btf_id, 0, "function of another target");
}

/* Other modules, with different functions by the same BTF ids. */
static void test_alias(void)
{
	struct alias aliases[] = {
		{ .module = "kmem_cache_iter_alias_a", .target = "alias_a" },
		{ .module = "kmem_cache_iter_alias_b", .target = "alias_b" },
	};
	struct alias *a = &aliases[0], *b = &aliases[1], *alias;
	int i;

	for (i = 0; i < ARRAY_SIZE(aliases); i++) {
		aliases[i].btf_fd = -1;
		aliases[i].prog_fd = -1;
		aliases[i].link_fd = -1;
	}

	/* The name is taken. The loader makes EBUSY of the EEXIST of a module. */
	ASSERT_EQ(finit_module_by_path("kmem_cache_iter_alias_a.ko", "also=kmem_cache"), -EBUSY,
		  "second target of a name");

	if (!load_alias(a) || !load_alias(b) ||
	    !ASSERT_EQ(a->btf_id, b->btf_id, "ids of the functions"))
		goto out;

	for (i = 0; i < ARRAY_SIZE(aliases); i++) {
		alias = &aliases[i];
		alias->prog_fd = load_nop_iter(alias->btf_fd, alias->btf_id);
		ASSERT_GE(alias->prog_fd, 0, "load a program");
		ASSERT_EQ(load_nop_iter(alias->btf_fd, alias->foreign_btf_id), -EINVAL,
			  "load a program by a BTF that is not the owner's");
	}
	for (i = 0; i < ARRAY_SIZE(aliases); i++) {
		alias = &aliases[i];
		alias->link_fd = create_iter_link(alias->prog_fd);
		if (ASSERT_GE(alias->link_fd, 0, "create a link"))
			check_target(alias->link_fd, alias->target);
	}
	ASSERT_EQ(bpf_link_update(a->link_fd, b->prog_fd, NULL), -EINVAL, "update with the other");
	ASSERT_OK(bpf_link_update(a->link_fd, a->prog_fd, NULL), "update with the same");
out:
	for (i = 0; i < ARRAY_SIZE(aliases); i++) {
		alias = &aliases[i];
		close(alias->link_fd);
		close(alias->prog_fd);
		close(alias->btf_fd);
		ASSERT_OK(unload_in_the_end(alias->module), "unload the other module");
	}
}

#endif /* _KMEM_CACHE_ITER_MODULE_ALIAS_H */
