// SPDX-License-Identifier: GPL-2.0
/*
 * merge_domain: with uid or cgroup no frame is shared by processes of different domains, whatever
 * they do: be there from the start, move, fork.
 *
 * Four processes hold the same contents. The witness is the frames: those of one domain must be one
 * frame for each content, and no frame may be in two domains.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lib.h"

#define PAGES 64 /* contents; each process has each once */
#define WORKERS 4
#define CGROUPS "/sys/fs/cgroup"

/* A tenant is a user and a control group; one more runs with the rights of root. */
enum tenant { FIRST, SECOND, SETUID };

/**
 * struct member - a process with the contents, and the domain it should be in
 * @pid: it
 * @domain: a number; equal numbers share frames
 */
struct member {
	pid_t pid;
	int domain;
};

static struct pages mem;
static struct worker workers[WORKERS];
static struct member members[WORKERS + 1];
static size_t nr_members = WORKERS;

static void become(enum tenant tenant)
{
	uid_t real = tenant == SECOND ? 1001 : 1000, effective = tenant == SETUID ? 0 : real;
	char path[64];
	int fd;

	/* Root is the saved id, to be able to do this again. */
	if (setresuid(-1, 0, -1))
		die("back to root: %s", strerror(errno));
	snprintf(path, sizeof(path), CGROUPS "/tenant%d/cgroup.procs", tenant);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die("%s: %s", path, strerror(errno));
	close(fd);
	if (setresuid(real, effective, 0))
		die("setresuid(%d, %d): %s", real, effective, strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static pid_t fork_into(enum tenant tenant)
{
	char ready = 'r';
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid) {
		close(fds[1]);
		if (read(fds[0], &ready, 1) != 1)
			die("the forked child is gone");
		close(fds[0]);
		return pid;
	}
	become(tenant);
	if (write(fds[1], &ready, 1) != 1)
		die("write: %s", strerror(errno));
	while (!pages_wrong(&mem, 0, PAGES))
		usleep(20000);
	die("the forked child's memory changed");
}

static long serve(void *ctx, int cmd, long arg)
{
	int status = 0;

	switch (cmd) {
	case 'i': /* become tenant ARG and make the contents */
		become(arg);
		pages_map(&mem, PAGES, opt.seed);
		for (size_t i = 0; i < PAGES; i++)
			page_fill(&mem, i, i + 1);
		pages_advise(&mem, 0, PAGES, MADV_MERGEABLE);
		return (long)mem.mem;
	case 'b':
		become(arg);
		return 0;
	case 'v':
		return pages_wrong(&mem, 0, PAGES);
	case 'k':
		return fork_into(arg);
	case 'r': /* how child ARG ended */
		if (waitpid(arg, &status, 0) != arg)
			die("waiting for child %ld: %s", arg, strerror(errno));
		return status;
	}
	die("unknown command %c", cmd);
}

static int read_frames(const struct member *m, uint64_t *entries)
{
	return pagemap_read(m->pid, (uintptr_t)mem.mem, PAGES, entries);
}

/* Distinct frames of the members of one domain, or of all for -1; 0 while a page is not there. */
static size_t frames_of(int domain)
{
	uint64_t entries[(WORKERS + 1) * PAGES];
	struct frames seen;
	size_t n = 0;

	for (size_t i = 0; i < nr_members; i++) {
		if (domain >= 0 && members[i].domain != domain)
			continue;
		if (read_frames(&members[i], entries + n))
			die("cannot read the pagemap of %d", members[i].pid);
		n += PAGES;
	}
	frames_count(entries, n, &seen);
	return seen.mapped == n ? seen.distinct : 0;
}

static int nr_domains(void)
{
	int last = 0;

	for (size_t i = 0; i < nr_members; i++)
		last = members[i].domain > last ? members[i].domain : last;
	return last + 1;
}

/* One frame a content in each domain, and none in two. */
static bool as_expected(void *arg)
{
	int domains = nr_domains();

	for (int d = 0; d < domains; d++)
		if (frames_of(d) != PAGES)
			return false;
	return frames_of(-1) == (size_t)domains * PAGES;
}

static void expect(const char *mode, const char *what, const int *domains)
{
	for (size_t i = 0; i < nr_members; i++)
		members[i].domain = domains[i];
	if (!wait_for(opt.timeout, as_expected, NULL)) {
		for (int d = 0; d < nr_domains(); d++)
			say("domain %d: %zu frames", d, frames_of(d));
		die("%s: %s: %zu frames, expected %d for %d contents", mode, what, frames_of(-1),
		    nr_domains() * PAGES, PAGES);
	}
	for (int i = 0; i < WORKERS; i++)
		if (worker_call(&workers[i], 'v', 0))
			die("%s: %s: contents are wrong", mode, what);
	say("%-6s %s: %zu processes, %d contents, %zu frames", mode, what, nr_members, PAGES,
	    frames_of(-1));
}

static void put(const char *mode, int expected)
{
	int err = ksm_write_text(opt.backend, "merge_domain", mode);

	if (err != expected)
		die("merge_domain <- %s: %s, expected %s", mode, strerror(-err),
		    strerror(-expected));
}

static bool refused_is(void *arg)
{
	return ksm_read(opt.backend, "pages_domain_refused") == *(long long *)arg;
}

static void expect_refused(const char *mode, long long pages)
{
	if (!wait_for(opt.timeout, refused_is, &pages))
		die("%s: pages_domain_refused is %lld, expected %lld", mode,
		    ksm_read(opt.backend, "pages_domain_refused"), pages);
}

/* A child of the first, which goes to the other tenant at once. */
static void try_fork(const char *mode, const int *domains)
{
	pid_t child = worker_call(&workers[0], 'k', SECOND);

	members[nr_members++] = (struct member){ .pid = child };
	expect(mode, "forked into the other's", domains);
	/* Of another user than its parent, which may not do it. */
	kill(child, SIGKILL);
	if (worker_call(&workers[0], 'r', child) != SIGKILL)
		die("%s: forked child %d ended by itself: its memory changed", mode, child);
	nr_members--;
}

static void start_all(void)
{
	static const enum tenant tenants[WORKERS] = { FIRST, FIRST, SECOND, SECOND };
	uintptr_t at;

	for (int i = 0; i < WORKERS; i++) {
		worker_start(&workers[i], "tenant", serve, NULL);
		at = worker_call(&workers[i], 'i', tenants[i]);
		if (i && at != (uintptr_t)mem.mem)
			die("process %d has its memory elsewhere", i);
		mem.mem = (unsigned char *)at;
		members[i].pid = workers[i].pid;
	}
}

static void try_mode(const char *mode, const char *other, bool apart, bool setuid)
{
	static const int together[] = { 0, 0, 0, 0, 0 }, two[] = { 0, 0, 1, 1 },
			 moved[] = { 0, 1, 1, 1, 1 }, three[] = { 0, 1, 1, 2 };

	start_all();
	put(mode, 0);
	ksm_full_speed(opt.backend);
	expect(mode, "from the start", apart ? two : together);
	expect_refused(mode, apart ? PAGES : 0);
	put(other, -EBUSY);
	put("uids", -EINVAL);
	put(mode, 0);

	worker_call(&workers[1], 'b', SECOND);
	expect(mode, "one has moved", apart ? moved : together);
	expect_refused(mode, apart ? PAGES : 0);
	try_fork(mode, apart ? moved : together);
	if (setuid) {
		worker_call(&workers[3], 'b', SETUID);
		expect(mode, "one runs with root's rights", three);
		expect_refused(mode, 2 * PAGES);
	}
	ksm_clear(opt.backend);
	expect_refused(mode, 0);
	for (int i = 0; i < WORKERS; i++)
		worker_stop(&workers[i]);
}

int main(int argc, char **argv)
{
	char path[64];

	args_parse(argc, argv, NULL,
		   "Keep users, control groups, or nobody apart: who shares frames?");
	for (int t = FIRST; t <= SETUID; t++) {
		snprintf(path, sizeof(path), CGROUPS "/tenant%d", t);
		if (mkdir(path, 0755))
			die("%s: %s", path, strerror(errno));
	}
	try_mode("all", "uid", false, false);
	try_mode("uid", "cgroup", true, true);
	try_mode("cgroup", "all", true, true);
	put("all", 0);
	say("ok: domains are kept apart, and joined, as asked");
	return 0;
}
