// SPDX-License-Identifier: GPL-2.0
/*
 * bench-usage COMMAND...: runs it, its output thrown away, and prints its CPU time in seconds, the
 * time that passed, how much of that it waited for a CPU that others had, and the memory it had at
 * most in megabytes. Of what it starts itself only the CPU time is seen.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

/* Nanoseconds that a process, ended but not yet waited for, spent in the queue of a CPU. */
static uint64_t queued(pid_t pid)
{
	char path[64];
	uint64_t ns = 0;
	siginfo_t info;
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT))
		return 0;
	from = fopen(path, "r");
	if (!from)
		return 0;
	if (fscanf(from, "%*u %" SCNu64, &ns) != 1)
		ns = 0;
	fclose(from);
	return ns;
}

int main(int argc, char **argv)
{
	struct timespec before, after;
	struct rusage usage;
	int status, null;
	uint64_t waited;
	pid_t pid;

	if (argc < 2)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &before);
	pid = fork();
	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	waited = pid < 0 ? 0 : queued(pid);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("%.2f %.2f %.2f %.1f\n", seconds(usage.ru_utime) + seconds(usage.ru_stime),
	       after.tv_sec - before.tv_sec + (after.tv_nsec - before.tv_nsec) / 1e9,
	       waited / 1e9, usage.ru_maxrss * 1024 / 1e6);
	return 0;
}
