// SPDX-License-Identifier: GPL-2.0
/*
 * Marking another process's areas as mergeable, and taking exactly that back.
 *
 * VM_MERGEABLE is one bit: it does not say who set it. So each attached address space has a
 * map of the ranges that we set it in (struct maple_tree, any entry = ours), and what was
 * marked before is never in it.
 *
 * Nothing here holds mm_users: exit_mmap() must stay the exiting process's own business.
 * What makes that safe is what makes the OOM reaper safe: exit_mmap() takes mmap_lock for
 * reading before it unmaps, and for writing before it frees areas and tables. So whoever
 * holds mmap_lock and then finds users left (ksm_test_exit()) has areas and tables until
 * they let go, and with the lock held for writing nothing is unmapped either. Faults are
 * forced under the write lock only.
 */
#include "engine.h"

#include <linux/maple_tree.h>
#include <linux/mman.h>
#include <linux/oom.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

/* Most pages copied, and most memory searched for them, under one hold of mmap_lock. */
#define UNMARK_PAGES 256
#define UNMARK_SPAN (64UL << 20)

/* What ksm_madvise() refuses; it has the last word. */
#define NEVER_MERGEABLE (VM_SHARED | VM_MAYSHARE | VM_HUGETLB | VM_SPECIAL)

/* The next range of the map that ends behind @from: the entry, or NULL. */
static void *next_range(struct maple_tree *map, unsigned long from, unsigned long *start,
			unsigned long *end)
{
	MA_STATE(mas, map, from, from);
	void *entry;

	mas_lock(&mas);
	entry = mas_find(&mas, ULONG_MAX);
	*start = max(mas.index, from);
	*end = mas.last + 1;
	mas_unlock(&mas);
	return entry;
}

#define for_each_range(map, start, end)                                                    \
	for (end = 0; next_range(map, end, &(start), &(end));)

static int set_range(struct maple_tree *map, unsigned long start, unsigned long end, bool ours)
{
	return mtree_store_range(map, start, end - 1, ours ? xa_mk_value(1) : NULL, GFP_KERNEL);
}

/* Forget what lies between two marked areas: it is not mapped, or no longer marked. */
static int forget_gap(struct maple_tree *map, unsigned long start, unsigned long end)
{
	unsigned long from, to;

	if (start >= end || !next_range(map, start, &from, &to) || from >= end)
		return 0;
	return set_range(map, start, end, false);
}

/* One area; -ENOMEM leaves it as it was. */
static int mark_vma(struct vm_area_struct *vma, struct maple_tree *map)
{
	unsigned long flags = vma->vm_flags;
	int err;

	err = ksm_madvise(vma, vma->vm_start, vma->vm_end, MADV_MERGEABLE, &flags);
	if (err || flags == vma->vm_flags)
		return err;
	err = set_range(map, vma->vm_start, vma->vm_end, true);
	if (!err)
		ksme_vm_flags_set(vma, VM_MERGEABLE);
	return err;
}

/* mmap_lock for writing, of an address space that is not exiting: 0, -EINTR or -ESRCH. */
static int write_lock_living(struct mm_struct *mm)
{
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (!ksm_test_exit(mm))
		return 0;
	mmap_write_unlock(mm);
	return -ESRCH;
}

/**
 * ksme_mark - mark every area that can be merged
 * @mm: address space, held by mmgrab()
 * @map: gets the ranges that were not marked before
 *
 * Context: may sleep; nobody else changes @map.
 *
 * Return: 0; -ESRCH when @mm is exiting; -EINTR on a fatal signal; -ENOMEM when some areas
 * had to be left.
 */
int ksme_mark(struct mm_struct *mm, struct maple_tree *map)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int err = write_lock_living(mm);

	if (err)
		return err;
	for_each_vma(vmi, vma) {
		err = mark_vma(vma, map);
		if (err)
			break;
	}
	mmap_write_unlock(mm);
	/* Its exit may have looked for a slot before ksm_madvise() made one. */
	if (ksm_test_exit(mm))
		ksme_slots_bury(mm);
	return err;
}

