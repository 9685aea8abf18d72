// SPDX-License-Identifier: GPL-2.0
/*
 * A small host to look at: processes whose memory is part common to all, part zero, part their
 * own, and part rewritten all the time, so that pages merge, break and merge again.
 *
 * Every process counts its own writes behind which another frame appeared, and compares all its
 * memory with what it wrote before it ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/lib.h"

#define MAX_PROCESSES 64
#define TICKS_PER_SECOND 20

struct config {
	unsigned long processes;
	unsigned long mib;
	unsigned long common;
	unsigned long zero;
	unsigned long rewritten;
	unsigned long writes;
	unsigned long seconds;
	const char *pids;
};

static struct config config = { .processes = 4,
				.mib = 16,
				.common = 50,
				.zero = 15,
				.rewritten = 10,
				.writes = 400 };

static const struct argp_option options[] = {
	{ "processes", 'p', "N", 0, "processes (default: 4)", 0 },
	{ "mib", 'm', "MIB", 0, "memory of each (default: 16)", 0 },
	{ "common", 'c', "PERCENT", 0, "pages equal in all processes (default: 50)", 0 },
	{ "zero", 'z', "PERCENT", 0, "pages of zeroes (default: 15)", 0 },
	{ "rewritten", 'w', "PERCENT", 0, "common pages that are written to (default: 10)", 0 },
	{ "writes", 'r', "RATE", 0, "writes a second in each process (default: 400)", 0 },
	{ "seconds", 'd', "SECONDS", 0, "end by itself (default: at SIGTERM)", 0 },
	{ "pids", 'i', "FILE", 0, "write the processes' PIDs into FILE once all is mapped", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'p':
		config.processes = arg_number(state, "--processes", arg, 1, MAX_PROCESSES);
		return 0;
	case 'm':
		config.mib = arg_number(state, "--mib", arg, 1, 65536);
		return 0;
	case 'c':
		config.common = arg_number(state, "--common", arg, 0, 100);
		return 0;
	case 'z':
		config.zero = arg_number(state, "--zero", arg, 0, 100);
		return 0;
	case 'w':
		config.rewritten = arg_number(state, "--rewritten", arg, 0, 100);
		return 0;
	case 'r':
		config.writes = arg_number(state, "--writes", arg, 0, 1000000);
		return 0;
	case 'd':
		config.seconds = arg_number(state, "--seconds", arg, 1, 86400);
		return 0;
	case 'i':
		config.pids = arg;
		return 0;
	case ARGP_KEY_END:
		if (config.common + config.zero + config.rewritten > 100)
			argp_error(state, "--common, --zero and --rewritten are %lu %% together",
				   config.common + config.zero + config.rewritten);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Run processes whose memory is worth merging, until SIGTERM.",
};

/**
 * struct account - what a process reports, in memory shared with the parent
 * @pid: the process
 * @ready: its memory is mapped, filled and mergeable
 * @writes: to rewritten pages so far
 * @breaks: writes behind which another frame appeared
 */
struct account {
	pid_t pid;
	bool ready;
	unsigned long writes;
	unsigned long breaks;
};

static struct account *accounts;
static volatile sig_atomic_t stopping;

static void stop(int sig)
{
	stopping = 1;
}

/* A database keeps less in common with web servers than they among themselves. */
static bool is_database(unsigned long nr)
{
	return config.processes > 1 && nr == config.processes - 1;
}

static void set_name(unsigned long nr)
{
	char name[16];

	if (is_database(nr))
		snprintf(name, sizeof(name), "vm-db");
	else
		snprintf(name, sizeof(name), "vm-web-%u", (unsigned int)nr + 1);
	prctl(PR_SET_NAME, name);
}

/* Ids of common pages start at 1; those of a process's own far behind them. */
static uint64_t own_id(unsigned long nr, size_t page)
{
	return ((uint64_t)(nr + 1) << 32) + page;
}

