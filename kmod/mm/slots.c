// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces: found on in-tree KSM's list, held so that their exit stays prompt.
 *
 * A slot holds mm_count (mmgrab) and never mm_users: whoever waits for a killed
 * process must find its files closed, so exit_mmap() may not be left to us.
 *
 * What makes a scan safe without mm_users is in-tree KSM's own protocol, borrowed:
 * while the in-tree cursor (ksm_scan.mm_slot) points at a slot, __ksm_exit() leaves the
 * slot alone and waits for mmap_lock before page tables go away. ksmd is kept off by
 * ksm_thread_mutex, which every function here that borrows expects to be held, and
 * the cursor is back at the list's head when it is released. A slot whose mm has
 * exited meanwhile is freed by the borrower, as ksmd would.
 */
#include "compat/kernel.h"

#include <linux/sched/coredump.h>
#include <linux/slab.h>

#include "engine.h"
#include "trace.h"

/*
 * ksmd frees the slot of an address space in which nothing is mergeable any more, alive or
 * not. So what we know of its slots is good only until it runs again.
 */
static unsigned long epoch;

static struct intree_mm_slot *intree_slot(struct intree_slot *slot)
{
	return container_of(slot, struct intree_mm_slot, slot);
}

/* In-tree KSM's slot, or NULL. Under ksm_mmlist_lock. */
static struct intree_mm_slot *find_intree(struct mm_struct *mm)
{
	struct intree_slot *slot;

	list_for_each_entry(slot, &ksme_intree.mm_head->slot.mm_node, mm_node)
		if (slot->mm == mm)
			return intree_slot(slot);
	return NULL;
}

/**
 * ksme_slots_distrust - in-tree KSM is about to run
 *
 * Context: under run_lock.
 */
void ksme_slots_distrust(void)
{
	spin_lock(ksme_intree.mmlist_lock);
	epoch++;
	spin_unlock(ksme_intree.mmlist_lock);
}

/*
 * Give slots from @fresh to address spaces that have none yet. Returns how many more
 * slots that would have needed.
 */
static unsigned int adopt_new(struct list_head *fresh)
{
	struct intree_slot *slot;
	unsigned int lacking = 0;

	spin_lock(ksme_intree.mmlist_lock);
	list_for_each_entry(slot, &ksme_intree.mm_head->slot.mm_node, mm_node) {
		struct ksme_slot *new;

		if (ksm_test_exit(slot->mm) || ksm_core_find_slot(&ksme.core, slot->mm))
			continue;
		if (list_empty(fresh)) {
			lacking++;
			continue;
		}
		new = list_first_entry(fresh, struct ksme_slot, slot.mm_node);
		list_del(&new->slot.mm_node);
		new->intree = intree_slot(slot);
		new->epoch = epoch;
		/* The list holds mm_count, so this is safe under its lock. */
		mmgrab(slot->mm);
		/* Some kernels copy the counts on fork; of ours nothing is there yet. */
		slot->mm->ksm_merging_pages = 0;
		slot->mm->ksm_rmap_items = 0;
		ksm_core_add_slot(&ksme.core, &new->slot, slot->mm);
		trace_ksm_engine_enter(slot->mm);
	}
	spin_unlock(ksme_intree.mmlist_lock);
	return lacking;
}

/**
 * ksme_slots_register - take up every address space that in-tree KSM knows and we do not
 *
 * Covers madvise(), prctl(), fork and whatever was marked before the module came.
 * Context: process, under the engine lock.
 *
 * Return: 0; -ENOMEM when some had to be left for the next pass.
 */
