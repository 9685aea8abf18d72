// SPDX-License-Identifier: GPL-2.0
/* Ways to measure a scanner. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "bench.h"

/* Passes before a scanner counts as at rest, and after which a planted pair must be found. */
#define WARM_PASSES 4
#define PLANT_PASSES 5
/* A scanner at rest is measured over so many passes and seconds at least. */
#define REST_PASSES 3
#define REST_SECONDS 0.5
/* A scanner that saved nothing for so many passes has saved what it will. */
#define QUIET_PASSES 5
/* Content of planted pages: no row uses it. */
#define PLANT_ID (1ULL << 60)
/* Three passes of ksmd over this row at its pace; so often the contents alternate, once warm. */
#define FLIP_SECONDS 0.9
#define FLIPS 12
#define FLIPS_WARM 10
/* New duplicates appear at so many points of a pass. */
#define PHASES 5
#define FRESH_MIB 64

struct mark {
	double time;
	uint64_t thread;
	uint64_t machine;
	long long passes;
	long long breaks;
	long long splits;
};

static void mark(struct mark *m)
{
	m->passes = ksm_read(opt.backend, "full_scans");
	m->breaks = vmstat("cow_ksm");
	m->splits = vmstat("thp_split_page");
	m->machine = machine_cost();
	m->thread = thread_cost(bench.thread);
	m->time = now_seconds();
}

/* Add what happened between two marks to the result. */
static void add_cost(const struct mark *from, const struct mark *to)
{
	double seconds = to->time - from->time;

	bench.result.seconds += seconds;
	bench.result.thread += to->thread - from->thread;
	bench.result.machine += to->machine - from->machine - bench.idle * seconds;
	bench.result.passes += to->passes - from->passes;
	bench.result.breaks += to->breaks - from->breaks;
	bench.result.splits += to->splits - from->splits;
}

static void pause_ms(long ms)
{
	const struct timespec tick = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&tick, NULL);
}

static long long slab_before;

static void scan(int run)
{
	int err;

	slab_before = meminfo("SUnreclaim");
	err = ksm_write(opt.backend, "run", run);

	if (err)
		die("%s/run: writing %d: %s", opt.backend->dir, run, strerror(-err));
}

/* One look at the scanner every two milliseconds, at rest as well as at work. */
static long long poll_passes(void)
{
	pause_ms(2);
	return ksm_read(opt.backend, "full_scans");
}

static void pass_until(long long passes)
{
	double end = now_seconds() + opt.timeout;

	while (poll_passes() < passes) {
		if (now_seconds() > end)
			die("%s: full_scans does not reach %lld in %.0f s", bench.row->name, passes,
			    opt.timeout);
	}
}

/* Wait until @n passes ended; returns as soon as the last did. */
static void wait_edge(int n)
{
	pass_until(ksm_read(opt.backend, "full_scans") + n);
}

static double machine_rate(double seconds)
{
	double start = now_seconds();
	uint64_t before = machine_cost();

	while (now_seconds() < start + seconds)
		poll_passes();
	return (machine_cost() - before) / (now_seconds() - start);
}

void bench_quiet(void)
{
	double end = now_seconds() + opt.timeout;
	int quiet = 0;

	while (quiet < 5) {
		quiet = machine_rate(0.2) < 0.1e9 ? quiet + 1 : 0;
		if (now_seconds() > end)
			die("the machine does not come to rest in %.0f s", opt.timeout);
	}
	bench.idle = machine_rate(1);
}

static long long counted_saving(void)
{
	long long zero = bench.zero_pages ? ksm_try_read(opt.backend, "ksm_zero_pages") : 0;

	/* In-tree KSM of 6.1 does not count the zero pages it merges: ask the page tables. */
	if (zero == -ENOENT) {
		pause_ms(50);
		return bench_saved();
	}
	return ksm_read(opt.backend, "pages_sharing") + zero;
}

static void wait_saving(long long want)
{
	double end = now_seconds() + opt.timeout;

	while (counted_saving() < want) {
		pause_ms(2);
		if (now_seconds() > end)
			die("%s: the saving stays %lld pages of %lld", bench.row->name,
			    counted_saving(), want);
	}
}

static long most(long pages)
{
	return pages - pages / 100;
}

/* What was reached, and whether the scanner still sees what changes. */
static void judge(bool plant)
{
	long long from;

	bench.result.metadata = (meminfo("SUnreclaim") - slab_before) << 10;
	bench.result.saved = bench_saved();
	bench.result.expected = bench.row->saved(bench.pages, bench.zero_pages);
	if (!plant)
		return;
	worker_call(&bench.workers[0], BENCH_PLANT, PLANT_ID);
	/* The pass under way may have been at both pages already. */
	from = ksm_read(opt.backend, "full_scans") + 1;
	bench.result.planted = -1;
	for (int pass = 1; pass <= PLANT_PASSES && bench.result.planted < 0; pass++) {
		pass_until(from + pass);
		if (bench_planted_found())
			bench.result.planted = pass;
	}
}

