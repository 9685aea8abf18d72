/* SPDX-License-Identifier: GPL-2.0 */
/* Smart scan: which pages a pass leaves alone. */
#ifndef KSM_CORE_SMART_H
#define KSM_CORE_SMART_H

#include "ksm_core.h"

/*
 * Smart scan: one pass in how many looks at a page that was not merged in @age of them. About
 * in-tree's frequencies, but powers of two.
 */
static inline unsigned int smart_scan_step(u8 age)
{
	if (age < 3)
		return 1;
	if (age == 3)
		return 2;
	return age <= 8 ? 4 : 8;
}

/*
 * ksm_core_may_skip: whether this pass leaves the page of @item alone; in-tree:
 * should_skip_rmap_item(). Such a page need not be read. A run of them is one candidate with @skip;
 * as a run of pages which are those of the nodes that their items hang on, and which belong into
 * that node's tree and domain, is one with @settled alone: a visit would change nothing.
 *
 * In-tree counts each page's skips down from its last look. Two equal pages that were registered
 * some passes apart may then be looked at in different passes for ever, and the unstable tree, in
 * which they would meet, lives for one (13, 15, 16 and 22 passes apart, for example). Here the
 * number of the pass decides, and what the page last held, so that passes share the work evenly
 * and equal pages have the same ones. Each step is a multiple of the ones before: whenever an old
 * page is looked at, so is every younger one that equals it. What backs off (items.c) does so in
 * all passes.
 */
static inline bool ksm_core_may_skip(const struct ksm_core *core, const struct ksm_rmap_item *item)
{
	if (item->address & STABLE_FLAG)
		return false;
	if (item->remaining_skips && core->backoff)
		return true;
	return core->smart_scan && (core->scan.seqnr + item->sample) % smart_scan_step(item->age);
}

#endif /* KSM_CORE_SMART_H */
