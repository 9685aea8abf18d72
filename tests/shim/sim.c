// SPDX-License-Identifier: GPL-2.0
/*
 * The machine: frames, address spaces, and what their owners do with them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

void sim_violation(struct sim *sim, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "core simulation: seed %llu: ", (unsigned long long)sim->seed);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

static void *must_alloc(void *ptr)
{
	if (!ptr) {
		perror("core simulation");
		exit(1);
	}
	return ptr;
}

/* xorshift64*, 0 <= result < below */
uint64_t sim_random(struct sim *sim, uint64_t below)
{
	uint64_t x = sim->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	sim->random = x;
	return (x * 0x2545f4914f6cdd1dULL >> 16) % below;
}

/* One of few, that pages may be equal; zeroes when they are something special. */
u64 sim_content(struct sim *sim)
{
	return sim->core.use_zero_pages ? sim_random(sim, 7) : 1 + sim_random(sim, 6);
}

struct sim *sim_new(uint64_t seed, int nr_nodes)
{
	struct sim *sim = must_alloc(calloc(1, sizeof(*sim)));

	sim->seed = seed;
	sim->random = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
	sim->ops = sim_ops;
	/* The core must not need zeroed memory. */
	memset(&sim->core, 0xaa, sizeof(sim->core));
	ksm_core_init(&sim->core, &sim->ops, sim, SIM_PAGE_SIZE, sim->stable, sim->unstable,
		      nr_nodes);
	/* Most tests want each page visited in each pass. */
	sim->core.smart_scan = false;
	sim->core.observed = true;
	sim->buckets = -1;
	sim->core.huge_mask = ~(SIM_HUGE * SIM_PAGE_SIZE - 1);
	sim->core.zero_hash = sim_hash(sim, 0);
	sim->zero = sim_page(sim, 0, 0);
	sim_get(sim->zero);
	return sim;
}

static void free_mm(struct sim *sim, struct mm_struct *mm)
{
	for (int i = 0; i < sim->nr_mms; i++)
		if (sim->mms[i] == mm)
			sim->mms[i] = sim->mms[--sim->nr_mms];
	free(mm->vpages);
	free(mm);
}

void sim_free(struct sim *sim)
{
	while (sim->nr_mms) {
		struct mm_struct *mm = sim->mms[0];

		sim_exit(sim, mm);
		if (mm->registered)
			sim_unregister(sim, mm);
		else
			free_mm(sim, mm);
	}
	sim_unload(sim);
	sim_check(sim);
	sim_put(sim, sim->zero);
	if (sim->items || sim->nodes || sim->huges || sim->anon_vmas)
		sim_violation(sim, "leaked %ld items, %ld nodes, %ld huge, %ld anon_vma references",
			      sim->items, sim->nodes, sim->huges, sim->anon_vmas);
	for (unsigned long pfn = 0; pfn < sim->nr_frames; pfn++)
		if (sim->frames[pfn])
			sim_violation(sim, "a reference to pfn %lu was leaked", pfn);
	free(sim->core.buckets);
	free(sim->frames);
	free(sim->mms);
	free(sim);
}

struct page *sim_page(struct sim *sim, u64 content, int nid)
{
	struct page *page = must_alloc(calloc(1, sizeof(*page)));
	unsigned long pfn = 0;

	/* The lowest free number: one freed just now is likely to come back. Big worlds append. */
	while (sim->nr_frames < 4096 && pfn < sim->nr_frames && sim->frames[pfn])
		pfn++;
	if (sim->nr_frames >= 4096 || pfn == sim->nr_frames) {
		pfn = sim->nr_frames++;
		if (!(pfn & (pfn - 1)))
			sim->frames = must_alloc(
				realloc(sim->frames, (pfn ? 2 * pfn : 1) * sizeof(*sim->frames)));
	}
	sim->frames[pfn] = page;
	page->pfn = pfn;
	page->content = content;
	page->nid = nid;
	return page;
}

static void free_unused(struct sim *sim, struct page *page)
{
	if (page->mapcount || page->refs)
		return;
	if (page->locked)
		sim_violation(sim, "pfn %lu freed while locked", page->pfn);
	sim->frames[page->pfn] = NULL;
	free(page);
}

void sim_get(struct page *page)
{
	page->refs++;
}

