// SPDX-License-Identifier: GPL-2.0
/*
 * What the counters mean. Nothing else in the tools turns counters into savings.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/backend.h"

void ksm_derive(const struct ksm_counters_snapshot *s, struct ksm_derived *d)
{
	int64_t items;

	/* pages_sharing already counts only the extra mappings: subtracting pages_shared from it,
	 * as some monitors do, counts the kept pages twice.
	 */
	d->saved_pages = ksm_snapshot_get(s, KSM_ABI_PAGES_SHARING) +
			 ksm_snapshot_get(s, KSM_ABI_KSM_ZERO_PAGES);
	d->saved_bytes = d->saved_pages * ksm_page_size();
	d->profit_exact = ksm_snapshot_has(s, KSM_ABI_GENERAL_PROFIT);
	if (d->profit_exact) {
		d->profit_bytes = ksm_snapshot_get(s, KSM_ABI_GENERAL_PROFIT);
		d->metadata_bytes = d->saved_bytes - d->profit_bytes;
		return;
	}
	/* pages_volatile is the number of rmap items that the other three do not account for */
	items = ksm_tracked_pages(s);
	d->metadata_bytes = items * KSM_RMAP_ITEM_BYTES;
	d->profit_bytes = d->saved_bytes - d->metadata_bytes;
}

int64_t ksm_tracked_pages(const struct ksm_counters_snapshot *s)
{
	return ksm_snapshot_get(s, KSM_ABI_PAGES_SHARED) +
	       ksm_snapshot_get(s, KSM_ABI_PAGES_SHARING) +
	       ksm_snapshot_get(s, KSM_ABI_PAGES_UNSHARED) +
	       ksm_snapshot_get(s, KSM_ABI_PAGES_VOLATILE);
}

/* ksmd takes 2 to 8 us for a page, our engine less; used where nothing was measured yet. */
#define ASSUMED_NS_PAGE 4000.0
/* Fewer pages scanned than this tell little about their cost. */
#define MEASURED_PAGES 100000

static double setting(const struct ksm_counters_snapshot *s, unsigned int id)
{
	return (double)(ksm_snapshot_has(s, id) ? s->value[id] : ksm_knob_by_id(id)->def);
}

void ksm_scan_cost(const struct ksm_counters_snapshot *s, uint64_t pages, uint64_t runtime,
		   struct ksm_scan_cost *cost)
{
	int64_t scanned = ksm_snapshot_get(s, KSM_ABI_PAGES_SCANNED);
	double batch = setting(s, KSM_ABI_PAGES_TO_SCAN);
	double sleep = setting(s, KSM_ABI_SLEEP_MILLISECS) * 1e6, work;

	cost->known = scanned >= MEASURED_PAGES && runtime;
	cost->ns_page = cost->known ? (double)runtime / (double)scanned : ASSUMED_NS_PAGE;
	work = batch * cost->ns_page;
	cost->full_scan_ns = batch > 0 ? (uint64_t)((double)pages / batch * (sleep + work)) : 0;
	cost->cpu_percent = batch > 0 ? 100.0 * work / (sleep + work) : 0;
}

double ksm_rate(uint64_t before, uint64_t after, uint64_t dt)
{
	if (!dt || after < before)
		return 0.0;
	return (double)(after - before) * 1e9 / (double)dt;
}

bool ksm_settle_feed(struct ksm_settle *st, const struct ksm_counters_snapshot *s)
{
	int64_t scans = ksm_snapshot_get(s, KSM_ABI_FULL_SCANS);
	struct ksm_derived d;
	int64_t change, base;

	ksm_derive(s, &d);
	if (!st->started || scans < st->scans) {
		*st = (struct ksm_settle){ .started = true,
					   .scans = scans,
					   .saved = d.saved_pages };
		return false;
	}
	if (scans == st->scans)
		return st->calm >= 2;
	change = llabs(d.saved_pages - st->saved);
	base = d.saved_pages > st->saved ? d.saved_pages : st->saved;
	st->calm = change == 0 || change * 20 < base ? st->calm + 1 : 0;
	st->scans = scans;
	st->saved = d.saved_pages;
	return st->calm >= 2;
}
