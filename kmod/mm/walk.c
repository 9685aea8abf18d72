// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables: from addresses to pages.
 *
 * The tables are walked here and not by the kernel's walker because a whole table of
 * PTEs is taken under one hold of its lock, and because a pass must skip holes of
 * terabytes in a few steps. Everything is called with mmap_lock held for reading,
 * which keeps tables from being freed; huge pages may still come and go.
 */
#include "engine.h"

#include <linux/hugetlb.h>
#include <linux/memremap.h>

#include "smart.h"

/**
 * ksme_mergeable_vma - the mergeable area at an address
 * @mm: address space, mmap_lock held
 * @address: any
 *
 * Return: NULL when the address is in no mergeable area with anonymous memory, or @mm
 * is exiting.
 */
struct vm_area_struct *ksme_mergeable_vma(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma;

	if (ksm_test_exit(mm))
		return NULL;
	vma = find_vma(mm, address);
	if (!vma || address < vma->vm_start || !(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma)
		return NULL;
	return vma;
}

/*
 * The PMD entry that covers @address, or NULL and in @next the address where the
 * missing table's span ends.
 */
static pmd_t *find_pmd(struct mm_struct *mm, unsigned long address, unsigned long *next)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;

	*next = (address & PGDIR_MASK) + PGDIR_SIZE;
	if (pgd_none(*pgd) || unlikely(pgd_bad(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, address);
	*next = (address & P4D_MASK) + P4D_SIZE;
	if (p4d_none(*p4d) || unlikely(p4d_bad(*p4d)))
		return NULL;
	pud = pud_offset(p4d, address);
	*next = (address & PUD_MASK) + PUD_SIZE;
	if (pud_none(*pud) || pud_leaf(*pud) || unlikely(pud_bad(*pud)))
		return NULL;
	*next = (address & PMD_MASK) + PMD_SIZE;
	return pmd_offset(pud, address);
}

enum pmd_kind { PMD_EMPTY, PMD_HUGE, PMD_TABLE };

static enum pmd_kind pmd_kind(pmd_t *pmd)
{
	pmd_t entry = READ_ONCE(*pmd);

	if (pmd_none(entry) || !pmd_present(entry))
		return PMD_EMPTY;
	if (pmd_trans_huge(entry))
		return PMD_HUGE;
	if (pmd_devmap(entry) || pmd_bad(entry))
		return PMD_EMPTY;
	return PMD_TABLE;
}

/**
 * ksme_pte_lock - map and lock the PTE of an address
 * @mm: address space, mmap_lock held
 * @address: any
 * @ptl: lock, for pte_unmap_unlock()
 *
 * Return: NULL, nothing locked, when no table of PTEs covers the address.
 */
pte_t *ksme_pte_lock(struct mm_struct *mm, unsigned long address, spinlock_t **ptl)
{
	unsigned long next;
	pmd_t *pmd = find_pmd(mm, address, &next);

	if (!pmd || pmd_kind(pmd) != PMD_TABLE)
		return NULL;
	return pte_offset_map_lock(mm, pmd, address, ptl);
}

/* Anonymous memory that may be merged, or already is. */
static bool interesting(struct page *page)
{
	return PageAnon(page) && !PageHWPoison(page) && !is_zone_device_page(page);
}

static struct page *pte_candidate(pte_t pte)
{
	struct page *page;

	if (!pte_present(pte) || pte_special(pte) || pte_devmap(pte) || !pfn_valid(pte_pfn(pte)))
		return NULL;
	page = pte_page(pte);
	return interesting(page) ? page : NULL;
}

static struct page *huge_subpage(pmd_t entry, unsigned long address)
{
	struct page *page = pmd_page(entry) + ((address & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);

	return interesting(page) ? page : NULL;
}

static struct page *page_at_huge(struct mm_struct *mm, pmd_t *pmd, unsigned long address)
{
	struct page *page = NULL;
	spinlock_t *ptl = pmd_lock(mm, pmd);

	if (pmd_present(*pmd) && pmd_trans_huge(*pmd)) {
		page = huge_subpage(*pmd, address);
		if (page)
			get_page(page);
	}
	spin_unlock(ptl);
	return page;
}

/**
 * ksme_page_at - the anonymous page mapped at an address
 * @vma: mergeable area, mmap_lock held
 * @address: in it
 *
 * Return: the page (of a huge page the one subpage), referenced; NULL when there is
 * none.
 */
struct page *ksme_page_at(struct vm_area_struct *vma, unsigned long address)
{
	struct mm_struct *mm = vma->vm_mm;
	struct page *page;
	unsigned long next;
	spinlock_t *ptl;
	pmd_t *pmd = find_pmd(mm, address, &next);
	pte_t *pte;

	if (!pmd)
		return NULL;
	if (pmd_kind(pmd) == PMD_HUGE)
		return page_at_huge(mm, pmd, address);
	pte = ksme_pte_lock(mm, address, &ptl);
	if (!pte)
		return NULL;
	page = pte_candidate(ptep_get(pte));
	if (page)
		get_page(page);
	pte_unmap_unlock(pte, ptl);
	return page;
}

/*
 * What to do with what a walk finds, called under a page table's lock; false ends the walk at this
 * address. @zero is for zero pages that KSM placed. @known, if there is one, is asked first: how
 * many entries from here on, below @end, there is nothing more to do about. @give_way, if there is
 * one, is asked before each page table; true ends the walk before it.
 */
struct visitor {
	bool (*give_way)(void *arg);
	unsigned int (*known)(void *arg, pte_t *pte, unsigned long address, unsigned long end);
	bool (*page)(void *arg, struct page *page, unsigned long address, bool huge);
	bool (*zero)(void *arg, unsigned long address);
	void *arg;
};

/* Both return where they stopped: @end, or the address that was refused. */
static unsigned long walk_huge(struct mm_struct *mm, pmd_t *pmd, unsigned long address,
			       unsigned long end, const struct visitor *visitor)
{
	spinlock_t *ptl = pmd_lock(mm, pmd);

	if (!pmd_present(*pmd) || !pmd_trans_huge(*pmd)) {
		/* Split or gone since it was looked at: what is left is for the next pass. */
		address = end;
	}
	for (; address < end; address += PAGE_SIZE) {
		struct page *page = huge_subpage(*pmd, address);

		if (page && !visitor->page(visitor->arg, page, address, true))
			break;
	}
	spin_unlock(ptl);
	return address;
}

static __always_inline bool visit_pte(const struct visitor *visitor, pte_t pte,
				      unsigned long address)
{
	struct page *page;

	page = pte_candidate(pte);
	if (page)
		return visitor->page(visitor->arg, page, address, false);
	return !ksme_is_zero_pte(pte) || visitor->zero(visitor->arg, address);
}

static __always_inline unsigned long walk_table(struct mm_struct *mm, pmd_t *pmd,
						unsigned long address, unsigned long end,
						const struct visitor *visitor)
{
	spinlock_t *ptl;
	pte_t *start = pte_offset_map_lock(mm, pmd, address, &ptl);
	pte_t *pte;

	if (!start)
		return end;
	for (pte = start; address < end;) {
		unsigned int n = 0;

		if (visitor->known)
			n = visitor->known(visitor->arg, pte, address, end);
		if (!n) {
			if (!visit_pte(visitor, ptep_get(pte), address))
				break;
			n = 1;
		}
		pte += n;
		address += n * PAGE_SIZE;
	}
	pte_unmap_unlock(start, ptl);
	return address;
}

/* Inlined into its two callers, and with it what they do at each entry. */
static __always_inline unsigned long walk_range(struct mm_struct *mm, unsigned long address,
						unsigned long range_end,
						const struct visitor *visitor)
{
	unsigned long end, next, stop;

	for (; address < range_end; address = end) {
		pmd_t *pmd = find_pmd(mm, address, &next);

		if (visitor->give_way && visitor->give_way(visitor->arg))
			return address;
		/* A span that ends at the top of the address space wraps to 0. */
		end = min(next - 1, range_end - 1) + 1;
		cond_resched();
		if (!pmd)
			continue;
		switch (pmd_kind(pmd)) {
		case PMD_EMPTY:
			continue;
		case PMD_HUGE:
			stop = walk_huge(mm, pmd, address, end, visitor);
			break;
		default:
			stop = walk_table(mm, pmd, address, end, visitor);
			break;
		}
		if (stop != end)
			return stop;
	}
	return range_end;
}

/* The spot that a run of known pages at @address goes on with, or a new one behind the others. */
static struct ksme_spot *run_spot(struct ksme_batch *batch, unsigned long address, bool skip)
{
	struct ksme_spot *last = batch->nr ? &batch->spots[batch->nr - 1] : NULL;

	if (!last || !last->settled || last->skip != skip ||
	    last->address + last->settled * PAGE_SIZE != address)
		return &batch->spots[batch->nr];
	return last;
}

static bool has_room(const struct ksme_batch *batch, const struct ksme_spot *spot)
{
	return spot < &batch->spots[KSME_CHUNK] && batch->pages < batch->limit;
}

static void add_run(struct ksme_batch *batch, struct ksme_spot *spot, unsigned long address,
		    bool skip, unsigned int n)
{
	if (spot == &batch->spots[batch->nr]) {
		*spot = (struct ksme_spot){ .address = address, .skip = skip };
		batch->nr++;
	}
	spot->settled += n;
	batch->pages += n;
}

/*
 * A node that is still there has a valid frame number, of a small page, and nothing but its own
 * page points back to it.
 */
static __always_inline bool maps_own_page(pte_t pte, const struct ksm_stable_node *node)
{
	unsigned long pfn = READ_ONCE(node->kpfn);

	return pte_pfn(pte) == pfn && pte_present(pte) &&
	       READ_ONCE(pfn_to_page(pfn)->mapping) == ksme_node_mapping(node);
}

/* Is @node, whose page is there, of the batch's domain, and in the tree of its page's NUMA node? */
static bool in_place(const struct ksme_batch *batch, const struct ksm_stable_node *node)
{
	if (ksm_stable_node_domain(node) != batch->domain)
		return false;
	return ksme.core.nr_nodes == 1 || page_to_nid(pfn_to_page(node->kpfn)) == node->nid;
}

/*
 * Memory that is merged already is most of what a scanner at rest meets. Such a page needs neither
 * a reference nor a visit of its own. Returns how many there are from @item on, which is the item
 * of the first.
 */
static unsigned int settled_run(struct ksme_batch *batch, struct ksm_rmap_item *item, pte_t *pte,
				unsigned int max)
{
	const bool apart = ksme.core.nr_nodes > 1 || ksme.core.domains;
	unsigned long want = (item->address & PAGE_MASK) | STABLE_FLAG;
	unsigned int n;

	for (n = 0; n < max; n++, pte++, want += PAGE_SIZE) {
		const struct ksm_stable_node *node;

		if ((item->address & (PAGE_MASK | STABLE_FLAG)) != want)
			break;
		node = ksm_item_node(item);
		if (!maps_own_page(ptep_get(pte), node) || (apart && !in_place(batch, node)))
			break;
		batch->item = item;
		if (!item->rmap_list)
			return n + 1;
		item = item->rmap_list;
	}
	return n;
}

/* As settled_run(): of pages that smart scan leaves alone, and that need not be read at all. */
static unsigned int skipped_run(struct ksme_batch *batch, struct ksm_rmap_item *item, pte_t *pte,
				unsigned int max)
{
	unsigned long address = item->address & PAGE_MASK;
	unsigned int n;

	for (n = 0; n < max; n++, pte++, address += PAGE_SIZE) {
		struct page *page;

		if ((item->address & PAGE_MASK) != address || !ksm_core_may_skip(&ksme.core, item))
			break;
		page = pte_candidate(ptep_get(pte));
		if (!page || ksme_is_ksm(page))
			break;
		batch->item = item;
		if (!item->rmap_list)
			return n + 1;
		item = item->rmap_list;
	}
	return n;
}

static __always_inline unsigned int known_pages(void *arg, pte_t *pte, unsigned long address,
						unsigned long end)
{
	struct ksme_batch *batch = arg;
	struct ksm_rmap_item *item = ksm_core_item_at(&ksme.core, &batch->item, address);
	unsigned int max =
		min_t(unsigned long, (end - address) / PAGE_SIZE, batch->limit - batch->pages);
	struct ksme_spot *spot;
	unsigned int n;
	bool skip;

	if (!item)
		return 0;
	skip = ksm_core_may_skip(&ksme.core, item);
	if (!skip && !(item->address & STABLE_FLAG))
		return 0;
	spot = run_spot(batch, address, skip);
	if (!has_room(batch, spot))
		return 0;
	n = skip ? skipped_run(batch, item, pte, max) : settled_run(batch, item, pte, max);
	if (n)
		add_run(batch, spot, address, skip, n);
	return n;
}

/* Pages take turns at being read in full, lest a whole pass be slow. */
static bool full_hash_due(unsigned long address)
{
	unsigned int passes = READ_ONCE(ksme.full_hash_passes);

	return passes < 2 || !((address / PAGE_SIZE + ksme.core.scan.seqnr) % passes);
}

static void recall(struct ksme_batch *batch, struct ksme_spot *spot)
{
	if (!full_hash_due(spot->address))
		spot->look = ksm_core_recall(&ksme.core, &batch->item, spot->address, &spot->hash,
					     &spot->sample);
}

static bool take_spot(void *arg, struct page *page, unsigned long address, bool huge)
{
	struct ksme_batch *batch = arg;
	struct ksm_rmap_item *item = ksm_core_item_at(&ksme.core, &batch->item, address);
	bool skip = item && ksm_core_may_skip(&ksme.core, item) && !ksme_is_ksm(page);
	struct ksme_spot *spot = &batch->spots[batch->nr];

	/* A part of a huge page: others were met as known pages. */
	if (skip)
		spot = run_spot(batch, address, true);
	if (!has_room(batch, spot))
		return false;
	if (skip) {
		add_run(batch, spot, address, true, 1);
		return true;
	}
	batch->pages++;
	get_page(page);
	batch->nr++;
	*spot = (struct ksme_spot){
		.address = address,
		.pfn = page_to_pfn(page),
		.page = page,
		.huge = huge,
	};
	if (!ksme_is_ksm(page))
		recall(batch, spot);
	return true;
}

static bool pass_zero(void *arg, unsigned long address)
{
	struct ksme_batch *batch = arg;

	batch->zero_pages++;
	return true;
}

/*
 * Pages may be far apart, with thousands of areas and tables in between. Who waits for mmap_lock to
 * write need not wait for those; some are looked at in each hold, so that nobody stops the scanner.
 */
static bool give_way(void *arg)
{
	struct ksme_batch *batch = arg;

	return batch->steps++ >= KSME_STEPS && mmap_lock_is_contended(batch->mm);
}

/**
 * ksme_collect - fill a batch with the next pages of its address space
 * @batch: its mm is set; spots get references
 * @start: address to go on from
 *
 * Without a page the batch may be not done and empty: somebody waits for mmap_lock.
 *
 * Context: mmap_lock of batch->mm held for reading, and the engine lock.
 */
void ksme_collect(struct ksme_batch *batch, unsigned long start)
{
	VMA_ITERATOR(vmi, batch->mm, start);
	const struct visitor visitor = { give_way, known_pages, take_spot, pass_zero, batch };
	struct vm_area_struct *vma;

	batch->nr = 0;
	batch->pages = 0;
	batch->item = NULL;
	batch->domain = ksme.core.domains ? ksme_domain(NULL, batch->mm) : 0;
	batch->pos = 0;
	batch->done = false;
	batch->steps = 0;
	batch->next = start;
	for_each_vma(vmi, vma) {
		if (give_way(batch)) {
			batch->next = max(batch->next, vma->vm_start);
			return;
		}
		if (!(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma)
			continue;
		batch->next = walk_range(batch->mm, max(batch->next, vma->vm_start), vma->vm_end,
					 &visitor);
		if (batch->next != vma->vm_end)
			return;
	}
	batch->done = true;
}

static bool stop_at_ksm(void *arg, struct page *page, unsigned long address, bool huge)
{
	return !ksme_is_ksm(page);
}

static bool stop_at_zero(void *arg, unsigned long address)
{
	return false;
}

/**
 * ksme_next_ksm - the next page that KSM placed
 * @mm: address space, mmap_lock held
 * @start: address to search from
 * @end: where to stop, in the same area
 *
 * Return: the address of a KSM page or of a zero page that KSM placed, or @end.
 */
unsigned long ksme_next_ksm(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	const struct visitor visitor = { .page = stop_at_ksm, .zero = stop_at_zero };

	return walk_range(mm, start, end, &visitor);
}
