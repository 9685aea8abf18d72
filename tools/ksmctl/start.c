// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl start - start merging, and wait until it has settled
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ksmctl/run.h"
#include "lib/log.h"

static const struct argp_option options_doc[] = {
	{ "wait", RUN_OPT_WAIT, NULL, 0,
	  "Wait until merging has settled: two full scans in a row that change the saving by less "
	  "than 5 %",
	  0 },
	{ "timeout", RUN_OPT_TIMEOUT, "SECONDS", 0,
	  "Wait, but give up after this time (merging goes on)", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options_doc,
	.parser = run_parse,
	.doc = "Start merging.",
	.children = ksmctl_children,
};

/* Without a full scan for so long there is probably nothing to scan. */
#define NO_SCAN_NS 10000000000ull

struct settling {
	struct ksm_settle settle;
	uint64_t last_scan;
	bool warned;
};

static int settled(const struct ksm_counters_snapshot *s, void *ctx, struct ksm_error *err)
{
	struct settling *st = ctx;
	int64_t before = st->settle.scans;
	bool done = ksm_settle_feed(&st->settle, s);

	if (!(ksm_snapshot_get(s, KSM_ABI_RUN) & KSM_RUN_MERGE))
		return ksm_error_set(err, -ECANCELED,
				     "merging was stopped by someone else while waiting");
	if (!st->last_scan || st->settle.scans != before)
		st->last_scan = s->time;
	if (!st->warned && s->time - st->last_scan >= NO_SCAN_NS) {
		ksm_log_warn(
			"no full scan for %u s: a slow scan, or no process has mergeable memory",
			(unsigned int)(NO_SCAN_NS / 1000000000u));
		st->warned = true;
	}
	return done;
}

int ksmctl_start(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct run_options options = { .ctl = ctl };
	struct settling st = { 0 };
	struct ksm_counters_snapshot s;
	struct ksm_error err;
	int64_t scans;
	char text[80];
	int status;

	/* the reading before the start is what the first scan is compared with */
	status = run_begin(&argp, &options, argc, argv, &s);
	if (status)
		return status;
	scans = ksm_snapshot_get(&s, KSM_ABI_FULL_SCANS);
	ksm_settle_feed(&st.settle, &s);
	if (run_write(ctl, KSM_RUN_MERGE, &err))
		return ksm_log_fail(&err);
	if (!options.wait) {
		if (ksm_backend_read(&ctl->b, &s, &err))
			return ksm_log_fail(&err);
		return run_report(&options, "start", "merging", &s);
	}
	if (run_wait(&options, "merging goes on but has not settled", settled, &st, &s, &err))
		return ksm_log_fail(&err);
	snprintf(text, sizeof(text), "settled after %" PRId64 " full scans",
		 ksm_snapshot_get(&s, KSM_ABI_FULL_SCANS) - scans);
	return run_report(&options, "start", text, &s);
}
