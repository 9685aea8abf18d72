/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What start, stop and unmerge share: writing run, waiting, saying how it ended.
 */
#ifndef KSMCTL_RUN_H
#define KSMCTL_RUN_H

#include "ksmctl/cmd.h"

/**
 * struct run_options - options of the three
 * @ctl: common ones
 * @wait: --wait
 * @force: --force
 * @timeout: --timeout, seconds, 0 for none
 */
struct run_options {
	struct ksmctl *ctl;
	bool wait;
	bool force;
	unsigned int timeout;
};

/* Keys of the options; each command lists the ones it takes. */
#define RUN_OPT_WAIT 'w'
#define RUN_OPT_FORCE 'f'
#define RUN_OPT_TIMEOUT 't'

error_t run_parse(int key, char *arg, struct argp_state *state);

/**
 * run_begin() - parse the command line, open the backend, read its counters
 * @argp: the command's, its parser being run_parse()
 * @options: @options->ctl is set
 * @s: the reading
 *
 * Return: 0, else the exit status, the error being printed.
 */
int run_begin(const struct argp *argp, struct run_options *options, int argc, char **argv,
	      struct ksm_counters_snapshot *s);

/* Write run. Return: 0 or negative errno. */
int run_write(struct ksmctl *ctl, int64_t value, struct ksm_error *err);

/**
 * run_unmerge() - write run=2, which takes as long as the copying, with a progress bar
 * @before: the counters before it
 *
 * Return: 0 or negative errno.
 */
int run_unmerge(struct ksmctl *ctl, const struct ksm_counters_snapshot *before,
		struct ksm_error *err);

/**
 * run_wait() - read the counters five times a second until @done says so
 * @what: what has not happened when time is up: "merging has not settled"
 * @done: >0 done, 0 not yet, <0 gives up with @err set
 * @last: the reading that ended it
 *
 * Return: 0; -ETIMEDOUT after options->timeout; what @done or the reading failed with.
 */
int run_wait(const struct run_options *options, const char *what,
	     int (*done)(const struct ksm_counters_snapshot *s, void *ctx, struct ksm_error *err),
	     void *ctx, struct ksm_counters_snapshot *last, struct ksm_error *err);

/* Print what was done ("merging started"), as text or JSON. Return: exit status. */
int run_report(const struct run_options *options, const char *action, const char *text,
	       const struct ksm_counters_snapshot *s);

#endif /* KSMCTL_RUN_H */
