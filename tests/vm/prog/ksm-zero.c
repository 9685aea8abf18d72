// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of zeroes become the zero page, are counted exactly, and come back when written.
 *
 * The witness is the page table: a zero page that replaced anonymous memory has a frame that all
 * of them share and that no anonymous page has.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/lib.h"

#define PAGES 512
#define OTHERS 64

static struct pages zero, other;

/*
 * Anonymous pages of zeroes: written, so that they are not the zero page to begin with. Small ones:
 * newer kernels map the zero page by themselves when they split a huge page.
 */
static void map_all(void)
{
	pages_map(&zero, PAGES, opt.seed);
	pages_advise(&zero, 0, PAGES, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PAGES; i++)
		*(volatile unsigned char *)page_at(&zero, i) = 0;
	pages_map(&other, OTHERS, opt.seed);
	for (size_t i = 0; i < OTHERS; i++)
		page_fill(&other, i, i + 1);
	pages_advise(&zero, 0, PAGES, MADV_MERGEABLE);
	pages_advise(&other, 0, OTHERS, MADV_MERGEABLE);
}

/* Most pages of the range on one frame. */
static size_t on_one_frame(size_t from, size_t to)
{
	uint64_t entries[PAGES];
	struct frames seen;

	if (pagemap_read(getpid(), (uintptr_t)page_at(&zero, from), to - from, entries))
		die("cannot read pagemap");
	frames_count(entries, to - from, &seen);
	return seen.largest;
}

static long count(void)
{
	return ksm_read(opt.backend, "ksm_zero_pages");
}

static bool counted(void *arg)
{
	return count() == *(long *)arg;
}

static void expect(const char *when, long want)
{
	if (!wait_for(opt.timeout, counted, &want))
		die("%s: ksm_zero_pages is %ld, expected %ld", when, count(), want);
	say("%s: %ld zero pages", when, want);
}

static void check_contents(const char *when)
{
	if (pages_wrong(&zero, 0, PAGES) || pages_wrong(&other, 0, OTHERS))
		die("%s: contents are wrong", when);
}

/* Off: equal pages of zeroes merge like any others, and none is counted. */
static void without(void)
{
	ksm_full_speed(opt.backend);
	ksm_wait_items(opt.backend, PAGES, "pages of zeroes merged as ordinary ones");
	expect("use_zero_pages off", 0);
	ksm_clear(opt.backend);
}

static void with(void)
{
	size_t most;

	if (ksm_write(opt.backend, "use_zero_pages", 1))
		die("cannot set use_zero_pages");
	ksm_full_speed(opt.backend);
	expect("use_zero_pages on", PAGES);
	most = on_one_frame(0, PAGES);
	if (most != PAGES)
		die("%zu of %d pages of zeroes have one frame", most, PAGES);
	if (ksm_items(opt.backend) != 0)
		die("%lld ordinary KSM pages beside the zero page", ksm_items(opt.backend));
	check_contents("merged");
}

/* The engine alone can leave all others: every page of OTHERS is there twice. */
static void nothing_else(void)
{
	struct pages twin;

	if (ksm_try_read(opt.backend, "zero_pages_only") < 0)
		return;
	if (ksm_write(opt.backend, "use_zero_pages", 0) ||
	    ksm_write(opt.backend, "zero_pages_only", 1))
		die("cannot set zero_pages_only");
	pages_map(&twin, OTHERS, opt.seed);
	for (size_t i = 0; i < OTHERS; i++)
		page_fill(&twin, i, i + 1);
	pages_advise(&twin, 0, OTHERS, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	expect("zero_pages_only", PAGES);
	ksm_wait_passes(opt.backend, 4);
	if (ksm_items(opt.backend) != 0)
		die("%lld ordinary KSM pages with zero_pages_only", ksm_items(opt.backend));
	if (ksm_write(opt.backend, "zero_pages_only", 0))
		die("cannot reset zero_pages_only");
	ksm_wait_items(opt.backend, 2 * OTHERS, "the others once it is off");
	check_contents("zero pages only");
	pages_unmap(&twin);
	ksm_clear(opt.backend);
	for (size_t i = 0; i < PAGES; i++)
		*(volatile unsigned char *)page_at(&zero, i) = 0;
}

/* Newer kernels unmerge zero pages with MADV_UNMERGEABLE; 6.1 leaves them. */
static void unmerge_half(void)
{
	long counts_down = vmstat("ksm_swpin_copy") >= 0 && ksm_try_read(&backends[BACKEND_KERNEL],
								       "ksm_zero_pages") >= 0;

	pages_advise(&zero, 0, PAGES / 2, MADV_UNMERGEABLE);
	if (counts_down) {
		expect("half unmerged", PAGES / 2);
		if (on_one_frame(0, PAGES / 2) > 1)
			die("unmerged pages still share a frame");
	}
	check_contents("half unmerged");
}

static void write_all(void)
{
	for (size_t i = 0; i < PAGES; i++)
		page_fill(&zero, i, 1000 + i);
	expect("all written", 0);
	check_contents("written");
}

int main(int argc, char **argv)
{
	args_parse(argc, argv, NULL, "Merge pages of zeroes with the zero page, and count them.");
	map_all();
	without();
	nothing_else();
	with();
	unmerge_half();
	write_all();
	ksm_clear(opt.backend);
	if (ksm_write(opt.backend, "use_zero_pages", 0))
		die("cannot reset use_zero_pages");
	say("ok: zero pages counted exactly, contents right");
	return 0;
}