void sim_put(struct sim *sim, struct page *page)
{
	if (page->refs-- <= 0)
		sim_violation(sim, "pfn %lu released without a reference", page->pfn);
	free_unused(sim, page);
}

/* @vpage maps @page (or nothing) from now on. */
void sim_remap(struct sim *sim, struct sim_vpage *vpage, struct page *page)
{
	struct page *old = vpage->page;

	if (page)
		page->mapcount++;
	vpage->page = page;
	if (old) {
		old->mapcount--;
		free_unused(sim, old);
	}
}

struct mm_struct *sim_mm(struct sim *sim, int nr)
{
	struct mm_struct *mm = must_alloc(calloc(1, sizeof(*mm)));
	static int id;

	mm->id = ++id;
	mm->nr = nr;
	mm->vpages = must_alloc(calloc(nr ? nr : 1, sizeof(*mm->vpages)));
	for (int i = 0; i < nr; i++)
		mm->vpages[i].mergeable = true;
	sim->mms = must_alloc(realloc(sim->mms, (sim->nr_mms + 1) * sizeof(mm)));
	sim->mms[sim->nr_mms++] = mm;
	return mm;
}

/* An address space, registered, of @nr pages with one content on one NUMA node */
struct mm_struct *sim_equal_pages(struct sim *sim, int nr, u64 content, int nid)
{
	struct mm_struct *mm = sim_mm(sim, nr);

	for (int i = 0; i < nr; i++)
		sim_map(sim, mm, i, content, nid);
	sim_register(sim, mm);
	return mm;
}

void sim_register(struct sim *sim, struct mm_struct *mm)
{
	ksm_core_add_slot(&sim->core, &mm->slot, mm);
	mm->registered = true;
}

/* Also frees an address space that exited. */
void sim_unregister(struct sim *sim, struct mm_struct *mm)
{
	ksm_core_remove_slot(&sim->core, &mm->slot);
	mm->registered = false;
	if (mm->items || mm->merging)
		sim_violation(sim, "mm %d left with %ld items, %ld merging", mm->id, mm->items,
			      mm->merging);
	if (mm->exited)
		free_mm(sim, mm);
}

/* Fault in a page of one's own. */
void sim_map(struct sim *sim, struct mm_struct *mm, int i, u64 content, int nid)
{
	mm->vpages[i].expect = content;
	sim_remap(sim, &mm->vpages[i], sim_page(sim, content, nid));
}

/*
 * Is the address part of a huge page, mapped as such? A write, an unmapping, a migration of one
 * part in this address space leaves the others small here; elsewhere the huge page may still be
 * one.
 */
bool sim_is_huge(const struct mm_struct *mm, int i)
{
	int first = i / SIM_HUGE * SIM_HUGE;
	const struct page *page = mm->vpages[i].page;

	if (!page || !page->huge || first + SIM_HUGE > mm->nr)
		return false;
	for (i = first; i < first + SIM_HUGE; i++)
		if (!mm->vpages[i].mergeable || !mm->vpages[i].page ||
		    mm->vpages[i].page->huge != page->huge)
			return false;
	return true;
}

/* As khugepaged: the pages around one become a huge page, if all are there and one's own. */
bool sim_collapse(struct sim *sim, struct mm_struct *mm, int i)
{
	int first = i / SIM_HUGE * SIM_HUGE;

	if (first + SIM_HUGE > mm->nr)
		return false;
	for (i = first; i < first + SIM_HUGE; i++) {
		const struct page *page = mm->vpages[i].page;

		if (!page || !mm->vpages[i].mergeable || page->ksm || page->huge || page->refs ||
		    page->mapcount > 1 || page->pinned || page == sim->zero)
			return false;
	}
	sim->huge_pages++;
	for (i = first; i < first + SIM_HUGE; i++) {
		u64 content = mm->vpages[i].page->content;

		sim_map(sim, mm, i, content, mm->vpages[first].page->nid);
		mm->vpages[i].page->huge = sim->huge_pages;
	}
	return true;
}

