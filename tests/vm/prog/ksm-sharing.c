// SPDX-License-Identifier: GPL-2.0
/*
 * How many KSM pages N equal pages need, for every max_page_sharing.
 *
 * Of N equal pages with at most m on one frame, N / m frames get m each. A rest of two or more
 * gets a frame of its own; a rest of one finds nobody to merge with and stays what it was:
 *
 *   N % m < 2:  shared = N / m,      sharing = shared * (m - 1)
 *   else:       shared = N / m + 1,  sharing = N - shared
 *
 * for each content. The counters must say so, and the page frames, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/lib.h"

/* Equal pages of each content. */
#define COPIES 32

struct config {
	size_t contents;
	unsigned long every;
};

static struct config config = { .contents = 10, .every = 1 };

static const struct arg args[] = {
	{ "contents", 'n', "N", "distinct contents (default: 10)",
	  ARG_NUMBER(&config.contents, 1, 1 << 14) },
	{ "every", 'e', "N", "only every Nth max_page_sharing from 2 to 32 (default: 1)",
	  ARG_NUMBER(&config.every, 1, COPIES) },
	{ 0 },
};

/**
 * struct rule - what must come out, for all contents together
 * @limit: max_page_sharing
 * @shared: KSM pages
 * @sharing: further mappings of them
 * @frames: frames behind all pages, with those that stay unmerged
 */
struct rule {
	long limit;
	long long shared;
	long long sharing;
	size_t frames;
};

static struct rule rule_for(long limit)
{
	long long full = COPIES / limit, rest = COPIES % limit;
	struct rule rule = { .limit = limit, .shared = full };

	if (rest < 2) {
		rule.sharing = rule.shared * (limit - 1);
	} else {
		rule.shared++;
		rule.sharing = COPIES - rule.shared;
	}
	rule.frames = (COPIES - rule.sharing) * config.contents;
	rule.shared *= config.contents;
	rule.sharing *= config.contents;
	return rule;
}

static struct pages pages;
static uint64_t *entries;

static void look(struct frames *seen)
{
	if (pagemap_read(getpid(), (uintptr_t)pages.mem, pages.nr, entries))
		die("cannot read pagemap");
	frames_count(entries, pages.nr, seen);
}

static bool counted(void *arg)
{
	const struct rule *rule = arg;

	return ksm_read(opt.backend, "pages_shared") == rule->shared &&
	       ksm_read(opt.backend, "pages_sharing") == rule->sharing;
}

static void expect(const struct rule *rule, const char *when)
{
	struct frames seen;

	look(&seen);
	if (!counted((void *)rule) || seen.distinct != rule->frames ||
	    seen.largest > (size_t)rule->limit)
		die("max_page_sharing %ld, %s: shared %lld, sharing %lld, %zu frames, at most %zu "
		    "pages on one; the rule says %lld, %lld, %zu",
		    rule->limit, when, ksm_read(opt.backend, "pages_shared"),
		    ksm_read(opt.backend, "pages_sharing"), seen.distinct, seen.largest,
		    rule->shared, rule->sharing, rule->frames);
}

static void try_limit(long limit)
{
	struct rule rule = rule_for(limit);
	int err = ksm_write(opt.backend, "max_page_sharing", limit);

	if (err)
		die("max_page_sharing=%ld: %s", limit, strerror(-err));
	ksm_full_speed(opt.backend);
	if (!wait_for(opt.timeout, counted, &rule))
		expect(&rule, "not reached");
	/* There, and it stays: the page of a rest of one tries again in each pass. */
	ksm_wait_passes(opt.backend, 1);
	expect(&rule, "one pass later");
	ksm_clear(opt.backend);
}

int main(int argc, char **argv)
{
	double start = now_seconds();
	int tried = 0;

	args_parse(argc, argv, args,
		   "Merge 32 equal pages of each content under every max_page_sharing.");
	pages_map(&pages, config.contents * COPIES, opt.seed);
	entries = calloc(pages.nr, sizeof(*entries));
	if (!entries)
		die("no memory for %zu pagemap entries", pages.nr);
	pages_advise(&pages, 0, pages.nr, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages.nr; i++)
		page_fill(&pages, i, i % config.contents + 1);
	pages_advise(&pages, 0, pages.nr, MADV_MERGEABLE);
	for (long limit = 2; limit <= COPIES; limit += (long)config.every, tried++)
		try_limit(limit);
	if (pages_wrong(&pages, 0, pages.nr))
		die("contents are wrong");
	if (ksm_write(opt.backend, "max_page_sharing", 256))
		die("cannot reset max_page_sharing");
	say("ok: %zu contents, 32 pages of each, %d limits: exactly by the rule, %.1f s",
	    config.contents, tried, now_seconds() - start);
	return 0;
}
