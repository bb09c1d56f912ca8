// SPDX-License-Identifier: GPL-2.0
/*
 * Iterator targets of other modules than the kmem_cache iterator, whose entries are of
 * a type that only the module has.
 */
#include <pthread.h>
#include <test_progs.h>
#include "kmem_cache_iter_module.h"
#include "kmem_cache_iter_entry.skel.h"

#define OUTSIDE	"kmem_cache_iter_entry"
#define REGISTERED	"/sys/module/" OUTSIDE "/parameters/registered"
#define IN_TREE	"kmem_cache_iter_entry_in_tree"

/* With one program alone. */
static struct kmem_cache_iter_entry *load_prog(const char *name)
{
	struct kmem_cache_iter_entry *skel = kmem_cache_iter_entry__open();
	struct bpf_program *prog;

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	prog = bpf_object__find_program_by_name(skel->obj, name);
	if (ASSERT_OK_PTR(prog, name) && ASSERT_OK(bpf_program__set_autoload(prog, true), name) &&
	    ASSERT_OK(kmem_cache_iter_entry__load(skel), "load"))
		return skel;
	kmem_cache_iter_entry__destroy(skel);
	return NULL;
}

/* The program sees the fields of the entries, and keeps the module. */
static void check_entries(const char *module, const char *name)
{
	struct kmem_cache_iter_entry *skel = load_prog(name);
	char buf[16];
	int fd;

	if (!skel)
		return;
	ASSERT_EQ(unload_once(module), -EWOULDBLOCK, "unload");
	fd = open_iter_file(bpf_object__find_program_by_name(skel->obj, name));
	ASSERT_EQ(read(fd, buf, sizeof(buf)), 0, "read");
	close(fd);
	ASSERT_EQ(skel->bss->numbers, 1 + 2 + 3, "numbers");
	ASSERT_EQ(skel->bss->squares, 1 + 4 + 9, "squares");
	ASSERT_EQ(skel->bss->ends, 1, "ends");
	kmem_cache_iter_entry__destroy(skel);
}

/* A module that is built by itself: its BTF is moved to that of the kernel. */
static void test_built_outside(void)
{
	if (!ASSERT_OK(load_by_name(OUTSIDE), "load the module"))
		return;
	check_entries(OUTSIDE, "built_outside");
	ASSERT_OK(unload_in_the_end(OUTSIDE), "unload when unused");
}

static void test_built_in_tree(void)
{
	if (!ASSERT_OK(load_by_name(IN_TREE), "load the module"))
		return;
	check_entries(IN_TREE, "built_in_tree");
	ASSERT_OK(unload_in_the_end(IN_TREE), "unload when unused");
}

static void test_both(void)
{
	if (!ASSERT_OK(load_by_name(OUTSIDE), "load a module"))
		return;
	if (ASSERT_OK(load_by_name(IN_TREE), "load another one")) {
		check_entries(OUTSIDE, "built_outside");
		check_entries(IN_TREE, "built_in_tree");
		ASSERT_OK(unload_in_the_end(IN_TREE), "unload when unused");
	}
	ASSERT_OK(unload_in_the_end(OUTSIDE), "unload when unused");
}

/* What is refused, and what the verifier says to that. */
static void test_no_target(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int btf_fd, id, fd;
	char log[4096] = "";

	opts.expected_attach_type = BPF_TRACE_ITER;
	opts.log_buf = log;
	opts.log_size = sizeof(log);
	opts.log_level = 1;
	if (!ASSERT_OK(load_by_name(OUTSIDE), "load the module"))
		return;
	btf_fd = module_btf_fd(OUTSIDE);
	id = func_btf_id(OUTSIDE, "entry_start");
	if (ASSERT_GE(btf_fd, 0, "BTF of the module") && ASSERT_GT(id, 0, "entry_start()")) {
		opts.attach_btf_obj_fd = btf_fd;
		opts.attach_btf_id = id;
		fd = load_nop(&opts);
		check_refused(fd, -EINVAL, "function of another name");
		ASSERT_HAS_SUBSTR(log, "entry_start() is not the function of an iterator target",
				  "log");
	}
	id = func_btf_id(OUTSIDE, "bpf_iter_entry_vague");
	if (ASSERT_GT(id, 0, "bpf_iter_entry_vague()")) {
		opts.attach_btf_id = id;
		fd = load_nop(&opts);
		check_refused(fd, -EINVAL, "entry of a type that is not defined");
		ASSERT_HAS_SUBSTR(log, "has no pointer to a known struct as parameter 1", "log");
	}
	id = func_btf_id(OUTSIDE, "bpf_iter_entry");
	ASSERT_OK(unload_in_the_end(OUTSIDE), "unload when unused");
	if (ASSERT_GT(id, 0, "bpf_iter_entry()")) {
		opts.attach_btf_id = id;
		fd = load_nop(&opts);
		check_refused(fd, -ENOENT, "function of a module that was there");
		ASSERT_HAS_SUBSTR(log, "The module of bpf_iter_entry() is not live",
				  "log");
	}
	close(btf_fd);
}

