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
 * ksme_sample - ops->sample
 * @ctx: unused
 * @page: referenced
 */
u16 ksme_sample(void *ctx, struct page *page)
{
	void *bytes = kmap_local_page(page);
	u16 sample = ksm_sample(bytes, PAGE_SIZE, ksme.seed);

	kunmap_local(bytes);
	return sample;
}

/* Zeroes, the most frequent content of all, are known without a single multiplication. */
static u64 hash_bytes(const void *bytes, u16 sample)
{
	if (sample == ksme.zero_sample && ksm_all_zero(bytes, PAGE_SIZE))
		return ksme.core.zero_hash;
	return ksm_hash(bytes, PAGE_SIZE, ksme.seed);
}

/**
 * ksme_hash_spot - read as much of a page as its next visit needs
 * @spot: its page is referenced; @look says how much, @hash and @sample are those of the last visit
 *
 * Reading all of a page that never changes, in each pass, would be most of what a scanner does.
 * What a sample does not see is seen after ksme.full_hash_passes. Until then a wrong hash costs the
 * page its chance to be found, and nothing else: before a merge all bytes are compared.
 */
void ksme_hash_spot(struct ksme_spot *spot)
{
	void *bytes = kmap_local_page(spot->page);
	u16 sample = ksm_sample(bytes, PAGE_SIZE, ksme.seed);
	bool same = sample == spot->sample;

	if (spot->look == KSM_LOOK_FULL || (spot->look == KSM_LOOK_AGAIN && same))
		spot->hash = hash_bytes(bytes, sample);
	else if (spot->look == KSM_LOOK_SURE && same)
		;
	else if (ksm_core_sample_known(&ksme.core, sample))
		spot->hash = hash_bytes(bytes, sample);
	else
		spot->sampled = true;
	spot->sample = sample;
	kunmap_local(bytes);
}

/**
 * ksme_zero_init - learn what a page of zeroes looks like under this load's seed
 */
