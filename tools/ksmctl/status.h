/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSMCTL_STATUS_H
#define KSMCTL_STATUS_H

#include "ksmctl/cmd.h"
#include "lib/procs.h"

/**
 * struct status - everything that status shows
 * @b: backend it was read from
 * @s: counters and knobs
 * @d: savings
 * @scanner: scanner thread, valid when @scanner_reason is NULL
 * @scanner_reason: why there is no scanner figure
 * @cpu: percent of one CPU the scanner uses now
 * @procs: processes, best first
 * @max_processes: how many of them to show
 */
struct status {
	struct ksm_backend *b;
	struct ksm_counters_snapshot s;
	struct ksm_derived d;
	struct ksm_scanner scanner;
	const char *scanner_reason;
	double cpu;
	struct ksm_procs procs;
	unsigned int max_processes;
};

/* Both return the exit status. */
int status_text(const struct status *st);
int status_json(const struct status *st);

#endif /* KSMCTL_STATUS_H */
