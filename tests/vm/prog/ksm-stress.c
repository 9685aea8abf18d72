// SPDX-License-Identifier: GPL-2.0
/*
 * Random stress: eight processes, see stress/stress.h. What is judged:
 *
 * - every page is compared by the process that wrote it, and by forks of it;
 * - nothing hangs, and no write to the engine's files fails but for a reason that it may have;
 * - something was merged, by the frames (of a prefix of a history that is not asked);
 * - once the processes have gone nothing counts as merged, and by /proc/kpageflags no anonymous
 *   page is left that nobody maps, so that none was lost.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/trials.h"
#include "stress/stress.h"

#define UNLIMITED UINT32_MAX
/* Seconds; others may have stopped the scanner. */
#define RELOAD_WAIT 3

struct config {
	unsigned long seconds;
	unsigned long steps;
	unsigned long reloads;
	unsigned long plant;
	unsigned long tenant;
	bool idle;
};

static struct config config = { .steps = UNLIMITED, .plant = UNLIMITED, .tenant = UNLIMITED };
struct arena *arena;

static const struct arg args[] = {
	{ "seconds", 'd', "N", "how long (default: until all steps are done)",
	  ARG_NUMBER(&config.seconds, 1, 864000) },
	{ "steps", 'n', "N", "how many steps, all processes together (default: no limit)",
	  ARG_NUMBER(&config.steps, 0, UNLIMITED) },
	{ "reloads", 'r', "N",
	  "until the module was unloaded and loaded so often, and seen to merge",
	  ARG_NUMBER(&config.reloads, 1, 1000000) },
	{ "plant", 'p', "STEP", "spoil a page in this step, unrecorded: must be noticed",
	  ARG_NUMBER(&config.plant, 0, UNLIMITED) },
	{ "idle", 'i', NULL, "never start the scanner, so that nothing merges: must be noticed",
	  .flag = &config.idle },
	{ "tenant", 'T', "SEED", "be a short-lived process (started by the others)",
	  ARG_NUMBER(&config.tenant, 0, UNLIMITED - 1) },
	{ 0 },
};

/* ---- the deeds ---- */

static const struct deed *deeds[MAX_DEEDS];
static unsigned int nr_deeds, total_weight;

static void collect(const struct deed *table)
{
	for (; table->name; table++) {
		if (nr_deeds == MAX_DEEDS)
			die("more than %d deeds", MAX_DEEDS);
		deeds[nr_deeds++] = table;
		total_weight += table->weight;
	}
}

static int choose_deed(struct stressor *s)
{
	uint64_t at = choose(s, total_weight);

	for (unsigned int i = 0;; i++) {
		if (at < deeds[i]->weight)
			return i;
		at -= deeds[i]->weight;
	}
}

/* ---- one process ---- */

static void join_cgroup(struct stressor *s)
{
	char path[96];
	int err;

	snprintf(s->cgroup, sizeof(s->cgroup), KSM_ABI_CGROUP "/stress%d", s->index);
	if (mkdir(s->cgroup, 0755) && errno != EEXIST)
		die("mkdir %s: %s", s->cgroup, strerror(errno));
	snprintf(path, sizeof(path), "%s/cgroup.procs", s->cgroup);
	err = write_file(path, "0");
	if (err)
		die("%s: %s", path, strerror(-err));
}

static void spoil(struct stressor *s)
{
	volatile unsigned char *byte = page_at(&s->pages, choose(s, s->pages.nr));

	*byte ^= 1;
}

static void do_step(struct stressor *s, unsigned int step)
{
	int deed;

	s->step = step;
	s->rnd = opt.seed * 0x9e3779b97f4a7c15ULL ^ step;
	deed = choose_deed(s);
	arena->doing[s->index] = deed;
	__atomic_fetch_add(deeds[deed]->act(s) ? &arena->done[deed] : &arena->absent[deed], 1,
			   __ATOMIC_RELAXED);
	if (step == config.plant)
		spoil(s);
}

/* All processes are at the same place; returns whether there is another round. */
static bool meet(struct stressor *s, double end)
{
	arena->doing[s->index] = MEETING;
	pthread_barrier_wait(&arena->meeting);
	if (!s->index) {
		arena->round++;
		arena->over = (uint64_t)arena->round * ROUND >= config.steps ||
			      now_seconds() > end ||
			      (config.reloads && arena->reloads >= config.reloads &&
			       merging_known());
	}
	pthread_barrier_wait(&arena->meeting);
	return !arena->over;
}

static void be_stressor(int index)
{
	struct stressor s = { .index = index };
	double end = now_seconds() + (config.seconds ?: 1e9);
	uint64_t rnd = opt.seed + index;

	prctl(PR_SET_NAME, "vm-stressor");
	join_cgroup(&s);
	stress_populate(&s.pages, STRESS_PAGES, &rnd);
	do {
		for (unsigned int i = 0; i < STEPS_PER_ROUND; i++) {
			uint64_t step = (uint64_t)arena->round * ROUND + i * STRESSORS + index;

			if (step < config.steps)
				do_step(&s, step);
		}
	} while (meet(&s, end));
	stress_verify(&s, "at the end");
	exit(0);
}

/* ---- all of them ---- */

