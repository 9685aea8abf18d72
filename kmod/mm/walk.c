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
 * address. @zero is for zero pages that KSM placed. @done, if there is one, is asked first: true
 * when there is nothing more to do at this entry.
 */
struct visitor {
	bool (*done)(void *arg, pte_t pte, unsigned long address);
	bool (*page)(void *arg, struct page *page, unsigned long address);
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

		if (page && !visitor->page(visitor->arg, page, address))
			break;
	}
	spin_unlock(ptl);
	return address;
}

static __always_inline bool visit_pte(const struct visitor *visitor, pte_t pte,
				      unsigned long address)
{
	struct page *page;

	if (visitor->done && visitor->done(visitor->arg, pte, address))
		return true;
	page = pte_candidate(pte);
	if (page)
		return visitor->page(visitor->arg, page, address);
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
	for (pte = start; address < end; pte++, address += PAGE_SIZE)
		if (!visit_pte(visitor, ptep_get(pte), address))
			break;
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

static bool add_settled(struct ksme_batch *batch, unsigned long address)
{
	struct ksme_spot *last = batch->nr ? &batch->spots[batch->nr - 1] : NULL;

	if (last && last->settled && last->address + last->settled * PAGE_SIZE == address) {
		last->settled++;
	} else {
		if (batch->nr == KSME_CHUNK)
			return false;
		batch->spots[batch->nr++] = (struct ksme_spot){ .address = address, .settled = 1 };
	}
	batch->pages++;
	return true;
}

/*
 * Memory that is merged already is most of what a scanner at rest meets. Such a page needs neither
 * a reference nor a visit of its own. A node that is still there has a valid frame number, and
 * nothing but its own page points back to it.
 */
static __always_inline bool settled_pte(void *arg, pte_t pte, unsigned long address)
{
	struct ksme_batch *batch = arg;
	struct ksm_stable_node *node = ksm_core_node_at(&ksme.core, &batch->item, address);
	struct page *page;

	if (!node || !pte_present(pte) || pte_pfn(pte) != READ_ONCE(node->kpfn))
		return false;
	page = pte_page(pte);
	if (ksme_page_node(page) != node)
		return false;
	if (node->domain != batch->domain)
		return false;
	if (ksme.core.nr_nodes > 1 && page_to_nid(page) != node->nid)
		return false;
	return batch->pages < batch->limit && add_settled(batch, address);
}

/* Pages take turns at being read in full, lest a whole pass be slow. */
static bool full_hash_due(unsigned long address)
{
	unsigned int passes = READ_ONCE(ksme.full_hash_passes);

	return passes < 2 || !((address / PAGE_SIZE + ksme.core.scan.seqnr) % passes);
}

/*
 * What the last visit knew of the content, if that visit found it unchanged and left the page in
 * the unstable tree. Others are read in full: a page that was being filled when it was hashed may
 * hold in all sampled places what it held then.
 */
static void recall_hash(struct ksme_batch *batch, struct ksme_spot *spot)
{
	struct ksm_rmap_item *item = ksm_core_item_at(&ksme.core, &batch->item, spot->address);

	if (!item || !(item->address & UNSTABLE_FLAG) || full_hash_due(spot->address))
		return;
	spot->hash = item->hash;
	spot->sample = item->sample;
}

static bool take_spot(void *arg, struct page *page, unsigned long address)
{
	struct ksme_batch *batch = arg;
	struct ksme_spot *spot;

	if (batch->pages == batch->limit || batch->nr == KSME_CHUNK)
		return false;
	batch->pages++;
	get_page(page);
	spot = &batch->spots[batch->nr++];
	*spot = (struct ksme_spot){
		.address = address,
		.pfn = page_to_pfn(page),
		.page = page,
	};
	if (ksme_is_ksm(page))
		return true;
	/* Which pages smart scan would leave alone: they need not be read at all. */
	spot->skip = ksm_core_may_skip(&ksme.core, &batch->item, address);
	if (!spot->skip)
		recall_hash(batch, spot);
	return true;
}

static bool pass_zero(void *arg, unsigned long address)
{
	struct ksme_batch *batch = arg;

	batch->zero_pages++;
	return true;
}

/**
 * ksme_collect - fill a batch with the next pages of its address space
 * @batch: its mm is set; spots get references
 * @start: address to go on from
 *
 * Context: mmap_lock of batch->mm held for reading, and the engine lock.
 */
void ksme_collect(struct ksme_batch *batch, unsigned long start)
{
	VMA_ITERATOR(vmi, batch->mm, start);
	const struct visitor visitor = { settled_pte, take_spot, pass_zero, batch };
	struct vm_area_struct *vma;

	batch->nr = 0;
	batch->pages = 0;
	batch->item = NULL;
	batch->domain = ksme.core.domains ? ksme_domain(NULL, batch->mm) : 0;
	batch->pos = 0;
	batch->done = false;
	batch->next = start;
	for_each_vma(vmi, vma) {
		if (!(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma)
			continue;
		batch->next = walk_range(batch->mm, max(batch->next, vma->vm_start), vma->vm_end,
					 &visitor);
		if (batch->next != vma->vm_end)
			return;
	}
	batch->done = true;
}

static bool stop_at_ksm(void *arg, struct page *page, unsigned long address)
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