static void check_walk(struct kmem_cache_iter_entry *skel, int fd, const char *what)
{
	char buf[16];

	skel->bss->numbers = 0;
	ASSERT_EQ(read(fd, buf, sizeof(buf)), 0, what);
	ASSERT_EQ(skel->bss->numbers, 1 + 2 + 3, what);
}

/* Programs keep the target that they were loaded for, and work. Nobody gets another one. */
static void test_unregistered_early(void)
{
	struct kmem_cache_iter_entry *skel, *late, *again;
	struct bpf_program *prog;
	struct bpf_link *link;
	int fd, late_fd, late_link;

	if (!ASSERT_OK(load_by_name(OUTSIDE), "load the module"))
		return;
	skel = load_prog("built_outside");
	if (!skel)
		goto unload;
	prog = skel->progs.built_outside;
	link = bpf_program__attach_iter(prog, NULL);
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	fd = bpf_iter_create(bpf_link__fd(link));
	ASSERT_OK(write_file(REGISTERED, "0"), "unregister");

	check_walk(skel, fd, "file from before");
	late_fd = bpf_iter_create(bpf_link__fd(link));
	if (ASSERT_GE(late_fd, 0, "another file"))
		check_walk(skel, late_fd, "another file");
	close(late_fd);
	check_target(bpf_link__fd(link), "entry");
	ASSERT_EQ(fdinfo_has(bpf_link__fd(link), "target_name:\tentry\n"), 1, "fdinfo");
	late_link = create_iter_link(bpf_program__fd(prog));
	if (ASSERT_GE(late_link, 0, "another link")) {
		late_fd = bpf_iter_create(late_link);
		check_walk(skel, late_fd, "file of another link");
		close(late_fd);
	}
	close(late_link);

	late = kmem_cache_iter_entry__open();
	if (ASSERT_OK_PTR(late, "open")) {
		bpf_program__set_autoload(late->progs.built_outside, true);
		ASSERT_EQ(kmem_cache_iter_entry__load(late), -EINVAL, "another program");
	}
	kmem_cache_iter_entry__destroy(late);

	/* One of the same name is another target. */
	ASSERT_OK(write_file(REGISTERED, "1"), "register");
	again = load_prog("built_outside");
	if (again) {
		int again_fd = bpf_program__fd(again->progs.built_outside);

		ASSERT_EQ(bpf_link_update(bpf_link__fd(link), again_fd, NULL), -EINVAL, "update");
		late_fd = open_iter_file(again->progs.built_outside);
		check_walk(again, late_fd, "file of the other target");
		close(late_fd);
	}
	kmem_cache_iter_entry__destroy(again);

	close(fd);
	ASSERT_EQ(unload_once(OUTSIDE), -EWOULDBLOCK, "unload with a link");
	bpf_link__destroy(link);
out:
	kmem_cache_iter_entry__destroy(skel);
unload:
	ASSERT_OK(unload_in_the_end(OUTSIDE), "unload when unused");
}

/* The target of a module that does not unregister it is gone when the module is. */
static void test_forgotten(void)
{
	if (!ASSERT_OK(finit_module_by_path(OUTSIDE ".ko", "forget=1"), "load the module"))
		return;
	check_entries(OUTSIDE, "built_outside");
	if (!ASSERT_OK(unload_in_the_end(OUTSIDE), "unload when unused"))
		return;
	if (!ASSERT_OK(load_by_name(OUTSIDE), "load it again"))
		return;
	check_entries(OUTSIDE, "built_outside");
	ASSERT_OK(unload_in_the_end(OUTSIDE), "unload when unused");
}

