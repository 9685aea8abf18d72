// SPDX-License-Identifier: GPL-2.0
/*
 * A process that wants the scanner to work or the engine to grow: contents whose hashes collide, by
 * somebody who knows the seed (here it is given to the module) and by somebody who does not; pages
 * that change at each visit; a million areas of one page; an area of 32 TiB with a single page.
 * What a pass costs in each case is printed and has a limit. With --icount the figures are
 * instructions; without they are nanoseconds, and noisy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/trials.h"

/* The module is loaded with hash_seed= this. */
#define SEED 20240229ULL
#define PAGES 1024
#define PASSES 3
#define SPARSE_BYTES (32ULL << 40)

/* ---- contents: kmod/core/content.c says how they are hashed ---- */

#define KEY_A 0x6a09e667f3bcc908ULL
#define KEY_B 0xbb67ae8584caa73bULL
#define KEY_C 0x3c6ef372fe94f82bULL
#define KEY_D 0xa54ff53a5f1d36f1ULL
#define BLOCK_WORDS 8

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * All these pages have one hash under @seed, and differ in their very last cache line alone: two
 * words there make a factor zero, which makes the hash forget what came before.
 */
static void craft(unsigned char *page, uint64_t seed, uint64_t id)
{
	size_t words = page_size() / sizeof(uint64_t);
	uint64_t *last = (uint64_t *)page + words - BLOCK_WORDS;
	uint64_t before = words / BLOCK_WORDS - 1;

	memset(page, 0x5a, page_size());
	last[0] = id;
	last[4] = fold(seed ^ KEY_B, KEY_D) + before * KEY_A;
	last[6] = fold(seed ^ KEY_A, KEY_C) + before * KEY_B;
}

/* As different as they can be, so that a comparison ends at once. */
static void honest(unsigned char *page, uint64_t seed, uint64_t id)
{
	uint64_t state = seed + (id << 20);

	for (size_t i = 0; i < page_size() / sizeof(uint64_t); i++)
		((uint64_t *)page)[i] = next_random(&state);
}

typedef void content_fn(unsigned char *page, uint64_t seed, uint64_t id);

static unsigned char *map_pages(size_t bytes, int prot)
{
	void *mem = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap of %zu MiB: %s", bytes >> 20, strerror(errno));
	madvise(mem, bytes, MADV_NOHUGEPAGE);
	return mem;
}

static void mark(void *mem, size_t bytes)
{
	if (madvise(mem, bytes, MADV_MERGEABLE))
		die("MADV_MERGEABLE: %s", strerror(errno));
}

/* Pages with contents @first and following. */
static unsigned char *map_contents(size_t nr, content_fn *content, uint64_t seed, uint64_t first)
{
	unsigned char *mem = map_pages(nr * page_size(), PROT_READ | PROT_WRITE);

	for (size_t i = 0; i < nr; i++)
		content(mem + i * page_size(), seed, first + i);
	mark(mem, nr * page_size());
	return mem;
}

static void unmap(void *mem, size_t bytes)
{
	munmap(mem, bytes);
	ksm_wait_items(opt.backend, 0, "unmapped");
}

/* ---- what a pass costs ---- */

struct costs {
	uint64_t thread;
	long long passes;
};

static struct costs look(void)
{
	return (struct costs){ thread_cost(thread_find(KSM_ABI_ENGINE_THREAD)),
			       ksm_read(opt.backend, "full_scans") };
}

static double since(const struct costs *from)
{
	struct costs to = look();

	return (double)(to.thread - from->thread) / (to.passes - from->passes);
}

/* Of a pass over what is there, when all is in the trees. */
static double pass_cost(void)
{
	struct costs before;

	ksm_wait_passes(opt.backend, 3);
	before = look();
	ksm_wait_passes(opt.backend, PASSES);
	return since(&before);
}

static double cost_of(size_t nr, content_fn *content, uint64_t seed)
{
	unsigned char *mem = map_contents(nr, content, seed, 1);
	double cost = pass_cost() / nr;

	unmap(mem, nr * page_size());
	return cost;
}

static void limit(const char *what, double value, double most, const char *of)
{
	say("  %s: %.2f of %s, limit %.2f", what, value, of, most);
	if (value > most)
		die("%s: %.2f of %s, limit %.2f", what, value, of, most);
}

/* What costs are compared to, whichever trial is the first. */
static double honest_page;

static void measure_honest_page(void)
{
	ksm_full_speed(opt.backend);
	if (!honest_page)
		honest_page = cost_of(PAGES, honest, opt.seed);
}

/* ---- colliding contents ---- */

static const char *collide(void)
{
	double guessed, few, many;

	measure_honest_page();
	guessed = cost_of(PAGES, craft, SEED + 1);
	few = cost_of(PAGES, craft, SEED);
	many = cost_of(4 * PAGES, craft, SEED);
	say("  a page of a pass: honest %.0f, crafted for a guessed seed %.0f, colliding %.0f "
	    "among %d, %.0f among %d", honest_page, guessed, few, PAGES, many, 4 * PAGES);
	if (few < 2 * honest_page)
		die("contents that collide cost no more than others: nothing was proven");
	limit("guessed seed", guessed / honest_page, 1.5, "honest pages");
	limit("known seed", few / honest_page, 20, "honest pages");
	limit("known seed, four times as many", many / few, 1.5, "as many");
	return NULL;
}

