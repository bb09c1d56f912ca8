// SPDX-License-Identifier: GPL-2.0
/*
 * An iterator target in a module, to be taken for that of another.
 *
 * The BTF of a module continues the ids of vmlinux. kmem_cache_iter_alias_b is
 * made from the same source, so the functions of both have the same ids. There
 * is a bpf_iter_kmem_cache() here, too, which is not the one that the target of
 * that name was registered with.
 */
#include <linux/bpf.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/stringify.h>

#ifndef TARGET
#define TARGET	alias_a
#endif

static char *also;
module_param(also, charp, 0);
MODULE_PARM_DESC(also, "the name of one more target");

struct kmem_cache;

/* The names are expanded first. */
#define DEFINE_TARGET_FUNC(target, args...)	DEFINE_BPF_ITER_FUNC(target, args)

DEFINE_TARGET_FUNC(TARGET, struct bpf_iter_meta *meta, struct kmem_cache *s)
DEFINE_BPF_ITER_FUNC(kmem_cache, struct bpf_iter_meta *meta, struct kmem_cache *s)

static void *alias_start(struct seq_file *seq, loff_t *pos)
{
	return NULL;
}

static void *alias_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return NULL;
}

static int alias_show(struct seq_file *seq, void *v)
{
	return 0;
}

static void alias_stop(struct seq_file *seq, void *v)
{
	seq_puts(seq, "alias\n");
}

static const struct seq_operations alias_seq_ops = {
	.start	= alias_start,
	.next	= alias_next,
	.show	= alias_show,
	.stop	= alias_stop,
};

static const struct bpf_iter_seq_info alias_seq_info = {
	.seq_ops	= &alias_seq_ops,
};

static struct bpf_iter_reg regs[] = {
	{
		.target		= __stringify(TARGET),
		.seq_info	= &alias_seq_info,
	},
	/* for the target that is named when the module is loaded */
	{
		.seq_info	= &alias_seq_info,
	},
};

static unsigned int nr_targets;

static void kmem_cache_iter_alias_exit(void)
{
	while (nr_targets)
		bpf_iter_unreg_target(&regs[--nr_targets]);
}

static int __init kmem_cache_iter_alias_init(void)
{
	int nr = 1, err;

	if (also)
		regs[nr++].target = also;

	while (nr_targets < nr) {
		err = bpf_iter_reg_target(&regs[nr_targets]);
		if (err) {
			kmem_cache_iter_alias_exit();
			return err;
		}
		nr_targets++;
	}
	return 0;
}

module_init(kmem_cache_iter_alias_init);
module_exit(kmem_cache_iter_alias_exit);
MODULE_DESCRIPTION("BPF iterator targets for the selftest of the kmem_cache iterator");
MODULE_LICENSE("GPL");
