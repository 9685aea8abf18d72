// SPDX-License-Identifier: GPL-2.0
/*
 * Passes: the cursor goes through all slots in order, then the unstable tree is thrown away.
 */
#include "huge.h"
#include "index.h"
#include "items.h"

static void set_cursor(struct ksm_core *core, struct ksm_mm_slot *slot)
{
	core->scan.mm_slot = slot;
	core->scan.address = 0;
	core->scan.rmap_list = slot ? &slot->rmap_list : NULL;
}

/**
 * ksm_core_begin_pass() - make sure that a pass is under way
 * @core: the engine
 *
 * Return: false when there is no slot to scan.
 */
bool ksm_core_begin_pass(struct ksm_core *core)
{
	if (core->scan.mm_slot)
		return true;
	if (list_empty(&core->slots))
		return false;
	ksm_prune_empty_nodes(core);
	if (!core->counters.nodes)
		ksm_forget_samples(core);
	set_cursor(core, list_first_entry(&core->slots, struct ksm_mm_slot, mm_node));
	core->ops->emit(core->ctx, KSM_EMIT_SCAN_START, NULL, NULL);
	return true;
}

/*
 * Items of the unstable tree keep their flag, and are counted in pages_unshared, until the next
 * pass comes by: that they are unshared is still the best that is known of them.
 */
static void end_pass(struct ksm_core *core)
{
	set_cursor(core, NULL);
	ksm_index_reset_unstable(core);
	core->counters.full_scans++;
	core->ops->emit(core->ctx, KSM_EMIT_SCAN_STOP, NULL, NULL);
	core->scan.seqnr++;
}

/**
 * ksm_core_next_slot() - leave the scanned slot, whose walk ended
 * @core: the engine, with a pass under way
 *
 * Frees the slot's items from the cursor on: nothing was found at their addresses.
 *
 * Return: true when the cursor is at the start of another slot; false when that was the last one
 * and the pass has ended.
 */
bool ksm_core_next_slot(struct ksm_core *core)
{
	struct ksm_mm_slot *slot = core->scan.mm_slot;

	if (!slot)
		return false;
	ksm_remove_trailing_rmap_items(core, core->scan.rmap_list);
	ksm_huge_sweep(core, slot);
	if (list_is_last(&slot->mm_node, &core->slots)) {
		end_pass(core);
		return false;
	}
	set_cursor(core, list_next_entry(slot, mm_node));
	return true;
}

/**
 * ksm_core_reset_scan() - abandon the pass under way
 * @core: the engine
 *
 * The next pass begins at the first slot again. What the cursor had not reached may date from the
 * pass before, and would be two passes old at its next visit; so no item keeps its unstable flag.
 */
void ksm_core_reset_scan(struct ksm_core *core)
{
	struct ksm_mm_slot *slot;
	struct ksm_rmap_item *item;

	set_cursor(core, NULL);
	ksm_index_reset_unstable(core);
	list_for_each_entry(slot, &core->slots, mm_node) {
		ksm_huge_forget(core, slot);
		for (item = slot->rmap_list; item; item = item->rmap_list) {
			if (item->address & FOREIGN_FLAG)
				core->counters.domain_refused--;
			if (item->address & UNSTABLE_FLAG)
				item->address &= core->page_mask;
		}
	}
	core->counters.pages_unshared = 0;
}
