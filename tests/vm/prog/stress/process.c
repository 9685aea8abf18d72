// SPDX-License-Identifier: GPL-2.0
/* Processes that come and go: forks that write, storms of them, tenants killed or exec'd. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define STORM 6
#define TENANT_PAGES 128

static void reap(struct stressor *s, pid_t pid, bool may_be_killed)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("step %u: waitpid: %s", s->step, strerror(errno));
	if (may_be_killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	if (status)
		die("step %u: a forked child saw wrong content or died (status %#x)", s->step,
		    status);
}

/* In a forked child: look, write, look, end. */
static void live(struct stressor *s, uint64_t writes)
{
	while (writes--)
		page_patch(&s->pages, choose(s, s->pages.nr), &s->rnd);
	if (choose(s, 2))
		usleep(choose(s, 5000));
	_exit(pages_wrong(&s->pages, 0, s->pages.nr) ? 1 : 0);
}

static bool fork_and_write(struct stressor *s)
{
	uint64_t writes = choose(s, 64);
	pid_t pid = fork_child();

	if (!pid)
		live(s, writes);
	for (uint64_t n = choose(s, 32); n; n--)
		page_patch(&s->pages, choose(s, s->pages.nr), &s->rnd);
	reap(s, pid, false);
	return true;
}

/* Several at once, which fork again; some are killed. */
static bool storm(struct stressor *s)
{
	pid_t pids[STORM];

	for (int i = 0; i < STORM; i++) {
		s->rnd += i;
		pids[i] = fork_child();
		if (pids[i])
			continue;
		if (i % 2) {
			pid_t grandchild = fork_child();

			if (!grandchild)
				live(s, 16);
			reap(s, grandchild, false);
		}
		live(s, 8 * i);
	}
	for (int i = 0; i < STORM; i++) {
		if (i % 3 == 0)
			kill(pids[i], SIGKILL);
		reap(s, pids[i], i % 3 == 0);
	}
	return true;
}

int be_tenant(uint64_t seed)
{
	struct pages p;
	uint64_t rnd = seed;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	stress_populate(&p, TENANT_PAGES, &rnd);
	usleep(next_random(&rnd) % 20000);
	for (int i = 0; i < 32; i++)
		page_patch(&p, next_random(&rnd) % p.nr, &rnd);
	return pages_wrong(&p, 0, p.nr) ? 1 : 0;
}

/* A process with memory of its own, killed while it is merged. */
static bool tenant_killed(struct stressor *s)
{
	pid_t pid = fork_child();

	if (!pid)
		_exit(be_tenant(s->rnd));
	usleep(choose(s, 20000));
	kill(pid, SIGKILL);
	reap(s, pid, true);
	return true;
}

/* exec() gives up an address space in which pages are merged. */
static bool tenant_exec(struct stressor *s)
{
	char seed[24], content[24];
	pid_t pid;

	snprintf(seed, sizeof(seed), "%u", (unsigned int)choose(s, 1 << 30));
	snprintf(content, sizeof(content), "%llu", (unsigned long long)opt.seed);
	pid = fork_child();
	if (!pid) {
		execl("/proc/self/exe", "vm-tenant", "--tenant", seed, "--seed", content, NULL);
		_exit(127);
	}
	reap(s, pid, false);
	return true;
}

const struct deed process_deeds[] = {
	{ "fork", 6, fork_and_write },
	{ "fork-storm", 2, storm },
	{ "tenant-killed", 4, tenant_killed },
	{ "tenant-exec", 3, tenant_exec },
	{ 0 },
};
