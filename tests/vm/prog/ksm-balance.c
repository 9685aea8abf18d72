// SPDX-License-Identifier: GPL-2.0
/*
 * Automatic NUMA balancing at work on memory that KSM merges: the process runs on the other node
 * than its memory, so the kernel takes its page table entries away (hints), and who faults on one
 * gets the page on his own node. Meanwhile pages are scanned, merged and written. Merged pages stay
 * where they are, for the kernel gives no hints to KSM pages.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/trials.h"

#define PAGES 256
#define ROUNDS 4
/* So many pages have to move in a round, of the PAGES that are not merged then. */
#define ENOUGH (PAGES / 4)
#define BALANCING "/proc/sys/kernel/numa_balancing"
#define SCAN "/sys/kernel/debug/sched/numa_balancing/"

static const char lacking[] = "built without CONFIG_NUMA_BALANCING";

/* ---- the machine ---- */

static int cpu_of_node(int node)
{
	char path[64];
	int cpu;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", node);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &cpu) != 1)
		die("%s: no CPU (two nodes are needed: run with --numa)", path);
	fclose(f);
	return cpu;
}

/* The calling thread alone. */
static void run_on_node(int node)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu_of_node(node), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("cannot run on node %d: %s", node, strerror(errno));
}

/* As often as the kernel can: by default an address space is looked at after seconds only. */
static bool balancing_on(void)
{
	if (access(BALANCING, F_OK))
		return false;
	must_write_file(SCAN "scan_delay_ms", "100");
	must_write_file(SCAN "scan_period_min_ms", "20");
	must_write_file(SCAN "scan_period_max_ms", "50");
	must_write_file(SCAN "scan_size_mb", "64");
	must_write_file(BALANCING, "1");
	return true;
}

/**
 * struct counts - what the kernel says of its balancing, of the whole machine
 * @hints: entries taken away
 * @faults: on those
 * @moved: pages that went to who faulted
 */
struct counts {
	long long hints;
	long long faults;
	long long moved;
};

static struct counts counts_since(struct counts then)
{
	return (struct counts){
		.hints = vmstat("numa_pte_updates") - then.hints,
		.faults = vmstat("numa_hint_faults") - then.faults,
		.moved = vmstat("numa_pages_migrated") - then.moved,
	};
}

static struct counts counts_now(void)
{
	return counts_since((struct counts){ 0 });
}

/* ---- a round ---- */

/* Every other page: the rest stays merged among them. */
static void fill_odd(struct sets *s, bool alike, int round)
{
	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 1; i < PAGES; i += 2)
			page_fill(&s->p[k], i, 10000 * (1 + round) + i + (alike ? 0 : 1000 * k));
	}
}

/* Reads all, again and again, until the kernel has brought enough of them here. */
static struct counts attract(const struct sets *s, const char *when)
{
	struct counts start = counts_now(), seen;
	double end = now_seconds() + opt.timeout;

	do {
		sets_verify(s, when);
		seen = counts_since(start);
		if (now_seconds() > end)
			die("%s: %lld entries made hints, %lld faults on them, %lld pages moved",
			    when, seen.hints, seen.faults, seen.moved);
	} while (seen.faults < ENOUGH || seen.moved < ENOUGH);
	return seen;
}

/* Running, for only who runs is looked at, and touching nothing. */
static bool hints_within(struct counts start, double seconds)
{
	double end = now_seconds() + seconds;

	while (counts_since(start).hints < ENOUGH / 2) {
		if (now_seconds() > end)
			return false;
	}
	return true;
}

/*
 * Every other page is written where it shall be, and looked at by the kernel from the other node.
 * Counted from before the process goes there: what is at home gets no hints, and all of it may get
 * them at once, before the process is back from its system call. Repeated, for the kernel leaves
 * ranges out that were not touched for a while.
 */
static void write_and_leave(struct sets *s, int round)
{
	double end = now_seconds() + opt.timeout;
	int home = round % 2;
	struct counts start;

	do {
		if (now_seconds() > end)
			die("after the process went to the other node: %lld entries made hints",
			    counts_since(start).hints);
		run_on_node(home);
		fill_odd(s, true, round);
		start = counts_now();
		run_on_node(!home);
	} while (!hints_within(start, 5));
}

static void frames_of_even(const struct sets *s, uint64_t *pfns)
{
	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 0; i < PAGES; i += 2)
			*pfns++ = own_pfn(page_at(&s->p[k], i));
	}
}

