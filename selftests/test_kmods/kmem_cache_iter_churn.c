// SPDX-License-Identifier: GPL-2.0
/*
 * Slab caches and their objects on command, for tests of the kmem_cache iterator and of tools
 * that use it.
 *
 * Commands are written to the file kmem_cache_iter_churn in debugfs:
 *
 *   create PREFIX FIRST COUNT  the caches PREFIX-FIRST, PREFIX-(FIRST + 1) ...
 *   create_debug PREFIX FIRST COUNT  the same, with what looks for errors in them
 *   destroy FIRST COUNT        those of these numbers
 *   leak FIRST COUNT           allocates an object of each that is never freed
 *   alloc NUMBER COUNT         allocates so many objects of one cache
 *   free NUMBER COUNT          frees so many of these
 *   free_rcu NUMBER COUNT      frees them after a grace period
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

#define COUNT_MAX	100000

struct object {
	struct object *next;
	struct rcu_head rcu;
	char padding[40];
};

static DEFINE_XARRAY(caches);
/* The first of those that were allocated of a cache. */
static DEFINE_XARRAY(objects);
/* A cache is created and destroyed under the lock of its number. */
static struct mutex locks[256];
static struct dentry *control;

static int alloc_objects(unsigned long id, unsigned long count)
{
	struct kmem_cache *cache = xa_load(&caches, id);
	struct object *object, *first = xa_load(&objects, id);
	int err = 0;

	if (!cache)
		return -ENOENT;
	for (; count; count--) {
		object = kmem_cache_alloc(cache, GFP_KERNEL);
		if (!object) {
			err = -ENOMEM;
			break;
		}
		object->next = first;
		first = object;
	}
	return xa_err(xa_store(&objects, id, first, GFP_KERNEL)) ?: err;
}

static int free_objects(unsigned long id, unsigned long count, bool after_rcu)
{
	struct kmem_cache *cache = xa_load(&caches, id);
	struct object *object, *first = xa_load(&objects, id);

	for (; count && first; count--) {
		object = first;
		first = object->next;
		if (after_rcu)
			kfree_rcu(object, rcu);
		else
			kmem_cache_free(cache, object);
	}
	return xa_err(xa_store(&objects, id, first, GFP_KERNEL));
}

static void destroy(unsigned long id)
{
	free_objects(id, ULONG_MAX, false);
	kmem_cache_destroy(xa_erase(&caches, id));
}

static int create(const char *prefix, unsigned long id, slab_flags_t flags)
{
	struct kmem_cache *cache;
	char name[64];
	int err;

	if (xa_load(&caches, id))
		return -EEXIST;

	snprintf(name, sizeof(name), "%s-%lu", prefix, id);
	cache = kmem_cache_create(name, sizeof(struct object), 0, SLAB_NO_MERGE | flags, NULL);
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

static int run_command(const char *command)
{
	unsigned long first, count, id;
	char verb[16], prefix[32] = "";
	slab_flags_t flags = 0;
	int err = 0;

	if (sscanf(command, "%15s %lu %lu", verb, &first, &count) != 3 &&
	    sscanf(command, "%15s %31s %lu %lu", verb, prefix, &first, &count) != 4)
		return -EINVAL;
	if (first > COUNT_MAX || count > COUNT_MAX)
		return -EINVAL;

	if (!strcmp(verb, "alloc"))
		return alloc_objects(first, count);
	if (!strcmp(verb, "free") || !strcmp(verb, "free_rcu"))
		return free_objects(first, count, !strcmp(verb, "free_rcu"));
	if (!strcmp(verb, "create_debug"))
		flags = SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON;

	for (id = first; id < first + count && !err; id++) {
		mutex_lock(&locks[id % ARRAY_SIZE(locks)]);
		if (prefix[0])
			err = create(prefix, id, flags);
		else if (!strcmp(verb, "leak"))
			err = leak(id);
		else if (!strcmp(verb, "destroy"))
			destroy(id);
		else
			err = -EINVAL;
		mutex_unlock(&locks[id % ARRAY_SIZE(locks)]);
	}
	return err;
}

static ssize_t control_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	char command[128];

	if (len >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, len))
		return -EFAULT;
	command[len] = '\0';
	return run_command(command) ?: len;
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
	xa_destroy(&objects);
}

module_init(kmem_cache_iter_churn_init);
module_exit(kmem_cache_iter_churn_exit);
MODULE_DESCRIPTION("Slab caches for the selftest of the kmem_cache iterator");
MODULE_LICENSE("GPL");
