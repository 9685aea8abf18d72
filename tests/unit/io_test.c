// SPDX-License-Identifier: GPL-2.0
#include "unit/fake_tree.h"

#include <errno.h>

static struct ksm_io io_at_tree(void)
{
	struct ksm_io io;

	assert_int_equal(ksm_io_init(&io, tree_root), 0);
	return io;
}

static void test_roots(void **state)
{
	char huge[PATH_MAX + 8];
	struct ksm_io io;

	unsetenv(KSM_IO_ROOT_ENV);
	assert_int_equal(ksm_io_init(&io, NULL), 0);
	assert_string_equal(io.root, "");
	assert_int_equal(ksm_io_init(&io, "/"), 0);
	assert_string_equal(io.root, "");
	assert_int_equal(ksm_io_init(&io, "/some/tree//"), 0);
	assert_string_equal(io.root, "/some/tree");
	setenv(KSM_IO_ROOT_ENV, "/from/env", 1);
	assert_int_equal(ksm_io_init(&io, NULL), 0);
	assert_string_equal(io.root, "/from/env");
	unsetenv(KSM_IO_ROOT_ENV);
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(ksm_io_init(&io, huge), -ENAMETOOLONG);
}

static void test_read(void **state)
{
	struct ksm_io io = io_at_tree();
	char buf[8];

	tree_put("/a/b", "12345\n");
	assert_int_equal(ksm_io_read(&io, "/a/b", buf, sizeof(buf)), 6);
	assert_string_equal(buf, "12345\n");
	tree_put("/a/b", "1234567");
	assert_int_equal(ksm_io_read(&io, "/a/b", buf, sizeof(buf)), 7);
	tree_put("/a/b", "12345678");
	assert_int_equal(ksm_io_read(&io, "/a/b", buf, sizeof(buf)), -EFBIG);
	assert_string_equal(buf, "");
	assert_int_equal(ksm_io_read(&io, "/a/none", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(ksm_io_read(&io, "/a", buf, sizeof(buf)), -EISDIR);
}

static void test_write(void **state)
{
	struct ksm_io io = io_at_tree();

	tree_put("/knob", "10000\n");
	assert_int_equal(ksm_io_write(&io, "/knob", "7"), 0);
	tree_expect("/knob", "7\n");
	assert_int_equal(ksm_io_write(&io, "/none", "7"), -ENOENT);
	assert_false(ksm_io_exists(&io, "/none"));
	assert_true(ksm_io_exists(&io, "/knob"));
	assert_int_equal(ksm_io_writable(&io, "/knob"), 0);
	assert_int_equal(ksm_io_writable(&io, "/none"), -ENOENT);
}

struct lines {
	unsigned int count;
	char last[64];
};

static int take_line(const char *line, void *ctx)
{
	struct lines *l = ctx;

	l->count++;
	snprintf(l->last, sizeof(l->last), "%.32s", line);
	return !strcmp(line, "stop") ? 5 : 0;
}

static void test_lines(void **state)
{
	struct ksm_io io = io_at_tree();
	struct lines l = { 0 };

	tree_put("/file", "one\n\nthree");
	assert_int_equal(ksm_io_each_line(&io, "/file", take_line, &l), 0);
	assert_int_equal(l.count, 3);
	assert_string_equal(l.last, "three");
	tree_put("/file", "stop\nmore\n");
	l.count = 0;
	assert_int_equal(ksm_io_each_line(&io, "/file", take_line, &l), 5);
	assert_int_equal(l.count, 1);
	assert_int_equal(ksm_io_each_line(&io, "/none", take_line, &l), -ENOENT);
	assert_int_equal(ksm_io_each_line(&io, "/", take_line, &l), -EISDIR);
}

static int add_pid(pid_t pid, void *ctx)
{
	*(int *)ctx += pid;
	return pid == 666;
}

static void test_pids(void **state)
{
	struct ksm_io io = io_at_tree();
	int sum = 0;

	assert_int_equal(ksm_io_each_pid(&io, add_pid, &sum), -ENOENT);
	tree_put("/proc/1/comm", "init\n");
	tree_put("/proc/30/comm", "x\n");
	tree_put("/proc/self/comm", "x\n");
	tree_put("/proc/99999999999/comm", "x\n");
	tree_put("/proc/0/comm", "x\n");
	tree_put("/proc/12x/comm", "x\n");
	assert_int_equal(ksm_io_each_pid(&io, add_pid, &sum), 0);
	assert_int_equal(sum, 31);
	tree_put("/proc/666/comm", "x\n");
	assert_int_equal(ksm_io_each_pid(&io, add_pid, &sum), 1);
}

#define TREE(f) cmocka_unit_test_setup_teardown(f, tree_new, tree_delete)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),
		TREE(test_read),
		TREE(test_write),
		TREE(test_lines),
		TREE(test_pids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