int ksme_slots_register(void)
{
	struct ksme_slot *slot, *safe;
	LIST_HEAD(fresh);
	unsigned int lacking;
	int err = 0;

	while ((lacking = adopt_new(&fresh)) > 0 && !err) {
		while (lacking--) {
			slot = kzalloc(sizeof(*slot), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
			if (!slot) {
				err = -ENOMEM;
				break;
			}
			list_add_tail(&slot->slot.mm_node, &fresh);
		}
	}
	if (err)
		adopt_new(&fresh);
	list_for_each_entry_safe(slot, safe, &fresh, slot.mm_node)
		kfree(slot);
	return err;
}

/**
 * ksme_slot_borrow - point the in-tree cursor at a slot
 * @slot: the slot about to be scanned or unmerged
 *
 * Context: under ksm_thread_mutex.
 *
 * Return: false when its address space has exited or has nothing mergeable; nothing is
 * borrowed then, and the slot is to be dropped.
 */
bool ksme_slot_borrow(struct ksme_slot *slot)
{
	bool alive;

	spin_lock(ksme_intree.mmlist_lock);
	alive = !ksm_test_exit(slot->slot.mm);
	if (alive && slot->epoch != epoch) {
		slot->intree = find_intree(slot->slot.mm);
		slot->epoch = epoch;
		alive = slot->intree;
	}
	if (alive)
		ksme_intree.scan->mm_slot = slot->intree;
	spin_unlock(ksme_intree.mmlist_lock);
	return alive;
}

/* What ksmd does with a slot that it took off its list. */
static void free_exited(struct intree_mm_slot *exited, struct mm_struct *mm)
{
	/* From in-tree KSM's own cache, whose name two caches share: kfree() knows. */
	kfree(exited);
#ifdef MMF_VM_MERGE_ANY
	mm_flags_clear(MMF_VM_MERGE_ANY, mm);
#endif
	mm_flags_clear(MMF_VM_MERGEABLE, mm);
	mmdrop(mm);
}

/**
 * ksme_slot_return - give the in-tree cursor back
 * @slot: what was borrowed
 *
 * If the address space has exited, its __ksm_exit() may have relied on the cursor's
 * owner to free the in-tree slot; one that comes later finds no slot and is content.
 */
void ksme_slot_return(struct ksme_slot *slot)
{
	struct intree_mm_slot *exited = NULL;
	struct mm_struct *mm = slot->slot.mm;

	spin_lock(ksme_intree.mmlist_lock);
	ksme_intree.scan->mm_slot = ksme_intree.mm_head;
	if (ksm_test_exit(mm)) {
		exited = slot->intree;
		hash_del(&exited->slot.hash);
		list_del(&exited->slot.mm_node);
	}
	spin_unlock(ksme_intree.mmlist_lock);

	if (exited)
		free_exited(exited, mm);
}

/**
 * ksme_slots_bury - take an exiting address space off in-tree KSM's list
 * @mm: has no users left; held by mmgrab()
 *
 * For a slot that was made when the address space's exit had perhaps already looked for one:
 * nobody else would free it before in-tree KSM scans again.
 */
void ksme_slots_bury(struct mm_struct *mm)
{
	struct intree_mm_slot *exited;

	spin_lock(ksme_intree.mmlist_lock);
	exited = find_intree(mm);
	/* What a scanner has in hand or has items in, it frees itself. */
	if (exited && (ksme_intree.scan->mm_slot == exited || exited->rmap_list))
		exited = NULL;
	if (exited) {
		hash_del(&exited->slot.hash);
		list_del(&exited->slot.mm_node);
	}
	spin_unlock(ksme_intree.mmlist_lock);

	if (exited)
		free_exited(exited, mm);
}

/**
 * ksme_slot_drop - forget an address space and all that is tracked in it
 * @slot: freed
 *
 * Context: under the engine lock; the slot is not borrowed.
 */
void ksme_slot_drop(struct ksme_slot *slot)
{
	struct mm_struct *mm = slot->slot.mm;

	ksm_core_remove_slot(&ksme.core, &slot->slot);
	trace_ksm_engine_exit(mm);
	mmdrop(mm);
	kfree(slot);
}

/**
 * ksme_slots_drop_all - forget every address space (unload)
 *
 * Context: under the engine lock.
 */
void ksme_slots_drop_all(void)
{
	struct ksm_mm_slot *slot, *safe;

	list_for_each_entry_safe(slot, safe, &ksme.core.slots, mm_node)
		ksme_slot_drop(ksme_slot_of(slot));
}
