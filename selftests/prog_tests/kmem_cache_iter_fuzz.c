// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences of what can be done with the kmem_cache iterator.
 *
 * What is known of the state (kmem_cache_iter_fuzz_model.h) says what each operation
 * (kmem_cache_iter_fuzz_ops.h) must answer, and what a file must show. A sequence
 * depends on nothing but its seed, which is on the console before it begins: with it
 * as SEED, the same sequence comes first. The sequence in FUZZ is run instead, when
 * there is one: "create 1 0;read 0 5".
 */
#include <test_progs.h>
#include "kmem_cache_iter_fuzz_ops.h"

#define KMSG		"/dev/kmsg"
#define LEVEL_WARNING	4

#define OPERATIONS		20000
#define OPERATIONS_DEBUG	100000
/* In sequences. */
#define UNLOAD_EACH		10

static const struct op {
	const char *name;
	int weight;
	int (*run)(__u32 a, __u32 b);
} ops[] = {
	{ "insmod",	5,	op_insmod },
	{ "rmmod",	2,	op_rmmod },
	{ "load",	6,	op_load },
	{ "unload",	5,	op_unload },
	{ "run",	6,	op_run },
	{ "attach",	16,	op_attach },
	{ "update",	8,	op_update },
	{ "detach",	3,	op_detach },
	{ "info",	8,	op_info },
	{ "fdinfo",	4,	op_fdinfo },
	{ "pin",	8,	op_pin },
	{ "unpin",	6,	op_unpin },
	{ "close_link",	12,	op_close_link },
	{ "iter",	28,	op_iter },
	{ "open",	10,	op_open },
	{ "read",	130,	op_read },
	{ "read_badly",	8,	op_read_badly },
	{ "pread",	12,	op_pread },
	{ "lseek",	4,	op_lseek },
	{ "write",	4,	op_write },
	{ "poll",	4,	op_poll },
	{ "dup",	12,	op_dup },
	{ "close",	28,	op_close },
	{ "fork",	2,	op_fork },
	{ "reap",	2,	op_reap },
	{ "create",	10,	op_create },
	{ "destroy",	8,	op_destroy },
};

static long done[ARRAY_SIZE(ops)];

struct step {
	const struct op *op;
	__u32 a, b;
};

static int pick_steps(struct step *steps, int nr, unsigned int seed)
{
	int i, j, total = 0, left;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	srand(seed);
	for (i = 0; i < nr; i++) {
		left = rand() % total;
		for (j = 0; left >= ops[j].weight; j++)
			left -= ops[j].weight;
		steps[i].op = &ops[j];
		steps[i].a = rand() % 1000;
		steps[i].b = rand() % 1000;
	}
	return nr;
}

/* The number of steps in @text, or -1. */
static int parse_steps(struct step *steps, int max, const char *text)
{
	char name[32];
	int nr = 0, i;

	while (*text && nr < max) {
		if (sscanf(text, "%31s %u %u", name, &steps[nr].a, &steps[nr].b) != 3)
			return -1;
		for (i = 0; i < ARRAY_SIZE(ops) && strcmp(ops[i].name, name); i++)
			;
		if (i == ARRAY_SIZE(ops))
			return -1;
		steps[nr++].op = &ops[i];
		text += strcspn(text, ";");
		text += *text == ';';
	}
	return nr;
}

static void print_steps(const struct step *steps, int nr)
{
	int i;

	dprintf(STDERR_FILENO, "FUZZ='");
	for (i = 0; i < nr; i++)
		dprintf(STDERR_FILENO, "%s%s %u %u", i ? ";" : "", steps[i].op->name,
			steps[i].a, steps[i].b);
	dprintf(STDERR_FILENO, "'\n");
}

/* Whether the kernel has warned of anything since the last call. */
static int check_kmsg(int kmsg)
{
	char record[8192];
	unsigned int priority;
	int err = 0;
	ssize_t n;

	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		/* There was too much of it to be read. */
		if (n < 0) {
			err = fail("the kernel says more than its log can hold");
			continue;
		}
		record[n] = '\0';
		if (sscanf(record, "%u,", &priority) == 1 && priority % 8 <= LEVEL_WARNING)
			err = fail("the kernel says: %s", strchr(record, ';') ?: record);
	}
	return err;
}

/*
 * Let go of everything. A sequence leaves nothing behind, and nothing that holds the
 * module, which is for @unload to see: that is slow.
 */
static int end_state(bool unload)
{
	bool ok = true;
	int i;

	for (i = 0; i < NR_CHILDREN; i++)
		if (state.children[i].pid)
			ok &= op_reap(i, 0) != FAILED;
	while (pick_file(0))
		op_close(0, 0);
	for (i = 0; i < NR_PINS; i++)
		if (state.pins[i].fd >= 0)
			ok &= op_unpin(i, 0) != FAILED;
	while (pick_link(0))
		op_close_link(0, 0);
	while (pick_prog(0))
		op_unload(0, 0);
	if (unload)
		ok &= op_rmmod(0, 0) != FAILED;
	if (!state.loaded)
		ok &= op_insmod(0, 0) != FAILED;
	destroy_caches(0, NR_CACHES);
	ok &= expect("caches are destroyed", caches_go(CACHE_PREFIX "-"), true) != FAILED;
	return ok ? DONE : FAILED;
}

