// SPDX-License-Identifier: GPL-2.0
/*
 * native MIB...: kmod/core on real memory, in userspace, against a plain tree ordered by content as
 * in-tree KSM's, for each size: nanoseconds a page, none of them equal to another, at rest. And,
 * with the largest size: what both do to a neighbour on the same core who lives off the caches.
 *
 * Instructions say nothing about caches; these figures do. What is merged needs a kernel: no two
 * pages are equal here. A page's struct page is the page itself.
 *
 * Prints one line for each figure: NAME MIB TREE ENGINE ENGINE-IN-FULL.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xxhash.h>

#include "ksm_core.h"
#include "content.h"

#define PAGE 4096UL
#define BASE (1UL << 32)
#define SEED 0x243f6a8885a308d3ULL
#define BATCH 64
#define ROUNDS 3
/* As the engine's default. */
#define FULL_HASH_PASSES 16
/* The neighbour goes through so many bytes at random, so many steps between two batches. */
#define NEIGHBOUR (1UL << 20)
#define STEPS 8192

static unsigned char *memory;
static unsigned long pages;

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void *must(void *ptr)
{
	if (ptr && ptr != MAP_FAILED)
		return ptr;
	perror("native");
	exit(1);
}

static void fill(unsigned long nr)
{
	uint64_t x = 88172645463325252ULL;

	pages = nr;
	memory = must(mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0));
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
	for (uint64_t *p = (uint64_t *)memory; p < (uint64_t *)(memory + pages * PAGE); p++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		*p = x;
	}
}

static struct page *page_nr(unsigned long i)
{
	return (struct page *)(memory + i * PAGE);
}

/* @n objects of @size, where a slab cache would have them: each begins a line of the cache. */
static void *slab(size_t n, size_t size)
{
	return memset(must(aligned_alloc(KSM_NODE_ALIGN, n * size)), 0, n * size);
}

/* ---- the plain tree ---- */

struct tree_item {
	struct rb_node node;
	unsigned char *page;
	unsigned int checksum;
	unsigned long rest[3]; /* as large as in-tree KSM's */
};

static struct tree {
	struct rb_root root;
	struct tree_item *items;
	unsigned long next;
} tree;

static void tree_insert(struct tree_item *item)
{
	struct rb_node **link = &tree.root.rb_node, *parent = NULL;

	while (*link) {
		struct tree_item *other = rb_entry(*link, struct tree_item, node);

		parent = *link;
		link = memcmp(item->page, other->page, PAGE) < 0 ? &parent->rb_left :
								   &parent->rb_right;
	}
	rb_link_node(&item->node, parent, link);
	rb_insert_color(&item->node, &tree.root);
}

static void tree_scan(unsigned long nr)
{
	while (nr--) {
		struct tree_item *item = &tree.items[tree.next];
		unsigned int checksum;

		if (!tree.next)
			tree.root = RB_ROOT;
		item->page = memory + tree.next * PAGE;
		checksum = XXH64(item->page, PAGE, 0);
		if (item->checksum == checksum)
			tree_insert(item);
		item->checksum = checksum;
		tree.next = (tree.next + 1) % pages;
	}
}

/* ---- the engine's core ---- */

static struct engine {
	struct ksm_core core;
	struct rb_root stable, unstable;
	struct ksm_mm_slot slot;
	struct ksm_rmap_item *items;
	unsigned long used, next;
	unsigned int full_hash_passes;
	struct ksm_candidate batch[BATCH];
	struct ksm_probe probes[BATCH];
	unsigned int nr, pos;
} engine;

static bool op_next(void *ctx, struct ksm_candidate *cand)
{
	if (engine.pos == engine.nr)
		return false;
	*cand = engine.batch[engine.pos++];
	return true;
}

static u16 op_sample(void *ctx, struct page *page)
{
	return ksm_sample(page, PAGE, SEED);
}

static bool op_differ(void *ctx, struct page *a, struct page *b)
{
	return ksm_differ(a, b, PAGE);
}

static struct page *op_hold_item(void *ctx, struct ksm_rmap_item *item)
{
	return page_nr(((item->address & ~(PAGE - 1)) - BASE) / PAGE);
}

