// SPDX-License-Identifier: GPL-2.0
/*
 * Programs for the kmem_cache iterator that are refused when they are loaded. Most are
 * in progs/kmem_cache_iter_verifier_*.c, each with what the verifier must say, and what
 * libbpf would not let pass is loaded by hand. All of it is answered alike by the
 * iterator in C.
 */
#include <test_progs.h>
#include "cap_helpers.h"
#include "kmem_cache_iter_module.h"
#include "kmem_cache_iter_verifier_ctx.skel.h"
#include "kmem_cache_iter_verifier_entry.skel.h"
#include "kmem_cache_iter_verifier_keep.skel.h"
#include "kmem_cache_iter_verifier_loop.skel.h"
#include "kmem_cache_iter_verifier_newer.skel.h"
#include "kmem_cache_iter_verifier_sleep.skel.h"
#include "kmem_cache_iter_verifier_throw.skel.h"
#include "kmem_cache_iter_verifier_types.skel.h"
#include "kmem_cache_iter_wrong_load.skel.h"

#define LOG_SIZE	65536

static struct kmem_cache_iter_wrong_load *skel;

/* Load one program that is not for a target. */
static int load_alone(const char *name)
{
	struct kmem_cache_iter_wrong_load *other = kmem_cache_iter_wrong_load__open();
	struct bpf_program *prog;
	int err;

	if (!ASSERT_OK_PTR(other, "open"))
		return 0;
	bpf_object__for_each_program(prog, other->obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	err = kmem_cache_iter_wrong_load__load(other);
	kmem_cache_iter_wrong_load__destroy(other);
	return err;
}

static void test_unknown_target(void)
{
	ASSERT_EQ(load_alone("unknown_target"), -ESRCH, "target without a function");
	ASSERT_EQ(load_alone("no_target"), -EINVAL, "function without a target");
	ASSERT_OK(load_alone("target"), "target");
}

static char log_buf[LOG_SIZE];

/* Have in log_buf what the verifier says to the program that is loaded with @opts. */
static void take_log(struct bpf_prog_load_opts *opts)
{
	log_buf[0] = '\0';
	opts->log_buf = log_buf;
	opts->log_size = sizeof(log_buf);
	opts->log_level = 1;
}

/* Load a program that reads the entry. */
static int load_for(int btf_fd, int btf_id, const char *license)
{
	const struct bpf_insn insns[] = {
		BPF_LDX_MEM(BPF_DW, BPF_REG_1, BPF_REG_1, 8),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_1, 0, 1),
		BPF_LDX_MEM(BPF_DW, BPF_REG_1, BPF_REG_1, 0),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	opts.expected_attach_type = BPF_TRACE_ITER;
	opts.attach_btf_obj_fd = btf_fd;
	opts.attach_btf_id = btf_id;
	take_log(&opts);
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "wrong", license, insns, ARRAY_SIZE(insns),
			     &opts);
}

static void check_load(int fd, int err, const char *says, const char *what)
{
	check_refused(fd, err, what);
	if (says)
		ASSERT_HAS_SUBSTR(log_buf, says, what);
}

static void test_wrong_function(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id;

	if (!ASSERT_OK_PTR(btf, "BTF of vmlinux"))
		return;
	check_load(load_for(0, 0, "GPL"), -EINVAL, NULL, "no id");
	check_load(load_for(0, btf__type_cnt(btf), "GPL"), -EINVAL, "is invalid",
		   "id that is none");

	id = btf__find_by_name_kind(btf, "kmem_cache", BTF_KIND_STRUCT);
	if (ASSERT_GT(id, 0, "struct kmem_cache"))
		check_load(load_for(0, id, "GPL"), -EINVAL, "is not a function", "entry");
	id = btf__find_by_name_kind(btf, "kmem_cache_destroy", BTF_KIND_FUNC);
	if (ASSERT_GT(id, 0, "kmem_cache_destroy()"))
		check_load(load_for(0, id, "GPL"), -EINVAL, NULL, "function of another name");
	btf__free(btf);
}

