// SPDX-License-Identifier: GPL-2.0
/*
 * Run a command with less than root has: in a sandbox that refuses one system call with EPERM, as
 * container runtimes do; without CAP_SYS_ADMIN; as another user.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lib.h"

#define PR_SET_MEMORY_MERGE_NR 67

static const struct {
	const char *name;
	unsigned int nr;
	int arg; /* only with this first argument, -1 for any */
} calls[] = {
	{ "ioctl", SYS_ioctl, -1 },
	{ "pidfd_open", SYS_pidfd_open, -1 },
	{ "memory_merge", SYS_prctl, PR_SET_MEMORY_MERGE_NR },
};

static void refuse(unsigned int nr, int arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)arg, 0, arg < 0 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp: %s", strerror(errno));
}

static void drop(const char *what)
{
	if (!strcmp(what, "user") && !setresuid(65534, 65534, 65534))
		return;
	if (!strcmp(what, "sys_admin") && !prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN))
		return;
	die("cannot drop '%s'", what);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("usage: ksm-sandbox CALL|sys_admin|user COMMAND...");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, argv[1]))
			continue;
		refuse(calls[i].nr, calls[i].arg);
		break;
	}
	if (!prctl(PR_GET_SECCOMP))
		drop(argv[1]);
	execvp(argv[2], argv + 2);
	die("%s: %s", argv[2], strerror(errno));
}