static void measure_rest(void)
{
	struct mark from, to;

	wait_edge(WARM_PASSES);
	mark(&from);
	do {
		wait_edge(1);
		mark(&to);
	} while (to.passes < from.passes + REST_PASSES || to.time < from.time + REST_SECONDS);
	add_cost(&from, &to);
	bench.result.per = (double)bench.result.passes * bench.pages * bench.row->processes;
	judge(true);
}

void measure_steady(void)
{
	scan(1);
	measure_rest();
}

void measure_merged(void)
{
	scan(1);
	wait_saving(bench.row->saved(bench.pages, bench.zero_pages));
	measure_rest();
}

void measure_passes(void)
{
	struct mark from, to;

	mark(&from);
	scan(1);
	wait_edge(18);
	mark(&to);
	add_cost(&from, &to);
	bench.result.per = 18.0 * bench.pages * bench.row->processes;
	judge(false);
}

static void note_point(const struct mark *from, long long saved, long long want)
{
	unsigned int n = bench.result.points;
	long long last = n ? bench.result.series[n - 1].saved : 0;

	if (n == BENCH_SERIES || saved < last + want / 100)
		return;
	bench.result.series[n].thread = thread_cost(bench.thread) - from->thread;
	bench.result.series[n].saved = saved;
	bench.result.points++;
}

void measure_saving(void)
{
	long long want = most(bench.row->saved(bench.pages, bench.zero_pages)), saved = 0;
	double end = now_seconds() + opt.timeout;
	struct mark from, to;

	mark(&from);
	scan(1);
	while (saved < want) {
		pause_ms(2);
		saved = counted_saving();
		note_point(&from, saved, want);
		if (now_seconds() > end)
			die("%s: the saving stays %lld pages of %lld", bench.row->name, saved,
			    want);
	}
	mark(&to);
	add_cost(&from, &to);
	judge(false);
	bench.result.per = bench.result.saved;
}

/* Until so many passes have saved nothing more. */
void measure_splits(void)
{
	double end = now_seconds() + opt.timeout;
	long long saved = 0, before;
	struct mark from, to;
	int quiet = 0;

	mark(&from);
	scan(1);
	while (quiet < QUIET_PASSES) {
		wait_edge(1);
		before = saved;
		saved = counted_saving();
		quiet = saved && saved == before ? quiet + 1 : 0;
		note_point(&from, saved, bench.row->saved(bench.pages, bench.zero_pages));
		if (now_seconds() > end)
			die("%s: the saving, %lld pages, does not come to rest", bench.row->name,
			    saved);
	}
	mark(&to);
	add_cost(&from, &to);
	judge(false);
	bench.result.per = bench.result.saved;
	bench.result.deferred = ksm_try_read(opt.backend, "pages_thp_deferred");
	if (!bench.result.splits)
		die("no huge page was split: are there any?");
}

/* Let the contents alternate; the pages saved, integrated over time. */
static double flip_for(int flips)
{
	double saved = 0, last = now_seconds(), next = last, now;

	for (int i = 0; i < flips; next += FLIP_SECONDS) {
		bench_call_all(BENCH_FLIP, ++i % 2);
		do {
			long long pages = ksm_read(opt.backend, "pages_sharing");

			pause_ms(5);
			now = now_seconds();
			saved += pages * (now - last);
			last = now;
		} while (now < next + FLIP_SECONDS);
	}
	return saved;
}

void measure_flips(void)
{
	struct mark from, to;

	mark(&from);
	flip_for(FLIPS / 3);
	mark(&to);
	/* What writing costs, without merging, is not the scanner's. */
	bench.idle = (to.machine - from.machine) / (to.time - from.time);
	scan(1);
	flip_for(FLIPS_WARM);
	mark(&from);
	bench.result.per = flip_for(FLIPS);
	mark(&to);
	add_cost(&from, &to);
	wait_saving(bench.row->saved(bench.pages, bench.zero_pages));
	judge(false);
}

static double pass_seconds(void)
{
	double start;

	wait_edge(1);
	start = now_seconds();
	wait_edge(2);
	return (now_seconds() - start) / 2;
}

void measure_fresh(void)
{
	size_t nr = ((size_t)FRESH_MIB << 20) / page_size();
	struct mark from, to;
	double seconds;

	scan(1);
	wait_edge(WARM_PASSES);
	seconds = pass_seconds();
	for (int phase = 0; phase < PHASES; phase++) {
		wait_edge(1);
		pause_ms(seconds * 1000 * phase / PHASES);
		bench_fresh_add(nr);
		mark(&from);
		wait_saving(most(nr / 2));
		mark(&to);
		add_cost(&from, &to);
		if (bench_saved() < most(nr / 2))
			die("fresh: %ld pages saved, %ld counted", bench_saved(), most(nr / 2));
		bench_fresh_drop();
		wait_edge(2);
	}
	bench.result.per = PHASES * nr / 2;
	judge(true);
}
