// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong arguments of bpf(): to make a link of the kmem_cache iterator, to change it or
 * to ask for it, and to make a file of it. All of it is answered alike by the iterator
 * in C.
 */
#include <test_progs.h>
#include "kmem_cache_iter_common.h"
#include "kmem_cache_iter_wrong_link.skel.h"

static struct kmem_cache_iter_wrong_link *skel;
static int prog_fd, second_fd;
static size_t page_size;

/* Nothing can be read or written there. */
static void *nowhere;

static int call(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long ret = syscall(__NR_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

/* What makes a link when nothing is changed in it. */
static union bpf_attr link_attr(void)
{
	union bpf_attr attr = {};

	attr.link_create.prog_fd = prog_fd;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	return attr;
}

static int create_link(void)
{
	union bpf_attr attr = link_attr();
	int fd = call(BPF_LINK_CREATE, &attr);

	ASSERT_GE(fd, 0, "create a link");
	return fd;
}

static int create_with_info(const void *info, __u32 len)
{
	union bpf_attr attr = link_attr();

	attr.link_create.iter_info = ptr_to_u64(info);
	attr.link_create.iter_info_len = len;
	return call(BPF_LINK_CREATE, &attr);
}

static void test_info_without_len(void)
{
	union bpf_iter_link_info info = {};

	check_refused(create_with_info(&info, 0), -EINVAL, "info without a length");
	check_refused(create_with_info(NULL, sizeof(info)), -EINVAL, "length without info");
	check_refused(create_with_info(NULL, 1), -EINVAL, "short length without info");
	check_granted(create_with_info(NULL, 0), "neither");
}

/* The target has no parameters, and whatever they are is not looked at. */
static void test_info_ignored(void)
{
	union bpf_iter_link_info info;
	__u32 len;

	memset(&info, 0xff, sizeof(info));
	for (len = 1; len <= sizeof(info); len++)
		check_granted(create_with_info(&info, len), "info of ones");

	memset(&info, 0, sizeof(info));
	info.map.map_fd = prog_fd;
	check_granted(create_with_info(&info, sizeof(info)), "map that is none");

	memset(&info, 0, sizeof(info));
	info.cgroup.order = 0xff;
	info.cgroup.cgroup_fd = prog_fd;
	info.cgroup.cgroup_id = 1;
	check_granted(create_with_info(&info, sizeof(info)), "cgroup that is none");

	memset(&info, 0, sizeof(info));
	info.task.tid = 1;
	info.task.pid_fd = prog_fd;
	check_granted(create_with_info(&info, sizeof(info)), "task that is none");
}

static void test_info_too_long(void)
{
	size_t size = sizeof(union bpf_iter_link_info);
	char *info = calloc(2, page_size);

	if (!ASSERT_OK_PTR(info, "memory"))
		return;
	check_granted(create_with_info(info, size + 1), "a zero more");
	check_granted(create_with_info(info, page_size), "a page of zeros");
	check_refused(create_with_info(info, page_size + 1), -E2BIG, "more than a page of zeros");
	info[size] = 1;
	check_refused(create_with_info(info, size + 1), -E2BIG, "something unknown");
	check_granted(create_with_info(info, size), "nothing unknown");
	info[size] = 0;
	info[page_size - 1] = 1;
	check_refused(create_with_info(info, page_size), -E2BIG, "something unknown at the end");
	free(info);
}

static void test_info_unreadable(void)
{
	size_t size = sizeof(union bpf_iter_link_info);

	check_refused(create_with_info(nowhere, 1), -EFAULT, "one byte");
	check_refused(create_with_info(nowhere, size), -EFAULT, "info");
	check_refused(create_with_info(nowhere, size + 1), -EFAULT, "more than info");
}

static void test_create_flags(void)
{
	union bpf_attr attr = link_attr();
	int bit;

	for (bit = 0; bit < 32; bit++) {
		attr.link_create.flags = 1U << bit;
		check_refused(call(BPF_LINK_CREATE, &attr), -EINVAL, "flag");
	}
}

static void test_create_target_fd(void)
{
	int fds[] = { 1, prog_fd, -1 }, i;
	union bpf_attr attr = link_attr();

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		attr.link_create.target_fd = fds[i];
		check_refused(call(BPF_LINK_CREATE, &attr), -EINVAL, "target file");
	}
}

static void test_create_attach_type(void)
{
	int types[] = { 0, BPF_TRACE_FENTRY, BPF_TRACE_RAW_TP, __MAX_BPF_ATTACH_TYPE, -1 }, i;
	union bpf_attr attr = link_attr();

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		attr.link_create.attach_type = types[i];
		check_refused(call(BPF_LINK_CREATE, &attr), -EINVAL, "type");
	}
}

