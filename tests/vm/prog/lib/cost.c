// SPDX-License-Identifier: GPL-2.0
/* What a kernel thread, and the machine as a whole, has cost so far. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib.h"

pid_t thread_find(const char *comm)
{
	DIR *proc = opendir("/proc");
	char path[64], name[32];
	struct dirent *d;
	pid_t found = 0;
	FILE *f;

	if (!proc)
		die("/proc: %s", strerror(errno));
	while (!found && (d = readdir(proc))) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/comm", d->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f)) {
			name[strcspn(name, "\n")] = '\0';
			if (!strcmp(name, comm))
				found = atoi(d->d_name);
		}
		fclose(f);
	}
	closedir(proc);
	if (!found)
		die("there is no thread named %s", comm);
	return found;
}

uint64_t thread_cost(pid_t pid)
{
	unsigned long long ns;
	char path[64];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "r");
	if (!f)
		die("%s: %s", path, strerror(errno));
	n = fscanf(f, "%llu", &ns);
	fclose(f);
	if (n != 1)
		die("%s has no run time", path);
	return ns;
}

uint64_t machine_cost(void)
{
	unsigned long long ns, sum = 0;
	char line[256];
	int cpus = 0;
	FILE *f = fopen("/proc/schedstat", "r");

	if (!f)
		die("/proc/schedstat: %s", strerror(errno));
	/* The seventh figure of a cpu line: run time of all tasks there but the idle one. */
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "cpu%*d %*u %*u %*u %*u %*u %*u %llu", &ns) != 1)
			continue;
		sum += ns;
		cpus++;
	}
	fclose(f);
	if (!cpus)
		die("/proc/schedstat has no cpu lines");
	return sum;
}
