/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSMCTL_STATUS_H
#define KSMCTL_STATUS_H

#include "ksmctl/cmd.h"
#include "ksmctl/doctor.h"
#include "lib/headroom.h"
#include "lib/nodes.h"
#include "lib/procs.h"
#include "lib/rollup.h"

/**
 * struct status_settle - is the saving still moving?
 * @known: it could be measured: merging runs, and full scans end
 * @settled: it changes by less than 5 % in a full scan
 * @percent: by how much
 */
struct status_settle {
	bool known;
	bool settled;
	double percent;
};

#define STATUS_WARNINGS_MAX 8

/**
 * struct status - everything that status shows
 * @b: backend it was read from
 * @s: counters and knobs
 * @d: savings
 * @scanner: scanner thread, valid when @scanner_reason is NULL
 * @scanner_reason: why there is no scanner figure
 * @cpu: percent of one CPU the scanner uses now
 * @cost: of a full scan at today's settings
 * @settle: is the saving still moving?
 * @headroom: what unmerging needs
 * @headroom_known: @headroom is valid
 * @nodes: savings on each NUMA node
 * @procs: processes, best first
 * @by: what the table is made of
 * @groups: its rows
 * @max_processes: how many of them to show
 * @warnings: of the doctor
 * @warning_names: the checks that they are of
 * @warning_count: how many
 */
struct status {
	struct ksm_backend *b;
	struct ksm_counters_snapshot s;
	struct ksm_derived d;
	struct ksm_scanner scanner;
	const char *scanner_reason;
	double cpu;
	struct ksm_scan_cost cost;
	struct status_settle settle;
	struct ksm_headroom headroom;
	bool headroom_known;
	struct ksm_nodes nodes;
	struct ksm_procs procs;
	enum ksm_rollup_by by;
	struct ksm_groups groups;
	unsigned int max_processes;
	struct ksm_finding warnings[STATUS_WARNINGS_MAX];
	const char *warning_names[STATUS_WARNINGS_MAX];
	size_t warning_count;
};

/* Both return the exit status. */
int status_text(const struct status *st);
int status_json(const struct status *st);

#endif /* KSMCTL_STATUS_H */
