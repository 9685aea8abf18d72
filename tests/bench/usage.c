// SPDX-License-Identifier: GPL-2.0
/*
 * bench-usage COMMAND...: runs it, its output thrown away, and prints its CPU time in seconds, the
 * time that passed, and the memory it had at most in megabytes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec before, after;
	struct rusage usage;
	int status, null;
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
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("%.2f %.2f %.1f\n", seconds(usage.ru_utime) + seconds(usage.ru_stime),
	       after.tv_sec - before.tv_sec + (after.tv_nsec - before.tv_nsec) / 1e9,
	       usage.ru_maxrss * 1024 / 1e6);
	return 0;
}