static void op_release(void *ctx, struct page *page, enum ksm_hold how)
{
}

static int op_promote_pair(void *ctx, struct ksm_rmap_item *item, struct page *page,
			   struct ksm_rmap_item *tree_item, struct page *tree_page,
			   struct ksm_stable_node *node)
{
	fprintf(stderr, "native: two pages are believed to be equal\n");
	exit(1);
}

static void op_account(void *ctx, struct mm_struct *mm, long merging, long items)
{
}

static struct ksm_rmap_item *op_alloc_item(void *ctx)
{
	return &engine.items[engine.used++];
}

static struct ksm_stable_node *op_alloc_node(void *ctx)
{
	return slab(1, sizeof(struct ksm_stable_node));
}

static void op_emit(void *ctx, enum ksm_emit what, struct ksm_rmap_item *item,
		    struct ksm_stable_node *node)
{
}

static const struct ksm_ops ops = {
	.next = op_next,
	.sample = op_sample,
	.differ = op_differ,
	.release = op_release,
	.hold_item = op_hold_item,
	.promote_pair = op_promote_pair,
	.account = op_account,
	.alloc_item = op_alloc_item,
	.alloc_node = op_alloc_node,
	.emit = op_emit,
};

static void resize_index(void)
{
	unsigned long nr = ksm_core_buckets_wanted(&engine.core);
	struct rb_root *buckets = NULL;

	if (nr == engine.core.nr_buckets)
		return;
	if (nr)
		buckets = must(calloc(nr, sizeof(*buckets)));
	free(ksm_core_exchange_buckets(&engine.core, buckets, nr));
}

static void engine_init(unsigned int full_hash_passes)
{
	free(engine.core.buckets);
	engine.full_hash_passes = full_hash_passes;
	engine.used = 0;
	engine.next = 0;
	memset(engine.items, 0, pages * sizeof(*engine.items));
	ksm_core_init(&engine.core, &ops, NULL, PAGE, &engine.stable, &engine.unstable, 1);
	engine.core.smart_scan = false;
	ksm_core_add_slot(&engine.core, &engine.slot, (struct mm_struct *)&engine);
}

/* As ksme_hash_spot(). */
static void look(struct ksm_candidate *cand, struct ksm_rmap_item **at)
{
	enum ksm_look look = KSM_LOOK_FULL;
	u16 before = 0;

	if ((cand->address / PAGE + engine.core.scan.seqnr) % engine.full_hash_passes)
		look = ksm_core_recall(&engine.core, at, cand->address, &cand->hash, &before);
	cand->sample = ksm_sample(cand->page, PAGE, SEED);
	if (look == KSM_LOOK_SURE && cand->sample == before)
		return;
	if (look == KSM_LOOK_FULL || (look == KSM_LOOK_AGAIN && cand->sample == before))
		cand->hash = ksm_hash(cand->page, PAGE, SEED);
	else
		cand->sampled = true;
}

/* As ksme_warm_index(). */
static void warm_index(void)
{
	unsigned int nr = 0;

	if (!engine.core.nr_buckets)
		return;
	for (unsigned int i = 0; i < engine.nr; i++)
		if (!engine.batch[i].sampled)
			engine.probes[nr++] = (struct ksm_probe){ .hash = engine.batch[i].hash };
	ksm_core_warm(&engine.core, engine.probes, nr);
}

static void engine_scan(unsigned long nr)
{
	while (nr) {
		struct ksm_rmap_item *at = NULL;

		ksm_core_begin_pass(&engine.core);
		engine.pos = 0;
		for (engine.nr = 0; engine.nr < BATCH && nr && engine.next < pages; nr--) {
			struct ksm_candidate *cand = &engine.batch[engine.nr++];

			*cand = (struct ksm_candidate){
				.address = BASE + engine.next * PAGE,
				.page = page_nr(engine.next),
			};
			look(cand, &at);
			engine.next++;
		}
		warm_index();
		ksm_core_scan_batch(&engine.core);
		if (engine.next == pages) {
			ksm_core_next_slot(&engine.core);
			resize_index();
			engine.next = 0;
		}
	}
}

