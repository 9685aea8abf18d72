// SPDX-License-Identifier: GPL-2.0
/*
 * Does merging merge, and is memory still right afterwards?
 *
 * distinct: N contents, each once in two processes, must end on exactly N frames. same: one
 * content N * 2 times in one process must end on N * 2 / max_page_sharing frames. Then both sides
 * write at random, and every byte is compared with what was written.
 *
 * Breaks are counted by the writers themselves, as writes behind which another frame appeared.
 * First with the scanner stopped, when that must equal the kernel's own count; then while it scans.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/lib.h"

struct config {
	size_t pages;
	const char *report;
	bool only_distinct;
};

static struct config config = { .pages = 8192 };

static const struct arg args[] = {
	{ "pages", 'n', "N", "distinct contents (default: 8192)",
	  ARG_NUMBER(&config.pages, 256, 1 << 20) },
	{ "report", 'r', "FILE",
	  "after the distinct part stop the scanner, write what was seen into FILE, keep all "
	  "merged and wait for SIGTERM",
	  .word = &config.report },
	{ 0 },
};

/* ---- the worker's side ---- */

/**
 * struct side - one process of the pair
 * @pages: its memory
 * @same: all pages alike instead of all different
 * @reverse: contents in descending order, so that equal pages have different addresses
 * @rnd: of its choices
 */
struct side {
	struct pages pages;
	bool same;
	bool reverse;
	uint64_t rnd;
};

static void side_fill(struct side *side, size_t nr)
{
	side->rnd = opt.seed + (side->reverse ? 1000 : 2000);
	pages_map(&side->pages, nr, opt.seed);
	for (size_t i = 0; i < nr; i++)
		page_fill(&side->pages, i, side->same ? 1 : side->reverse ? nr - i : i + 1);
}

/* Writes @nr times at random. Returns how often that put another frame behind a page. */
static long side_write(struct side *side, size_t nr)
{
	long breaks = 0;

	while (nr--) {
		size_t i = next_random(&side->rnd) % side->pages.nr;
		uint64_t before = own_pfn(page_at(&side->pages, i));

		page_patch(&side->pages, i, &side->rnd);
		breaks += own_pfn(page_at(&side->pages, i)) != before;
	}
	return breaks;
}

static long side_serve(void *ctx, int cmd, long arg)
{
	struct side *side = ctx;

	switch (cmd) {
	case 'f':
		side_fill(side, arg);
		return (long)side->pages.mem;
	case 'm':
		pages_advise(&side->pages, 0, side->pages.nr, MADV_MERGEABLE);
		return 0;
	case 'n':
		pages_advise(&side->pages, 0, side->pages.nr, MADV_NOHUGEPAGE);
		return 0;
	case 'w':
		return side_write(side, arg);
	case 'v':
		return pages_wrong(&side->pages, 0, side->pages.nr);
	}
	die("unknown command %c", cmd);
}

/* ---- the judge's side ---- */

static void set_run(int run)
{
	int err = ksm_write(opt.backend, "run", run);

	if (err)
		die("%s: run=%d: %s", opt.backend->name, run, strerror(-err));
}

/**
 * struct trial - processes whose pages are to be merged
 * @sides: what each process is told to be
 * @workers: the processes
 * @nr: how many
 * @pages: pages in each
 * @addr: where each has them
 * @entries: room for the pagemap of all
 * @want: frames that must be left
 * @last: what was counted last
 */
struct trial {
	struct side sides[2];
	struct worker workers[2];
	int nr;
	size_t pages;
	uintptr_t addr[2];
	uint64_t *entries;
	size_t want;
	struct frames last;
};

static size_t trial_total(const struct trial *t)
{
	return t->nr * t->pages;
}

static void trial_look(struct trial *t)
{
	for (int i = 0; i < t->nr; i++) {
		int err = pagemap_read(t->workers[i].pid, t->addr[i], t->pages,
				       t->entries + i * t->pages);

		if (err)
			die("pagemap of %d: %s", t->workers[i].pid, strerror(-err));
	}
	frames_count(t->entries, trial_total(t), &t->last);
}