/* Returns how many of the operations had something to work on. */
static int run_steps(const struct step *steps, int nr, bool unload)
{
	int i, outcome = DONE, worked = 0;

	begin_state();
	for (i = 0; i < nr && outcome != FAILED; i++) {
		outcome = steps[i].op->run(steps[i].a, steps[i].b);
		worked += outcome == DONE || outcome == REFUSED;
		done[steps[i].op - ops] += outcome == DONE;
		if (outcome == FAILED)
			note("operation %d is it: %s %u %u", i + 1, steps[i].op->name,
			     steps[i].a, steps[i].b);
	}
	return end_state(unload) == FAILED || outcome == FAILED ? FAILED : worked;
}

/* Each operation has been done, and was not refused each time. */
static void check_done(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!is_module && (ops[i].run == op_insmod || ops[i].run == op_rmmod))
			continue;
		note("%-10s %ld times", ops[i].name, done[i]);
		ASSERT_GT(done[i], 0, ops[i].name);
	}
}

static void copy_program(enum kind kind, struct bpf_program *prog, __u32 flags)
{
	struct program *program = &programs[kind];

	program->nr_insns = bpf_program__insn_cnt(prog);
	program->insns = malloc(program->nr_insns * sizeof(struct bpf_insn));
	memcpy(program->insns, bpf_program__insns(prog),
	       program->nr_insns * sizeof(struct bpf_insn));
	program->type = bpf_program__type(prog);
	program->attach_type = bpf_program__expected_attach_type(prog);
	program->flags = flags;
}

static void fuzz(void)
{
	long operations = loaded(is_debug_kernel() ? OPERATIONS_DEBUG : OPERATIONS), worked = 0;
	int kmsg = open(KMSG, O_RDWR | O_NONBLOCK), nr, ret, err = 0;
	struct step steps[SEQUENCE];
	const char *text = getenv("FUZZ");
	unsigned int seed;

	if (!ASSERT_GE(kmsg, 0, "open " KMSG))
		return;
	/* A record with no newline is not shown until there is a next one. */
	dprintf(kmsg, "<6>%s: begins\n", test_name);
	lseek(kmsg, 0, SEEK_END);

	if (text && *text) {
		nr = parse_steps(steps, SEQUENCE, text);
		if (ASSERT_GT(nr, 0, "FUZZ is \"NAME NUMBER NUMBER;...\"") &&
		    ASSERT_GE(run_steps(steps, nr, true), 0, "sequence"))
			ASSERT_OK(check_kmsg(kmsg), "console");
		goto out;
	}

	memset(done, 0, sizeof(done));
	for (seed = pick_seed(test_name); worked < operations && !err; seed++) {
		/* The kernel may not live to tell. */
		dprintf(kmsg, "<6>%s: SEED=%u\n", test_name, seed);
		note_each_minute("%ld of %ld operations", worked, operations);
		nr = pick_steps(steps, SEQUENCE, seed);
		ret = run_steps(steps, nr, seed % UNLOAD_EACH == 0);
		err = ret < 0 ? ret : check_kmsg(kmsg);
		if (!err) {
			worked += ret;
		} else {
			note("SEED=%u repeats the sequence that has failed, and so does", seed);
			print_steps(steps, nr);
		}
	}
	note("%ld operations", worked);
	/* Too few of them leave some to chance. */
	if (ASSERT_OK(err, "sequence") && operations >= OPERATIONS)
		check_done();
out:
	close(kmsg);
}

/* Serial: it counts all caches, and takes the module away from others. */
void serial_test_kmem_cache_iter_fuzz(void)
{
	struct references *references;
	int i;

	is_module = !access(ITER_MODULE_KO, R_OK);
	if (!is_module && !access("/sys/kernel/btf/" ITER_MODULE, F_OK)) {
		skip_test("the module is loaded, but cannot be loaded again from here");
		return;
	}
	if (!ASSERT_OK(load_module(CHURN_MODULE ".ko", false), "load the module"))
		return;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	nowhere = map_nowhere(BUF_SIZE);
	skel = kmem_cache_iter_stress__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load") || !ASSERT_NEQ(shared, MAP_FAILED, "mmap") ||
	    !nowhere)
		goto out;
	target_btf_id = func_btf_id(is_module ? ITER_MODULE : NULL, TARGET_FUNC);
	if (!ASSERT_GT(target_btf_id, 0, "BTF id of the target"))
		goto out;
	if (!ASSERT_OK(run_prog(skel->progs.loop), "loop"))
		goto out;
	nr_others = skel->bss->entries;
	references = take_references();

	copy_program(NAMES, skel->progs.names, 0);
	copy_program(NAMES_SLEEPABLE, skel->progs.names_sleepable, BPF_F_SLEEPABLE);
	copy_program(LONG_LINES, skel->progs.long_lines, 0);
	copy_program(OVERFLOW, skel->progs.overflow, 0);
	copy_program(AGAIN, skel->progs.again, 0);
	copy_program(LOOP, skel->progs.loop, BPF_F_SLEEPABLE);
	/* They would hold the module. Their maps are used by the copies. */
	bpf_program__unload(skel->progs.names);
	bpf_program__unload(skel->progs.names_sleepable);
	bpf_program__unload(skel->progs.long_lines);
	bpf_program__unload(skel->progs.overflow);
	bpf_program__unload(skel->progs.again);
	bpf_program__unload(skel->progs.loop);
	bpf_program__unload(skel->progs.count_references);

	if (test__start_subtest("sequences"))
		fuzz();

	check_references(references);
out:
	for (i = 0; i < NR_KINDS; i++) {
		free(programs[i].insns);
		programs[i].insns = NULL;
	}
	munmap(shared, sizeof(*shared));
	munmap(nowhere, BUF_SIZE);
	kmem_cache_iter_stress__destroy(skel);
	ASSERT_OK(unload_module(CHURN_MODULE, false), "unload the module");
	check_leaks();
}
