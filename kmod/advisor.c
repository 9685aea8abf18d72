// SPDX-License-Identifier: GPL-2.0
/*
 * The scan-time advisor: sets pages_to_scan so that a pass takes a given time.
 *
 * After each pass the number is scaled by how far the pass was from its target, smoothed by how
 * much passes have been changing, and kept within limits of CPU and of pages. Follows the
 * description in Documentation/admin-guide/mm/ksm.rst; units and rounding are in-tree KSM's,
 * so that both settle at the same number.
 */
#include "engine.h"

#include <linux/math64.h>
#include <linux/sched/cputime.h>
#include <linux/timekeeping.h>

#include "trace.h"

/* Percent of the new value in the moving average. */
#define SMOOTHING 30
/* Percent of a CPU below which the advisor does not push the scanner. */
#define MIN_CPU 10

/**
 * ksme_advisor_set - switch the advisor
 * @on: let it set pages_to_scan; else back to the default
 *
 * Does nothing when it is so already.
 */
void ksme_advisor_set(bool on)
{
	struct ksme_advisor *advisor = &ksme.advisor;

	if (advisor->on == on)
		return;
	advisor->scan_seconds = 0;
	advisor->change = 0;
	advisor->cpu_time = 0;
	advisor->start = 0;
	WRITE_ONCE(ksme.pages_to_scan,
		   on ? min_t(unsigned long, advisor->min_pages, UINT_MAX) : 100);
	WRITE_ONCE(advisor->on, on);
}

/**
 * ksme_advisor_pass_begins - take the time
 *
 * Context: the scanner thread.
 */
void ksme_advisor_pass_begins(void)
{
	if (READ_ONCE(ksme.advisor.on))
		ksme.advisor.start = ktime_get_ns();
}

static unsigned long at_least_one(unsigned long value)
{
	return max(value, 1UL);
}

/* What the last pass used, percent of a CPU. */
static unsigned long cpu_percent(struct ksme_advisor *advisor, unsigned long seconds)
{
	u64 cpu_time = current->se.sum_exec_runtime;
	u64 used_ms = div_u64(cpu_time - advisor->cpu_time, NSEC_PER_MSEC);

	advisor->cpu_time = cpu_time;
	return at_least_one(div64_u64(used_ms * 100, seconds * MSEC_PER_SEC));
}

/* How the pass compares with the one before, percent, smoothed. */
static unsigned long smoothed_change(struct ksme_advisor *advisor, unsigned long seconds)
{
	unsigned long last = advisor->scan_seconds ?: seconds;
	unsigned long change = at_least_one(seconds * 100 / last);

	advisor->scan_seconds = seconds;
	advisor->change = ((100 - SMOOTHING) * advisor->change + SMOOTHING * change) / 100;
	return advisor->change;
}

/**
 * ksme_advisor_pass_ends - choose pages_to_scan for the next pass
 *
 * Context: the scanner thread.
 */
void ksme_advisor_pass_ends(void)
{
	struct ksme_advisor *advisor = &ksme.advisor;
	unsigned long seconds, cpu, factor, per_percent, pages;

	if (!READ_ONCE(advisor->on) || !advisor->start)
		return;
	seconds = at_least_one(div_u64(ktime_get_ns() - advisor->start, NSEC_PER_SEC));
	cpu = cpu_percent(advisor, seconds);
	factor = at_least_one(advisor->target_seconds * 100 / seconds);
	per_percent = at_least_one(ksme.pages_to_scan / cpu);

	pages = (unsigned long)ksme.pages_to_scan * 100 / factor;
	pages = pages * smoothed_change(advisor, seconds) / 100;
	pages = min(pages, per_percent * advisor->max_cpu);
	pages = max(pages, per_percent * MIN_CPU);
	pages = min3(pages, advisor->max_pages, (unsigned long)UINT_MAX);

	WRITE_ONCE(ksme.pages_to_scan, pages);
	trace_ksm_engine_advisor(seconds, pages, cpu);
}
