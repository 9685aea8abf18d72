/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSMCTL_ESTIMATE_H
#define KSMCTL_ESTIMATE_H

#include "ksmctl/cmd.h"
#include "lib/estimate.h"
#include "lib/pagemap.h"
#include "lib/select.h"

/**
 * struct estimate_stats - what was seen besides the pages that were read
 * @zero_mapped: pages that map the kernel's page of zeroes already: they cost nothing
 * @swapped: pages in swap, not touched
 * @gone: pages that were unmapped or freed meanwhile
 * @unreadable: present pages in mappings without read permission
 * @exited: processes that ended before or while they were read
 * @denied: processes that we may not read
 * @denied_code: negative errno of the last of them
 * @shared_bytes: memory that KSM cannot take because it is shared (shm, memfd, tmpfs files)
 * @hugetlb_bytes: because it is hugetlbfs
 * @thp_bytes: anonymous memory in huge pages, which merging would split
 * @no_frames: frames cannot be told: what is merged already is not seen
 */
struct estimate_stats {
	uint64_t zero_mapped;
	uint64_t swapped;
	uint64_t gone;
	uint64_t unreadable;
	size_t exited;
	size_t denied;
	int denied_code;
	uint64_t shared_bytes;
	uint64_t hugetlb_bytes;
	uint64_t thp_bytes;
	bool no_frames;
};

struct estimate_source;

/**
 * estimate_source_new() - pages of running processes
 * @io: where /proc is
 * @list: processes; must outlive the source
 *
 * NULL when out of memory.
 */
struct estimate_source *estimate_source_new(const struct ksm_io *io,
					    const struct ksm_selected_list *list);
struct ksm_page_source *estimate_source_pages(struct estimate_source *src);
const struct estimate_stats *estimate_source_stats(const struct estimate_source *src);
void estimate_source_free(struct estimate_source *src);

/**
 * struct estimate_cost - what scanning all that was read would take
 * @scan: time and CPU
 * @metadata_bytes: rmap items for all pages
 */
struct estimate_cost {
	struct ksm_scan_cost scan;
	int64_t metadata_bytes;
};

/**
 * struct estimate_report - everything that is printed
 * @r: the estimate
 * @stats: what the source saw
 * @b: the backend whose settings were used, NULL when the machine has none
 * @s: its files
 * @cost: of all pages read
 * @cost_now: of those marked mergeable
 * @elapsed_ns: reading took
 * @interrupted: it was stopped before the end
 * @sample: part of the hash space that was asked for
 * @verdict: one sentence
 */
struct estimate_report {
	struct ksm_estimate_result r;
	const struct estimate_stats *stats;
	const struct ksm_backend *b;
	struct ksm_counters_snapshot s;
	struct estimate_cost cost;
	struct estimate_cost cost_now;
	uint64_t elapsed_ns;
	bool interrupted;
	double sample;
	char verdict[320];
};

/* Costs and verdict from the rest of the report; @runtime is the scanner's CPU time, 0 unknown. */
void estimate_judge(struct estimate_report *report, uint64_t runtime);

/* Both return the exit status. */
int estimate_text(const struct estimate_report *report);
int estimate_json(const struct estimate_report *report);

#endif /* KSMCTL_ESTIMATE_H */
