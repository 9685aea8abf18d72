// SPDX-License-Identifier: GPL-2.0
/* What the estimated figures mean: cost of scanning, and a verdict. */
#include <stdio.h>

#include "ksmctl/estimate.h"
#include "lib/format.h"

/* A net saving below this part of the memory read is not worth a scanner. */
#define WORTH_PERCENT 3

static void judge_cost(const struct estimate_report *report, uint64_t pages, uint64_t runtime,
		       struct estimate_cost *cost)
{
	ksm_scan_cost(&report->s, pages, runtime, &cost->scan);
	cost->metadata_bytes = (int64_t)pages * KSM_RMAP_ITEM_BYTES;
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
