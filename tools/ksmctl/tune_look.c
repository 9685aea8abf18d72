// SPDX-License-Identifier: GPL-2.0
/*
 * What tune sees: counters, the scanner, memory pressure, and who has mergeable memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ksmctl/tune.h"
#include "lib/procs.h"

/* Reading everybody's smaps may take this part of the time, no more. */
#define LOOK_SHARE 100

static int psi_line(const char *line, void *ctx)
{
	return sscanf(line, "some avg10=%lf", (double *)ctx) == 1;
}

static int vmstat_line(const char *line, void *ctx)
{
	return sscanf(line, "cow_ksm %" SCNu64, (uint64_t *)ctx) == 1;
}

/* Return: whether they were looked at now. */
static bool look_at_processes(struct ksm_backend *b, struct tune_eyes *eyes)
{
	struct ksm_procs procs = { 0 };
	uint64_t begin = ksm_monotonic_ns();
	uint64_t bytes = 0;

	if (begin < eyes->next_look)
		return false;
	if (!ksm_procs_read(&b->io, &procs, KSM_PROCS_MERGEABLE)) {
		for (size_t i = 0; i < procs.count; i++)
			bytes += procs.rows[i].mergeable_anon;
		eyes->mergeable = (int64_t)(bytes / (uint64_t)ksm_page_size());
	}
	ksm_procs_free(&procs);
	eyes->next_look = begin + (ksm_monotonic_ns() - begin) * LOOK_SHARE;
	return true;
}

void tune_count(const struct ksm_counters_snapshot *s, const struct tune_eyes *eyes,
		struct ksm_pacer_seen *seen)
{
	static const unsigned int tracked[] = { KSM_ABI_PAGES_SHARED, KSM_ABI_PAGES_SHARING,
						KSM_ABI_PAGES_UNSHARED, KSM_ABI_PAGES_VOLATILE };
	struct ksm_derived d;

	memset(seen, 0, sizeof(*seen));
	ksm_derive(s, &d);
	seen->time = s->time;
	seen->full_scans = ksm_snapshot_get(s, KSM_ABI_FULL_SCANS);
	seen->saved_pages = d.saved_pages;
	for (size_t i = 0; i < KSM_ARRAY_SIZE(tracked); i++)
		seen->pages += ksm_snapshot_get(s, tracked[i]);
	if (eyes->mergeable > seen->pages)
		seen->pages = eyes->mergeable;
}

void tune_look(struct ksm_backend *b, const struct ksm_counters_snapshot *s, struct tune_eyes *eyes,
	       struct ksm_pacer_seen *seen)
{
	bool looked = look_at_processes(b, eyes);
	struct ksm_scanner scanner;

	tune_count(s, eyes, seen);
	seen->looked = looked;
	if (!ksm_scanner_read(b, &scanner))
		seen->runtime = scanner.runtime;
	ksm_io_each_line(&b->io, "/proc/pressure/memory", psi_line, &seen->psi);
	ksm_io_each_line(&b->io, "/proc/vmstat", vmstat_line, &seen->breaks);
}
