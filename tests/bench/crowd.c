// SPDX-License-Identifier: GPL-2.0
/*
 * bench-crowd PROCESSES MERGEABLE: so many processes that do nothing, MERGEABLE of them with 64 KiB
 * marked for merging. Prints "ready" and waits; all of them end when its standard input does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BYTES (64 << 10)

static void be_one(int number, int mergeable, pid_t parent)
{
	char name[24];
	char *memory;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	snprintf(name, sizeof(name), "crowd-%d", number);
	prctl(PR_SET_NAME, name);
	if (number < mergeable) {
		memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
		if (memory == MAP_FAILED || madvise(memory, BYTES, MADV_MERGEABLE))
			_exit(1);
		memset(memory, number, BYTES);
	}
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int processes = argc == 3 ? atoi(argv[1]) : 0, mergeable = argc == 3 ? atoi(argv[2]) : 0;
	pid_t self = getpid(), pid;
	char c;

	if (processes < 1) {
		fputs("usage: bench-crowd PROCESSES MERGEABLE\n", stderr);
		return 2;
	}
	for (int i = 0; i < processes; i++) {
		pid = fork();
		if (!pid)
			be_one(i, mergeable, self);
		if (pid < 0) {
			perror("fork");
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
