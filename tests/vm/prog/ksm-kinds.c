// SPDX-License-Identifier: GPL-2.0
/*
 * Kinds of pages: huge ones, swap cache, locked, out of reach, poisoned, of files, of devices. What
 * can be merged must be, what cannot must stay what it is, and every byte is compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/trials.h"

#define PAGES 128
#define HUGE 512 /* small pages of a huge one */

#ifndef MADV_SOFT_OFFLINE /* libc knows its sister only */
#define MADV_SOFT_OFFLINE 101
#endif

/* ---- huge pages ---- */

/* A range of @nr pages that begins where a huge page may; nothing in it yet. */
static void map_aligned(struct pages *p, size_t nr, int advice)
{
	pages_map_aligned(p, nr, HUGE, opt.seed);
	pages_advise(p, 0, nr, advice);
}

static void must_be_compound(const struct pages *p, size_t each)
{
	for (size_t i = 0; i < p->nr; i += each) {
		size_t seen = compound_pages(page_at(p, i));

		if (seen != each)
			die("page %zu begins a compound page of %zu pages, %zu expected", i, seen,
			    each);
	}
}

static void fill(struct pages *p, size_t (*content)(size_t i))
{
	for (size_t i = 0; i < p->nr; i++)
		page_fill(p, i, content(i));
}

static size_t different(size_t i)
{
	return i + 1;
}

/* Equal ones side by side, and equal ones as far apart as possible: the second is met first. */
static size_t neighbours(size_t i)
{
	return i / 2 + 1;
}

static size_t mirrored(size_t i)
{
	return HUGE + (i < HUGE / 2 ? i : HUGE - 1 - i) + 1;
}

static const char *huge_inside(void)
{
	struct sets s = { .nr = 2 };

	map_aligned(&s.p[0], HUGE, MADV_HUGEPAGE);
	map_aligned(&s.p[1], HUGE, MADV_HUGEPAGE);
	fill(&s.p[0], neighbours);
	fill(&s.p[1], mirrored);
	must_be_compound(&s.p[0], HUGE);
	must_be_compound(&s.p[1], HUGE);
	sets_merge(&s, HUGE, "equal pages inside huge ones");
	sets_write(&s, 0, 0, HUGE / 2);
	sets_write(&s, 1, 0, HUGE / 2);
	sets_verify(&s, "written");
	sets_unmap(&s);
	return NULL;
}

/* @low and @high: what the range at the lower and the one at the higher address is made of. */
static void two_ranges(int low, int high, const char *when)
{
	struct sets s = { .nr = 2 };
	int advice[2] = { low, high };

	map_aligned(&s.p[0], HUGE, MADV_NOHUGEPAGE);
	map_aligned(&s.p[1], HUGE, MADV_NOHUGEPAGE);
	for (int k = 0; k < 2; k++) {
		bool is_low = s.p[k].mem < s.p[!k].mem;
		int mine = advice[!is_low];

		pages_advise(&s.p[k], 0, HUGE, mine);
		fill(&s.p[k], different);
		if (mine == MADV_HUGEPAGE)
			must_be_compound(&s.p[k], HUGE);
	}
	sets_merge(&s, HUGE, when);
	sets_write(&s, 0, 0, HUGE / 4);
	sets_write(&s, 1, HUGE / 4, HUGE);
	sets_verify(&s, when);
	sets_unmap(&s);
}

static const char *huge_pairs(void)
{
	two_ranges(MADV_HUGEPAGE, MADV_HUGEPAGE, "two huge pages");
	two_ranges(MADV_HUGEPAGE, MADV_NOHUGEPAGE, "a huge page, then small ones");
	two_ranges(MADV_NOHUGEPAGE, MADV_HUGEPAGE, "small pages, then a huge one");
	return NULL;
}

