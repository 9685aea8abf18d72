// SPDX-License-Identifier: GPL-2.0
/*
 * A process with memory of one kind, until it is killed: what KSM takes, and what it never does.
 * Called as qemu-system-x86_64 it is a virtual machine to whoever looks at command lines.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lib.h"

#define MIB 32

static void *map(int flags)
{
	size_t size = (size_t)MIB << 20;
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	memset(mem, 0x5a, size);
	return mem;
}

/* As a container's or QEMU's sandbox does: madvise() fails with EPERM. */
static void refuse_madvise(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	const char *kind = argc == 2 ? argv[1] : "";
	void *mem = NULL;

	if (!strcmp(kind, "plain"))
		map(MAP_PRIVATE);
	else if (!strcmp(kind, "shared"))
		map(MAP_SHARED);
	else if (!strcmp(kind, "hugetlb"))
		map(MAP_PRIVATE | MAP_HUGETLB);
	else if (!strcmp(kind, "filtered"))
		mem = map(MAP_PRIVATE);
	else
		die("usage: ksm-unmergeable plain|shared|hugetlb|filtered");
	if (mem) {
		refuse_madvise();
		if (!madvise(mem, (size_t)MIB << 20, MADV_MERGEABLE) || errno != EPERM)
			die("madvise() was not refused");
	}
	say("ready");
	pause();
	return 0;
}