/* Whether a call of the helper, which has 32 bits for the distance, can reach it. */
static bool helper_is_near(void)
{
	unsigned long long base, helper;
	long long distance;

	if (!ASSERT_OK(kallsyms_find("__bpf_call_base", &base), "__bpf_call_base()") ||
	    !ASSERT_OK(kallsyms_find("entry_double", &helper), "entry_double()"))
		return false;
	distance = helper - base;
	return distance == (int)distance;
}

static void check_helper(void)
{
	struct kmem_cache_iter_entry *skel = load_prog("calls_helper");
	char buf[16];
	int fd;

	if (!skel)
		return;
	fd = open_iter_file(skel->progs.calls_helper);
	ASSERT_EQ(read(fd, buf, sizeof(buf)), 0, "read");
	close(fd);
	ASSERT_EQ(skel->bss->doubles, 2 + 4 + 6, "doubles");
	kmem_cache_iter_entry__destroy(skel);
}

static void check_helper_refused(void)
{
	struct kmem_cache_iter_entry *skel = kmem_cache_iter_entry__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_program__set_autoload(skel->progs.calls_helper, true);
	ASSERT_EQ(kmem_cache_iter_entry__load(skel), -EINVAL, "load");
	kmem_cache_iter_entry__destroy(skel);
}

static void test_helper(void)
{
	if (!ASSERT_OK(load_by_name(OUTSIDE), "load the module"))
		return;
	if (helper_is_near())
		check_helper();
	else
		check_helper_refused();
	ASSERT_OK(unload_in_the_end(OUTSIDE), "unload when unused");
}

static void *load_thread(void *arg)
{
	struct kmem_cache_iter_entry *skel = arg;

	skel->bss->waiting_tid = sys_gettid();
	kmem_cache_iter_entry__destroy(load_prog("calls_helper"));
	skel->bss->waiting_tid = 0;
	return NULL;
}

/*
 * Try to unload while the verifier has the helper of the target in its hand. If the module
 * lets that happen, it frees the helper, although RCU waits for the program here.
 */
static void test_helper_in_hand(void)
{
	struct kmem_cache_iter_entry *skel;
	pthread_t thread;

	if (!is_smp()) {
		skip_test("there is one CPU, and the program that waits may have it for itself");
		return;
	}
	skel = kmem_cache_iter_entry__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_program__set_autoload(skel->progs.helper_found, true);
	if (!ASSERT_OK(load_by_name(OUTSIDE), "load the module"))
		goto out;
	if (!helper_is_near()) {
		skip_test("the module is too far from the kernel to have helpers");
		goto unload;
	}
	if (!ASSERT_OK(kmem_cache_iter_entry__load(skel), "load") ||
	    !ASSERT_OK(kmem_cache_iter_entry__attach(skel), "attach") ||
	    !ASSERT_OK(pthread_create(&thread, NULL, load_thread, skel), "thread"))
		goto unload;
	if (wait_for(&skel->bss->waiting))
		ASSERT_EQ(unload_once(OUTSIDE), -EWOULDBLOCK, "unload");
	WRITE_ONCE(skel->bss->go_on, 1);
	pthread_join(thread, NULL);
	ASSERT_FALSE(skel->bss->gave_up, "program gave up waiting");
unload:
	ASSERT_OK(unload_in_the_end(OUTSIDE), "unload when unused");
out:
	kmem_cache_iter_entry__destroy(skel);
}

/* Serial: it looks at the modules that are there. */
void serial_test_kmem_cache_iter_entry(void)
{
	static const struct subtest tests[] = {
		{ "built_outside", test_built_outside },
		{ "built_in_tree", test_built_in_tree },
		{ "both", test_both },
		{ "no_target", test_no_target },
		{ "unregistered_early", test_unregistered_early },
		{ "forgotten", test_forgotten },
		{ "helper", test_helper },
		{ "helper_in_hand", test_helper_in_hand },
	};

	run_subtests(tests, ARRAY_SIZE(tests));
}