/* A huge page of which no page has a partner stays huge. */
static const char *huge_alone(void)
{
	struct sets s = { .nr = 1 };

	map_aligned(&s.p[0], HUGE, MADV_HUGEPAGE);
	fill(&s.p[0], different);
	must_be_compound(&s.p[0], HUGE);
	sets_advise(&s, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	sets_stay(&s, HUGE, "a huge page without equal pages");
	must_be_compound(&s.p[0], HUGE);
	sets_unmap(&s);
	return NULL;
}

/* Shared with a child it is still one page, and no pair of equal ones. */
static const char *huge_forked(void)
{
	struct sets s = { .nr = 1 };
	pid_t child;

	map_aligned(&s.p[0], HUGE, MADV_HUGEPAGE);
	fill(&s.p[0], different);
	sets_advise(&s, MADV_MERGEABLE);
	child = fork_child();
	if (!child)
		for (;;)
			pause();
	ksm_full_speed(opt.backend);
	sets_stay(&s, HUGE, "a huge page that a child shares");
	must_be_compound(&s.p[0], HUGE);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	sets_unmap(&s);
	return NULL;
}

#define PARTNERS "thp_min_partners"

static void set_partners(long long parts)
{
	int err = ksm_write(opt.backend, PARTNERS, parts);

	if (err)
		die("writing %lld to " PARTNERS ": %s", parts, strerror(-err));
}

/*
 * A huge page, and a range of which @equal pages have an equal in it: does it take so many? If not,
 * does it when so many are enough?
 */
static void threshold(int advice, size_t equal, bool enough)
{
	struct sets s = { .nr = 2 };
	bool both = advice == MADV_HUGEPAGE;
	char when[64];

	map_aligned(&s.p[0], HUGE, MADV_HUGEPAGE);
	map_aligned(&s.p[1], HUGE, advice);
	fill(&s.p[0], different);
	for (size_t i = 0; i < HUGE; i++)
		page_fill(&s.p[1], i, i % 30 == 5 && i / 30 < equal ? i + 1 : HUGE + i + 1);
	ksm_full_speed(opt.backend);
	set_partners(16);
	sets_advise(&s, MADV_MERGEABLE);
	snprintf(when, sizeof(when), "a huge page and %s with %zu equal pages",
		 both ? "another" : "small pages", equal);
	if (!enough) {
		ksm_wait_passes(opt.backend, 3);
		sets_stay(&s, 2 * HUGE, when);
		for (int k = 0; k < 1 + both; k++)
			must_be_compound(&s.p[k], HUGE);
		if (ksm_read(opt.backend, "pages_thp_deferred") != (long long)(equal << both))
			die("%s: pages_thp_deferred is %lld", when,
			    ksm_read(opt.backend, "pages_thp_deferred"));
		set_partners(equal);
	}
	sets_wait(&s, 2 * HUGE - equal, when);
	if (compound_pages(page_at(&s.p[0], 0)) || ksm_read(opt.backend, "pages_thp_deferred"))
		die("%s: merged and not split", when);
	sets_unmap(&s);
}

static const char *huge_threshold(void)
{
	threshold(MADV_NOHUGEPAGE, 15, false);
	threshold(MADV_HUGEPAGE, 15, false);
	threshold(MADV_NOHUGEPAGE, 16, true);
	threshold(MADV_HUGEPAGE, 16, true);
	return NULL;
}

/* The 64 KiB pages of newer kernels; the test has switched them on where they exist. */
static const char *huge_64k(void)
{
	size_t each = 65536 / page_size();
	struct sets s = { .nr = 3 };

	if (ksm_try_read(&(struct backend){ .dir = "/sys/kernel/mm/transparent_hugepage/"
						   "hugepages-64kB/stats" },
			 "anon_fault_alloc") < 0)
		return "no /sys/kernel/mm/transparent_hugepage/hugepages-64kB/stats";
	for (int k = 0; k < 3; k++) {
		/* Smaller than a huge page, so that it becomes several of 64 KiB. */
		map_aligned(&s.p[k], HUGE / 2, k == 2 ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
		fill(&s.p[k], k ? different : neighbours);
		if (k < 2)
			must_be_compound(&s.p[k], each);
	}
	sets_merge(&s, HUGE / 2, "64 KiB pages: inside, with each other, with small ones");
	sets_write(&s, 1, 0, HUGE / 4);
	sets_verify(&s, "written");
	sets_unmap(&s);
	return NULL;
}

/* ---- memory in some state ---- */

static bool is_swapped(void *arg)
{
	struct pages *p = arg;
	uint64_t entries[PAGES];
	struct frames seen;

	/* Pages that somebody just holds are passed over: hence more than once. */
	pages_advise(p, 0, p->nr, MADV_PAGEOUT);
	if (pagemap_read(getpid(), (uintptr_t)p->mem, p->nr, entries))
		die("cannot read pagemap");
	frames_count(entries, p->nr, &seen);
	return seen.swapped == p->nr;
}

/* Pages that were read back from swap and still are in the swap cache. */
static const char *swap_cache(void)
{
	size_t cached = 0;
	struct sets s;

	sets_map(&s, 2, PAGES);
	for (int k = 0; k < 2; k++) {
		if (!wait_for(opt.timeout, is_swapped, &s.p[k]))
			die("pages do not go to swap");
	}
	/* Reading leaves the page in the cache, since its place in swap holds the same. */
	sets_verify(&s, "read back");
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < PAGES; i++)
			cached += !!(page_flags(page_at(&s.p[k], i)) & PAGE_SWAPCACHE);
	}
	if (cached < PAGES)
		die("only %zu of %d pages are in the swap cache", cached, 2 * PAGES);
	say("  %zu of %d pages in the swap cache", cached, 2 * PAGES);
	sets_merge(&s, PAGES, "pages in the swap cache");
	sets_write(&s, 0, 0, PAGES / 2);
	sets_verify(&s, "written");
	sets_unmap(&s);
	return NULL;
}

