// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that a target of iterators does not expect: for a function of another program,
 * and by the update of a link or by a tail call, what no link can be made of.
 */
#include <bpf/btf.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "kmem_cache_iter_common.h"
#include "kmem_cache_iter_wrong_prog.skel.h"

static struct kmem_cache_iter_wrong_prog *skel;

/* Load a program for a function of the program @target. */
static int load_for_prog(enum bpf_attach_type type, struct bpf_program *target, int btf_id)
{
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	opts.expected_attach_type = type;
	opts.attach_prog_fd = bpf_program__fd(target);
	opts.attach_btf_id = btf_id;
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "nop", "GPL", insns, ARRAY_SIZE(insns),
			     &opts);
}

/* The id of a function of another program is not that of a target, whatever its name. */
static void test_function_of_prog(void)
{
	/* A target that may be in a module, and one that is built in. */
	static const char * const names[] = { "bpf_iter_kmem_cache", "bpf_iter_bpf_map" };
	struct bpf_program *prog = skel->progs.calls_namesakes;
	int i, id;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		id = btf__find_by_name_kind(bpf_object__btf(skel->obj), names[i], BTF_KIND_FUNC);
		if (!ASSERT_GT(id, 0, names[i]))
			continue;
		check_granted(load_for_prog(BPF_TRACE_FENTRY, prog, id), "program that traces it");
		check_refused(load_for_prog(BPF_TRACE_ITER, prog, id), -EINVAL, names[i]);
	}
}

/* What cannot be attached to a target does not get there by an update either. */
static void test_update_sleepable(void)
{
	int sleepable_fd = bpf_program__fd(skel->progs.wakeful_sleepable);
	int link_fd = create_iter_link(bpf_program__fd(skel->progs.wakeful));

	if (!ASSERT_GE(link_fd, 0, "link"))
		return;
	check_refused(create_iter_link(sleepable_fd), -EINVAL, "link of a sleepable program");
	ASSERT_EQ(bpf_link_update(link_fd, sleepable_fd, NULL), -EINVAL, "sleepable program");
	ASSERT_OK(bpf_link_update(link_fd, bpf_program__fd(skel->progs.wakeful), NULL),
		  "same program");
	close(link_fd);
}

/* A link has approved of how far its first program reaches into its map. */
static void test_update_reaches_further(void)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int within_fd = bpf_program__fd(skel->progs.within_value);
	int behind_fd = bpf_program__fd(skel->progs.behind_value);
	int both_fd = bpf_program__fd(skel->progs.within_both);
	union bpf_iter_link_info info = {};
	int link_fd;

	info.map.map_fd = bpf_map__fd(skel->maps.small);
	opts.iter_info = &info;
	opts.iter_info_len = sizeof(info);
	link_fd = bpf_link_create(within_fd, 0, BPF_TRACE_ITER, &opts);
	if (!ASSERT_GE(link_fd, 0, "link"))
		return;
	check_refused(bpf_link_create(behind_fd, 0, BPF_TRACE_ITER, &opts), -EACCES,
		      "link of a program that reaches further");
	ASSERT_EQ(bpf_link_update(link_fd, behind_fd, NULL), -EACCES,
		  "program that reaches further");
	ASSERT_EQ(bpf_link_update(link_fd, both_fd, NULL), -EACCES,
		  "program that looks at the key, too");
	ASSERT_OK(bpf_link_update(link_fd, within_fd, NULL), "same program");
	close(link_fd);
}

static int go_on_as(const struct bpf_program *prog)
{
	int fd = bpf_program__fd(prog);
	__u32 first = 0;

	return bpf_map_update_elem(bpf_map__fd(skel->maps.goes_on_as), &first, &fd, 0);
}

/* Nor can such a program be reached from one that the link approves of. */
static void test_tail_call_reaches_further(void)
{
	ASSERT_EQ(go_on_as(skel->progs.behind_value), -EINVAL, "program that reaches further");
	ASSERT_EQ(go_on_as(skel->progs.within_both), -EINVAL, "program that looks at the key, too");
	ASSERT_EQ(go_on_as(skel->progs.looks_at_nothing), -EINVAL, "program that reaches less far");
	ASSERT_OK(go_on_as(skel->progs.within_value), "program that reaches as far");
}

void test_kmem_cache_iter_wrong_prog(void)
{
	static const struct subtest tests[] = {
		{ "function_of_prog", test_function_of_prog },
		{ "update_sleepable", test_update_sleepable },
		{ "update_reaches_further", test_update_reaches_further },
		{ "tail_call_reaches_further", test_tail_call_reaches_further },
	};

	skel = kmem_cache_iter_wrong_prog__open_and_load();
	if (ASSERT_OK_PTR(skel, "open_and_load"))
		run_subtests(tests, ARRAY_SIZE(tests));
	kmem_cache_iter_wrong_prog__destroy(skel);
}