static void make_arena(void)
{
	pthread_barrierattr_t barrier;
	pthread_mutexattr_t mutex;

	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (arena == MAP_FAILED)
		die("no memory: %s", strerror(errno));
	pthread_barrierattr_init(&barrier);
	pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&arena->meeting, &barrier, STRESSORS);
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&arena->machine, &mutex);
}

/* The way to see it again; what a search for a shorter prefix starts from, too. */
static void failed(void)
{
	die("failed: --seed %llu --steps %u", (unsigned long long)opt.seed,
	    (arena->round + 1) * ROUND);
}

/*
 * A ninth process, for which nobody waits at the end of a round. Every other time it lets the
 * module come so far that it has merged something, if that is possible.
 */
static void be_reloader(int unused)
{
	struct stressor s = { .index = STRESSORS, .rnd = opt.seed };

	prctl(PR_SET_NAME, "vm-reloader");
	while (config.reloads && arena->reloads < config.reloads) {
		stress_reload(&s);
		if (arena->reloads % 2)
			merging_wait(RELOAD_WAIT);
		else
			usleep(choose(&s, 200000));
	}
	exit(0);
}

/* Who is where, and, in the kernel's log, where it waits there. */
static void report_hang(void)
{
	for (int i = 0; i < STRESSORS; i++)
		say("process %d: %s", i,
		    arena->doing[i] == MEETING ? "waits for the others" :
						 deeds[arena->doing[i]]->name);
	write_file("/proc/sysrq-trigger", "t");
	say("round %u does not end", arena->round);
	failed();
}

/* Returns when all have ended well. Says at each second how far they are. */
static void watch(int left)
{
	int status;
	unsigned int round = 0;
	double since = now_seconds(), said = since;

	while (left) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0 && status) {
			say("process %d failed (status %#x)", pid, status);
			failed();
		}
		left -= pid > 0;
		if (arena->round != round) {
			round = arena->round;
			since = now_seconds();
		}
		if (now_seconds() - since > opt.timeout)
			report_hang();
		if (now_seconds() - said >= 1) {
			said = now_seconds();
			say("step %u", round * ROUND);
		}
		if (pid <= 0)
			usleep(20000);
	}
}

/*
 * What is on its way to swap when in-tree KSM unmerges keeps its node there, and the engine does
 * not start beside it: unmerging again is the remedy, as the engine's message says.
 */
static void end_other_engine(void)
{
	const struct backend *intree = &backends[BACKEND_KERNEL];

	if (ksm_write(intree, "run", KSM_RUN_UNMERGE) || ksm_write(intree, "run", KSM_RUN_STOP))
		die("in-tree KSM does not unmerge");
}

static void expect_nothing_left(void)
{
	end_other_engine();
	/* The advisor does not let others set the pace. */
	ksm_write_text(opt.backend, "advisor_mode", "none");
	ksm_full_speed(opt.backend);
	ksm_wait_items(opt.backend, 0, "all processes have gone");
	ksm_clear(opt.backend);
	expect_none_lost("all processes have gone");
}

static void start(void (*be)(int index), int index)
{
	if (!fork_child())
		be(index);
}

static void report(double since, long long copies_before)
{
	long long copies = vmstat("cow_ksm");
	char breaks[24] = "no count of";
	unsigned long steps = 0;

	for (unsigned int i = 0; i < nr_deeds; i++) {
		steps += arena->done[i] + arena->absent[i];
		if (arena->absent[i])
			say("%s: %lu, not here: %lu", deeds[i]->name, arena->done[i],
			    arena->absent[i]);
		else
			say("%s: %lu", deeds[i]->name, arena->done[i]);
	}
	/* Not every kernel counts. */
	if (copies >= 0)
		snprintf(breaks, sizeof(breaks), "%lld", copies - copies_before);
	say("pages found merged in %lu of %lu looks, up to %lld saved", arena->looks_merged,
	    arena->looks, arena->most_merged);
	say("ok: seed %llu, %lu steps, %lu merges, %s breaks, %lu reloads, every page right, "
	    "%.1f s",
	    (unsigned long long)opt.seed, steps, arena->merges, breaks, arena->reloads,
	    now_seconds() - since);
}

int main(int argc, char **argv)
{
	double since = now_seconds();
	long long copies = vmstat("cow_ksm");

	args_parse(argc, argv, args,
		   "Do to memory, engine and machine what may happen on a host, in an order that "
		   "the seed decides, and compare every page.");
	if (config.tenant != UNLIMITED)
		return be_tenant(config.tenant);
	if (!config.seconds && !config.reloads && config.steps == UNLIMITED)
		die("say how long: --seconds, --steps or --reloads");
	collect(memory_deeds);
	collect(process_deeds);
	collect(machine_deeds);
	say("seed %llu", (unsigned long long)opt.seed);
	make_arena();
	arena->idle = config.idle;
	if (!config.idle)
		ksm_full_speed(opt.backend);
	for (int i = 0; i < STRESSORS; i++)
		start(be_stressor, i);
	start(be_reloader, 0);
	watch(STRESSORS + 1);
	expect_nothing_left();
	merging_note();
	report(since, copies);
	if (config.steps == UNLIMITED)
		merging_judge();
	return 0;
}