static long long mlocked(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	/* Per-CPU parts are folded in. */
	if (fd < 0 || write(fd, "1", 1) != 1)
		die("/proc/sys/vm/stat_refresh: %s", strerror(errno));
	close(fd);
	return vmstat("nr_mlock");
}

static bool mlocked_is(void *arg)
{
	return mlocked() == *(long long *)arg;
}

static const char *locked(void)
{
	long long before = mlocked(), all;
	struct sets s;

	sets_map(&s, 2, PAGES);
	all = before + 2 * PAGES;
	for (int k = 0; k < 2; k++) {
		if (mlock(s.p[k].mem, PAGES * page_size()))
			die("mlock: %s", strerror(errno));
	}
	if (!wait_for(opt.timeout, mlocked_is, &all))
		die("nr_mlock is %lld, %lld expected", mlocked(), all);
	sets_merge(&s, PAGES, "locked pages");
	sets_write(&s, 0, 0, PAGES / 2);
	sets_verify(&s, "written");
	if (munlock(s.p[1].mem, PAGES * page_size()))
		die("munlock: %s", strerror(errno));
	sets_unmap(&s);
	if (!wait_for(opt.timeout, mlocked_is, &before))
		die("nr_mlock is %lld afterwards, %lld before", mlocked(), before);
	return NULL;
}