/**
 * ksme_marks_look - bring the map up to date, and see whether anything new could be marked
 * @mm: address space, held by mmgrab()
 * @map: ranges that are no longer mapped or marked leave it
 * @state: KSM_ABI_ATTACHED_FULL is set in it, or cleared: @mm has so many areas that marks
 *	are withheld
 *
 * A new area beside a marked one is not joined with it by the kernel, as it otherwise might
 * be; areas are limited per process, so there is a point at which marking stops.
 *
 * Return: 1 when ksme_mark() has something to do, 0 when not; -ESRCH when @mm is exiting;
 * -EINTR; -ENOMEM.
 */
int ksme_marks_look(struct mm_struct *mm, struct maple_tree *map, u32 *state)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	unsigned long done = 0;
	bool wanted = false;
	int err = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (ksm_test_exit(mm)) {
		mmap_read_unlock(mm);
		return -ESRCH;
	}
	*state &= ~KSM_ABI_ATTACHED_FULL;
	if (mm->map_count > DEFAULT_MAX_MAP_COUNT / 2)
		*state |= KSM_ABI_ATTACHED_FULL;
	for_each_vma(vmi, vma) {
		if (!(vma->vm_flags & VM_MERGEABLE)) {
			wanted |= !(vma->vm_flags & NEVER_MERGEABLE);
			continue;
		}
		err = forget_gap(map, done, vma->vm_start);
		if (err)
			break;
		done = vma->vm_end;
	}
	if (!err)
		err = forget_gap(map, done, ULONG_MAX);
	mmap_read_unlock(mm);
	if (err)
		return err;
	return wanted && !(*state & KSM_ABI_ATTACHED_FULL);
}

/**
 * ksme_marks_count - how much is in a map
 * @map: the map
 * @areas: ranges
 * @bytes: their size
 */
void ksme_marks_count(struct maple_tree *map, u64 *areas, u64 *bytes)
{
	unsigned long start, end;

	*areas = 0;
	*bytes = 0;
	for_each_range(map, start, end) {
		(*areas)++;
		*bytes += end - start;
	}
}

/**
 * struct search - the pages that KSM placed within a map's ranges
 * @mm: address space
 * @unshare: give each its own copy
 * @pages: how many there were
 */
struct search {
	struct mm_struct *mm;
	bool unshare;
	u64 pages;
};

/* Within one area. Returns where it stopped, -ENOMEM in @err. */
static unsigned long search_vma(struct search *search, struct vm_area_struct *vma,
				unsigned long address, unsigned long end, int *err)
{
	unsigned int pages;

	end = min(end, vma->vm_end);
	if (!vma->anon_vma || !(vma->vm_flags & VM_MERGEABLE))
		return end;
	if (end - address > UNMARK_SPAN)
		end = address + UNMARK_SPAN;
	for (pages = 0; pages < UNMARK_PAGES; pages++) {
		address = ksme_next_ksm(vma->vm_mm, address, end);
		if (address == end)
			break;
		*err = search->unshare ? ksme_break_ksm(vma, address) : 0;
		if (*err)
			break;
		search->pages++;
		address += PAGE_SIZE;
	}
	return address;
}

static int search_lock(const struct search *search)
{
	if (signal_pending(current))
		return -EINTR;
	return search->unshare ? mmap_write_lock_killable(search->mm) :
				 mmap_read_lock_killable(search->mm);
}

static void search_unlock(const struct search *search)
{
	if (search->unshare)
		mmap_write_unlock(search->mm);
	else
		mmap_read_unlock(search->mm);
}

/* One hold of mmap_lock. Moves @address on; 0, -ESRCH, -EINTR or -ENOMEM. */
static int search_step(struct search *search, unsigned long *address, unsigned long end)
{
	struct vm_area_struct *vma;
	int err = search_lock(search);

	if (err)
		return err;
	if (ksm_test_exit(search->mm)) {
		err = -ESRCH;
	} else {
		vma = find_vma(search->mm, *address);
		if (!vma || vma->vm_start >= end)
			*address = end;
		else
			*address = search_vma(search, vma, max(*address, vma->vm_start), end,
					      &err);
	}
	search_unlock(search);
	cond_resched();
	return err;
}

