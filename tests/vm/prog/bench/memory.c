// SPDX-License-Identifier: GPL-2.0
/* The memory of the benchmark's rows, and the processes that hold it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

struct bench bench;

/* Contents of a process's own pages start far behind those common to all. */
static uint64_t own(unsigned long process, size_t page)
{
	return ((uint64_t)(process + 1) << 32) + page;
}

static uint64_t id_unique(unsigned long process, size_t page, size_t nr)
{
	return own(process, page);
}

static uint64_t id_common(unsigned long process, size_t page, size_t nr)
{
	return page + 1;
}

/* Every second page: duplicates and others lie side by side as in a real heap. */
static uint64_t id_half(unsigned long process, size_t page, size_t nr)
{
	return page % 2 ? own(process, page) : page + 1;
}

static uint64_t id_zero80(unsigned long process, size_t page, size_t nr)
{
	return page % 5 ? 0 : own(process, page);
}

/*
 * Half of the pages are at rest, common to all processes; each of the others alternates between the
 * contents of two of these.
 */
static uint64_t flip_content(size_t page, size_t nr, long phase)
{
	return page < nr / 2 ? page + 1 : (page - nr / 2 + phase) % (nr / 2) + 1;
}

static uint64_t id_flip(unsigned long process, size_t page, size_t nr)
{
	return flip_content(page, nr, 0);
}

/* One page in twenty has a twin, far away; evenly spread. */
static uint64_t id_sparse(unsigned long process, size_t page, size_t nr)
{
	return page % 20 ? own(process, page) : page / 20 % ((nr / 20 + 1) / 2) + 1;
}

/*
 * One page in twenty has an equal, clustered: docs/bench/README.md, row 13. Of each 16 huge pages
 * one has 360 such pages, one 24, twelve have one to three, two none. The contents of the first are
 * those of the next sixteen's; the 24, and every second one of the few, are among these; the other
 * few have their equals among the next sixteen's few.
 */
#define HUGE_PAGES 512
#define CLUSTER 16

static uint64_t id_clustered(unsigned long process, size_t page, size_t nr)
{
	size_t huge = page / HUGE_PAGES, part = page % HUGE_PAGES;
	size_t cluster = huge / CLUSTER, place = huge % CLUSTER;
	uint64_t common = cluster / 2 * HUGE_PAGES + 1, scarce = (1ULL << 24) + (cluster / 2 << 8);

	if (place == 5 && part < 360)
		return common + part;
	if (place == 9 && part % 21 == 0 && part < 24 * 21)
		return common + part / 21;
	/* Twelve places are left for the few: one, two, three, one, ... */
	if (place == 5 || place == 9 || place < 2 || part % 150 != 149 || part / 150 > place % 3)
		return own(process, page);
	if (part / 150 % 2 == place % 2)
		return common + 100 + place * 4 + part / 150;
	return scarce + place * 4 + part / 150;
}

static uint64_t id_one(unsigned long process, size_t page, size_t nr)
{
	return 1;
}

static long saved_none(size_t nr, bool zero_pages)
{
	return 0;
}

static long saved_common(size_t nr, bool zero_pages)
{
	return nr * (bench.row->processes - 1);
}