static bool trial_merged(void *arg)
{
	struct trial *t = arg;

	trial_look(t);
	return t->last.distinct == t->want;
}

/* The same command to all at once, so that they run side by side. Returns the answers' sum. */
static long trial_all(struct trial *t, int cmd, long arg)
{
	long sum = 0;

	for (int i = 0; i < t->nr; i++)
		worker_send(&t->workers[i], cmd, arg);
	for (int i = 0; i < t->nr; i++)
		sum += worker_answer(&t->workers[i]);
	return sum;
}

static long trial_pss(struct trial *t)
{
	long sum = 0;

	for (int i = 0; i < t->nr; i++)
		sum += pss_kib(t->workers[i].pid);
	return sum;
}

static void trial_start(struct trial *t)
{
	static const char *const names[] = { "vm-left", "vm-right" };

	t->entries = calloc(trial_total(t), sizeof(*t->entries));
	if (!t->entries)
		die("no memory for %zu pagemap entries", trial_total(t));
	for (int i = 0; i < t->nr; i++) {
		worker_start(&t->workers[i], names[i], side_serve, &t->sides[i]);
		t->addr[i] = worker_call(&t->workers[i], 'f', t->pages);
	}
	trial_look(t);
	if (t->last.mapped != trial_total(t) || t->last.sharing)
		die("before merging %zu of %zu pages are mapped, %zu share a frame (run as root)",
		    t->last.mapped, trial_total(t), t->last.sharing);
}

static void trial_verify(struct trial *t, const char *when)
{
	long wrong = trial_all(t, 'v', 0);

	if (wrong)
		die("%s: %ld pages hold wrong content", when, wrong);
}

static void trial_wait_merged(struct trial *t, const char *name)
{
	double start = now_seconds();

	if (!wait_for(opt.timeout, trial_merged, t))
		die("%s: %zu pages are on %zu frames after %.0f s, %zu expected", name,
		    t->last.mapped, t->last.distinct, opt.timeout, t->want);
	say("%s: %zu pages on %zu frames, at most %zu pages on one, after %.1f s", name,
	    t->last.mapped, t->last.distinct, t->last.largest, now_seconds() - start);
	/* Being there is one thing, staying there is another. */
	ksm_wait_passes(opt.backend, 2);
	if (!trial_merged(t) || t->last.mapped != trial_total(t))
		die("%s: two passes later %zu pages are on %zu frames", name, t->last.mapped,
		    t->last.distinct);
	if (t->last.largest > (size_t)ksm_read(opt.backend, "max_page_sharing"))
		die("%s: %zu pages on one frame, more than max_page_sharing", name,
		    t->last.largest);
}

static void trial_check_pss(struct trial *t, const char *name, long before)
{
	long after = trial_pss(t);
	long page_kib = page_size() / 1024;
	long ideal = (long)(trial_total(t) - t->want) * page_kib;

	say("%s: PSS %ld KiB before, %ld KiB after: %ld saved of %ld", name, before, after,
	    before - after, ideal);
	/* Page tables and libc's own pages are in PSS too: 5 % for them. */
	if (before - after < ideal * 95 / 100)
		die("%s: PSS fell by %ld KiB, %ld expected", name, before - after, ideal);
}

/* Writes from both sides. Returns breaks as the writers saw them, and the kernel's in @cow. */
static long trial_write(struct trial *t, const char *name, long long *cow)
{
	long long before = vmstat("cow_ksm");
	long breaks = trial_all(t, 'w', t->pages / 2);

	*cow = before < 0 ? -1 : vmstat("cow_ksm") - before;
	say("%s: %ld writes broke %ld pages, cow_ksm counts %lld", name,
	    (long)(t->nr * (t->pages / 2)), breaks, *cow);
	if (!breaks)
		die("%s: no write changed a frame: nothing was merged", name);
	return breaks;
}

/*
 * With the scanner stopped every break is one that the writer sees. While it scans it may merge
 * the copy that a write fault just made, before the writer's store, which then faults again.
 */
