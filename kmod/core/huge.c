// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages: whether to split one.
 *
 * A part of a huge page can be merged only when the huge page is split, and then all its other
 * parts lose what they were huge for. So the parts that have a partner, an equal page anywhere, are
 * counted first; the huge page is split when there are thp_min_partners of them, at the visit of a
 * part, and all are merged as these are met. Both sides of a pair may be huge: each has to have
 * enough.
 *
 * What is known of a part is one bit for its last visit, kept until the next: it found a partner,
 * or one found it later. And one for the visit before: of two equal pages the second one finds the
 * first, so whoever comes first in a pass knows of its partner only when the pass has come there,
 * and would be taken for alone meanwhile. A part that smart scan leaves alone stays what it was.
 *
 * A key says who is equal, nothing is compared: before a merge everything is, as always, and what
 * goes wrong is a huge page that is split for one part too few.
 *
 * There is a record for each huge page that the scanner met, 176 bytes beside its 512 items of 64
 * each. Where there is no memory for one the huge page is treated like small pages.
 */
#include "huge.h"
#include "items.h"

/* As many passes as smart scan may leave all parts of a huge page alone. */
#define UNSEEN_PASSES 8

static struct ksm_huge *find(const struct ksm_core *core, const struct ksm_mm_slot *slot,
			     unsigned long address)
{
	struct rb_node *rb = slot->huge.rb_node;

	address &= core->huge_mask;
	while (rb) {
		struct ksm_huge *huge = rb_entry(rb, struct ksm_huge, node);

		if (huge->address == address)
			return huge;
		rb = address < huge->address ? rb->rb_left : rb->rb_right;
	}
	return NULL;
}

static struct ksm_huge *add(struct ksm_core *core, struct ksm_mm_slot *slot, unsigned long address)
{
	struct rb_node **link = &slot->huge.rb_node, *parent = NULL;
	struct ksm_huge *huge = core->ops->alloc_huge ? core->ops->alloc_huge(core->ctx) : NULL;

	if (!huge)
		return NULL;
	huge->address = address & core->huge_mask;
	while (*link) {
		parent = *link;
		link = huge->address < rb_entry(parent, struct ksm_huge, node)->address ?
			       &parent->rb_left :
			       &parent->rb_right;
	}
	rb_link_node(&huge->node, parent, link);
	rb_insert_color(&huge->node, &slot->huge);
	core->counters.huge_pages++;
	return huge;
}

static void drop(struct ksm_core *core, struct ksm_mm_slot *slot, struct ksm_huge *huge)
{
	core->counters.huge_pages--;
	core->counters.thp_deferred -= huge->partners;
	rb_erase(&huge->node, &slot->huge);
	core->ops->free_huge(core->ctx, huge);
}

static void set_bit_to(u64 *word, u64 bit, bool on)
{
	*word = on ? *word | bit : *word & ~bit;
}

static bool seen_part(const struct ksm_core *core, const struct ksm_huge *huge,
		      unsigned long address)
{
	unsigned long part = ksm_huge_part(core, address);

	return huge->seen[part / 64] >> part % 64 & 1;
}

static void note_part(struct ksm_core *core, struct ksm_huge *huge, unsigned long address,
		      bool seen, bool before)
{
	unsigned long part = ksm_huge_part(core, address);
	u64 *now = &huge->seen[part / 64], *then = &huge->before[part / 64];
	u64 bit = 1ULL << part % 64;
	int change = (seen || before) - !!((*now | *then) & bit);

	set_bit_to(now, bit, seen);
	set_bit_to(then, bit, before);
	huge->partners += change;
	core->counters.thp_deferred += change;
}

/**
 * ksm_huge_visit_part() - ksm_huge_visit() where there are huge pages, or were
 * @core: the engine, with a cursor
 * @cand: the page
 */
struct ksm_huge *ksm_huge_visit_part(struct ksm_core *core, const struct ksm_candidate *cand)
{
	struct ksm_mm_slot *slot = core->scan.mm_slot;
	struct ksm_huge *huge = find(core, slot, cand->address);

	if (!cand->huge || core->thp_min_partners <= 1) {
		/* Split meanwhile by whomever, or of no interest any more. */
		if (huge)
			drop(core, slot, huge);
		return NULL;
	}
	if (!huge)
		huge = add(core, slot, cand->address);
	if (!huge)
		return NULL;
	huge->seqnr = core->scan.seqnr;
	note_part(core, huge, cand->address, false, seen_part(core, huge, cand->address));
	return huge;
}

/**
 * ksm_huge_find_item() - ksm_huge_of_item() where there are huge pages
 * @core: the engine
 * @item: of any address space
 */
struct ksm_huge *ksm_huge_find_item(struct ksm_core *core, const struct ksm_rmap_item *item)
{
	struct ksm_mm_slot *slot = ksm_core_find_slot(core, item->mm);

	return slot ? find(core, slot, item->address) : NULL;
}

/**
 * ksm_huge_partner() - a part of a huge page was found to have an equal
 * @core: the engine
 * @huge: its record; NULL: it is no huge page
 * @address: the part's
 *
 * Return: whether it may be merged.
 */
bool ksm_huge_partner(struct ksm_core *core, struct ksm_huge *huge, unsigned long address)
{
	if (huge)
		note_part(core, huge, address, true, true);
	return ksm_huge_enough(core, huge);
}

/**
 * ksm_huge_split() - a part of what may have been a huge page was merged
 * @core: the engine
 * @item: the part's
 */
void ksm_huge_split(struct ksm_core *core, const struct ksm_rmap_item *item)
{
	struct ksm_huge *huge = ksm_huge_of_item(core, item);

	if (huge)
		drop(core, ksm_core_find_slot(core, item->mm), huge);
}

static void drop_unseen(struct ksm_core *core, struct ksm_mm_slot *slot, unsigned long passes)
{
	struct rb_node *rb, *next;

	for (rb = rb_first(&slot->huge); rb; rb = next) {
		struct ksm_huge *huge = rb_entry(rb, struct ksm_huge, node);

		next = rb_next(rb);
		if (core->scan.seqnr - huge->seqnr >= passes)
			drop(core, slot, huge);
	}
}

/**
 * ksm_huge_sweep() - forget huge pages that are not there any more
 * @core: the engine
 * @slot: an address space that the pass under way has gone through
 */
void ksm_huge_sweep(struct ksm_core *core, struct ksm_mm_slot *slot)
{
	drop_unseen(core, slot, core->smart_scan ? UNSEEN_PASSES + 1 : 1);
}

/**
 * ksm_huge_forget() - forget all huge pages of an address space
 * @core: the engine
 * @slot: the address space
 */
void ksm_huge_forget(struct ksm_core *core, struct ksm_mm_slot *slot)
{
	drop_unseen(core, slot, 0);
}
