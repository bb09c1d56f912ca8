// SPDX-License-Identifier: GPL-2.0
/*
 * Slab caches on command, for the selftest of the kmem_cache iterator.
 *
 * Commands are written to the file kmem_cache_iter_churn in debugfs:
 *
 *   create PREFIX FIRST COUNT [merge]  the caches PREFIX-FIRST, PREFIX-(FIRST + 1) ...
 *   destroy FIRST COUNT                those of these numbers
 *
 * The number says which cache it is, wherever that is on the list. It can be
 * used again once the cache is destroyed. What is left is destroyed when the
 * module is unloaded.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#define OBJECT_SIZE	64

static DEFINE_XARRAY(caches);
static struct dentry *control;

static void destroy(unsigned long id)
{
	kmem_cache_destroy(xa_erase(&caches, id));
}

static int create(const char *prefix, unsigned long id, slab_flags_t flags)
{
	struct kmem_cache *cache;
	char name[64];
	int err;

	/* Nobody else may create or destroy it meanwhile. */
	err = xa_insert(&caches, id, NULL, GFP_KERNEL);
	if (err)
		return err == -EBUSY ? -EEXIST : err;

	snprintf(name, sizeof(name), "%s-%lu", prefix, id);
	cache = kmem_cache_create(name, OBJECT_SIZE, 0, flags, NULL);
	if (!cache) {
		xa_release(&caches, id);
		return -ENOMEM;
	}
	return xa_err(xa_store(&caches, id, cache, GFP_KERNEL));
}

static ssize_t control_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	unsigned long first, count, id;
	char command[128], prefix[32], merge[8];
	int fields, err;

	if (len >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, len))
		return -EFAULT;
	command[len] = '\0';

	if (sscanf(command, "destroy %lu %lu", &first, &count) == 2) {
		for (id = first; id < first + count; id++)
			destroy(id);
		return len;
	}

	fields = sscanf(command, "create %31s %lu %lu %7s", prefix, &first, &count, merge);
	if (fields < 3 || (fields == 4 && strcmp(merge, "merge")))
		return -EINVAL;
	for (id = first; id < first + count; id++) {
		err = create(prefix, id, fields == 4 ? 0 : SLAB_NO_MERGE);
		if (err)
			return err;
	}
	return len;
}

static const struct file_operations control_fops = {
	.owner	= THIS_MODULE,
	.write	= control_write,
};

static int __init kmem_cache_iter_churn_init(void)
{
	control = debugfs_create_file("kmem_cache_iter_churn", 0200, NULL, NULL, &control_fops);
	return PTR_ERR_OR_ZERO(control);
}

static void __exit kmem_cache_iter_churn_exit(void)
{
	struct kmem_cache *cache;
	unsigned long id;

	debugfs_remove(control);
	xa_for_each(&caches, id, cache)
		destroy(id);
	xa_destroy(&caches);
}

module_init(kmem_cache_iter_churn_init);
module_exit(kmem_cache_iter_churn_exit);
MODULE_DESCRIPTION("Slab caches for the selftest of the kmem_cache iterator");
MODULE_LICENSE("GPL");
