// SPDX-License-Identifier: GPL-2.0
/* Loops run wherever the verifier allows them, and visit what any other loop visits. */
#include <test_progs.h>
#include "kmem_cache_iter_common.h"
#include "kmem_cache_iter_loop.skel.h"

static struct kmem_cache_iter_loop *skel;

/* What is started now may end later. */
static void check_loop(const char *what)
{
	__u32 visited;
	int i;

	for (i = 0; i < 10000 && !READ_ONCE(skel->bss->loops); i++)
		usleep(1000);
	ASSERT_EQ(skel->bss->loops, 1, what);
	visited = skel->bss->visited;
	ASSERT_GT(visited, 10, "caches");
	ASSERT_OK(run_prog(skel->progs.in_program), "loop to compare with");
	ASSERT_EQ(visited, skel->bss->visited, "caches");
}

static void check_run(struct bpf_program *prog, __u32 retval)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	skel->bss->loops = 0;
	if (!ASSERT_OK(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), "run"))
		return;
	ASSERT_EQ(opts.retval, retval, "what it returned");
	check_loop(bpf_program__name(prog));
}

static void test_wq(void)
{
	check_run(skel->progs.start_wq, 0);
}

static void test_task_work(void)
{
	check_run(skel->progs.start_task_work, 0);
}

static void test_tail_call(void)
{
	check_run(skel->progs.tail_call, 0);
}

static void test_throw(void)
{
	if (!bpf_program__autoload(skel->progs.throw_after))
		skip_test("the kernel does not unwind for exceptions");
	else
		check_run(skel->progs.throw_after, 7);
}

noinline void kmem_cache_iter_traced(void)
{
	asm volatile ("");
}

static void test_uprobe(void)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = "kmem_cache_iter_traced");
	struct bpf_link *link;

	link = bpf_program__attach_uprobe_opts(skel->progs.in_uprobe, 0, "/proc/self/exe", 0,
					       &opts);
	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	skel->bss->loops = 0;
	kmem_cache_iter_traced();
	check_loop("uprobe");
	bpf_link__destroy(link);
}

/* The verifier cannot tell them from programs for uprobes. */
static void test_kprobe(void)
{
	struct bpf_link *link;

	link = bpf_program__attach_kprobe(skel->progs.in_uprobe, false, "kmem_cache_destroy");
	if (!ASSERT_ERR_PTR(link, "kprobe of a program that sleeps"))
		bpf_link__destroy(link);
	else
		ASSERT_EQ(errno, EINVAL, "kprobe of a program that sleeps");
}

void test_kmem_cache_iter_loop(void)
{
	static const struct subtest tests[] = {
		{ "wq", test_wq },
		{ "task_work", test_task_work },
		{ "tail_call", test_tail_call },
		{ "throw", test_throw },
		{ "uprobe", test_uprobe },
		{ "kprobe", test_kprobe },
	};

	skel = kmem_cache_iter_loop__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	/* The kernel unwinds the stack then, for which it needs ORC. */
	bpf_program__set_autoload(skel->progs.throw_after, !is_debug_kernel());
	if (ASSERT_OK(kmem_cache_iter_loop__load(skel), "load"))
		run_subtests(tests, ARRAY_SIZE(tests));
	kmem_cache_iter_loop__destroy(skel);
}