static void test_create_prog(void)
{
	union bpf_attr attr = link_attr();
	int link_fd = create_link();

	attr.link_create.prog_fd = -1;
	check_refused(call(BPF_LINK_CREATE, &attr), -EBADF, "no file");
	attr.link_create.prog_fd = link_fd;
	check_refused(call(BPF_LINK_CREATE, &attr), -EINVAL, "link");
	attr.link_create.prog_fd = bpf_program__fd(skel->progs.is_run);
	check_refused(call(BPF_LINK_CREATE, &attr), -EINVAL, "program of another type");
	close(link_fd);
}

static void test_create_unknown(void)
{
	struct {
		union bpf_attr attr;
		__u64 more;
	} longer = { .attr = link_attr() };
	union bpf_attr attr = link_attr();
	int fd;

	((char *)&attr)[sizeof(attr) - 1] = 1;
	check_refused(call(BPF_LINK_CREATE, &attr), -EINVAL, "argument of other commands");

	fd = syscall(__NR_bpf, BPF_LINK_CREATE, &longer, sizeof(longer));
	check_granted(fd, "more zeros");
	longer.more = 1;
	fd = syscall(__NR_bpf, BPF_LINK_CREATE, &longer, sizeof(longer));
	check_refused(fd < 0 ? -errno : fd, -E2BIG, "unknown argument");
}

/* Other ways to attach a program, or to run it. */
static void test_other_commands(void)
{
	union bpf_attr attr = {};

	attr.raw_tracepoint.prog_fd = prog_fd;
	check_refused(call(BPF_RAW_TRACEPOINT_OPEN, &attr), -EINVAL, "open as a tracepoint");

	memset(&attr, 0, sizeof(attr));
	attr.attach_bpf_fd = prog_fd;
	attr.attach_type = BPF_TRACE_ITER;
	check_refused(call(BPF_PROG_ATTACH, &attr), -EINVAL, "attach without a link");

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = prog_fd;
	check_refused(call(BPF_PROG_TEST_RUN, &attr), -EFAULT, "test run");

	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = prog_fd;
	check_refused(call(BPF_ITER_CREATE, &attr), -EINVAL, "iterator file of a program");
}

static __u32 prog_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	ASSERT_OK(bpf_prog_get_info_by_fd(fd, &info, &len), "info of a program");
	return info.id;
}

static void check_prog_of_link(int link_fd, int fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	ASSERT_OK(bpf_link_get_info_by_fd(link_fd, &info, &len), "info of a link");
	ASSERT_EQ(info.prog_id, prog_id(fd), "program of the link");
}

static int update(int link_fd, int new_fd, __u32 flags, int old_fd)
{
	union bpf_attr attr = {};

	attr.link_update.link_fd = link_fd;
	attr.link_update.new_prog_fd = new_fd;
	attr.link_update.flags = flags;
	attr.link_update.old_prog_fd = old_fd;
	return call(BPF_LINK_UPDATE, &attr);
}

static void test_update_prog(void)
{
	int link_fd = create_link();

	ASSERT_EQ(update(link_fd, bpf_program__fd(skel->progs.other_target), 0, 0), -EINVAL,
		  "program for another target");
	ASSERT_EQ(update(link_fd, bpf_program__fd(skel->progs.other_type), 0, 0), -EINVAL,
		  "program of another type");
	ASSERT_EQ(update(link_fd, bpf_program__fd(skel->progs.is_run), 0, 0), -EINVAL,
		  "program that is run");
	ASSERT_EQ(update(link_fd, -1, 0, 0), -EBADF, "no file");
	ASSERT_EQ(update(link_fd, link_fd, 0, 0), -EINVAL, "link");
	check_prog_of_link(link_fd, prog_fd);

	ASSERT_OK(update(link_fd, second_fd, 0, 0), "another program");
	check_prog_of_link(link_fd, second_fd);
	ASSERT_OK(update(link_fd, bpf_program__fd(skel->progs.sleepable), 0, 0),
		  "sleepable program");
	check_prog_of_link(link_fd, bpf_program__fd(skel->progs.sleepable));
	close(link_fd);
}