void ksme_zero_init(void)
{
	ksme.core.zero_hash = ksme_hash(ZERO_PAGE(0));
	ksme.zero_sample = ksme_sample(NULL, ZERO_PAGE(0));
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

static bool all_zero(struct page *page)
{
	void *bytes = kmap_local_page(page);
	bool zero = ksm_all_zero(bytes, PAGE_SIZE);

	kunmap_local(bytes);
	return zero;
}

/**
 * struct place - where a page that is to be merged is mapped
 * @vma: area, its mmap_lock held
 * @address: in it
 * @page: mapped there, referenced
 * @kpage: what is to be mapped instead
 * @zero: that is all zeroes, and need not be read
 * @protected: the entry, once it is write-protected
 */
struct place {
	struct vm_area_struct *vma;
	unsigned long address;
	struct page *page;
	struct page *kpage;
	bool zero;
	pte_t protected;
};

/* Listeners are told, the entry is locked: -EFAULT when there is none, else what @change says. */
static __always_inline int change_entry(struct place *place,
					int (*change)(struct place *place, pte_t *pte))
{
	struct mmu_notifier_range range;
	spinlock_t *ptl;
	int err = -EFAULT;
	pte_t *pte;

	ksme_range_init(&range, place->vma, place->address);
	ksme_notify_start(&range);
	pte = ksme_pte_lock(place->vma->vm_mm, place->address, &ptl);
	if (pte) {
		err = change(place, pte);
		pte_unmap_unlock(pte, ptl);
	}
	ksme_notify_end(&range);
	return err;
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
 * The entry is cleared and flushed first: from then on GUP-fast cannot take a reference that the
 * count would miss.
 */
static int clear_and_protect(struct place *place, pte_t *pte, bool exclusive)
{
	struct mm_struct *mm = place->vma->vm_mm;
	struct page *page = place->page;
	pte_t entry;

	flush_cache_page(place->vma, place->address, page_to_pfn(page));
	entry = ptep_clear_flush(place->vma, place->address, pte);
	if (has_other_references(page) || (exclusive && ksme_try_share(page))) {
		set_pte_at(mm, place->address, pte, entry);
		return -EBUSY;
	}
	if (pte_dirty(entry))
		set_page_dirty(page);
	entry = pte_mkclean(entry);
	if (pte_write(entry))
		entry = pte_wrprotect(entry);
	set_pte_at(mm, place->address, pte, entry);
	return 0;
}

static __always_inline int protect_pte(struct place *place, pte_t *pte)
{
	bool exclusive = PageAnonExclusive(place->page);
	pte_t entry = ptep_get(pte);
	int err = 0;

	if (!maps_page(entry, place->page))
		return -EFAULT;
	/* userfaultfd wants to see reads as well: as the entry of a KSM page it could not tell. */
	if (pte_uffd(entry) && pte_protnone(entry) && vma_is_accessible(place->vma))
		return -EBUSY;
	if (pte_write(entry) || pte_dirty(entry) || exclusive ||
	    mm_tlb_flush_pending(place->vma->vm_mm))
		err = clear_and_protect(place, pte, exclusive);
	place->protected = ptep_get(pte);
	return err;
}

/* From here on nobody writes to the page without a fault. -EFAULT: not mapped there. */
static int write_protect_page(struct place *place)
{
	return change_entry(place, protect_pte);
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

static __always_inline int replace_pte(struct place *place, pte_t *pte)
{
	struct page *page = place->page, *kpage = place->kpage;
	struct vm_area_struct *vma = place->vma;
	unsigned long address = place->address;
	pte_t entry, old;

	if (!pte_same(ptep_get(pte), place->protected))
		return -EFAULT;
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
	return 0;
}

/*
 * Map the other page, if the entry still is as it was write-protected. Drops the reference that
 * the old mapping had.
 */
static int replace_page(struct place *place)
{
	return change_entry(place, replace_pte);
}

/* Lock the page, make it a small one, write-protect it. On success it stays locked. */
static int lock_and_protect(struct place *place)
{
	struct page *page = place->page;
	int err;

	if (!trylock_page(page))
		return -EAGAIN;
	err = -EBUSY;
	if (PageCompound(page) && split_huge_page(page))
		goto unlock;
	err = -ESTALE;
	/* What becomes a KSM page must not be one. What goes may (merge_migrated()). */
	if (!PageAnon(page) || (!place->kpage && ksme_is_ksm(page)))
		goto unlock;
	err = write_protect_page(place);
	if (!err)
		return 0;
unlock:
	unlock_page(page);
	return err;
}

/* try_to_merge_one_page: the other page is locked. */
static int merge_one_page(struct place *place)
{
	int err = lock_and_protect(place);

	if (err)
		return err;
	if (place->zero ? !all_zero(place->page) : ksme_differ(NULL, place->page, place->kpage))
		err = -ESTALE;
	else
		err = replace_page(place);
	unlock_page(place->page);
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

/* Without an area when the item's address is in none that is mergeable. */
static struct place place_of(struct ksm_rmap_item *item, struct page *page, struct page *kpage)
{
	return (struct place){
		.vma = ksme_mergeable_vma(item->mm, item_address(item)),
		.address = item_address(item),
		.page = page,
		.kpage = kpage,
	};
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
	struct place place = place_of(item, page, kpage);
	int err = -EFAULT;

	place.zero = node->zero;
	if (!place.vma)
		goto out;
	err = -EAGAIN;
	if (!trylock_page(kpage))
		goto out;
	err = -ESTALE;
	if (ksme_is_ksm(kpage) && ksme_page_node(kpage) == node)
		err = merge_one_page(&place);
	if (!err)
		append_item(item, place.vma, node);
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
	struct page *zero = ZERO_PAGE(item_address(item));
	struct place place = place_of(item, page, zero);
	int err = -EFAULT;

	place.zero = true;
	if (place.vma)
		err = merge_one_page(&place);

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
static int promote_locked(struct ksm_rmap_item *item, struct place *place,
			  struct ksm_rmap_item *tree_item, struct place *tree_place,
			  struct ksm_stable_node *node)
{
	struct page *tree_page = tree_place->page;
	unsigned long pfn = page_to_pfn(tree_page);
	struct address_space *mapping;
	int err;

	err = lock_and_protect(tree_place);
	if (err)
		return err;

	mapping = tree_page->mapping;
	node->kpfn = pfn;
	ksme_page_set_node(tree_page, node);
	err = merge_one_page(place);
	if (err) {
		WRITE_ONCE(tree_page->mapping, mapping);
		goto unlock;
	}
	node->zero = all_zero(tree_page);
	mark_page_accessed(tree_page);
	/* Reclaim frees clean pages without dirty PTEs; this one must be swapped. */
	SetPageDirty(tree_page);
	append_item(tree_item, tree_place->vma, node);
	append_item(item, place->vma, node);
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
	struct place place, tree_place;
	int err;

	err = second_mm_enter(tree_item->mm);
	if (err)
		goto out;
	place = place_of(item, page, tree_page);
	tree_place = place_of(tree_item, tree_page, NULL);
	err = -EFAULT;
	if (place.vma && tree_place.vma)
		err = promote_locked(item, &place, tree_item, &tree_place, node);
	second_mm_leave(tree_item->mm);
out:
	if (err)
		trace_ksm_engine_merge_with_ksm_page(NULL, page_to_pfn(page), item, item->mm, err);
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

/* Two parts of it. One page that is shared since a fork is no reason to split anything. */
static bool in_one_huge_page(struct page *a, struct page *b)
{
	return a != b && PageCompound(a) && compound_head(a) == compound_head(b);
}

/* Whoever else splits it meanwhile does what is wanted here, too. */
static void split_scanned_page(void)
{
	struct page *page = ksme.batch.page;

	if (!trylock_page(page))
		return;
	if (PageCompound(page))
		split_huge_page(page);
	unlock_page(page);
}

/*
 * get_mergeable_page. Two equal pages inside one huge page: a split tolerates a single reference
 * besides the mappings, so it has to happen before the second page is referenced, too.
 */
static struct page *mergeable_page(struct ksm_rmap_item *item)
{
	unsigned long address = item_address(item);
	struct vm_area_struct *vma = ksme_mergeable_vma(item->mm, address);
	struct page *page = vma ? ksme_page_at(vma, address) : NULL;

	if (page && ksme.batch.page && in_one_huge_page(page, ksme.batch.page)) {
		put_page(page);
		split_scanned_page();
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

/**
 * ksme_maps - ops->maps: is a page what the item of another one maps?
 * @ctx: unused
 * @item: in the unstable tree
 * @page: referenced
 */
int ksme_maps(void *ctx, struct ksm_rmap_item *item, struct page *page)
{
	struct vm_area_struct *vma;
	struct page *mapped = NULL;
	int err = second_mm_enter(item->mm);

	if (err)
		return err == -EAGAIN ? err : 0;
	vma = ksme_mergeable_vma(item->mm, item_address(item));
	if (vma)
		mapped = ksme_page_at(vma, item_address(item));
	if (mapped)
		put_page(mapped);
	second_mm_leave(item->mm);
	return mapped == page;
}
