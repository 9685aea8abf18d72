// SPDX-License-Identifier: GPL-2.0
/*
 * The attach ioctl as an interface: every wrong argument, every wrong process and every lack of
 * privilege gives the errno that ksm_abi.h promises, and changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/lib.h"

static int device;

/* ---- arguments ---- */

/* A later version of the struct, and one so long that no kernel would take it. */
struct longer {
	struct ksm_abi_attach known;
	uint64_t unknown;
};

struct too_long {
	struct ksm_abi_attach known;
	char unknown[8192];
};

static int call(unsigned long cmd, void *arg)
{
	return ioctl(device, cmd, arg) ? -errno : 0;
}

static void expect(int got, int want, const char *what)
{
	if (got != want)
		die("%s: %s instead of %s", what, strerror(-got), strerror(-want));
}

#define NUMBER(dir, nr, type) _IOC(dir, 'k', nr, sizeof(type))

static void check_numbers(void)
{
	struct ksm_abi_attach arg = { .op = KSM_ABI_ATTACH_LIST,
				      .entry = sizeof(struct ksm_abi_attached) };
	struct longer longer = { .known = arg };
	static struct too_long too_long;

	expect(call(KSM_ABI_ATTACH_IOCTL, &arg), 0, "the right number");
	expect(call(NUMBER(_IOC_READ | _IOC_WRITE, 0x5e, arg), &arg), -ENOTTY, "another number");
	expect(call(_IOWR('x', 0x5d, struct ksm_abi_attach), &arg), -ENOTTY, "another type");
	expect(call(NUMBER(_IOC_WRITE, 0x5d, arg), &arg), -ENOTTY, "another direction");
	expect(call(NUMBER(_IOC_READ | _IOC_WRITE, 0x5d, uint32_t), &arg), -EINVAL, "size 4");
	expect(call(_IOC(_IOC_READ | _IOC_WRITE, 'k', 0x5d, sizeof(arg) - 1), &arg), -EINVAL,
	       "one byte short");
	expect(call(_IOC(_IOC_READ | _IOC_WRITE, 'k', 0x5d, 0), &arg), -EINVAL, "size 0");
	longer.known.count = 0;
	expect(call(NUMBER(_IOC_READ | _IOC_WRITE, 0x5d, longer), &longer), 0, "unknown zeroes");
	longer.known.count = 0;
	longer.unknown = 1;
	expect(call(NUMBER(_IOC_READ | _IOC_WRITE, 0x5d, longer), &longer), -E2BIG,
	       "an unknown field");
	too_long.known = arg;
	too_long.known.count = 0;
	too_long.unknown[8191] = 1;
	expect(call(NUMBER(_IOC_READ | _IOC_WRITE, 0x5d, too_long), &too_long), -E2BIG,
	       "8 KiB of unknown fields");
	expect(call(KSM_ABI_ATTACH_IOCTL, NULL), -EFAULT, "no argument");
	expect(call(KSM_ABI_ATTACH_IOCTL, (void *)-4096), -EFAULT, "a kernel address");
}