/* Looking at a page takes its hint away. */
static void merge_without_hints(struct sets *s, const char *when)
{
	must_write_file(BALANCING, "0");
	sets_verify(s, when);
	sets_wait(s, PAGES, when);
	must_write_file(BALANCING, "1");
}

static void stop_scanner(void)
{
	int err = ksm_write(opt.backend, "run", 0);

	if (err)
		die("run=0: %s", strerror(-err));
}

/* Memory of one node is read from the other while the scanner looks, until it moves. */
static struct counts play_round(struct sets *s, int round)
{
	uint64_t before[PAGES], after[PAGES];
	struct counts seen;
	int home = round % 2;

	frames_of_even(s, before);
	run_on_node(home);
	fill_odd(s, false, round);
	run_on_node(!home);
	seen = attract(s, "read from the other node");
	fill_odd(s, true, round);
	merge_without_hints(s, "merged after moving");
	frames_of_even(s, after);
	if (memcmp(before, after, sizeof(before)))
		die("a merged page was moved by balancing");
	return seen;
}

static const char *moved(void)
{
	struct counts sum = { 0 };
	struct sets s;

	if (!balancing_on())
		return lacking;
	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merged");
	for (int round = 0; round < ROUNDS; round++) {
		struct counts seen = play_round(&s, round);

		sum.faults += seen.faults;
		sum.moved += seen.moved;
	}
	say("  %d rounds: %lld hint faults, %lld pages moved", ROUNDS, sum.faults, sum.moved);
	sets_unmap(&s);
	return NULL;
}

/* ---- entries that are hints while their pages are merged ---- */

/* Passes, not seconds: in-tree KSM of 6.1 takes such pages for absent. */
static bool merged_within(struct sets *s, int passes)
{
	ksm_full_speed(opt.backend);
	do {
		ksm_wait_passes(opt.backend, 1);
		sets_look(s);
	} while (s->last.distinct > PAGES && --passes);
	return passes;
}

static const char *hinted(void)
{
	bool merged = true;
	struct sets s;

	if (!balancing_on())
		return lacking;
	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merged");
	for (int round = 0; round < ROUNDS && merged; round++) {
		stop_scanner();
		write_and_leave(&s, round);
		merged = merged_within(&s, 24);
		merge_without_hints(&s, "merged once there are no hints");
	}
	sets_unmap(&s);
	return merged ? NULL : "a page whose entry is a hint is absent for this KSM";
}

/* ---- two threads at once, each on its node ---- */

/**
 * struct writer - a thread that writes to a range while another reads it
 * @s: the ranges; it writes to the first
 * @stop: set when it shall end
 */
struct writer {
	struct sets *s;
	bool stop;
};

static void *write_on_node_1(void *arg)
{
	struct writer *w = arg;
	uint64_t rnd = opt.seed;

	run_on_node(1);
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		page_patch(&w->s->p[0], next_random(&rnd) % PAGES, &rnd);
		if (pages_wrong(&w->s->p[0], 0, PAGES))
			die("what a thread on node 1 wrote is wrong");
	}
	return NULL;
}

/* The writer's range and the reader's are hinted and moved both, and equal contents merge. */
static const char *two_threads(void)
{
	struct counts start, seen;
	struct writer w = { 0 };
	double end = now_seconds() + opt.timeout;
	pthread_t thread;
	struct sets s;

	if (!balancing_on())
		return lacking;
	run_on_node(1);
	sets_map(&s, 2, PAGES);
	run_on_node(0);
	w.s = &s;
	sets_advise(&s, MADV_MERGEABLE);
	start = counts_now();
	if (pthread_create(&thread, NULL, write_on_node_1, &w))
		die("no thread");
	do {
		if (pages_wrong(&s.p[1], 0, PAGES))
			die("what a thread on node 0 reads is wrong");
		seen = counts_since(start);
		if (now_seconds() > end)
			die("two threads: %lld hint faults, %lld pages moved", seen.faults,
			    seen.moved);
	} while (seen.faults < ENOUGH || !seen.moved);
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	say("  %lld hint faults, %lld pages moved", seen.faults, seen.moved);
	for (size_t i = 0; i < PAGES; i++)
		page_fill(&s.p[0], i, i + 1);
	merge_without_hints(&s, "merged after both threads");
	sets_unmap(&s);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "moved", moved, 0 },
		{ "hinted", hinted, 0 },
		{ "two-threads", two_threads, 0 },
		{ 0 },
	};

	return trials_main(argc, argv, trials,
			   "Let the kernel balance memory between nodes while KSM merges it.");
}