static long trial_write_exact(struct trial *t, const char *name)
{
	long long cow;
	long breaks;

	set_run(KSM_RUN_STOP);
	breaks = trial_write(t, name, &cow);
	if (cow >= 0 && cow != breaks)
		die("%s: the kernel counts %lld COW breaks, the writers saw %ld", name, cow,
		    breaks);
	set_run(KSM_RUN_MERGE);
	return breaks;
}

static long trial_write_scanned(struct trial *t, const char *name)
{
	long long cow;
	long breaks = trial_write(t, name, &cow);

	if (cow >= 0 && cow < breaks)
		die("%s: the kernel counts %lld COW breaks, the writers saw %ld", name, cow,
		    breaks);
	return breaks;
}

/* After writes: all content right, and the counters know what is left merged. */
static void trial_settle(struct trial *t, const char *name, long long merged)
{
	trial_verify(t, "after writes");
	ksm_wait_items(opt.backend, merged, name);
	trial_verify(t, "after writes, and scanned again");
	trial_look(t);
	if (t->last.mapped != trial_total(t))
		die("%s: %zu of %zu pages still mapped", name, t->last.mapped, trial_total(t));
}

static long trial_run(struct trial *t, const char *name)
{
	long long base;
	long before, breaks;

	trial_start(t);
	ksm_full_speed(opt.backend);
	base = ksm_items(opt.backend);
	before = trial_pss(t);
	trial_all(t, 'm', 0);
	trial_wait_merged(t, name);
	trial_check_pss(t, name, before);
	ksm_wait_items(opt.backend, base + trial_total(t), name);
	trial_verify(t, "merged");
	/* From here on khugepaged might copy what is left merged into huge pages, uncounted. */
	trial_all(t, 'n', 0);
	breaks = trial_write_exact(t, name);
	trial_settle(t, name, base + trial_total(t) - breaks);
	if (!config.report) {
		breaks += trial_write_scanned(t, name);
		trial_settle(t, name, base + trial_total(t) - breaks);
	}
	say("%s: content right; counters agree: %lld merged", name, ksm_items(opt.backend) - base);
	return breaks;
}

static void trial_stop(struct trial *t)
{
	for (int i = 0; i < t->nr; i++)
		worker_stop(&t->workers[i]);
	free(t->entries);
}

/* Freeze what is merged and tell, for a test that compares it with a trace. */
static void report_and_wait(long breaks)
{
	sigset_t set;
	int sig;
	FILE *f;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	set_run(KSM_RUN_STOP);
	f = fopen(config.report, "w");
	if (!f)
		die("%s: %s", config.report, strerror(errno));
	fprintf(f, "breaks=%ld\npages_shared=%lld\npages_sharing=%lld\npid=%d\n", breaks,
		ksm_read(opt.backend, "pages_shared"), ksm_read(opt.backend, "pages_sharing"),
		getpid());
	if (fclose(f))
		die("%s: %s", config.report, strerror(errno));
	sigwait(&set, &sig);
}

int main(int argc, char **argv)
{
	struct trial distinct = { .sides = { { .reverse = false }, { .reverse = true } }, .nr = 2 };
	struct trial same = { .sides = { { .same = true } }, .nr = 1 };
	long long sharing;
	long breaks;

	args_parse(argc, argv, args,
		   "Merge known contents and judge the result by page frames and by every byte.");
	sharing = ksm_read(opt.backend, "max_page_sharing");
	distinct.pages = distinct.want = config.pages;
	breaks = trial_run(&distinct, "distinct");
	if (config.report) {
		report_and_wait(breaks);
		trial_stop(&distinct);
		return 0;
	}
	trial_stop(&distinct);
	ksm_clear(opt.backend);

	same.pages = config.pages * 2;
	same.want = (same.pages + sharing - 1) / sharing;
	trial_run(&same, "same");
	trial_stop(&same);
	ksm_clear(opt.backend);
	say("ok");
	return 0;
}
