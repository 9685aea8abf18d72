// SPDX-License-Identifier: GPL-2.0
/* What the estimated figures mean: cost of scanning, and a verdict. */
#include <stdio.h>

#include "ksmctl/estimate.h"
#include "lib/format.h"

/* ksmd takes 2 to 8 us for a page, our engine less; used where nothing was measured yet. */
#define ASSUMED_NS_PAGE 4000.0
/* Fewer pages scanned than this tell little about their cost. */
#define MEASURED_PAGES 100000
/* A net saving below this part of the memory read is not worth a scanner. */
#define WORTH_PERCENT 3

static int64_t setting(const struct estimate_report *report, unsigned int id)
{
	return ksm_snapshot_has(&report->s, id) ? report->s.value[id] : ksm_knob_by_id(id)->def;
}

static void judge_cost(const struct estimate_report *report, uint64_t pages, uint64_t runtime,
		       struct estimate_cost *cost)
{
	int64_t scanned = ksm_snapshot_get(&report->s, KSM_ABI_PAGES_SCANNED);
	double batch = (double)setting(report, KSM_ABI_PAGES_TO_SCAN);
	double sleep = (double)setting(report, KSM_ABI_SLEEP_MILLISECS) * 1e6, work;

	cost->known = scanned >= MEASURED_PAGES && runtime;
	cost->ns_page = cost->known ? (double)runtime / (double)scanned : ASSUMED_NS_PAGE;
	cost->metadata_bytes = (int64_t)pages * KSM_RMAP_ITEM_BYTES;
	work = batch * cost->ns_page;
	cost->full_scan_ns = batch > 0 ? (uint64_t)((double)pages / batch * (sleep + work)) : 0;
	cost->cpu_percent = batch > 0 ? 100.0 * work / (sleep + work) : 0;
}

static double net(const struct estimate_report *report, enum ksm_estimate_scope scope,
		  const struct estimate_cost *cost)
{
	return report->r.scopes[scope].saving.value * (double)ksm_page_size() -
	       (double)cost->metadata_bytes;
}

void estimate_judge(struct estimate_report *report, uint64_t runtime)
{
	const struct ksm_scope_result *all = &report->r.scopes[KSM_SCOPE_ALL];
	const struct ksm_scope_result *now = &report->r.scopes[KSM_SCOPE_NOW];
	double page = (double)ksm_page_size(), total = (double)all->pages * page, net_all, net_now;
	char gain[KSM_FORMAT_MAX], part[KSM_FORMAT_MAX], meta[KSM_FORMAT_MAX];
	bool zeroes = (double)all->zero > 0.8 * all->saving.value;

	judge_cost(report, all->pages, runtime, &report->cost);
	judge_cost(report, now->pages, runtime, &report->cost_now);
	net_all = net(report, KSM_SCOPE_ALL, &report->cost);
	net_now = net(report, KSM_SCOPE_NOW, &report->cost_now);
	ksm_format_bytes(meta, sizeof(meta), report->cost.metadata_bytes);
	if (net_all * 100 < total * WORTH_PERCENT && net_now * 100 < total * WORTH_PERCENT) {
		ksm_format_bytes(gain, sizeof(gain), (int64_t)(all->saving.value * page));
		snprintf(report->verdict, sizeof(report->verdict),
			 "Not worth it: merging everything would save %s (%s) and cost up to %s of "
			 "metadata.",
			 gain,
			 ksm_format_percent(part, sizeof(part), all->saving.value * page, total),
			 meta);
	} else if (net_now >= 0.5 * net_all) {
		ksm_format_bytes(gain, sizeof(gain), (int64_t)net_now);
		snprintf(report->verdict, sizeof(report->verdict),
			 "Worth it: memory that is marked mergeable today would free %s net, %s of "
			 "what was read.",
			 gain, ksm_format_percent(part, sizeof(part), net_now, total));
	} else {
		ksm_format_bytes(gain, sizeof(gain), (int64_t)net_all);
		snprintf(report->verdict, sizeof(report->verdict),
			 "Worth it once the memory is marked mergeable%s: %s net, %s of what was "
			 "read; as it is marked today, hardly.",
			 zeroes ? " and use_zero_pages is 1" : "", gain,
			 ksm_format_percent(part, sizeof(part), net_all, total));
	}
}