static int search_marks(struct search *search, struct maple_tree *map)
{
	unsigned long start, end, address;
	int err;

	for_each_range(map, start, end) {
		for (address = start; address < end;) {
			err = search_step(search, &address, end);
			if (err)
				return err;
		}
	}
	return 0;
}

/**
 * ksme_marks_merged - how many pages KSM placed where we marked
 * @mm: address space, held by mmgrab()
 * @map: the ranges
 * @pages: KSM pages, and zero pages that KSM placed
 *
 * Return: 0, -ESRCH, -EINTR.
 */
int ksme_marks_merged(struct mm_struct *mm, struct maple_tree *map, u64 *pages)
{
	struct search search = { .mm = mm };
	int err = search_marks(&search, map);

	*pages = search.pages;
	return err;
}

static bool all_ours(struct maple_tree *map, unsigned long start, unsigned long end)
{
	unsigned long from, to;

	for (; start < end; start = to)
		if (!next_range(map, start, &from, &to) || from != start)
			return false;
	return true;
}

/* Areas that are ours as a whole. */
static int unmark_whole(struct mm_struct *mm, struct maple_tree *map)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int err = write_lock_living(mm);

	if (err)
		return err;
	for_each_vma(vmi, vma)
		if (vma->vm_flags & VM_MERGEABLE && all_ours(map, vma->vm_start, vma->vm_end))
			ksme_vm_flags_clear(vma, VM_MERGEABLE);
	mmap_write_unlock(mm);
	return 0;
}

/* The first marked piece of [start, end); false when there is none. */
static bool marked_piece(struct mm_struct *mm, unsigned long *start, unsigned long *end)
{
	VMA_ITERATOR(vmi, mm, *start);
	struct vm_area_struct *vma;
	bool found = false;

	if (*start >= *end)
		return false;
	mmap_read_lock(mm);
	for_each_vma_range(vmi, vma, *end) {
		if (!(vma->vm_flags & VM_MERGEABLE))
			continue;
		*start = max(*start, vma->vm_start);
		*end = min(*end, vma->vm_end);
		found = true;
		break;
	}
	mmap_read_unlock(mm);
	return found;
}

/*
 * Areas that the kernel has since joined with such as the process itself had marked: only
 * the kernel can cut them up again. Rare, and no page is left to copy.
 */
static int unmark_pieces(struct mm_struct *mm, struct maple_tree *map)
{
	unsigned long start, end, from, to;
	int err = 0;

	/* do_madvise() takes the lock itself, so this once users it must be. */
	if (!mmget_not_zero(mm))
		return -ESRCH;
	for_each_range(map, start, end) {
		for (from = start, to = end; marked_piece(mm, &from, &to); from = to, to = end) {
			err = do_madvise(mm, from, to - from, MADV_UNMERGEABLE);
			if (err)
				break;
		}
		if (err)
			break;
	}
	mmput(mm);
	return err == -ERESTARTSYS ? -EINTR : err;
}

/**
 * ksme_unmark - undo ksme_mark()
 * @mm: address space, held by mmgrab()
 * @map: the ranges
 * @copied: pages that got a copy of their own
 *
 * First the pages, in small steps, so that the process can go on and a signal stops it;
 * then the marks.
 *
 * Context: under ksm_thread_mutex, so that nothing merges meanwhile.
 *
 * Return: 0; -ESRCH when @mm is exiting; -EINTR on a signal, -ENOMEM: what is copied stays
 * copied, but all or nearly all is still marked.
 */
int ksme_unmark(struct mm_struct *mm, struct maple_tree *map, u64 *copied)
{
	struct search search = { .mm = mm, .unshare = true };
	int err;

	/* When memory runs out, it is the caller who is to be killed. */
	set_current_oom_origin();
	err = search_marks(&search, map);
	clear_current_oom_origin();
	*copied = search.pages;
	if (!err)
		err = unmark_whole(mm, map);
	if (!err)
		err = unmark_pieces(mm, map);
	return err;
}
