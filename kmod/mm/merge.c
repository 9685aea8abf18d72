// SPDX-License-Identifier: GPL-2.0
/*
 * Merging: two page table entries, one page.
 *
 * A page is first write-protected in such a way that nobody can write it any more
 * without a fault, then compared byte by byte, and only then replaced. Whatever was
 * believed before (hashes, earlier comparisons) is a hint.
 *
 * Both pages are locked throughout, by trylock alone: a contended page is left for a
 * later pass. A second address space is entered by trylock, too. An exit of it that
 * begins under our hold of its mmap_lock is harmless: a PTE is replaced only where the
 * old one is still present under the PTE lock, so nothing is put where exit_mmap()
 * has already been, and page tables go away only under mmap_lock for writing.
 */
#include "engine.h"

#include <linux/highmem.h>

#include "content.h"
#include "trace.h"

/**
 * ksme_hash - content hash of a page, by this load's secret seed
 * @page: referenced
 */
u64 ksme_hash(struct page *page)
{
	void *bytes = kmap_local_page(page);
	u64 hash = ksm_hash(bytes, PAGE_SIZE, ksme.seed);

	kunmap_local(bytes);
	return hash;
}

/**
 * ksme_hash_spot - sample a page, and hash it if it is another content than it was, or due
 * @spot: its page is referenced; @hash and @sample are those of the last visit
 *
 * Reading all of a page that never changes, in each pass, would be most of what a scanner does.
 * What a sample does not see is seen after ksme.full_hash_passes. Until then a wrong hash costs the
 * page its chance to be found, and nothing else: before a merge all bytes are compared.
 */
void ksme_hash_spot(struct ksme_spot *spot)
{
	void *bytes = kmap_local_page(spot->page);
	u16 sample = ksm_sample(bytes, PAGE_SIZE, ksme.seed);

	if (!spot->hash || sample != spot->sample)
		spot->hash = ksm_hash(bytes, PAGE_SIZE, ksme.seed);
	spot->sample = sample;
	kunmap_local(bytes);
}

/**
 * ksme_zero_hash - what ksme_hash() says of a page of zeroes
 */
u64 ksme_zero_hash(void)
{
	return ksme_hash(ZERO_PAGE(0));
}

/**
 * ksme_zero_pages - zero pages in the place of anonymous ones
 *
 * The kernel's own count where it has one: its fault path counts down. Elsewhere exact
 * at the end of each pass (engined.c recounts), too high in between by what was written.
 */
long ksme_zero_pages(void)
{
	return atomic_long_read(ksme_intree.zero_pages ?: &ksme.zero_pages);
}

/**
 * ksme_differ - ops->differ: compare two pages
 * @ctx: unused
 * @a: referenced
 * @b: referenced
 */
bool ksme_differ(void *ctx, struct page *a, struct page *b)
{
	void *bytes_a = kmap_local_page(a);
	void *bytes_b = kmap_local_page(b);
	bool differ = ksm_differ(bytes_a, bytes_b, PAGE_SIZE);

	kunmap_local(bytes_b);
	kunmap_local(bytes_a);
	return differ;
}

static bool maps_page(pte_t entry, struct page *page)
{
	return pte_present(entry) && pte_pfn(entry) == page_to_pfn(page);
}

/* References beyond the mappings, the swap cache and our own: somebody may write. */
static bool has_other_references(struct page *page)
{
	int mapped = atomic_read(&page->_mapcount) + 1;

	return mapped + 1 + folio_test_swapcache(page_folio(page)) != page_ref_count(page);
}

/*
 * Make @pte read-only. The entry is cleared and flushed first: from then on GUP-fast
 * cannot take a reference that the count below would miss.
 */
static int protect_pte(struct vm_area_struct *vma, unsigned long address, struct page *page,
		       pte_t *pte)
{
	struct mm_struct *mm = vma->vm_mm;
	pte_t entry = ptep_get(pte);
	bool exclusive = PageAnonExclusive(page);

	/* userfaultfd wants to see reads as well: as the entry of a KSM page it could not tell. */
	if (pte_uffd(entry) && pte_protnone(entry) && vma_is_accessible(vma))
		return -EBUSY;
	if (!pte_write(entry) && !pte_dirty(entry) && !exclusive && !mm_tlb_flush_pending(mm))
		return 0;

	flush_cache_page(vma, address, page_to_pfn(page));
	entry = ptep_clear_flush(vma, address, pte);
	if (has_other_references(page) || (exclusive && ksme_try_share(page))) {
		set_pte_at(mm, address, pte, entry);
		return -EBUSY;
	}
	if (pte_dirty(entry))
		set_page_dirty(page);
	entry = pte_mkclean(entry);
	if (pte_write(entry))
		entry = pte_wrprotect(entry);
	set_pte_at(mm, address, pte, entry);
	return 0;
}