/* Rewritten pages first, then common, zero, own ones. Returns how many are rewritten. */
static size_t fill(struct pages *p, unsigned long nr)
{
	size_t total = (config.mib << 20) / page_size();
	size_t rewritten = total * config.rewritten / 100;
	size_t common = total * config.common / 100 / (is_database(nr) ? 2 : 1);
	size_t zero = total * config.zero / 100;

	pages_map(p, total, opt.seed);
	/* Splitting a huge page maps its zero parts to the zero page (6.12): none left to merge. */
	pages_advise(p, 0, total, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < total; i++) {
		if (i < rewritten + common)
			page_fill(p, i, i + 1);
		else
			page_fill(p, i, i < rewritten + common + zero ? 0 : own_id(nr, i));
	}
	pages_advise(p, 0, total, MADV_MERGEABLE);
	return rewritten;
}

/* Make a common page differ, or a differing page common again. */
static void rewrite(struct pages *p, size_t i, uint64_t *rnd, struct account *account)
{
	uint64_t before = own_pfn(page_at(p, i));

	if (p->want[i].word == NO_PATCH)
		page_patch(p, i, rnd);
	else
		page_fill(p, i, p->want[i].id);
	account->breaks += own_pfn(page_at(p, i)) != before;
	account->writes++;
}

static void run_process(unsigned long nr)
{
	const struct timespec tick = { .tv_nsec = 1000000000L / TICKS_PER_SECOND };
	struct account *account = &accounts[nr];
	uint64_t rnd = opt.seed + own_id(nr, 0);
	unsigned long owed = 0;
	struct pages p;
	size_t rewritten;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_name(nr);
	rewritten = fill(&p, nr);
	__atomic_store_n(&account->ready, true, __ATOMIC_RELEASE);
	while (!stopping) {
		owed += rewritten ? config.writes : 0;
		for (; owed >= TICKS_PER_SECOND && !stopping; owed -= TICKS_PER_SECOND)
			rewrite(&p, next_random(&rnd) % rewritten, &rnd, account);
		nanosleep(&tick, NULL);
	}
	_exit(pages_wrong(&p, 0, p.nr) ? 1 : 0);
}

static bool all_ready(void *arg)
{
	for (unsigned long i = 0; i < config.processes; i++) {
		if (!__atomic_load_n(&accounts[i].ready, __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

static void write_pids(void)
{
	FILE *f = fopen(config.pids, "w");

	if (!f)
		die("%s: %s", config.pids, strerror(errno));
	for (unsigned long i = 0; i < config.processes; i++)
		fprintf(f, "%d\n", accounts[i].pid);
	if (fclose(f))
		die("%s: %s", config.pids, strerror(errno));
}

static bool told_to_stop(void *arg)
{
	return stopping;
}

/* Returns 1 when a process saw wrong content or died. */
static int end_all(void)
{
	unsigned long writes = 0, breaks = 0, bad = 0;
	int status;

	for (unsigned long i = 0; i < config.processes; i++)
		kill(accounts[i].pid, SIGTERM);
	for (unsigned long i = 0; i < config.processes; i++) {
		if (waitpid(accounts[i].pid, &status, 0) != accounts[i].pid || status)
			bad++;
		writes += accounts[i].writes;
		breaks += accounts[i].breaks;
	}
	say("processes=%lu writes=%lu breaks=%lu bad=%lu", config.processes, writes, breaks, bad);
	return bad != 0;
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = stop };

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	accounts = mmap(NULL, sizeof(*accounts) * MAX_PROCESSES, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (accounts == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	for (unsigned long i = 0; i < config.processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (!pid)
			run_process(i);
		accounts[i].pid = pid;
	}
	if (!wait_for(opt.timeout, all_ready, NULL))
		die("the processes did not fill their memory in %.0f s", opt.timeout);
	if (config.pids)
		write_pids();
	wait_for(config.seconds ? config.seconds : 1e9, told_to_stop, NULL);
	return end_all();
}
