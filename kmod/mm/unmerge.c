// SPDX-License-Identifier: GPL-2.0
/*
 * Undoing: giving every process a page of its own again.
 *
 * A KSM page is unshared through the kernel's own fault path, as by a write. The only
 * danger is a fault in an address space whose exit has begun: behind exit_mmap()'s
 * back it would map a page that nobody frees. Hence the slot is borrowed (slots.c), so
 * that exit waits for our mmap_lock.
 */
#include "engine.h"

#include <linux/oom.h>
#include <linux/sched/signal.h>

/* A zero page is none that ksme_page_at() would find. */
static unsigned int fault_flags(struct vm_area_struct *vma, unsigned long address)
{
	struct page *page = ksme_page_at(vma, address);

	if (!page)
		return KSME_ZERO_FAULT_FLAGS;
	put_page(page);
	return KSME_FAULT_FLAGS;
}

/**
 * ksme_break_ksm - break COW at an address as often as it takes
 * @vma: mergeable area, mmap_lock held for reading, its slot borrowed
 * @address: in it
 *
 * Return: 0 when no KSM page is mapped there any more; -ENOMEM.
 */
int ksme_break_ksm(struct vm_area_struct *vma, unsigned long address)
{
	vm_fault_t result;

	while (ksme_next_ksm(vma->vm_mm, address, address + PAGE_SIZE) == address) {
		cond_resched();
		/* May back out for a race over the accessed bit, hence the loop. */
		result = handle_mm_fault(vma, address, fault_flags(vma, address), NULL);
		if (result & VM_FAULT_OOM)
			return -ENOMEM;
		if (result & (VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV))
			return 0;
	}
	return 0;
}

/* unmerge_ksm_pages */
static int unmerge_vma(struct vm_area_struct *vma)
{
	unsigned long address = vma->vm_start;
	int err;

	while ((address = ksme_next_ksm(vma->vm_mm, address, vma->vm_end)) != vma->vm_end) {
		if (ksm_test_exit(vma->vm_mm))
			return 0;
		if (signal_pending(current))
			return -ERESTARTSYS;
		err = ksme_break_ksm(vma, address);
		if (err)
			return err;
		address += PAGE_SIZE;
	}
	return 0;
}

static int unmerge_mm(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int err = 0;

	mmap_read_lock(mm);
	/* An exiting mm's tree of areas is not ours to read. */
	if (!ksm_test_exit(mm)) {
		for_each_vma(vmi, vma) {
			if (!(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma)
				continue;
			err = unmerge_vma(vma);
			if (err)
				break;
		}
	}
	mmap_read_unlock(mm);
	return err;
}

static int unmerge_slot(struct ksme_slot *slot)
{
	int err = 0;

	if (!ksme_slot_borrow(slot)) {
		mutex_lock(&ksme.lock);
		ksme_slot_drop(slot);
		mutex_unlock(&ksme.lock);
		return 0;
	}
	err = unmerge_mm(slot->slot.mm);
	ksme_slot_return(slot);
	/* What stays merged stays tracked: its node must find it for swap and migration. */
	if (err)
		return err;

	mutex_lock(&ksme.lock);
	ksm_core_trim_slot(&ksme.core, &slot->slot, 0);
	mutex_unlock(&ksme.lock);
	return 0;
}

/* Cut the tie between a node and its page; without @force only when nobody maps the page. */
static void orphan_node(struct ksm_core *core, struct ksm_stable_node *node, void *force)
{
	struct page *page = ksme_hold(NULL, node, KSM_HOLD_LOCK);

	cond_resched();
	if (!IS_ERR(page)) {
		bool keep = ksme_mapped(page) && !force;

		if (!keep)
			ksme_page_set_node(page, NULL);
		ksme_release(NULL, page, KSM_HOLD_LOCK);
		if (keep)
			return;
	}
	ksm_core_remove_node(core, node);
}

/*
 * One round over all address spaces. New ones may appear behind us: forks of what is
 * not yet unmerged.
 */
static int unmerge_round(void)
{
	struct ksm_mm_slot *slot, *safe;
	int err;

	mutex_lock(&ksme.lock);
	ksm_core_reset_scan(&ksme.core);
	err = ksme_slots_register();
	mutex_unlock(&ksme.lock);
	if (err)
		return err;

	/* Slots come and go under ksm_thread_mutex alone, which is ours. */
	list_for_each_entry_safe(slot, safe, &ksme.core.slots, mm_node) {
		err = unmerge_slot(ksme_slot_of(slot));
		if (err)
			return err;
	}
	/* What nobody maps any more may linger in the swap cache. */
	mutex_lock(&ksme.lock);
	ksm_core_for_each_node(&ksme.core, orphan_node, NULL);
	mutex_unlock(&ksme.lock);
	return 0;
}

/**
 * ksme_unmerge_all - unshare every KSM page of the engine (run=2)
 *
 * Repeats while forks bring back what was broken. Runs in the writer's context: under
 * memory pressure it is the writer that is to be killed, and a signal stops it.
 *
 * Context: under run_lock and ksm_thread_mutex, the engine not running.
 *
 * Return: 0; -ERESTARTSYS on a signal, -ENOMEM; state is consistent then, too.
 */
int ksme_unmerge_all(void)
{
	unsigned long before;
	int err;

	/* In-tree KSM's pages are not ours to unshare, and its cursor is in use. */
	if (!ksme.core.counters.nodes && !(*ksme_intree.run & KSM_RUN_UNMERGE) &&
	    ksme_intree_owns_merging())
		return 0;
	set_current_oom_origin();
	do {
		before = ksme.core.counters.nodes;
		err = unmerge_round();
	} while (!err && ksme.core.counters.nodes && ksme.core.counters.nodes < before);
	clear_current_oom_origin();
	if (err)
		return err;
	/*
	 * A page that a parent has in common with its child becomes a KSM page in both, though
	 * perhaps only the child is mergeable. What is left is mapped by such parents alone:
	 * without items the node can serve neither swap nor migration, so it goes, too.
	 */
	mutex_lock(&ksme.lock);
	ksm_core_for_each_node(&ksme.core, orphan_node, &ksme);
	mutex_unlock(&ksme.lock);
	ksme_fit_index();
	atomic_long_set(&ksme.zero_pages, 0);
	return 0;
}

/**
 * ksme_orphan_all - leave no page that refers to the engine (unload)
 *
 * Unshares what it can; what is left (no memory, swap cache, a signal) becomes a KSM
 * page without a node, which the kernel copies on write and frees like any other but
 * can neither swap nor migrate.
 */
void ksme_orphan_all(void)
{
	mutex_lock(&ksme.run_lock);
	mutex_lock(ksme_intree.thread_mutex);
	ksme_wait_while_offlining();
	if (ksme_unmerge_all())
		pr_info("not all could be unshared: the rest stays merged\n");
	mutex_lock(&ksme.lock);
	ksm_core_reset_scan(&ksme.core);
	ksm_core_for_each_node(&ksme.core, orphan_node, &ksme);
	ksme_slots_drop_all();
	mutex_unlock(&ksme.lock);
	mutex_unlock(ksme_intree.thread_mutex);
	mutex_unlock(&ksme.run_lock);
}