static void test_license(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int prog_fd = bpf_program__fd(skel->progs.target), btf_fd;

	if (!ASSERT_OK(bpf_prog_get_info_by_fd(prog_fd, &info, &len), "info of a program"))
		return;
	btf_fd = bpf_btf_get_fd_by_id(info.attach_btf_obj_id);
	if (!ASSERT_GE(btf_fd, 0, "BTF of the target"))
		return;
	check_granted(load_for(btf_fd, info.attach_btf_id, "GPL"), "program for the target");
	check_load(load_for(btf_fd, info.attach_btf_id, "Proprietary"), -EINVAL,
		   "Cannot access kernel 'struct kmem_cache' from non-GPL compatible program",
		   "program that reads the entry");
	close(btf_fd);

	take_log(&opts);
	check_granted(load_loop(skel->progs.loop, "GPL", &opts), "loop");
	check_load(load_loop(skel->progs.loop, "Proprietary", &opts), -EINVAL,
		   "cannot call kernel function from non-GPL compatible program", "loop");
}

/*
 * What loads programs needs CAP_BPF and CAP_PERFMON, and CAP_SYS_ADMIN for the BTF of a
 * module, without which libbpf does not find the target.
 */
static void test_capabilities(void)
{
	bool in_module = !access("/sys/kernel/btf/" ITER_MODULE, F_OK);
	struct kmem_cache_iter_wrong_load *loaded;
	__u64 caps;

	if (!ASSERT_OK(cap_disable_effective(1ULL << CAP_SYS_ADMIN, &caps), "no CAP_SYS_ADMIN"))
		return;
	loaded = kmem_cache_iter_wrong_load__open_and_load();
	if (in_module)
		ASSERT_EQ(loaded ? 0 : errno, ESRCH, "load without CAP_SYS_ADMIN");
	else
		ASSERT_OK_PTR(loaded, "load without CAP_SYS_ADMIN");
	kmem_cache_iter_wrong_load__destroy(loaded);
	ASSERT_OK(cap_enable_effective(caps, NULL), "capabilities as before");
}

/* Load the BTF of a map whose values have a pointer to a @type with this @tag. */
static int load_kptr(const char *type, const char *tag)
{
	struct btf *btf = btf__new_empty();
	int id, err = -ENOMEM;

	if (!ASSERT_OK_PTR(btf, "BTF"))
		return err;
	id = btf__add_struct(btf, type, 4);
	id = btf__add_type_tag(btf, tag, id);
	id = btf__add_ptr(btf, id);
	if (btf__add_struct(btf, "value", 8) > 0 && !btf__add_field(btf, "kept", id, 0, 0))
		err = btf__load_into_kernel(btf);
	btf__free(btf);
	return err;
}

/* The kernel knows of no way to let go of a slab cache that a map owns. */
static void test_kptr(void)
{
	ASSERT_EQ(load_kptr(ITER_TARGET, "kptr"), -ENOENT, "owning pointer");
	ASSERT_OK(load_kptr(ITER_TARGET, "kptr_untrusted"), "pointer that is not trusted");
	ASSERT_OK(load_kptr("task_struct", "kptr"), "owning pointer to a task");
}

/* Whether the kernel is newer than Linux 7.2. */
static bool has_rhash(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(35 /* BPF_MAP_TYPE_RHASH */, "rhash", 4, 8, 1, &opts);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void test_kmem_cache_iter_verifier(void)
{
	static const struct subtest tests[] = {
		{ "load_unknown_target", test_unknown_target },
		{ "load_wrong_function", test_wrong_function },
		{ "load_license", test_license },
		{ "load_capabilities", test_capabilities },
		{ "load_kptr", test_kptr },
	};

	skel = kmem_cache_iter_wrong_load__open_and_load();
	if (ASSERT_OK_PTR(skel, "open_and_load"))
		run_subtests(tests, ARRAY_SIZE(tests));
	kmem_cache_iter_wrong_load__destroy(skel);

	RUN_TESTS(kmem_cache_iter_verifier_ctx);
	RUN_TESTS(kmem_cache_iter_verifier_entry);
	RUN_TESTS(kmem_cache_iter_verifier_keep);
	RUN_TESTS(kmem_cache_iter_verifier_sleep);
	if (has_rhash())
		RUN_TESTS(kmem_cache_iter_verifier_newer);
	if (!is_debug_kernel())
		RUN_TESTS(kmem_cache_iter_verifier_throw);
	RUN_TESTS(kmem_cache_iter_verifier_loop);
	RUN_TESTS(kmem_cache_iter_verifier_types);
}
