/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of huge pages (huge.c): between the core's own files, but for the size that ops
 * allocate. All run under the engine mutex.
 */
#ifndef KSM_CORE_HUGE_H
#define KSM_CORE_HUGE_H

#include "ksm_core.h"

#define KSM_HUGE_PARTS 512 /* pages in a huge page at most */

/**
 * struct ksm_huge - a huge page of an address space, and which of its parts have a partner
 * @node: in ksm_mm_slot.huge, by @address
 * @address: where it begins
 * @seqnr: number of the pass that met it last
 * @partners: parts that have a bit in @seen or @before
 * @seen: a bit for each part: an equal page was found since its last visit
 * @before: before that, since the visit before
 */
struct ksm_huge {
	struct rb_node node;
	unsigned long address;
	unsigned long seqnr;
	unsigned int partners;
	u64 seen[KSM_HUGE_PARTS / 64];
	u64 before[KSM_HUGE_PARTS / 64];
};

/* Which part of its huge page an address is in */
static inline unsigned long ksm_huge_part(const struct ksm_core *core, unsigned long address)
{
	return (address & ~core->huge_mask) / (~core->page_mask + 1);
}

struct ksm_huge *ksm_huge_visit_part(struct ksm_core *core, const struct ksm_candidate *cand);
struct ksm_huge *ksm_huge_find_item(struct ksm_core *core, const struct ksm_rmap_item *item);
bool ksm_huge_partner(struct ksm_core *core, struct ksm_huge *huge, unsigned long address);
void ksm_huge_split(struct ksm_core *core, const struct ksm_rmap_item *item);
void ksm_huge_sweep(struct ksm_core *core, struct ksm_mm_slot *slot);
void ksm_huge_forget(struct ksm_core *core, struct ksm_mm_slot *slot);

/*
 * The visit of a page begins, which may be a part of a huge one: the record of the huge page whose
 * partners are to be counted; NULL: merge it as any page. Most memory is not huge: without a call.
 */
static inline struct ksm_huge *ksm_huge_visit(struct ksm_core *core,
					      const struct ksm_candidate *cand)
{
	if (!cand->huge && !core->scan.mm_slot->huge.rb_node)
		return NULL;
	return ksm_huge_visit_part(core, cand);
}

/* The record of the huge page that an item's page, of any address space, is likely a part of */
static inline struct ksm_huge *ksm_huge_of_item(struct ksm_core *core,
						const struct ksm_rmap_item *item)
{
	return core->counters.huge_pages ? ksm_huge_find_item(core, item) : NULL;
}

/* May parts of a huge page, NULL: of none, be merged, which splits it? */
static inline bool ksm_huge_enough(const struct ksm_core *core, const struct ksm_huge *huge)
{
	return !huge || huge->partners >= core->thp_min_partners;
}

#endif /* KSM_CORE_HUGE_H */