/* write_protect_page: gives the protected entry in @protected. -EFAULT: not mapped there. */
static int write_protect_page(struct vm_area_struct *vma, unsigned long address,
			      struct page *page, pte_t *protected)
{
	struct mmu_notifier_range range;
	spinlock_t *ptl;
	int err = -EFAULT;
	pte_t *pte;

	ksme_range_init(&range, vma, address);
	ksme_notify_start(&range);
	pte = ksme_pte_lock(vma->vm_mm, address, &ptl);
	if (pte) {
		if (maps_page(ptep_get(pte), page))
			err = protect_pte(vma, address, page, pte);
		*protected = ptep_get(pte);
		pte_unmap_unlock(pte, ptl);
	}
	ksme_notify_end(&range);
	return err;
}

/* Who waits for the next write, userfaultfd or a soft-dirty tracker, must not miss it. */
static pte_t keep_marks(pte_t entry, pte_t old)
{
	if (pte_uffd(old))
		entry = pte_mkuffd(entry);
	if (pte_soft_dirty(old))
		entry = pte_mksoft_dirty(entry);
	return entry;
}

static void replace_pte(struct vm_area_struct *vma, unsigned long address, pte_t *pte,
			struct page *page, struct page *kpage)
{
	pte_t entry, old;

	if (is_zero_pfn(page_to_pfn(kpage))) {
		/* Dirty is how the kernel knows it for KSM's. It is not anonymous memory. */
		entry = pte_mkdirty(pte_mkspecial(pfn_pte(page_to_pfn(kpage), vma->vm_page_prot)));
		ksme_account_zero(vma->vm_mm);
	} else {
		entry = mk_pte(kpage, vma->vm_page_prot);
		get_page(kpage);
		ksme_rmap_add(kpage, vma, address);
	}
	flush_cache_page(vma, address, page_to_pfn(page));
	old = ptep_clear_flush(vma, address, pte);
	set_pte_at(vma->vm_mm, address, pte, keep_marks(entry, old));

	ksme_rmap_remove(page, vma);
	if (!ksme_mapped(page))
		folio_free_swap(page_folio(page));
	put_page(page);
}

/*
 * replace_page: let @address map @kpage instead of @page, if its entry still is
 * @protected. Drops the reference that the old mapping had.
 */
static int replace_page(struct vm_area_struct *vma, unsigned long address, struct page *page,
			struct page *kpage, pte_t protected)
{
	struct mmu_notifier_range range;
	spinlock_t *ptl;
	int err = -EFAULT;
	pte_t *pte;

	ksme_range_init(&range, vma, address);
	ksme_notify_start(&range);
	pte = ksme_pte_lock(vma->vm_mm, address, &ptl);
	if (pte) {
		if (pte_same(ptep_get(pte), protected)) {
			replace_pte(vma, address, pte, page, kpage);
			err = 0;
		}
		pte_unmap_unlock(pte, ptl);
	}
	ksme_notify_end(&range);
	return err;
}

/*
 * Lock a page that is to be merged, make it a small one, write-protect it. On success
 * it stays locked and @protected is its entry.
 */
static int lock_and_protect(struct vm_area_struct *vma, unsigned long address,
			    struct page *page, pte_t *protected)
{
	int err;

	if (!trylock_page(page))
		return -EAGAIN;
	err = -EBUSY;
	if (PageCompound(page) && split_huge_page(page))
		goto unlock;
	err = -ESTALE;
	if (!PageAnon(page) || ksme_is_ksm(page))
		goto unlock;
	err = write_protect_page(vma, address, page, protected);
	if (!err)
		return 0;
unlock:
	unlock_page(page);
	return err;
}

/* try_to_merge_one_page: both pages are the caller's, @kpage locked. */
static int merge_one_page(struct vm_area_struct *vma, unsigned long address,
			  struct page *page, struct page *kpage)
{
	pte_t protected;
	int err;