static void check_fields(int pidfd)
{
	static const struct ksm_abi_attach bad[] = {
		{ .op = 0 },
		{ .op = 5 },
		{ .op = UINT32_MAX },
		{ .op = KSM_ABI_ATTACH, .flags = 1 },
		{ .op = KSM_ABI_DETACH, .flags = 1u << 31 },
		{ .op = KSM_ABI_ATTACH, .entry = 56 },
		{ .op = KSM_ABI_ATTACH, .buffer = 1 },
		{ .op = KSM_ABI_ATTACH_QUERY, .count = 1 },
		{ .op = KSM_ABI_ATTACH, .areas = 1 },
		{ .op = KSM_ABI_ATTACH, .bytes = 1 },
		{ .op = KSM_ABI_ATTACH, .pages = 1 },
		{ .op = KSM_ABI_ATTACH_LIST, .entry = sizeof(struct ksm_abi_attached) },
		{ .op = KSM_ABI_ATTACH_LIST, .entry = 0 },
		{ .op = KSM_ABI_ATTACH_LIST, .entry = sizeof(struct ksm_abi_attached) - 1 },
		{ .op = KSM_ABI_ATTACH_LIST, .entry = 1 << 20 },
	};
	struct ksm_abi_attach arg;
	char what[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		arg = bad[i];
		/* a list takes no pidfd, so there the pidfd is what is wrong */
		if (arg.op != KSM_ABI_ATTACH_LIST || arg.entry == sizeof(struct ksm_abi_attached))
			arg.pidfd = pidfd;
		snprintf(what, sizeof(what), "bad fields %zu", i);
		expect(call(KSM_ABI_ATTACH_IOCTL, &arg), -EINVAL, what);
	}
	arg = (struct ksm_abi_attach){ .op = KSM_ABI_ATTACH_LIST,
				       .entry = sizeof(struct ksm_abi_attached),
				       .buffer = 8,
				       .count = 1 };
	expect(attach_call(device, KSM_ABI_ATTACH, pidfd, NULL), 0, "attach");
	expect(call(KSM_ABI_ATTACH_IOCTL, &arg), -EFAULT, "a list into nowhere");
	expect(attach_call(device, KSM_ABI_DETACH, pidfd, NULL), 0, "detach");
}

/* A list in a buffer that is too small says how many there are; larger entries end in zeroes. */
static void check_list(int pidfd)
{
	struct {
		struct ksm_abi_attached known;
		uint64_t later;
	} entries[2];
	struct ksm_abi_attach arg = { .op = KSM_ABI_ATTACH_LIST,
				      .entry = sizeof(entries[0]),
				      .buffer = (uintptr_t)entries };

	expect(attach_call(device, KSM_ABI_ATTACH, pidfd, NULL), 0, "attach");
	memset(entries, 0xff, sizeof(entries));
	expect(call(KSM_ABI_ATTACH_IOCTL, &arg), 0, "list without room");
	if (arg.count != 1 || entries[0].known.pid != UINT32_MAX)
		die("list without room: %llu entries", arg.count);
	arg.count = 2;
	expect(call(KSM_ABI_ATTACH_IOCTL, &arg), 0, "list");
	if (arg.count != 1 || !entries[0].known.bytes || entries[0].later ||
	    entries[1].later != UINT64_MAX)
		die("list: %llu entries, %llu bytes, then %llx", arg.count, entries[0].known.bytes,
		    (unsigned long long)entries[0].later);
	expect(attach_call(device, KSM_ABI_DETACH, pidfd, NULL), 0, "detach");
}

/* ---- processes ---- */

static void check_processes(pid_t child, int pidfd)
{
	int null = open("/dev/null", O_RDONLY);
	static const unsigned int ops[] = { KSM_ABI_ATTACH, KSM_ABI_DETACH, KSM_ABI_ATTACH_QUERY };

	for (size_t i = 0; i < 3; i++) {
		expect(attach_call(device, ops[i], null, NULL), -EBADF, "a file that is no pidfd");
		expect(attach_call(device, ops[i], 12345, NULL), -EBADF, "a closed descriptor");
		expect(attach_pid(device, ops[i], 2, NULL), -EOPNOTSUPP, "kthreadd");
	}
	expect(attach_call(device, KSM_ABI_DETACH, pidfd, NULL), -ENOENT, "detach, not attached");
	expect(attach_call(device, KSM_ABI_ATTACH_QUERY, pidfd, NULL), -ENOENT,
	       "query, not attached");
	/* Oneself is a process like any other. */
	expect(attach_pid(device, KSM_ABI_ATTACH, getpid(), NULL), 0, "attach oneself");
	expect(attach_pid(device, KSM_ABI_DETACH, getpid(), NULL), 0, "detach oneself");
	close(null);
}

static pid_t fork_sleeper(pid_t pid)
{
	pid_t set[1] = { pid };
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = pid ? (uintptr_t)set : 0,
				   .set_tid_size = pid ? 1 : 0 };
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (child < 0)
		die("clone3 of PID %d: %s", pid, strerror(errno));
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