/* All parts of the huge page that @page is one of, if it is, become small pages. */
void sim_split(struct sim *sim, const struct page *page)
{
	unsigned long huge = page->huge;

	if (!huge)
		return;
	sim->splits++;
	for (unsigned long pfn = 0; pfn < sim->nr_frames; pfn++)
		if (sim->frames[pfn] && sim->frames[pfn]->huge == huge)
			sim->frames[pfn]->huge = 0;
}

void sim_write(struct sim *sim, struct mm_struct *mm, int i, u64 content)
{
	struct sim_vpage *vpage = &mm->vpages[i];

	if (!vpage->page || vpage->page == sim->zero) {
		sim_map(sim, mm, i, content, sim_random(sim, SIM_MAX_NODES));
		return;
	}
	if (vpage->page->ksm || vpage->page->mapcount > 1) {
		sim_map(sim, mm, i, content, vpage->page->nid);
		return;
	}
	vpage->expect = content;
	vpage->page->content = content;
}

void sim_zap(struct sim *sim, struct mm_struct *mm, int i)
{
	mm->vpages[i].expect = 0;
	sim_remap(sim, &mm->vpages[i], NULL);
}

/* Break what KSM placed, if it is one. */
void sim_unshare_vpage(struct sim *sim, struct mm_struct *mm, int i)
{
	struct page *page = mm->vpages[i].page;

	if (page && (page->ksm || page == sim->zero))
		sim_remap(sim, &mm->vpages[i], sim_page(sim, page->content, page->nid));
}

struct mm_struct *sim_fork(struct sim *sim, struct mm_struct *mm)
{
	struct mm_struct *child = sim_mm(sim, mm->nr);

	child->domain = mm->domain;
	for (int i = 0; i < mm->nr; i++) {
		struct sim_vpage *from = &mm->vpages[i], *to = &child->vpages[i];

		to->mergeable = from->mergeable;
		to->expect = from->expect;
		if (from->page && from->page->pinned)
			sim_remap(sim, to, sim_page(sim, from->expect, from->page->nid));
		else
			sim_remap(sim, to, from->page);
	}
	return child;
}

void sim_exit(struct sim *sim, struct mm_struct *mm)
{
	for (int i = 0; i < mm->nr; i++)
		sim_zap(sim, mm, i);
	mm->exited = true;
}

void sim_unmergeable(struct sim *sim, struct mm_struct *mm, int i)
{
	sim_unshare_vpage(sim, mm, i);
	mm->vpages[i].mergeable = false;
}

/* All mappings move to a new frame, on NUMA node @nid; a stable node is told. */
void sim_migrate(struct sim *sim, struct page *page, int nid)
{
	struct page *copy;

	if (page->refs || page->locked || page->pinned || !page->mapcount)
		return;
	copy = sim_page(sim, page->content, nid);
	copy->ksm = page->ksm;
	copy->node = page->node;
	if (copy->node)
		copy->node->kpfn = copy->pfn;
	sim_get(page);
	for (int m = 0; m < sim->nr_mms; m++)
		for (int i = 0; i < sim->mms[m]->nr; i++)
			if (sim->mms[m]->vpages[i].page == page)
				sim_remap(sim, &sim->mms[m]->vpages[i], copy);
	page->node = NULL;
	sim_put(sim, page);
}

/*
 * Something that may happen while an op sleeps: to the address space being scanned, whose
 * mmap_lock is held for reading, only what a page fault or madvise(MADV_DONTNEED) may do.
 */
void sim_meddle(struct sim *sim)
{
	struct mm_struct *mm = sim->mms[sim_random(sim, sim->nr_mms)];
	int i;

	if (!mm->nr || mm->exited)
		return;
	i = sim_random(sim, mm->nr);
	switch (sim_random(sim, 8)) {
	case 0:
	case 1:
	case 2:
		sim_write(sim, mm, i, sim_content(sim));
		break;
	case 3:
		sim_zap(sim, mm, i);
		break;
	case 4:
		if (mm != sim->scanned)
			sim_exit(sim, mm);
		break;
	case 5:
		if (mm != sim->scanned && sim->nr_mms < 8)
			sim_fork(sim, mm);
		break;
	case 6:
		if (mm->vpages[i].page)
			sim_migrate(sim, mm->vpages[i].page, sim_random(sim, SIM_MAX_NODES));
		break;
	default:
		if (mm != sim->scanned)
			sim_unmergeable(sim, mm, i);
		break;
	}
}