/* Colliding KSM pages: they are looked through as well, by pages that find no partner. */
static const char *collide_stable(void)
{
	unsigned char *a, *b, *alone;
	double before, with;

	measure_honest_page();
	a = map_contents(PAGES, craft, SEED, 1);
	b = map_contents(PAGES, craft, SEED, 1);
	/* At most 8 of equal hash are compared: not every pair may be found, that is the price. */
	before = pass_cost();
	say("  %lld of %d pairs are merged", ksm_read(opt.backend, "pages_shared"), PAGES);
	alone = map_contents(PAGES, craft, SEED, 1 << 20);
	with = pass_cost();
	limit("colliding with KSM pages", (with - before) / PAGES / honest_page, 40,
	      "honest pages");
	munmap(alone, PAGES * page_size());
	munmap(b, PAGES * page_size());
	unmap(a, PAGES * page_size());
	return NULL;
}

/* ---- pages that change ---- */

/* Each page is another at each visit, as far as its owner can tell when visits are. */
static double rewriting_cost(bool as_victim)
{
	unsigned char *mine = map_contents(PAGES, honest, opt.seed, 1);
	unsigned char *victim = map_contents(PAGES, honest, opt.seed, 1 << 20);
	uint64_t id = 1 << 24;
	struct costs before;
	long long from;
	double cost;

	ksm_wait_passes(opt.backend, 3);
	from = ksm_read(opt.backend, "full_scans");
	before = look();
	for (long long pass = from; pass < from + 8; pass++) {
		while (ksm_read(opt.backend, "full_scans") <= pass)
			usleep(1000);
		for (size_t i = 0; i < PAGES; i++)
			honest(mine + i * page_size(), opt.seed,
			       as_victim && pass % 4 < 2 ? (1 << 20) + i : id++);
	}
	cost = since(&before) / (2 * PAGES);
	munmap(mine, PAGES * page_size());
	unmap(victim, PAGES * page_size());
	return cost;
}

static const char *rewrite(void)
{
	double fresh, tease;

	measure_honest_page();
	fresh = rewriting_cost(false);
	tease = rewriting_cost(true);
	say("  a page of a pass: always new %.0f, new or a victim's by turns %.0f", fresh, tease);
	limit("always new", fresh / honest_page, 3, "honest pages");
	limit("new or a victim's", tease / honest_page, 30, "honest pages");
	return NULL;
}

/* ---- address spaces ---- */

static long long slab_kib(void)
{
	return (vmstat("nr_slab_unreclaimable")) * (long long)page_size() / 1024;
}

/* Neighbours differ in what they allow, else they would be one area. */
static void cut_up(unsigned char *mem, size_t areas)
{
	for (size_t i = 0; i < areas; i += 2) {
		if (mprotect(mem + i * page_size(), page_size(), PROT_READ))
			die("mprotect of area %zu: %s", i, strerror(errno));
	}
}

static const char *areas(void)
{
	size_t nr = env_number("ADVERSARY_AREAS", 1000000), touched = nr / 100;
	unsigned char *mem;
	long long slab;
	double cost;

	measure_honest_page();
	if (write_file("/proc/sys/vm/max_map_count", "4000000") ||
	    write_file("/proc/sys/vm/overcommit_memory", "1"))
		die("the limits on areas and memory cannot be raised");
	mem = map_pages(nr * page_size(), PROT_READ | PROT_WRITE);
	/* A page in each hundredth: all of them would not fit. In pairs of equal content. */
	for (size_t i = 0; i < touched; i++)
		honest(mem + i * 100 * page_size(), opt.seed, i / 2);
	mark(mem, nr * page_size());
	cut_up(mem, nr);
	slab = slab_kib();
	ksm_wait_items(opt.backend, touched / 2 * 2, "pages in areas of one page");
	cost = pass_cost();
	say("  %zu areas: %.0f a pass, %.1f an area; slab grew by %lld KiB", nr, cost, cost / nr,
	    slab_kib() - slab);
	limit("area", cost / nr / honest_page, 1, "honest pages");
	if (slab_kib() - slab > (long long)touched)
		die("slab grew by more than a KiB for each page: %lld KiB", slab_kib() - slab);
	unmap(mem, nr * page_size());
	return NULL;
}

static const char *sparse(void)
{
	unsigned char *mem, *partner;
	long long slab;
	double cost;

	measure_honest_page();
	slab = slab_kib();
	write_file("/proc/sys/vm/overcommit_memory", "1");
	mem = map_pages(SPARSE_BYTES, PROT_READ | PROT_WRITE);
	honest(mem + SPARSE_BYTES / 3 / page_size() * page_size(), opt.seed, 7);
	mark(mem, SPARSE_BYTES);
	partner = map_contents(1, honest, opt.seed, 7);
	ksm_wait_items(opt.backend, 2, "a page in 32 TiB and its partner");
	cost = pass_cost();
	say("  32 TiB with one page: %.0f a pass; slab grew by %lld KiB", cost, slab_kib() - slab);
	limit("32 TiB", cost / honest_page, 100, "honest pages");
	munmap(partner, page_size());
	unmap(mem, SPARSE_BYTES);
	return NULL;
}

static const struct trial trials[] = {
	{ "collide", collide, NEEDS_ENGINE },
	{ "collide-stable", collide_stable, NEEDS_ENGINE },
	{ "rewrite", rewrite, NEEDS_ENGINE },
	{ "areas", areas, NEEDS_ENGINE },
	{ "sparse", sparse, NEEDS_ENGINE },
	{ 0 },
};

int main(int argc, char **argv)
{
	return trials_main(argc, argv, trials,
			   "Make the scanner work. The module wants hash_seed=20240229. Areas: "
			   "ADVERSARY_AREAS (environment; default: 1000000).");
}
