// SPDX-License-Identifier: GPL-2.0
/*
 * The least a program does to let KSM merge its memory: one madvise() call.
 *
 * Build:   gcc -o mergeable mergeable.c
 * Run:     ./mergeable & ./mergeable &        with KSM running (ksmctl start)
 * Look:    ksmtop, or cat /proc/PID/ksm_merging_pages
 *
 * Two copies of this program hold the same 16 MiB. Once the scanner has been around a few times
 * they have it together: each page of the second copy maps the frame of the first.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (16 << 20)

int main(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	sigset_t set;
	char *mem;
	int sig;

	/* Only private anonymous memory can be merged: heap, stack, mmap() like this one. */
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED) {
		perror("mmap");
		return 1;
	}

	/*
	 * This is all. It works at any time, before or after the memory is filled, and covers
	 * what is in the range now and later. It fails with EINVAL on a kernel without CONFIG_KSM.
	 *
	 * A program that cannot be changed: prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) (Linux 6.4 and
	 * later) marks everything a process has and will have, and is inherited by what it forks;
	 * so a small wrapper can call it before exec.
	 */
	if (madvise(mem, SIZE, MADV_MERGEABLE)) {
		perror("madvise(MADV_MERGEABLE)");
		return 1;
	}

	/* Every page different from the others, and the same in every copy of this program. */
	for (size_t at = 0; at < SIZE; at += page) {
		memset(mem + at, 0x5a, page);
		memcpy(mem + at, &at, sizeof(at));
	}
	printf("%d: %d KiB mergeable, until SIGTERM or SIGINT\n", getpid(), SIZE >> 10);
	fflush(stdout);

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);

	/*
	 * Merging is never visible in the content: reading costs nothing, and a write to a merged
	 * page gets the writer a copy of its own first (a COW break). To have own frames back
	 * without writing: madvise(mem, SIZE, MADV_UNMERGEABLE).
	 */
	for (size_t at = 0; at < SIZE; at += page) {
		if (memcmp(mem + at, &at, sizeof(at)) || mem[at + page - 1] != 0x5a) {
			fprintf(stderr, "page %zu changed\n", at / page);
			return 1;
		}
	}
	return 0;
}
