// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl unmerge - stop merging and give every page back its own copy
 */
#include <errno.h>
#include <stdio.h>

#include "ksmctl/run.h"
#include "lib/log.h"

static const struct argp_option options_doc[] = {
	{ "wait", RUN_OPT_WAIT, NULL, 0, "Wait until nothing is merged any more", 0 },
	{ "timeout", RUN_OPT_TIMEOUT, "SECONDS", 0, "Wait, but give up after this time", 0 },
	{ "force", RUN_OPT_FORCE, NULL, 0, "Even when the pages do not fit into free memory", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options_doc,
	.parser = run_parse,
	.doc = "Stop merging and give every merged page back its own copy. Refuses when the memory "
	       "available, of the machine or of a cgroup with a limit, is not enough for the "
	       "copies. Once nothing is merged, run is set to 0, so that either engine can be "
	       "started.",
	.children = ksmctl_children,
};

static int64_t merged(const struct ksm_counters_snapshot *s)
{
	return ksm_snapshot_get(s, KSM_ABI_PAGES_SHARED) +
	       ksm_snapshot_get(s, KSM_ABI_KSM_ZERO_PAGES);
}

static int all_gone(const struct ksm_counters_snapshot *s, void *ctx, struct ksm_error *err)
{
	if (ksm_snapshot_get(s, KSM_ABI_RUN) != KSM_RUN_UNMERGE)
		return ksm_error_set(err, -ECANCELED,
				     "run was changed by someone else while waiting");
	return merged(s) <= 0;
}

/* run=2 forces copies on swap-in and keeps the other engine out: leave it when it is done. */
static int finish(const struct run_options *options, const struct ksm_counters_snapshot *s)
{
	struct ksm_counters_snapshot after;
	struct ksm_error err;

	if (merged(s) > 0)
		return run_report(options, "unmerge",
				  "some pages are still merged, run stays 2 until they are gone",
				  s);
	if (run_write(options->ctl, KSM_RUN_STOP, &err) ||
	    ksm_backend_read(&options->ctl->b, &after, &err))
		return ksm_log_fail(&err);
	return run_report(options, "unmerge", "unmerged and stopped", &after);
}

int ksmctl_unmerge(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct run_options options = { .ctl = ctl };
	struct ksm_counters_snapshot s;
	struct ksm_error err;
	int status;

	status = run_begin(&argp, &options, argc, argv, &s);
	if (!status)
		status = ksmctl_guard_all(ctl, "unmerge", &s, options.force);
	if (status)
		return status;
	if (run_unmerge(ctl, &s, &err) || ksm_backend_read(&ctl->b, &s, &err))
		return ksm_log_fail(&err);
	if (options.wait &&
	    run_wait(&options, "some pages are still merged", all_gone, NULL, &s, &err))
		return ksm_log_fail(&err);
	return finish(&options, &s);
}
