// SPDX-License-Identifier: GPL-2.0
/*
 * An iterator target whose entries are of a type that is in the BTF of this module
 * alone, and that has a helper of its own.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stringify.h>

#ifndef TARGET
#define TARGET	entry
#endif

#define NR_ENTRIES	3

/* Of another size and layout than anything in vmlinux. */
struct kmem_cache_iter_entry {
	char padding[40];
	u32 number;
	u64 square;
};

struct bpf_iter__kmem_cache_iter_entry {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct kmem_cache_iter_entry *, entry);
};

/* No file says what is in it. */
struct kmem_cache_iter_vague;

/* The names are expanded first. */
#define DEFINE_TARGET_FUNC(target, args...)	DEFINE_BPF_ITER_FUNC(target, args)

DEFINE_TARGET_FUNC(TARGET, struct bpf_iter_meta *meta, struct kmem_cache_iter_entry *entry)
DEFINE_TARGET_FUNC(__PASTE(TARGET, _vague), struct bpf_iter_meta *meta,
		   struct kmem_cache_iter_vague *entry)

static struct kmem_cache_iter_entry entries[NR_ENTRIES];

static void *entry_start(struct seq_file *seq, loff_t *pos)
{
	return *pos < NR_ENTRIES ? &entries[*pos] : NULL;
}

static void *entry_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return entry_start(seq, pos);
}

static int run_prog(struct seq_file *seq, void *v, bool in_stop)
{
	struct bpf_iter_meta meta = { .seq = seq };
	struct bpf_iter__kmem_cache_iter_entry ctx = { .meta = &meta, .entry = v };
	struct bpf_prog *prog = bpf_iter_get_info(&meta, in_stop);

	return prog ? bpf_iter_run_prog(prog, &ctx) : 0;
}

static int entry_show(struct seq_file *seq, void *v)
{
	return run_prog(seq, v, false);
}

static void entry_stop(struct seq_file *seq, void *v)
{
	if (!v)
		run_prog(seq, NULL, true);
}

static const struct seq_operations entry_seq_ops = {
	.start	= entry_start,
	.next	= entry_next,
	.show	= entry_show,
	.stop	= entry_stop,
};

static const struct bpf_iter_seq_info entry_seq_info = {
	.seq_ops	= &entry_seq_ops,
};

BPF_CALL_1(entry_double, u64, number)
{
	return 2 * number;
}

static const struct bpf_func_proto entry_double_proto = {
	.func		= entry_double,
	.ret_type	= RET_INTEGER,
	.arg1_type	= ARG_ANYTHING,
};

/* Freed when the module exits, and not only after RCU. */
static struct bpf_func_proto *copied_proto;

/* In the place of a helper that iterators do not have otherwise. */
static const struct bpf_func_proto *entry_get_func_proto(enum bpf_func_id id,
							 const struct bpf_prog *prog)
{
	return id == BPF_FUNC_setsockopt ? copied_proto : NULL;
}

#define DEFINE_REG(name) {								\
	.target			= name,							\
	.get_func_proto		= entry_get_func_proto,					\
	.ctx_arg_info_size	= 1,							\
	.ctx_arg_info		= {							\
		{ offsetof(struct bpf_iter__kmem_cache_iter_entry, entry),		\
		  PTR_TO_BTF_ID_OR_NULL | PTR_TRUSTED },				\
	},										\
	.seq_info		= &entry_seq_info,					\
}

static const struct bpf_iter_reg targets[] = {
	DEFINE_REG(__stringify(TARGET)),
	DEFINE_REG(__stringify(TARGET) "_vague"),
};

/* Leave it to the kernel to unregister the targets when the module goes away. */
static bool forget;
module_param(forget, bool, 0);

static unsigned int nr_registered;

static void unregister_targets(void)
{
	while (nr_registered)
		bpf_iter_unreg_target(&targets[--nr_registered]);
}

static int set_registered(bool wanted)
{
	int err;

	if (!wanted)
		unregister_targets();
	while (wanted && nr_registered < ARRAY_SIZE(targets)) {
		err = bpf_iter_reg_target(&targets[nr_registered]);
		if (err) {
			unregister_targets();
			return err;
		}
		nr_registered++;
	}
	return 0;
}

static int set_registered_param(const char *val, const struct kernel_param *param)
{
	bool wanted;

	return kstrtobool(val, &wanted) ?: set_registered(wanted);
}

/* Whether the targets are there, which they need not be as long as the module. */
static const struct kernel_param_ops registered_ops = { .set = set_registered_param };
module_param_cb(registered, &registered_ops, NULL, 0200);

static int __init kmem_cache_iter_entry_init(void)
{
	int i, err;

	copied_proto = kmemdup(&entry_double_proto, sizeof(entry_double_proto), GFP_KERNEL);
	if (!copied_proto)
		return -ENOMEM;
	for (i = 0; i < NR_ENTRIES; i++) {
		entries[i].number = i + 1;
		entries[i].square = (u64)(i + 1) * (i + 1);
	}
	err = set_registered(true);
	if (err)
		kfree(copied_proto);
	return err;
}

static void __exit kmem_cache_iter_entry_exit(void)
{
	if (!forget)
		unregister_targets();
	kfree(copied_proto);
}

module_init(kmem_cache_iter_entry_init);
module_exit(kmem_cache_iter_entry_exit);
MODULE_DESCRIPTION("BPF iterator target with a type of its own, for a selftest");
MODULE_LICENSE("GPL");
