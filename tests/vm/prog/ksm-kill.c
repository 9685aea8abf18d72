// SPDX-License-Identifier: GPL-2.0
/*
 * A process's end is never held up by the scanner: when wait() returned, nothing of it is left.
 *
 * Each round mounts a file system, runs a copy of this program from it, lets its memory merge with
 * a partner's, kills it at a random point of that, waits, and unmounts. A scanner that still holds
 * the address space holds the program's file too, and umount says EBUSY.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/lib.h"

struct config {
	unsigned long rounds;
	size_t pages;
	const char *mount;
	bool victim;
	bool attach;
};

static struct config config = { .rounds = 200, .pages = 4096, .mount = "/tmp/ksm-kill" };

static const struct arg args[] = {
	{ "rounds", 'r', "N", "rounds (default: 200)", ARG_NUMBER(&config.rounds, 1, 1000000) },
	{ "pages", 'n', "N", "pages of the victim (default: 4096)",
	  ARG_NUMBER(&config.pages, 16, 1 << 18) },
	{ "mount", 'm', "DIR", "where to mount (default: /tmp/ksm-kill)", .word = &config.mount },
	{ "attach", 'a', NULL,
	  "the victims mark nothing, are attached, and keep mapping and unmapping",
	  .flag = &config.attach },
	{ "victim", 'v', NULL, "be the process that is killed (started by the others)",
	  .flag = &config.victim },
	{ 0 },
};

static void map_mergeable(struct pages *p)
{
	pages_map(p, config.pages, opt.seed);
	for (size_t i = 0; i < p->nr; i++)
		page_fill(p, i, i + 1);
	if (!config.attach)
		pages_advise(p, 0, p->nr, MADV_MERGEABLE);
}

/* Always something new to mark. */
static void churn(void)
{
	struct pages p;

	for (uint64_t id = 1;; id++) {
		pages_map(&p, 4, opt.seed);
		page_fill(&p, 0, id);
		usleep(1000);
		pages_unmap(&p);
	}
}

/* Exec'd from the file system that must unmount: tells its address and waits for the end. */
static int be_victim(void)
{
	struct pages p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	map_mergeable(&p);
	if (write(STDOUT_FILENO, &p.mem, sizeof(p.mem)) != sizeof(p.mem))
		return 1;
	if (config.attach)
		churn();
	for (;;)
		pause();
}

static long partner_serve(void *ctx, int cmd, long arg)
{
	struct pages *p = ctx;

	if (cmd == 'f')
		map_mergeable(p);
	else if (cmd == 'v')
		return pages_wrong(p, 0, p->nr);
	return (long)p->mem;
}

/**
 * struct hunt - one round
 * @victim: the process to be killed
 * @partner: the process it merges with
 * @addr: the pages of each, victim first
 * @entries: room for the pagemap of both
 * @shared: shared pages there must be before the kill
 */
struct hunt {
	pid_t victim;
	pid_t partner;
	uintptr_t addr[2];
	uint64_t *entries;
	size_t shared;
};

static bool merged_enough(void *arg)
{
	struct hunt *h = arg;
	struct frames seen;

	if (pagemap_read(h->victim, h->addr[0], config.pages, h->entries) ||
	    pagemap_read(h->partner, h->addr[1], config.pages, h->entries + config.pages))
		die("a process is gone before it was killed");
	frames_count(h->entries, 2 * config.pages, &seen);
	return seen.sharing >= 2 * h->shared;
}

static void copy_self(const char *to)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char buffer[65536];
	ssize_t len;

	if (in < 0 || out < 0)
		die("%s: %s", to, strerror(errno));
	while ((len = read(in, buffer, sizeof(buffer))) > 0) {
		if (write(out, buffer, len) != len)
			die("%s: %s", to, strerror(errno));
	}
	close(in);
	if (close(out))
		die("%s: %s", to, strerror(errno));
}

/* Start the victim from the file system. Returns with its memory mapped and mergeable. */
static void start_victim(struct hunt *h)
{
	char path[160], pages[24], seed[24];
	int fds[2];

	snprintf(path, sizeof(path), "%s/victim", config.mount);
	snprintf(pages, sizeof(pages), "%zu", config.pages);
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)opt.seed);
	copy_self(path);
	if (pipe2(fds, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	h->victim = fork();
	if (h->victim < 0)
		die("fork: %s", strerror(errno));
	if (!h->victim) {
		dup2(fds[1], STDOUT_FILENO);
		execl(path, "vm-victim", "--victim", "--pages", pages, "--seed", seed,
		      config.attach ? "--attach" : NULL, NULL);
		_exit(127);
	}
	close(fds[1]);
	if (read(fds[0], &h->addr[0], sizeof(h->addr[0])) != sizeof(h->addr[0]))
		die("the victim did not start");
	close(fds[0]);
}

static int device = -1;

static void attach_or_die(pid_t pid)
{
	int err;

	if (!config.attach)
		return;
	if (device < 0)
		device = attach_device();
	err = attach_pid(device, KSM_ABI_ATTACH, pid, NULL);
	if (err)
		die("attaching %d: %s", pid, strerror(-err));
}

static void kill_and_unmount(struct hunt *h, unsigned long round)
{
	int status;

	kill(h->victim, SIGKILL);
	if (waitpid(h->victim, &status, 0) != h->victim || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGKILL)
		die("round %lu: the victim ended with status %#x", round, status);
	if (umount(config.mount))
		die("round %lu: umount after kill and wait, %zu pages merged: %s", round, h->shared,
		    strerror(errno));
}

int main(int argc, char **argv)
{
	struct pages pages;
	struct worker partner;
	struct hunt h = { 0 };
	uint64_t rnd;
	size_t most = 0;
	double start;

	args_parse(argc, argv, args,
		   "Kill processes while they merge; their file system must unmount at once.");
	if (config.victim)
		return be_victim();
	rnd = opt.seed;
	h.entries = calloc(2 * config.pages, sizeof(*h.entries));
	if (!h.entries)
		die("no memory for %zu pagemap entries", 2 * config.pages);
	if (mkdir(config.mount, 0700) && errno != EEXIST)
		die("mkdir %s: %s", config.mount, strerror(errno));
	ksm_full_speed(opt.backend);
	worker_start(&partner, "vm-partner", partner_serve, &pages);
	h.partner = partner.pid;
	h.addr[1] = worker_call(&partner, 'f', 0);
	attach_or_die(h.partner);
	start = now_seconds();
	for (unsigned long round = 1; round <= config.rounds; round++) {
		if (mount("ksm-kill", config.mount, "tmpfs", 0, "mode=0700"))
			die("mounting tmpfs on %s: %s", config.mount, strerror(errno));
		/* From the very first page to all of them. */
		h.shared = 1 + next_random(&rnd) % config.pages;
		most = h.shared > most ? h.shared : most;
		start_victim(&h);
		attach_or_die(h.victim);
		if (!wait_for(opt.timeout, merged_enough, &h))
			die("round %lu: %zu pages do not merge", round, h.shared);
		kill_and_unmount(&h, round);
	}
	if (worker_call(&partner, 'v', 0))
		die("the partner's memory changed");
	worker_stop(&partner);
	ksm_clear(opt.backend);
	rmdir(config.mount);
	say("ok: %lu rounds, up to %zu pages merged at the kill, never EBUSY, %.1f s",
	    config.rounds, most, now_seconds() - start);
	return 0;
}
