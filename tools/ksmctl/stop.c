// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl stop - stop merging, keep what is merged
 */
#include "ksmctl/run.h"
#include "lib/log.h"

static const struct argp argp = {
	.parser = run_parse,
	.doc = "Stop merging. What is merged stays merged; 'ksmctl unmerge' releases it.",
	.children = ksmctl_children,
};

int ksmctl_stop(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct run_options options = { .ctl = ctl };
	struct ksm_counters_snapshot s;
	struct ksm_error err;
	int status;

	status = run_begin(&argp, &options, argc, argv, &s);
	if (status)
		return status;
	if (run_write(ctl, KSM_RUN_STOP, &err) || ksm_backend_read(&ctl->b, &s, &err))
		return ksm_log_fail(&err);
	return run_report(&options, "stop", "stopped", &s);
}