	err = lock_and_protect(vma, address, page, &protected);
	if (err)
		return err;
	if (ksme_differ(NULL, page, kpage))
		err = -ESTALE;
	else
		err = replace_page(vma, address, page, kpage, protected);
	unlock_page(page);
	return err;
}

/* The item gets its anon_vma and its place on the node: under the KSM page's lock. */
static void append_item(struct ksm_rmap_item *item, struct vm_area_struct *vma,
			struct ksm_stable_node *node)
{
	item->anon_vma = vma->anon_vma;
	get_anon_vma(vma->anon_vma);
	ksm_core_append(&ksme.core, item, node);
	ksme_item_index(item, vma, item->address & PAGE_MASK);
}

static unsigned long item_address(struct ksm_rmap_item *item)
{
	return item->address & PAGE_MASK;
}

/**
 * ksme_merge_into - ops->merge_into (try_to_merge_with_ksm_page)
 * @ctx: unused
 * @item: of the scanned address space
 * @page: mapped there
 * @node: node of an equal KSM page
 * @kpage: that page, held
 */
int ksme_merge_into(void *ctx, struct ksm_rmap_item *item, struct page *page,
		    struct ksm_stable_node *node, struct page *kpage)
{
	unsigned long address = item_address(item);
	struct vm_area_struct *vma = ksme_mergeable_vma(item->mm, address);
	int err = -EFAULT;

	if (!vma)
		goto out;
	err = -EAGAIN;
	if (!trylock_page(kpage))
		goto out;
	err = -ESTALE;
	if (ksme_is_ksm(kpage) && ksme_page_node(kpage) == node)
		err = merge_one_page(vma, address, page, kpage);
	if (!err)
		append_item(item, vma, node);
	unlock_page(kpage);
out:
	trace_ksm_engine_merge_with_ksm_page(kpage, page_to_pfn(kpage), item, item->mm, err);
	return err;
}

/**
 * ksme_merge_zero - ops->merge_zero (try_to_merge_with_zero_page)
 * @ctx: unused
 * @item: of the scanned address space
 * @page: mapped there, by its hash all zeroes
 */
int ksme_merge_zero(void *ctx, struct ksm_rmap_item *item, struct page *page)
{
	unsigned long address = item_address(item);
	struct vm_area_struct *vma = ksme_mergeable_vma(item->mm, address);
	struct page *zero = ZERO_PAGE(address);
	int err = -EFAULT;

	if (vma)
		err = merge_one_page(vma, address, page, zero);
	if (!err) {
		atomic_long_inc(&ksme.zero_pages);
		ksme.batch.zero_pages++;
	}
	trace_ksm_engine_merge_one_page(page_to_pfn(zero), item, item->mm, err);
	return err;
}

/*
 * Both areas known, their address spaces held: the pair becomes one page.
 *
 * The tree's page gets the node as its mapping before the other is merged into it. It
 * stays locked, so nobody but us acts on that mapping, and it can be given back if
 * the other page turns out different. Meanwhile a write to it copies, as from any KSM
 * page.
 */
static int promote_locked(struct ksm_rmap_item *item, struct vm_area_struct *vma,
			  struct page *page, struct ksm_rmap_item *tree_item,
			  struct vm_area_struct *tree_vma, struct page *tree_page,
			  struct ksm_stable_node *node)
{
	unsigned long tree_address = item_address(tree_item);
	unsigned long pfn = page_to_pfn(tree_page);
	struct address_space *mapping;
	pte_t protected;
	int err;

	err = lock_and_protect(tree_vma, tree_address, tree_page, &protected);
	if (err)
		return err;

	mapping = tree_page->mapping;
	node->kpfn = pfn;
	ksme_page_set_node(tree_page, node);
	err = merge_one_page(vma, item_address(item), page, tree_page);
	if (err) {
		WRITE_ONCE(tree_page->mapping, mapping);
		goto unlock;
	}
	mark_page_accessed(tree_page);
	/* Reclaim frees clean pages without dirty PTEs; this one must be swapped. */
	SetPageDirty(tree_page);
	append_item(tree_item, tree_vma, node);
	append_item(item, vma, node);
	/* Both with the KSM page's frame, as in-tree: that is how a listener pairs them. */
	trace_ksm_engine_merge_with_ksm_page(NULL, pfn, tree_item, tree_item->mm, 0);
	trace_ksm_engine_merge_with_ksm_page(tree_page, pfn, item, item->mm, 0);
unlock:
	unlock_page(tree_page);
	return err;
}