static void test_update_old_prog(void)
{
	int link_fd = create_link();

	ASSERT_EQ(update(link_fd, second_fd, 0, prog_fd), -EINVAL, "old program without the flag");
	ASSERT_EQ(update(link_fd, second_fd, BPF_F_REPLACE, second_fd), -EPERM,
		  "old program that is not");
	ASSERT_EQ(update(link_fd, second_fd, BPF_F_REPLACE, -1), -EBADF, "no file");
	ASSERT_EQ(update(link_fd, second_fd, BPF_F_REPLACE, link_fd), -EINVAL, "link");
	check_prog_of_link(link_fd, prog_fd);

	ASSERT_OK(update(link_fd, second_fd, BPF_F_REPLACE, prog_fd), "old program");
	check_prog_of_link(link_fd, second_fd);
	close(link_fd);
}

static void test_update_flags(void)
{
	int link_fd = create_link(), bit;

	for (bit = 0; bit < 32; bit++)
		if (1U << bit != BPF_F_REPLACE)
			ASSERT_EQ(update(link_fd, second_fd, 1U << bit, 0), -EINVAL, "flag");
	check_prog_of_link(link_fd, prog_fd);
	close(link_fd);
}

static void test_update_link(void)
{
	int link_fd = create_link(), fd = bpf_iter_create(link_fd);

	ASSERT_EQ(update(-1, second_fd, 0, 0), -EBADF, "no file");
	ASSERT_EQ(update(prog_fd, second_fd, 0, 0), -EINVAL, "program");
	ASSERT_EQ(update(fd, second_fd, 0, 0), -EINVAL, "iterator file");
	close(fd);
	close(link_fd);
}

static void test_detach(void)
{
	union bpf_attr attr = {};
	int link_fd = create_link();

	attr.link_detach.link_fd = link_fd;
	ASSERT_EQ(call(BPF_LINK_DETACH, &attr), -EOPNOTSUPP, "detach");
	check_prog_of_link(link_fd, prog_fd);
	check_granted(bpf_iter_create(link_fd), "iterator file");
	close(link_fd);
}