/* ---- figures ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

static double scan_ns(void (*scan)(unsigned long nr))
{
	double start = cpu_ns();

	scan(pages);
	return (cpu_ns() - start) / pages;
}

static void figure(const char *name, unsigned long mib, double tree_ns[ROUNDS],
		   double engine_ns[ROUNDS], double full_ns[ROUNDS])
{
	printf("%s %lu %.1f %.1f %.1f\n", name, mib, median(tree_ns), median(engine_ns),
	       median(full_ns));
	fflush(stdout);
}

static void warm(unsigned int full_hash_passes)
{
	engine_init(full_hash_passes);
	engine_scan(4 * pages);
}

/* Both by turns, so that what else the machine does hits both. */
static void measure_pages(unsigned long mib)
{
	double tree_ns[ROUNDS], engine_ns[ROUNDS], full_ns[ROUNDS];

	tree_scan(2 * pages);
	for (int i = 0; i < ROUNDS; i++) {
		tree_ns[i] = scan_ns(tree_scan);
		warm(FULL_HASH_PASSES);
		engine_ns[i] = scan_ns(engine_scan);
		warm(1);
		full_ns[i] = scan_ns(engine_scan);
	}
	figure("pages", mib, tree_ns, engine_ns, full_ns);
}

static unsigned int *neighbour_start(void)
{
	unsigned long nr = NEIGHBOUR / sizeof(unsigned int);
	unsigned int *chain = must(malloc(NEIGHBOUR));
	uint64_t x = 1;

	/* One cycle through all of it (Sattolo). */
	for (unsigned long i = 0; i < nr; i++)
		chain[i] = i;
	for (unsigned long i = nr - 1; i; i--) {
		unsigned long j;
		unsigned int swap;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		j = (x >> 33) % i;
		swap = chain[i];
		chain[i] = chain[j];
		chain[j] = swap;
	}
	return chain;
}

static void no_scan(unsigned long nr)
{
}

/* Nanoseconds of a step of the neighbour's between whose turns @scan looks at BATCH pages. */
static double neighbour_ns(unsigned int *chain, void (*scan)(unsigned long nr))
{
	static unsigned int at;
	double ns = 0, start;

	for (int turn = 0; turn < 1000; turn++) {
		scan(BATCH);
		start = cpu_ns();
		for (int i = 0; i < STEPS; i++)
			at = chain[at];
		ns += cpu_ns() - start;
	}
	__asm__ volatile("" : : "r"(at));
	return ns / 1000 / STEPS;
}

static void measure_neighbour(unsigned long mib)
{
	double tree_ns[ROUNDS], engine_ns[ROUNDS], full_ns[ROUNDS];
	unsigned int *chain = neighbour_start();

	for (int i = 0; i < ROUNDS; i++) {
		double alone = neighbour_ns(chain, no_scan);

		tree_ns[i] = (neighbour_ns(chain, tree_scan) - alone) * STEPS / BATCH;
		warm(FULL_HASH_PASSES);
		alone = (alone + neighbour_ns(chain, no_scan)) / 2;
		engine_ns[i] = (neighbour_ns(chain, engine_scan) - alone) * STEPS / BATCH;
		warm(1);
		alone = neighbour_ns(chain, no_scan);
		full_ns[i] = (neighbour_ns(chain, engine_scan) - alone) * STEPS / BATCH;
	}
	figure("neighbour", mib, tree_ns, engine_ns, full_ns);
	free(chain);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		unsigned long mib = strtoul(argv[i], NULL, 10);

		if (!mib) {
			fprintf(stderr, "usage: native MIB...\n");
			return 2;
		}
		fill((mib << 20) / PAGE);
		tree = (struct tree){ .items = slab(pages, sizeof(*tree.items)) };
		engine.items = slab(pages, sizeof(*engine.items));
		measure_pages(mib);
		if (i == argc - 1)
			measure_neighbour(mib);
		free(tree.items);
		free(engine.items);
		munmap(memory, pages * PAGE);
	}
	return 0;
}
