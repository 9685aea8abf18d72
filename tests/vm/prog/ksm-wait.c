// SPDX-License-Identifier: GPL-2.0
/*
 * How long others wait for a scanner: the end of a large process from SIGKILL to wait()'s return,
 * and mprotect(), which wants the mmap_lock that a scanner holds now and then. Prints one JSON
 * object with percentiles in nanoseconds (instructions, in a guest with --icount).
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/lib.h"

static struct config {
	size_t mib;
	unsigned long rounds;
	bool idle;
	bool protect;
	bool cut;
} config = { .mib = 1024, .rounds = 100 };

static const struct arg args[] = {
	{ "mib", 'm', "MIB", "memory of the process (default: 1024)",
	  ARG_NUMBER(&config.mib, 1, 65536) },
	{ "rounds", 'r', "N", "how often (default: 100)", ARG_NUMBER(&config.rounds, 1, 1000000) },
	{ "idle", 'i', NULL, "the scanner does not run (default: at full speed)",
	  .flag = &config.idle },
	{ "mprotect", 'p', NULL, "measure mprotect (default: exit)", .flag = &config.protect },
	{ "cut", 'c', NULL,
	  "measure mprotect that cuts memory, most of it not there, into areas of "
	  "a page",
	  .flag = &config.cut },
	{ 0 },
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* One word a page: every second page has a partner, the others have none. */
static uint64_t content(size_t i)
{
	return i % 4 ? i : i + 2;
}

/* From one page that is there to the next. */
static size_t stride(void)
{
	return config.cut ? 101 : 1;
}

static void fill(struct pages *p)
{
	pages_map(p, (config.mib << 20) / page_size(), opt.seed);
	pages_advise(p, 0, p->nr, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < p->nr; i += stride())
		*(volatile uint64_t *)page_at(p, i) = content(i);
	pages_advise(p, 0, p->nr, MADV_MERGEABLE);
}

static void nap(uint64_t *rnd)
{
	const struct timespec t = { .tv_nsec = next_random(rnd) % 20000000 };

	nanosleep(&t, NULL);
}

/* A fork of this process is as large; it is killed at some moment of the scan. */
static double measure_exit(struct pages *p, uint64_t *rnd)
{
	double start;
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	nap(rnd);
	start = now_ns();
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid: %s", strerror(errno));
	return now_ns() - start;
}

static double measure_protect(struct pages *p, uint64_t *rnd)
{
	size_t at = next_random(rnd) % (p->nr - 16);
	double start = now_ns(), took;

	if (mprotect(page_at(p, at), 16 * page_size(), PROT_READ))
		die("mprotect: %s", strerror(errno));
	took = now_ns() - start;
	if (mprotect(p->mem, p->nr * page_size(), PROT_READ | PROT_WRITE))
		die("mprotect: %s", strerror(errno));
	return took;
}

/* Neighbours differ in what they allow, else they would be one area. */
static double measure_cut(struct pages *p, uint64_t *unused)
{
	static size_t at;
	double start = now_ns();

	if (mprotect(page_at(p, at % p->nr), page_size(), PROT_READ))
		die("mprotect: %s", strerror(errno));
	at += 2;
	return now_ns() - start;
}

/*
 * The scanner and who waits for it each have a CPU: whether they share one is otherwise the
 * scheduler's choice of the moment, and counts for more than what is measured.
 */
static void run_apart(void)
{
	const pid_t who[] = {
		0,
		thread_find(opt.backend == &backends[BACKEND_KERNEL] ? KSM_ABI_KERNEL_THREAD :
								       KSM_ABI_ENGINE_THREAD),
	};

	for (int cpu = 0; cpu < 2; cpu++) {
		cpu_set_t cpus;

		CPU_ZERO(&cpus);
		CPU_SET(cpu, &cpus);
		if (sched_setaffinity(who[cpu], sizeof(cpus), &cpus))
			die("CPU %d is not to be had: %s", cpu, strerror(errno));
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double percentile(const double *sorted, size_t n, int percent)
{
	size_t rank = (n * percent + 99) / 100;

	return sorted[(rank ?: 1) - 1];
}

int main(int argc, char **argv)
{
	double (*measure)(struct pages * p, uint64_t * rnd) = measure_exit;
	const char *what = "exit";
	double *took;
	struct pages p;
	uint64_t rnd;

	args_parse(argc, argv, args,
		   "Measure how long an exit or an mprotect() takes beside a scanner.");
	rnd = opt.seed;
	if (config.protect)
		measure = measure_protect, what = "mprotect";
	if (config.cut)
		measure = measure_cut, what = "cut";
	took = calloc(config.rounds, sizeof(*took));
	if (!took)
		die("no memory");
	run_apart();
	fill(&p);
	if (!config.idle) {
		ksm_full_speed(opt.backend);
		ksm_wait_passes(opt.backend, 1);
	}
	for (size_t i = 0; i < config.rounds; i++)
		took[i] = measure(&p, &rnd);
	qsort(took, config.rounds, sizeof(*took), compare);
	say("{ \"what\": \"%s\", \"backend\": \"%s\", \"idle\": %d, \"n\": %lu, \"p50\": %.0f, "
	    "\"p99\": %.0f, \"max\": %.0f }",
	    what, opt.backend->name, config.idle, config.rounds,
	    percentile(took, config.rounds, 50), percentile(took, config.rounds, 99),
	    took[config.rounds - 1]);
	for (size_t i = 0; i < p.nr; i += stride()) {
		if (*(volatile uint64_t *)page_at(&p, i) != content(i))
			die("page %zu does not hold what was written", i);
	}
	return 0;
}
