// SPDX-License-Identifier: GPL-2.0
/*
 * What is said when the engine's device cannot be had: each cause has its own line and remedy.
 */
#include "unit/fake_tree.h"

#include <errno.h>
#include <linux/capability.h>

#include "lib/attach.h"

static struct ksm_io io;

static void status(int seccomp, const char *capabilities)
{
	char text[256];

	snprintf(text, sizeof(text), "Name:\tksmctl\nSeccomp:\t%d\nCapInh:\t0\nCapEff:\t%s\n",
		 seccomp, capabilities);
	tree_put("/proc/self/status", text);
	assert_int_equal(ksm_io_init(&io, tree_root), 0);
}

static void reason(int code, const char *want)
{
	char text[256];

	ksm_attach_reason(&io, code, text, sizeof(text));
	if (!strstr(text, want))
		fail_msg("no '%s' in '%s'", want, text);
}

static void test_own_status(void **state)
{
	status(0, "000001ffffffffff");
	assert_false(ksm_seccomp_filtered(&io));
	assert_true(ksm_has_capability(&io, CAP_SYS_ADMIN));
	status(2, "000001ffffdfffff");
	assert_true(ksm_seccomp_filtered(&io));
	assert_false(ksm_has_capability(&io, CAP_SYS_ADMIN));
	assert_true(ksm_has_capability(&io, CAP_SYS_PTRACE));
	/* nothing is known: nothing is claimed */
	tree_drop("/proc/self/status");
	assert_false(ksm_seccomp_filtered(&io));
	assert_false(ksm_has_capability(&io, CAP_SYS_ADMIN));
}

/* EPERM has three causes, which have three remedies. */
static void test_permission(void **state)
{
	status(0, "0000000000000000");
	reason(-EPERM, "needs CAP_SYS_ADMIN");
	status(2, "0000000000000000");
	reason(-EPERM, "needs CAP_SYS_ADMIN");
	status(2, "000001ffffffffff");
	reason(-EPERM, "seccomp filter");
	reason(-ENOSYS, "seccomp filter");
	status(0, "000001ffffffffff");
	reason(-EPERM, "Operation not permitted");
	reason(-EACCES, "may not be traced");
}

static void test_reasons(void **state)
{
	status(0, "000001ffffffffff");
	reason(-ESRCH, "has ended");
	reason(-ENXIO, "is a thread");
	reason(-EOPNOTSUPP, "kernel thread");
	reason(-ENOENT, "not attached");
	reason(-ENOTTY, "another version");
	reason(-EINVAL, "another version");
	reason(-E2BIG, "another version");
	reason(-ENOMEM, "out of memory");
	reason(-EINTR, "interrupted");
	reason(-EIO, strerror(EIO));
}

static void test_open(void **state)
{
	struct ksm_error err = { 0 };

	status(0, "0000000000000000");
	assert_int_equal(ksm_attach_open(&io, &err), -ENOENT);
	assert_non_null(strstr(err.text, "modprobe ksm_engine"));
	assert_false(err.usage);
}

/* Real processes: behind the pidfd it has to be alive, and selected still. */
static void test_pidfd(void **state)
{
	struct ksm_selection named = { .pids = "1" }, other = { .match = "no such name" };
	int fd;

	assert_int_equal(ksm_io_init(&io, "/"), 0);
	fd = ksm_attach_pidfd(&io, &named, getpid());
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ksm_attach_pidfd(&io, &other, getpid()), -ESRCH);
	assert_int_equal(ksm_attach_pidfd(&io, &named, INT32_MAX), -ESRCH);
}

/* A file that is no device answers as one of another version would. */
static void test_no_device(void **state)
{
	struct ksm_abi_attached *rows;
	struct ksm_abi_attach result;
	struct ksm_error err;
	size_t count;
	int fd;

	status(0, "000001ffffffffff");
	tree_put("/dev/ksm_engine", "no device\n");
	fd = ksm_attach_open(&io, &err);
	assert_true(fd >= 0);
	assert_int_equal(ksm_attach_call(fd, KSM_ABI_ATTACH, 3, &result), -ENOTTY);
	assert_int_equal(ksm_attach_list(fd, &rows, &count), -ENOTTY);
	assert_null(rows);
	assert_int_equal(count, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own_status, tree_new, tree_delete),
		cmocka_unit_test_setup_teardown(test_permission, tree_new, tree_delete),
		cmocka_unit_test_setup_teardown(test_reasons, tree_new, tree_delete),
		cmocka_unit_test_setup_teardown(test_open, tree_new, tree_delete),
		cmocka_unit_test(test_pidfd),
		cmocka_unit_test_setup_teardown(test_no_device, tree_new, tree_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