/* Mapped, but nobody may touch it now. */
static const char *prot_none(void)
{
	struct sets s;

	sets_map(&s, 2, PAGES);
	if (mprotect(s.p[0].mem, PAGES * page_size(), PROT_NONE))
		die("mprotect: %s", strerror(errno));
	sets_advise(&s, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	ksm_wait_items(opt.backend, 2 * PAGES, "PROT_NONE");
	if (mprotect(s.p[0].mem, PAGES * page_size(), PROT_READ | PROT_WRITE))
		die("mprotect: %s", strerror(errno));
	sets_wait(&s, PAGES, "readable again");
	sets_write(&s, 0, 0, PAGES);
	sets_expect(&s, 2 * PAGES, "written");
	sets_unmap(&s);
	return NULL;
}

/* ---- memory of something else ---- */

static void *map_file(size_t nr, int flags)
{
	int fd = memfd_create("ksm-kinds", MFD_CLOEXEC);
	void *mem;

	if (fd < 0 || ftruncate(fd, nr * page_size()))
		die("memfd: %s", strerror(errno));
	mem = mmap(NULL, nr * page_size(), PROT_READ | PROT_WRITE, flags, fd, 0);
	if (mem == MAP_FAILED)
		die("mmap of a file: %s", strerror(errno));
	close(fd);
	return mem;
}

/* Two private mappings of files of zeroes: what was written is anonymous, what was read is not. */
static const char *private_file(void)
{
	struct sets s;

	sets_map(&s, 2, PAGES);
	for (int k = 0; k < 2; k++) {
		munmap(s.p[k].mem, PAGES * page_size());
		s.p[k].mem = map_file(PAGES, MAP_PRIVATE);
		for (size_t i = 0; i < PAGES; i++) {
			if (i % 2)
				page_fill(&s.p[k], i, i + 1);
			else
				s.p[k].want[i].id = 0;
		}
	}
	sets_verify(&s, "mapped");
	sets_merge(&s, PAGES / 2 + 2 * (PAGES / 2), "pages of files");
	sets_unmap(&s);
	return NULL;
}

/* Two ranges of equal contents in memory that KSM must not touch. */
static void refused(const char *what, int flags, size_t nr)
{
	struct sets s;
	void *mem[2];

	sets_map(&s, 2, nr);
	for (int k = 0; k < 2; k++) {
		munmap(s.p[k].mem, nr * page_size());
		mem[k] = mmap(NULL, nr * page_size(), PROT_READ | PROT_WRITE,
			      flags | MAP_ANONYMOUS, -1, 0);
		if (mem[k] == MAP_FAILED)
			die("%s: mmap: %s", what, strerror(errno));
		s.p[k].mem = mem[k];
		fill(&s.p[k], different);
	}
	sets_advise(&s, MADV_MERGEABLE);
	for (int k = 0; k < 2; k++) {
		if (area_has_flag(mem[k], "mg"))
			die("%s is marked mergeable", what);
	}
	ksm_full_speed(opt.backend);
	sets_stay(&s, 2 * nr, what);
	sets_unmap(&s);
}

/* So that there is something to scan at all, and a pass to wait for. */
static void keep_scanner_busy(struct sets *s)
{
	sets_map(s, 1, 8);
	sets_advise(s, MADV_MERGEABLE);
}

static const char *shared(void)
{
	struct sets busy;

	keep_scanner_busy(&busy);
	refused("shared anonymous memory", MAP_SHARED, PAGES);
	sets_unmap(&busy);
	return NULL;
}

static const char *hugetlb(void)
{
	void *probe = mmap(NULL, HUGE * page_size(), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	struct sets busy;

	/* The test has reserved some where the kernel has them. */
	if (probe == MAP_FAILED && errno == EINVAL)
		return "no hugetlb pages in this kernel";
	if (probe == MAP_FAILED)
		die("mmap of a hugetlb page: %s", strerror(errno));
	munmap(probe, HUGE * page_size());
	keep_scanner_busy(&busy);
	refused("hugetlb memory", MAP_PRIVATE | MAP_HUGETLB, HUGE);
	sets_unmap(&busy);
	return NULL;
}

/* An area of frame numbers (or mixed with pages) that every process has. */
static const char *pfn_map(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	void *at = NULL;
	char line[256];
	unsigned long from;

	while (f && !at && fgets(line, sizeof(line), f)) {
		if (strstr(line, "[vvar]") && sscanf(line, "%lx-", &from) == 1)
			at = (void *)from;
	}
	if (f)
		fclose(f);
	if (!at)
		die("no [vvar] in /proc/self/maps");
	if (!area_has_flag(at, "pf") && !area_has_flag(at, "mm"))
		die("[vvar] is no area of frame numbers, nor a mixed one");
	if (madvise(at, page_size(), MADV_MERGEABLE))
		die("madvise of [vvar]: %s", strerror(errno));
	if (area_has_flag(at, "mg"))
		die("[vvar] is marked mergeable");
	return NULL;
}

/* ---- bad memory ---- */

struct offline {
	void *page;
	int err;
};

/* A page that somebody holds for a moment (a scanner, a batch of the LRU) is busy. */
static bool taken_offline(void *arg)
{
	struct offline *o = arg;

	o->err = madvise(o->page, page_size(), MADV_SOFT_OFFLINE) ? errno : 0;
	return o->err != EBUSY;
}

static const char *soft_offline(void)
{
	struct offline o;
	uint64_t before;
	struct sets s;

	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "before soft offline");
	before = own_pfn(page_at(&s.p[0], 1));
	o.page = page_at(&s.p[0], 1);
	wait_for(opt.timeout, taken_offline, &o);
	if (o.err == EINVAL || o.err == EPERM) {
		sets_unmap(&s);
		return "no memory failure handling in this kernel";
	}
	if (o.err)
		die("soft offline of a KSM page: %s", strerror(o.err));
	if (own_pfn(page_at(&s.p[0], 1)) == before)
		die("soft offline left the page on its frame");
	sets_wait(&s, PAGES, "a KSM page migrated by soft offline");
	sets_write(&s, 1, 0, PAGES);
	sets_expect(&s, 2 * PAGES, "written");
	sets_unmap(&s);
	return NULL;
}

static volatile sig_atomic_t bus_errors;

static void on_bus_error(int sig)
{
	bus_errors++;
}

/* Page 0 breaks before it is merged, page 1 afterwards: the rest must not notice. */
static const char *hard_poison(void)
{
	struct sets s, rest;

	/* The kernel tells who injects the error, too; nobody touches the bad pages. */
	signal(SIGBUS, on_bus_error);
	sets_map(&s, 2, PAGES);
	rest = s;
	if (madvise(page_at(&s.p[0], 0), page_size(), MADV_HWPOISON)) {
		if (errno != EINVAL && errno != EPERM)
			die("poisoning a page: %s", strerror(errno));
		sets_unmap(&s);
		return "no memory failure handling in this kernel";
	}
	for (int k = 0; k < 2; k++) {
		/* Neither may be looked at any more: page 1 will be bad, too. */
		rest.p[k].mem += 2 * page_size();
		rest.p[k].want += 2;
		rest.p[k].nr -= 2;
	}
	sets_advise(&s, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	sets_wait(&rest, rest.p[0].nr, "beside a bad page");
	ksm_wait_items(opt.backend, 2 * (PAGES - 1), "beside a bad page");
	/* EBUSY: kernels of old cannot find who maps it. It stays, marked bad. */
	if (madvise(page_at(&s.p[0], 1), page_size(), MADV_HWPOISON) && errno != EBUSY)
		die("poisoning a KSM page: %s", strerror(errno));
	sets_stay(&rest, rest.p[0].nr, "beside a bad KSM page");
	sets_write(&rest, 0, 0, rest.p[0].nr);
	sets_expect(&rest, 2 * rest.p[0].nr, "written beside bad pages");
	for (int k = 0; k < 2; k++)
		munmap(s.p[k].mem, PAGES * page_size());
	signal(SIGBUS, SIG_DFL);
	say("  %d times told of a bad page", (int)bus_errors);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "huge-inside", huge_inside, 0 },
		{ "huge-pairs", huge_pairs, 0 },
		{ "huge-alone", huge_alone, 0 },
		{ "huge-forked", huge_forked, 0 },
		{ "huge-threshold", huge_threshold, NEEDS_ENGINE },
		{ "huge-64k", huge_64k, 0 },
		{ "swap-cache", swap_cache, 0 },
		{ "mlock", locked, 0 },
		{ "prot-none", prot_none, 0 },
		{ "private-file", private_file, 0 },
		{ "shared", shared, 0 },
		{ "hugetlb", hugetlb, 0 },
		{ "pfn-map", pfn_map, 0 },
		{ "soft-offline", soft_offline, 0 },
		{ "hard-poison", hard_poison, 0 },
		{ 0 },
	};

	return trials_main(argc, argv, trials,
			   "Let pages of every kind meet KSM, and look what becomes of them.");
}