/* Enter the address space of a tree item for a moment. The scanned one is entered already. */
static int second_mm_enter(struct mm_struct *mm)
{
	if (mm == ksme.batch.mm)
		return 0;
	if (!mmap_read_trylock(mm))
		return -EAGAIN;
	if (!ksm_test_exit(mm))
		return 0;
	mmap_read_unlock(mm);
	return -ESTALE;
}

static void second_mm_leave(struct mm_struct *mm)
{
	if (mm != ksme.batch.mm)
		mmap_read_unlock(mm);
}

/**
 * ksme_promote_pair - ops->promote_pair (try_to_merge_two_pages)
 * @ctx: unused
 * @item: of the scanned address space
 * @page: mapped there
 * @tree_item: known from earlier
 * @tree_page: mapped there; becomes the KSM page
 * @node: new
 */
int ksme_promote_pair(void *ctx, struct ksm_rmap_item *item, struct page *page,
		      struct ksm_rmap_item *tree_item, struct page *tree_page,
		      struct ksm_stable_node *node)
{
	struct vm_area_struct *vma, *tree_vma;
	int err;

	err = second_mm_enter(tree_item->mm);
	if (err)
		goto out;
	vma = ksme_mergeable_vma(item->mm, item_address(item));
	tree_vma = ksme_mergeable_vma(tree_item->mm, item_address(tree_item));
	err = -EFAULT;
	if (vma && tree_vma)
		err = promote_locked(item, vma, page, tree_item, tree_vma, tree_page, node);
	second_mm_leave(tree_item->mm);
out:
	if (err)
		trace_ksm_engine_merge_with_ksm_page(NULL, page_to_pfn(page), item, item->mm,
						     err);
	return err;
}

/**
 * ksme_adopt - ops->adopt: track a KSM page that fork copied the mapping of
 * @ctx: unused
 * @item: of the scanned address space
 * @page: the KSM page mapped there
 * @node: its node
 */
int ksme_adopt(void *ctx, struct ksm_rmap_item *item, struct page *page,
	       struct ksm_stable_node *node)
{
	struct vm_area_struct *vma = ksme_mergeable_vma(item->mm, item_address(item));
	int err = -EFAULT;

	if (!vma)
		goto out;
	err = -EAGAIN;
	if (!trylock_page(page))
		goto out;
	err = -ESTALE;
	if (ksme_is_ksm(page) && ksme_page_node(page) == node) {
		append_item(item, vma, node);
		err = 0;
	}
	unlock_page(page);
out:
	trace_ksm_engine_merge_with_ksm_page(page, page_to_pfn(page), item, item->mm, err);
	return err;
}

/*
 * Two equal pages inside one huge page: a split tolerates a single reference besides the
 * mappings, so it has to happen before the second page is referenced, too.
 */
static void split_common(struct page *page, struct page *other)
{
	if (!other || !PageCompound(page) || compound_head(page) != compound_head(other))
		return;
	if (!trylock_page(other))
		return;
	if (PageCompound(other))
		split_huge_page(other);
	unlock_page(other);
}

/* get_mergeable_page. */
static struct page *mergeable_page(struct ksm_rmap_item *item)
{
	unsigned long address = item_address(item);
	struct vm_area_struct *vma = ksme_mergeable_vma(item->mm, address);
	struct page *page = vma ? ksme_page_at(vma, address) : NULL;

	if (page && PageCompound(page) && ksme.batch.page &&
	    compound_head(page) == compound_head(ksme.batch.page)) {
		put_page(page);
		split_common(page, ksme.batch.page);
		page = ksme_page_at(vma, address);
	}
	if (page && !ksme_is_ksm(page))
		return page;
	if (page)
		put_page(page);
	return ERR_PTR(-ESTALE);
}

/**
 * ksme_hold_item - ops->hold_item: the page behind an item of the unstable tree
 * @ctx: unused
 * @item: in the unstable tree
 */
struct page *ksme_hold_item(void *ctx, struct ksm_rmap_item *item)
{
	struct page *page;
	int err = second_mm_enter(item->mm);

	if (err)
		return ERR_PTR(err);
	page = mergeable_page(item);
	second_mm_leave(item->mm);
	return page;
}
