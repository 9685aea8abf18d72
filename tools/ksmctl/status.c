// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl status - what KSM does, saves and costs, and for whom
 *
 * Collecting comes first, then one of two printers (status_text.c, status_json.c).
 */
#include "ksmctl/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"

#define DEFAULT_PROCESSES 10

enum { OPT_BY = 0x1000 };

struct options {
	struct ksmctl *ctl;
	unsigned int processes;
	enum ksm_rollup_by by;
};

static const struct argp_option options_doc[] = {
	{ "processes", 'n', "N", 0,
	  "Show the N processes or groups that save most (default 10, 0 for none)", 0 },
	{ "by", OPT_BY, "WHAT", 0,
	  "Add processes up by process (default), cgroup (containers, units) or guest", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	uint64_t n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options->ctl;
		return 0;
	case 'n':
		if (ksm_parse_u64(arg, &n) || n > 1000000)
			argp_error(state, "--processes: '%.32s' is no number from 0 to 1000000",
				   arg);
		options->processes = (unsigned int)n;
		return 0;
	case OPT_BY:
		if (ksm_rollup_parse(arg, &options->by))
			argp_error(state, "--by: '%.32s' is none of process, cgroup, guest", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options_doc,
	.parser = parse,
	.doc = "Show what KSM does, what it saves and costs, and which processes profit. While "
	       "merging runs, the scanner's use of CPU is measured for a fifth of a second.",
	.children = ksmctl_children,
};

/* Sets status->scanner_reason when the scanner cannot be measured. */
static void measure_scanner(struct status *st)
{
	const struct timespec window = { .tv_nsec = 200000000 };
	struct ksm_scanner before;
	int ret = ksm_scanner_read(st->b, &before);

	st->scanner = before;
	if (!ret && ksm_snapshot_get(&st->s, KSM_ABI_RUN) & KSM_RUN_MERGE) {
		nanosleep(&window, NULL);
		ret = ksm_scanner_read(st->b, &st->scanner);
		if (!ret && st->scanner.pid == before.pid)
			st->cpu = ksm_rate(before.runtime, st->scanner.runtime,
					   st->scanner.time - before.time) /
				  1e7;
	}
	if (ret == -ESRCH)
		st->scanner_reason = "no such thread is visible here (a PID namespace?)";
	else if (ret == -ENOENT)
		st->scanner_reason = "this kernel has no /proc/PID/schedstat";
	else if (ret)
		st->scanner_reason = strerror(-ret);
}

/* What merging does to the saving in a full scan, seen through the window of the CPU measurement.
 */
static void measure_settling(struct status *st)
{
	struct ksm_counters_snapshot after;
	struct ksm_derived d;
	double change, scans;
	int64_t base;

	if (!(ksm_snapshot_get(&st->s, KSM_ABI_RUN) & KSM_RUN_MERGE) || !st->cost.full_scan_ns ||
	    ksm_snapshot_get(&st->s, KSM_ABI_FULL_SCANS) < 2 ||
	    ksm_backend_read(st->b, &after, NULL))
		return;
	ksm_derive(&after, &d);
	scans = (double)(after.time - st->s.time) / (double)st->cost.full_scan_ns;
	change = (double)llabs(d.saved_pages - st->d.saved_pages) / (scans > 1 ? 1 : scans);
	base = d.saved_pages > st->d.saved_pages ? d.saved_pages : st->d.saved_pages;
	st->settle.known = base > 0;
	st->settle.percent = base ? 100.0 * change / (double)base : 0;
	st->settle.settled = st->settle.known && st->settle.percent < 5.0;
}

/* Checks of the doctor that need no look at every process's memory. */
static void find_warnings(struct status *st)
{
	struct doctor doc = { .b = st->b, .io = &st->b->io, .s = st->s, .d = st->d };

	for (unsigned int i = 0; i < doctor_check_count; i++) {
		const struct doctor_check *check = &doctor_checks[i];
		struct ksm_finding f = { .verdict = KSM_FOUND_OK };

		if (!(check->flags & DOCTOR_STATUS))
			continue;
		check->func(&doc, &f);
		if (f.verdict != KSM_FOUND_WRONG || st->warning_count == STATUS_WARNINGS_MAX)
			continue;
		st->warning_names[st->warning_count] = check->name;
		st->warnings[st->warning_count++] = f;
	}
}

static int collect_processes(struct status *st, struct ksm_error *err)
{
	int ret = ksm_procs_read(&st->b->io, &st->procs, 0);

	if (ret) {
		snprintf(st->procs.reason, sizeof(st->procs.reason), "/proc cannot be listed: %s",
			 strerror(-ret));
		return 0;
	}
	ret = ksm_rollup(&st->b->io, st->procs.rows, st->procs.count, st->by, &st->groups);
	return ret ? ksm_error_set(err, ret, "out of memory") : 0;
}

static int collect(struct status *st, struct ksm_error *err)
{
	int ret = ksm_backend_read(st->b, &st->s, err);

	if (ret)
		return ret;
	ksm_derive(&st->s, &st->d);
	measure_scanner(st);
	ksm_scan_cost(&st->s, (uint64_t)ksm_tracked_pages(&st->s),
		      st->scanner_reason ? 0 : st->scanner.runtime, &st->cost);
	measure_settling(st);
	st->headroom_known = !ksm_headroom_all(&st->b->io, &st->s, &st->headroom);
	find_warnings(st);
	if (!st->max_processes)
		return 0;
	ret = collect_processes(st, err);
	if (!ret && ksm_nodes_read(&st->b->io, st->procs.rows, st->procs.count, &st->nodes))
		st->nodes.count = 0;
	return ret;
}

int ksmctl_status(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct options options = { .ctl = ctl, .processes = DEFAULT_PROCESSES };
	struct status st = { .b = &ctl->b };
	struct ksm_error err;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return KSM_EXIT_USAGE;
	st.max_processes = options.processes;
	st.by = options.by;
	status = ksmctl_open(ctl);
	if (status)
		return status;
	if (collect(&st, &err))
		status = ksm_log_fail(&err);
	else
		status = ctl->json ? status_json(&st) : status_text(&st);
	ksm_groups_free(&st.groups);
	ksm_procs_free(&st.procs);
	return status;
}