static long saved_half(size_t nr, bool zero_pages)
{
	return (nr + 1) / 2 * (bench.row->processes - 1);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of one process: counted */
static long saved_equals(size_t nr, bool zero_pages)
{
	uint64_t *ids = calloc(nr, sizeof(*ids));
	long saved = 0;

	if (!ids)
		die("no memory for %zu contents", nr);
	for (size_t i = 0; i < nr; i++)
		ids[i] = bench.row->id(0, i, nr);
	qsort(ids, nr, sizeof(*ids), by_value);
	for (size_t i = 1; i < nr; i++)
		saved += ids[i] == ids[i - 1];
	free(ids);
	return saved;
}

static long saved_flip(size_t nr, bool zero_pages)
{
	return nr * bench.row->processes - nr / 2;
}

static long saved_zero80(size_t nr, bool zero_pages)
{
	long zero = (nr - (nr + 4) / 5) * bench.row->processes;

	/* The kernel's own zero page costs nothing; a KSM page serves max_page_sharing others. */
	return zero_pages ? zero : zero - zero / 256 - 1;
}

const struct bench_row bench_rows[] = {
	{ "unique", "no two pages equal, at rest", 1, 256, 4096, 0, id_unique,
	  .saved = saved_none, .measure = measure_steady },
	{ "tail", "equal but for the last 8 bytes, at rest", 1, 32, 4096, 0, id_one, .tail = true,
	  .saved = saved_none, .measure = measure_steady },
	{ "half", "half of the pages equal in 4 processes, to 99 % of the saving", 4, 32, 4096, 0,
	  id_half, .saved = saved_half, .measure = measure_saving },
	{ "dup", "all pages equal in 4 processes, to 99 % of the saving", 4, 32, 4096, 0,
	  id_common, .saved = saved_common, .measure = measure_saving },
	{ "zero80", "80 % zero pages, to 99 % of the saving", 4, 32, 4096, 0, id_zero80,
	  .saved = saved_zero80, .measure = measure_saving },
	{ "merged", "all pages equal in 4 processes, fully merged, at rest", 4, 32, 4096, 0,
	  id_common, .saved = saved_common, .measure = measure_merged },
	{ "flip", "half at rest, half alternating between contents of these", 2, 16, 1000, 20,
	  id_flip, .saved = saved_flip, .measure = measure_flips },
	{ "fresh", "64 MiB of new duplicates beside 256 MiB at rest, to 99 % of them", 1, 256, 4096,
	  0, id_unique, .saved = saved_none, .measure = measure_fresh },
	{ "thp", "huge pages, 5 % duplicates in clusters, to rest", 1, 128, 4096, 0, id_clustered,
	  .huge = true, .saved = saved_equals, .measure = measure_splits },
	{ "thp-even", "huge pages, 5 % duplicates evenly spread, to rest", 1, 64, 4096, 0,
	  id_sparse, .huge = true, .saved = saved_equals, .measure = measure_splits },
	{ "static18", "no two pages equal, the first 18 passes", 1, 256, 4096, 0, id_unique,
	  .saved = saved_none, .measure = measure_passes },
	{ NULL },
};

/**
 * struct holder - a process's memory
 * @nr: which process
 * @memory: what the row wants
 * @fresh: what BENCH_FRESH added; @rounds: how often it did
 */
struct holder {
	unsigned long nr;
	struct pages memory;
	struct pages fresh;
	unsigned long rounds;
};

static void set_tail(struct pages *p, size_t i)
{
	uint32_t last = page_size() / sizeof(uint64_t) - 1;

	p->want[i].word = last;
	p->want[i].value = i;
	((uint64_t *)page_at(p, i))[last] = i;
}

static long build(struct holder *h)
{
	struct pages *p = &h->memory;

	pages_map_aligned(p, bench.pages, HUGE_PAGES, opt.seed);
	pages_advise(p, 0, p->nr, bench.row->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (size_t i = 0; i < p->nr; i++) {
		page_fill(p, i, bench.row->id(h->nr, i, p->nr));
		if (bench.row->tail)
			set_tail(p, i);
	}
	pages_advise(p, 0, p->nr, MADV_MERGEABLE);
	return (long)p->mem;
}

static long add_fresh(struct holder *h, size_t nr)
{
	pages_map(&h->fresh, nr, opt.seed);
	pages_advise(&h->fresh, 0, nr, MADV_NOHUGEPAGE);
	h->rounds++;
	for (size_t i = 0; i < nr; i++)
		page_fill(&h->fresh, i, ((uint64_t)h->rounds << 24) + i % (nr / 2));
	pages_advise(&h->fresh, 0, nr, MADV_MERGEABLE);
	return (long)h->fresh.mem;
}

static long flip(struct holder *h, long phase)
{
	for (size_t i = h->memory.nr / 2; i < h->memory.nr; i++)
		page_fill(&h->memory, i, flip_content(i, h->memory.nr, phase));
	return 0;
}

static size_t planted_page(int which)
{
	return bench.pages * (which + 1) / 3;
}

static long serve(void *ctx, int cmd, long arg)
{
	struct holder *h = ctx;

	switch ((enum bench_cmd)cmd) {
	case BENCH_BUILD:
		return build(h);
	case BENCH_VERIFY:
		return pages_wrong(&h->memory, 0, h->memory.nr) +
		       (h->fresh.nr ? pages_wrong(&h->fresh, 0, h->fresh.nr) : 0);
	case BENCH_PLANT:
		page_fill(&h->memory, planted_page(0), arg);
		page_fill(&h->memory, planted_page(1), arg);
		return 0;
	case BENCH_FLIP:
		return flip(h, arg);
	case BENCH_FRESH:
		return add_fresh(h, arg);
	case BENCH_DROP:
		pages_unmap(&h->fresh);
		return 0;
	}
	return -1;
}

/* Every process keeps its own copy of its holder. */
void bench_start(void)
{
	static struct holder holder;

	for (unsigned long i = 0; i < bench.row->processes; i++) {
		char name[16];

		snprintf(name, sizeof(name), "bench-%u", (unsigned char)i);
		holder.nr = i;
		worker_start(&bench.workers[i], name, serve, &holder);
	}
	for (unsigned long i = 0; i < bench.row->processes; i++)
		bench.memory[i] = worker_call(&bench.workers[i], BENCH_BUILD, 0);
}

void bench_stop(void)
{
	long wrong = bench_call_all(BENCH_VERIFY, 0);

	if (wrong)
		die("%s: %ld pages have a wrong content", bench.row->name, wrong);
	for (unsigned long i = 0; i < bench.row->processes; i++)
		worker_stop(&bench.workers[i]);
}

void bench_fresh_add(size_t nr)
{
	bench.fresh = worker_call(&bench.workers[0], BENCH_FRESH, nr);
	bench.fresh_pages = nr;
}

void bench_fresh_drop(void)
{
	worker_call(&bench.workers[0], BENCH_DROP, 0);
	bench.fresh_pages = 0;
}

static void read_frames(unsigned long worker, uintptr_t addr, size_t nr, uint64_t *entries)
{
	int err = pagemap_read(bench.workers[worker].pid, addr, nr, entries);

	if (err)
		die("pagemap of %d: %s", bench.workers[worker].pid, strerror(-err));
}

bool bench_planted_found(void)
{
	uint64_t entries[2];

	for (int i = 0; i < 2; i++)
		read_frames(0, bench.memory[0] + planted_page(i) * page_size(), 1, &entries[i]);
	return entry_pfn(entries[0]) && entry_pfn(entries[0]) == entry_pfn(entries[1]);
}

long bench_saved(void)
{
	size_t nr = bench.pages * bench.row->processes + bench.fresh_pages;
	uint64_t *entries = calloc(nr, sizeof(*entries));
	struct frames frames;

	if (!entries)
		die("no memory for %zu frame numbers", nr);
	for (unsigned long i = 0; i < bench.row->processes; i++)
		read_frames(i, bench.memory[i], bench.pages, entries + i * bench.pages);
	read_frames(0, bench.fresh, bench.fresh_pages, entries + nr - bench.fresh_pages);
	frames_count(entries, nr, &frames);
	free(entries);
	if (frames.mapped != nr)
		die("%zu of %zu pages are not present", nr - frames.mapped, nr);
	return frames.mapped - frames.distinct;
}

long bench_call_all(enum bench_cmd cmd, long arg)
{
	long sum = 0;

	for (unsigned long i = 0; i < bench.row->processes; i++)
		worker_send(&bench.workers[i], cmd, arg);
	for (unsigned long i = 0; i < bench.row->processes; i++)
		sum += worker_answer(&bench.workers[i]);
	return sum;
}