static int get_info(int link_fd, struct bpf_link_info *info, void *name, __u32 name_len)
{
	union bpf_attr attr = {};

	memset(info, 0, sizeof(*info));
	info->iter.target_name = ptr_to_u64(name);
	info->iter.target_name_len = name_len;
	attr.info.bpf_fd = link_fd;
	attr.info.info = ptr_to_u64(info);
	attr.info.info_len = sizeof(*info);
	return call(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static void test_name_too_small(void)
{
	char name[sizeof(ITER_TARGET) + 8], expected[sizeof(name)];
	struct bpf_link_info info;
	int link_fd = create_link();
	__u32 len;

	for (len = 1; len < sizeof(ITER_TARGET); len++) {
		memset(name, '~', sizeof(name));
		memset(expected, '~', sizeof(expected));
		memcpy(expected, ITER_TARGET, len - 1);
		expected[len - 1] = '\0';
		ASSERT_EQ(get_info(link_fd, &info, name, len), -ENOSPC, "small buffer");
		ASSERT_OK(memcmp(name, expected, sizeof(name)), "beginning of the name");
		ASSERT_EQ(info.iter.target_name_len, len, "length that is left alone");
	}
	for (; len < sizeof(name); len++) {
		memset(name, '~', sizeof(name));
		memset(expected, '~', sizeof(expected));
		memcpy(expected, ITER_TARGET, sizeof(ITER_TARGET));
		ASSERT_OK(get_info(link_fd, &info, name, len), "buffer");
		ASSERT_OK(memcmp(name, expected, sizeof(name)), "name");
		ASSERT_EQ(info.iter.target_name_len, sizeof(ITER_TARGET), "length");
	}
	close(link_fd);
}

static void test_name_without_buffer(void)
{
	struct bpf_link_info info;
	int link_fd = create_link();
	char name = '~';

	ASSERT_EQ(get_info(link_fd, &info, NULL, 1), -EINVAL, "length without a buffer");
	ASSERT_EQ(get_info(link_fd, &info, NULL, sizeof(ITER_TARGET)), -EINVAL,
		  "right length without a buffer");
	ASSERT_EQ(get_info(link_fd, &info, &name, 0), -EINVAL, "buffer without a length");
	ASSERT_EQ(name, '~', "buffer");

	ASSERT_OK(get_info(link_fd, &info, NULL, 0), "neither");
	ASSERT_EQ(info.type, BPF_LINK_TYPE_ITER, "type");
	ASSERT_EQ(info.iter.target_name_len, sizeof(ITER_TARGET), "length");
	close(link_fd);
}

static void test_name_unwritable(void)
{
	struct bpf_link_info info;
	int link_fd = create_link();
	__u32 len;

	for (len = 1; len <= sizeof(ITER_TARGET); len++)
		ASSERT_EQ(get_info(link_fd, &info, nowhere, len), -EFAULT, "buffer");
	close(link_fd);
}

static void test_link_info_len(void)
{
	struct {
		struct bpf_link_info info;
		__u64 more;
	} longer = {};
	union bpf_attr attr = {};

	attr.info.bpf_fd = create_link();
	attr.info.info = ptr_to_u64(&longer);

	attr.info.info_len = sizeof(longer);
	ASSERT_OK(call(BPF_OBJ_GET_INFO_BY_FD, &attr), "more zeros");
	ASSERT_EQ(attr.info.info_len, sizeof(longer.info), "length");

	attr.info.info_len = sizeof(longer);
	longer.more = 1;
	ASSERT_EQ(call(BPF_OBJ_GET_INFO_BY_FD, &attr), -E2BIG, "unknown info");

	/* Too short for the name to be asked for. */
	memset(&longer, 0, sizeof(longer));
	attr.info.info_len = offsetof(struct bpf_link_info, iter.target_name);
	ASSERT_OK(call(BPF_OBJ_GET_INFO_BY_FD, &attr), "short info");
	ASSERT_EQ(longer.info.prog_id, prog_id(prog_fd), "program");
	ASSERT_EQ(longer.info.iter.target_name_len, 0, "length that is left alone");

	attr.info.info = ptr_to_u64(nowhere);
	attr.info.info_len = sizeof(longer.info);
	ASSERT_EQ(call(BPF_OBJ_GET_INFO_BY_FD, &attr), -EFAULT, "unreadable info");
	close(attr.info.bpf_fd);
}

static void test_iter_create(void)
{
	union bpf_attr attr = {};
	struct bpf_link *link;
	int link_fd = create_link(), fd;

	attr.iter_create.link_fd = link_fd;
	attr.iter_create.flags = 1;
	check_refused(call(BPF_ITER_CREATE, &attr), -EINVAL, "flag");
	attr.iter_create.flags = 0;
	fd = call(BPF_ITER_CREATE, &attr);
	ASSERT_GE(fd, 0, "iterator file");

	attr.iter_create.link_fd = fd;
	check_refused(call(BPF_ITER_CREATE, &attr), -EINVAL, "iterator file of an iterator file");
	attr.iter_create.link_fd = -1;
	check_refused(call(BPF_ITER_CREATE, &attr), -EBADF, "iterator file of no file");
	close(fd);
	close(link_fd);

	link = bpf_program__attach_raw_tracepoint(skel->progs.other_type, "sched_switch");
	if (!ASSERT_OK_PTR(link, "attach to a tracepoint"))
		return;
	attr.iter_create.link_fd = bpf_link__fd(link);
	check_refused(call(BPF_ITER_CREATE, &attr), -EINVAL, "iterator file of another link");
	bpf_link__destroy(link);
}

static bool set_up(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	nowhere = map_nowhere(page_size);
	if (!nowhere)
		return false;
	skel = kmem_cache_iter_wrong_link__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		return false;
	prog_fd = bpf_program__fd(skel->progs.first);
	second_fd = bpf_program__fd(skel->progs.second);
	return true;
}

void test_kmem_cache_iter_verifier_link(void)
{
	static const struct subtest tests[] = {
		{ "create_info_without_len", test_info_without_len },
		{ "create_info_ignored", test_info_ignored },
		{ "create_info_too_long", test_info_too_long },
		{ "create_info_unreadable", test_info_unreadable },
		{ "create_flags", test_create_flags },
		{ "create_target_fd", test_create_target_fd },
		{ "create_attach_type", test_create_attach_type },
		{ "create_prog", test_create_prog },
		{ "create_unknown", test_create_unknown },
		{ "other_commands", test_other_commands },
		{ "update_prog", test_update_prog },
		{ "update_old_prog", test_update_old_prog },
		{ "update_flags", test_update_flags },
		{ "update_link", test_update_link },
		{ "detach", test_detach },
		{ "info_name_too_small", test_name_too_small },
		{ "info_name_without_buffer", test_name_without_buffer },
		{ "info_name_unwritable", test_name_unwritable },
		{ "info_len", test_link_info_len },
		{ "iter_create", test_iter_create },
	};

	if (set_up())
		run_subtests(tests, ARRAY_SIZE(tests));
	kmem_cache_iter_wrong_link__destroy(skel);
	munmap(nowhere, page_size);
}
