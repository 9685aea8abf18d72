// SPDX-License-Identifier: GPL-2.0
/*
 * The scan-time advisor brings passes to the time asked for, and keeps them there.
 *
 * The memory is measured first: what CPU time a pass takes, so that the target can be one that
 * the scanner's share of a CPU allows (the advisor never goes below 10 % of one). It starts from a
 * number of pages that makes passes take twice the target.
 *
 * "There" means within a second, three passes in a row: the advisor counts whole seconds, so what
 * differs by less looks to it like the target itself, or like one off, which it corrects by steps
 * of a second over again.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ksm_abi.h"
#include "lib/lib.h"

#define FIRST_PAGES 16384
#define MAX_PAGES (8 * FIRST_PAGES)
#define SLEEP 0.02 /* between batches, seconds */
#define TOLERANCE 1.0

static bool scans_differ(void *arg)
{
	return ksm_read(opt.backend, "full_scans") != *(long long *)arg;
}

/* Wait for the end of a pass. */
static void wait_end(void)
{
	long long scans = ksm_read(opt.backend, "full_scans");

	if (!wait_for(opt.timeout, scans_differ, &scans))
		die("a pass takes more than %.0f s", opt.timeout);
}

/* From the end of a pass to the end of the next. */
static double time_pass(void)
{
	double start = now_seconds();

	wait_end();
	return now_seconds() - start;
}

static void must_set(const char *file, long long value)
{
	int err = ksm_write(opt.backend, file, value);

	if (err)
		die("%s=%lld: %s", file, value, strerror(-err));
}

static void must_say(const char *file, const char *word)
{
	int err = ksm_write_text(opt.backend, file, word);

	if (err)
		die("%s=%s: %s", file, word, strerror(-err));
}

/* CPU time of the scanner thread so far, seconds. */
static double scanner_time(void)
{
	bool engine = opt.backend == &backends[BACKEND_ENGINE];
	const char *name = engine ? KSM_ABI_ENGINE_THREAD : KSM_ABI_KERNEL_THREAD;
	unsigned long long ns = 0;
	char comm[32], path[64];

	for (int pid = 2; pid < 1 << 15 && !ns; pid++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		f = fopen(path, "r");
		if (f && fscanf(f, "%31s", comm) == 1 && !strcmp(comm, name)) {
			snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
			f = freopen(path, "r", f);
			if (!f || fscanf(f, "%llu", &ns) != 1)
				die("%s: %s", path, strerror(errno));
		}
		if (f)
			fclose(f);
	}
	if (!ns)
		die("there is no thread %s that ever ran", name);
	return ns / 1e9;
}

/* So many different pages that a pass takes 0.4 s of CPU time. Returns that time. */
static double fill_memory(struct pages *p, size_t *pages)
{
	double seconds = 0;
	size_t nr = 0;

	pages_map(p, MAX_PAGES, opt.seed);
	pages_advise(p, 0, MAX_PAGES, MADV_NOHUGEPAGE);
	pages_advise(p, 0, MAX_PAGES, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	for (size_t want = FIRST_PAGES; seconds < 0.4 && want <= MAX_PAGES; want *= 2) {
		for (; nr < want; nr++)
			page_fill(p, nr, nr + 1);
		/* Passes that see all of it unchanged are alike. */
		ksm_wait_passes(opt.backend, 2);
		wait_end();
		seconds = -scanner_time();
		wait_end();
		seconds += scanner_time();
	}
	*pages = nr;
	return seconds;
}

static void reach(double busy, size_t pages)
{
	long target = fmax(3, ceil(3 * busy));
	long first_pages = pages * SLEEP / (2 * target - busy);
	double start = now_seconds(), seconds;
	int passes = 0, near = 0;

	must_set("sleep_millisecs", SLEEP * 1000);
	must_set("advisor_max_cpu", 100);
	must_set("advisor_min_pages_to_scan", first_pages);
	must_set("advisor_target_scan_time", target);
	must_say("advisor_mode", "scan-time");
	/* The pass under way began before. */
	wait_end();
	say("%zu pages take %.1f s of CPU time; target %ld s, from %ld pages", pages, busy, target,
	    first_pages);
	while (near < 3) {
		seconds = time_pass();
		passes++;
		say("  pass %d: %.1f s, now %lld pages", passes, seconds,
		    ksm_read(opt.backend, "pages_to_scan"));
		near = fabs(seconds - target) <= TOLERANCE ? near + 1 : 0;
		if (passes == 1 && near)
			die("the first pass is near the target already: nothing is shown");
		if (now_seconds() - start > opt.timeout)
			die("passes do not stay within a second of %ld s", target);
	}
	must_say("advisor_mode", "none");
	if (ksm_read(opt.backend, "pages_to_scan") != 100)
		die("without advisor pages_to_scan is %lld",
		    ksm_read(opt.backend, "pages_to_scan"));
	say("ok: three passes in a row within a second of %ld s, after %d passes", target, passes);
}

int main(int argc, char **argv)
{
	struct pages memory;
	size_t pages;
	double busy;

	args_parse(argc, argv, NULL, "Let the scan-time advisor reach its target.");
	busy = fill_memory(&memory, &pages);
	reach(busy, pages);
	if (pages_wrong(&memory, 0, pages))
		die("contents are wrong");
	ksm_clear(opt.backend);
	return 0;
}
