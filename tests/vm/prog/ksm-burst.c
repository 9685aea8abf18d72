// SPDX-License-Identifier: GPL-2.0
/*
 * Events in a number known beforehand, as fast as the kernel makes them.
 *
 * --events: madvise(MADV_UNMERGEABLE) so many times, from several processes at once, each on a CPU
 * of its own: unmerge_range. --processes: children one after the other, each of which marks memory
 * mergeable and ends: enter and exit. Touches nothing but its own memory.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lib.h"

#define PAGES 2
#define MAX_WORKERS 64

static unsigned long events, processes, workers = 2;

static const struct arg args[] = {
	{ "events", 'e', "N", "unmerged ranges in all", ARG_NUMBER(&events, 1, 100000000) },
	{ "processes", 'p', "N", "short processes in all", ARG_NUMBER(&processes, 1, 10000000) },
	{ "workers", 'w', "N", "at the same time (default: 2)",
	  ARG_NUMBER(&workers, 1, MAX_WORKERS) },
	{ 0 },
};

static void *mergeable(void)
{
	size_t size = PAGES * page_size();
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || madvise(mem, size, MADV_MERGEABLE))
		die("mergeable memory: %s", strerror(errno));
	return mem;
}

static void unmerge(unsigned long times)
{
	void *mem = mergeable();

	for (unsigned long i = 0; i < times; i++)
		if (madvise(mem, page_size(), MADV_UNMERGEABLE))
			die("madvise: %s", strerror(errno));
}

static void reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		die("a child failed");
}

static void spawn(unsigned long times)
{
	for (unsigned long i = 0; i < times; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (!pid) {
			mergeable();
			_exit(0);
		}
		reap(pid);
	}
}

/* Where there are as many; if the CPU may not be had, it does without. */
static void go_to_cpu(unsigned long worker)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(worker % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	pid_t pids[MAX_WORKERS];

	args_parse(argc, argv, args, "Make a known number of events.");
	for (unsigned long i = 0; i < workers; i++) {
		unsigned long more = i ? 0 : events % workers, extra = i ? 0 : processes % workers;

		pids[i] = fork();
		if (pids[i] < 0)
			die("fork: %s", strerror(errno));
		if (pids[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		go_to_cpu(i);
		if (events)
			unmerge(events / workers + more);
		spawn(processes / workers + extra);
		_exit(0);
	}
	for (unsigned long i = 0; i < workers; i++)
		reap(pids[i]);
	say("events=%lu\nprocesses=%lu", events, processes);
	return 0;
}
