// SPDX-License-Identifier: GPL-2.0
/*
 * Everybody at once: processes that map, fork, exec and end at random moments, while others attach,
 * detach, ask and list them, and both run files change hands. Whoever ends by itself compares its
 * memory first; in the end nothing may be on the list, and nothing merged.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/lib.h"

#define VICTIMS 6
#define MEDDLERS 3

static unsigned long rounds = 60;
static int device;

/**
 * struct board - shared by all processes
 * @victims: whom to meddle with
 * @calls: ioctls made, by errno 0 and the rest
 * @stop: time to end
 */
struct board {
	volatile pid_t victims[VICTIMS];
	unsigned long calls[2];
	volatile int stop;
};

static struct board *board;

/* ---- the victims ---- */

static void map_equal(struct pages *p, size_t nr)
{
	pages_map(p, nr, opt.seed);
	for (size_t i = 0; i < nr; i++)
		page_fill(p, i, i % 8 + 1);
}

/* A life: maps, writes, forks a child that does too, unmaps. Returns wrong pages and children. */
static long live(uint64_t rnd, int depth)
{
	struct pages held, passing;
	long wrong = 0;
	int status;

	map_equal(&held, 48);
	for (int i = 0; i < 12; i++) {
		map_equal(&passing, 16);
		page_patch(&held, next_random(&rnd) % held.nr, &rnd);
		if (!depth && i == 6 && !fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(!!live(rnd, 1));
		}
		usleep(next_random(&rnd) % 4000);
		page_patch(&passing, next_random(&rnd) % passing.nr, &rnd);
		wrong += pages_wrong(&passing, 0, passing.nr);
		pages_unmap(&passing);
	}
	wrong += pages_wrong(&held, 0, held.nr);
	while (wait(&status) > 0)
		wrong += !!status;
	return wrong;
}

static void be_victim(unsigned long execs)
{
	long wrong;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	wrong = live((uint64_t)getpid(), 0);
	/* attached or not, it is another address space from one moment to the next */
	if (!wrong && execs)
		execl("/proc/self/exe", "ksm-attach-storm", "--live=0", NULL);
	_exit(!!wrong);
}

/*
 * Spawned, not forked: pages in common with this process, which nobody marks, would become KSM
 * pages here, too, and no clearing of the in-tree KSM would find them.
 */
static pid_t start_victim(uint64_t rnd)
{
	char *again[] = { "ksm-attach-storm", rnd % 4 ? "--live=0" : "--live=1", NULL };
	pid_t pid;
	int err = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, again, NULL);

	if (err)
		die("spawning a victim: %s", strerror(err));
	return pid;
}

/* ---- the meddlers ---- */

static bool is_expected(int err)
{
	return !err || err == -ESRCH || err == -ENOENT || err == -EINTR;
}

static void meddle(uint64_t rnd)
{
	static const unsigned int ops[] = { KSM_ABI_ATTACH, KSM_ABI_ATTACH, KSM_ABI_ATTACH,
					    KSM_ABI_DETACH, KSM_ABI_ATTACH_QUERY };
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!board->stop) {
		pid_t pid = board->victims[next_random(&rnd) % VICTIMS];
		unsigned int op = ops[next_random(&rnd) % 5];

		if (!pid)
			continue;
		err = attach_pid(device, op, pid, NULL);
		if (!is_expected(err))
			die("op %u on %d: %s", op, pid, strerror(-err));
		__atomic_add_fetch(&board->calls[!!err], 1, __ATOMIC_RELAXED);
		attach_find(device, pid, NULL);
	}
	_exit(0);
}

/* ---- the storm ---- */

static void end_victim(pid_t pid, uint64_t *rnd, unsigned long *killed)
{
	bool kill_it = next_random(rnd) % 2;
	int status;

	usleep(next_random(rnd) % 10000);
	if (kill_it)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid: %s", strerror(errno));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && kill_it)
		(*killed)++;
	else if (status)
		die("process %d ended with status %#x: memory changed", pid, status);
}

/*
 * A page that is in the hands of a process that forks or ends at that moment may outlast a
 * clearing; until the last one has gone, the other engine may not start.
 */
static bool starts(void *arg)
{
	const struct backend *next = arg;

	ksm_clear(&backends[next == &backends[BACKEND_KERNEL]]);
	return ksm_write(next, "run", KSM_RUN_MERGE) != -EBUSY;
}

/* Now and then the engines change places. */
static void change_engine(unsigned long round)
{
	const struct backend *next = &backends[!(round / 16 % 2)];

	if (round % 16)
		return;
	if (!wait_for(opt.timeout, starts, (void *)next))
		die("%s cannot start: the other one keeps pages", next->name);
	ksm_full_speed(next);
}

static bool list_is_empty(void *arg)
{
	struct ksm_abi_attach got = { .op = KSM_ABI_ATTACH_LIST,
				      .entry = sizeof(struct ksm_abi_attached) };

	if (attach_raw(device, &got))
		die("list: %s", strerror(errno));
	return !got.count;
}

static unsigned long storm(uint64_t rnd)
{
	unsigned long killed = 0;

	for (unsigned long round = 0; round < rounds; round++) {
		int slot = (int)(round % VICTIMS);

		if (board->victims[slot])
			end_victim(board->victims[slot], &rnd, &killed);
		change_engine(round);
		board->victims[slot] = start_victim(next_random(&rnd));
	}
	for (int slot = 0; slot < VICTIMS; slot++)
		if (board->victims[slot])
			end_victim(board->victims[slot], &rnd, &killed);
	return killed;
}

static const struct argp_option options[] = {
	{ "rounds", 'r', "N", 0, "processes in all (default: 60)", 0 },
	{ "live", 'l', "EXECS", OPTION_HIDDEN, "be one of the processes", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'r':
		rounds = arg_number(state, "--rounds", arg, 1, 1000000);
		return 0;
	case 'l':
		be_victim(arg_number(state, "--live", arg, 0, 1));
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Attach and detach processes that start and end all the time.",
};

int main(int argc, char **argv)
{
	pid_t meddlers[MEDDLERS];
	unsigned long killed;
	int status, err;
	uint64_t rnd;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	rnd = opt.seed;
	device = attach_device();
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (board == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (int i = 0; i < MEDDLERS; i++) {
		meddlers[i] = fork();
		if (!meddlers[i])
			meddle(rnd + (uint64_t)i);
	}
	killed = storm(rnd);
	board->stop = 1;
	for (int i = 0; i < MEDDLERS; i++)
		if (waitpid(meddlers[i], &status, 0) != meddlers[i] || status)
			die("a meddler ended with status %#x", status);
	/*
	 * A process that is being spawned has its parent's memory until its exec is through, a
	 * moment longer than posix_spawn() waits: who attached it then has attached this one.
	 */
	err = attach_pid(device, KSM_ABI_DETACH, getpid(), NULL);
	if (err && err != -ENOENT)
		die("detaching the parent: %s", strerror(-err));
	if (!wait_for(opt.timeout, list_is_empty, NULL))
		die("processes that have ended stay on the list");
	for (int i = 0; i < 2; i++)
		ksm_clear(&backends[i]);
	say("ok: %lu processes, %lu of them killed; %lu calls that did something, %lu too late",
	    rounds, killed, board->calls[0], board->calls[1]);
	return 0;
}
