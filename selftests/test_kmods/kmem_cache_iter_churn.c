// SPDX-License-Identifier: GPL-2.0
/*
 * Slab caches on command, for the selftest of the kmem_cache iterator.
 *
 * Commands are written to the file kmem_cache_iter_churn in debugfs:
 *
 *   create PREFIX FIRST COUNT  the caches PREFIX-FIRST, PREFIX-(FIRST + 1) ...
 *   destroy FIRST COUNT        those of these numbers
 *   leak FIRST COUNT           allocates an object of each that is never freed
 *
 * No cache is merged with another. The number says which cache it is, wherever
 * that is on the list. It can be used again once the cache is destroyed. What is
 * left is destroyed when the module is unloaded.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#define OBJECT_SIZE	64
#define COUNT_MAX	100000

static DEFINE_XARRAY(caches);
/* A cache is created and destroyed under the lock of its number. */
static struct mutex locks[256];
static struct dentry *control;

static void destroy(unsigned long id)
{
	kmem_cache_destroy(xa_erase(&caches, id));
}

static int create(const char *prefix, unsigned long id)
{
	struct kmem_cache *cache;
	char name[64];
	int err;

	if (xa_load(&caches, id))
		return -EEXIST;

	snprintf(name, sizeof(name), "%s-%lu", prefix, id);
	cache = kmem_cache_create(name, OBJECT_SIZE, 0, SLAB_NO_MERGE, NULL);
	if (!cache)
		return -ENOMEM;
	err = xa_err(xa_store(&caches, id, cache, GFP_KERNEL));
	if (err)
		kmem_cache_destroy(cache);
	return err;
}

static int leak(unsigned long id)
{
	struct kmem_cache *cache = xa_load(&caches, id);

	return cache && kmem_cache_alloc(cache, GFP_KERNEL) ? 0 : -ENOMEM;
}

static ssize_t control_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	unsigned long first, count, id;
	char command[128], prefix[32];
	bool creates, leaks;
	int err = 0;

	if (len >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, len))
		return -EFAULT;
	command[len] = '\0';

	creates = sscanf(command, "create %31s %lu %lu", prefix, &first, &count) == 3;
	leaks = sscanf(command, "leak %lu %lu", &first, &count) == 2;
	if (!creates && !leaks && sscanf(command, "destroy %lu %lu", &first, &count) != 2)
		return -EINVAL;
	if (first > COUNT_MAX || count > COUNT_MAX)
		return -EINVAL;

	for (id = first; id < first + count && !err; id++) {
		mutex_lock(&locks[id % ARRAY_SIZE(locks)]);
		if (creates)
			err = create(prefix, id);
		else if (leaks)
			err = leak(id);
		else
			destroy(id);
		mutex_unlock(&locks[id % ARRAY_SIZE(locks)]);
	}
	return err ?: len;
}

static const struct file_operations control_fops = {
	.owner	= THIS_MODULE,
	.write	= control_write,
};

static int __init kmem_cache_iter_churn_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(locks); i++)
		mutex_init(&locks[i]);
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