/* The number comes back, the process does not: a pidfd is never taken for its successor. */
static void check_reuse(void)
{
	pid_t pid = fork_sleeper(0);
	int old = pidfd_open(pid, 0), err;

	expect(attach_call(device, KSM_ABI_ATTACH, old, NULL), 0, "attach");
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid: %s", strerror(errno));
	expect(attach_call(device, KSM_ABI_ATTACH, old, NULL), -ESRCH, "attach the dead");
	if (fork_sleeper(pid) != pid)
		die("PID %d was not given again", pid);
	if (attach_find(device, pid, NULL))
		die("the list has the successor of a dead process");
	expect(attach_call(device, KSM_ABI_ATTACH, old, NULL), -ESRCH, "attach, number reused");
	expect(attach_call(device, KSM_ABI_DETACH, old, NULL), -ESRCH, "detach, number reused");
	err = attach_pid(device, KSM_ABI_ATTACH_QUERY, pid, NULL);
	expect(err, -ENOENT, "query of the successor");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(old);
	say("a reused number is not taken for the process");
}

/* ---- privilege ---- */

struct sub {
	int (*fn)(int pidfd);
	int want;
	const char *what;
};

static int drop_user(int pidfd)
{
	if (setresuid(65534, 65534, 65534))
		die("setresuid: %s", strerror(errno));
	if (open(KSM_ABI_DEV, O_RDWR) >= 0 || errno != EACCES)
		die("nobody may open " KSM_ABI_DEV);
	return attach_call(device, KSM_ABI_ATTACH, pidfd, NULL);
}

/* CAP_SYS_ADMIN (21) alone taken away, then CAP_SYS_PTRACE (19) alone. */
static int drop_capability(int capability)
{
	struct {
		uint32_t version;
		int pid;
	} header = { 0x20080522, 0 };
	struct {
		uint32_t effective, permitted, inheritable;
	} data[2];

	if (syscall(SYS_capget, &header, data))
		die("capget: %s", strerror(errno));
	data[0].effective &= ~(1u << capability);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int drop_sys_admin(int pidfd)
{
	expect(drop_capability(21), 0, "capset");
	return attach_call(device, KSM_ABI_ATTACH, pidfd, NULL);
}

/* Without CAP_SYS_PTRACE another user's process may not be traced. */
static int drop_ptrace(int pidfd)
{
	expect(drop_capability(19), 0, "capset");
	return attach_call(device, KSM_ABI_ATTACH, pidfd, NULL);
}

static void check_privilege(void)
{
	static const struct sub subs[] = {
		{ drop_user, -EPERM, "as nobody" },
		{ drop_sys_admin, -EPERM, "without CAP_SYS_ADMIN" },
		{ drop_ptrace, -EACCES, "another user's, without CAP_SYS_PTRACE" },
	};
	int pipes[2], status, pidfd;
	pid_t other, pid;
	char byte;

	if (pipe(pipes))
		die("pipe: %s", strerror(errno));
	other = fork();
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setresuid(65533, 65533, 65533) || write(pipes[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(pipes[0], &byte, 1) != 1)
		die("the other user's process did not start");
	pidfd = pidfd_open(other, 0);
	for (size_t i = 0; i < 3; i++) {
		pid = fork();
		if (!pid) {
			expect(subs[i].fn(pidfd), subs[i].want, subs[i].what);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			die("%s: status %#x", subs[i].what, status);
	}
	expect(attach_call(device, KSM_ABI_ATTACH_QUERY, pidfd, NULL), -ENOENT,
	       "refused attachments left nothing");
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	say("lack of privilege: EPERM, EACCES, and nothing attached");
}

int main(int argc, char **argv)
{
	pid_t child;
	int pidfd;

	args_parse(argc, argv, NULL, "Call the attach ioctl in every wrong way.");
	device = attach_device();
	child = fork_sleeper(0);
	pidfd = pidfd_open(child, 0);
	check_numbers();
	check_fields(pidfd);
	check_list(pidfd);
	say("wrong numbers, sizes and fields are refused");
	check_processes(child, pidfd);
	check_reuse();
	check_privilege();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	say("ok: the interface keeps its promises");
	return 0;
}
