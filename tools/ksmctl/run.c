// SPDX-License-Identifier: GPL-2.0
#include "ksmctl/run.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "lib/format.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/progress.h"

error_t run_parse(int key, char *arg, struct argp_state *state)
{
	struct run_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options->ctl;
		return 0;
	case RUN_OPT_WAIT:
		options->wait = true;
		return 0;
	case RUN_OPT_FORCE:
		options->force = true;
		return 0;
	case RUN_OPT_TIMEOUT:
		options->timeout = ksmctl_parse_seconds(state, "timeout", arg);
		options->wait = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int run_write(struct ksmctl *ctl, int64_t value, struct ksm_error *err)
{
	struct ksm_setting setting;

	ksm_setting_make(&setting, KSM_ABI_RUN, value);
	return ksm_backend_apply(&ctl->b, &setting, 1, err);
}

int run_begin(const struct argp *argp, struct run_options *options, int argc, char **argv,
	      struct ksm_counters_snapshot *s)
{
	struct ksm_error err;
	int status;

	if (argp_parse(argp, argc, argv, 0, NULL, options))
		return KSM_EXIT_USAGE;
	status = ksmctl_open(options->ctl);
	if (!status && ksm_backend_read(&options->ctl->b, s, &err))
		status = ksm_log_fail(&err);
	return status;
}

/* The write that unmerges, in a thread of its own: it returns when the last page is copied. */
struct unmerging {
	struct ksmctl *ctl;
	struct ksm_error err;
	int ret;
};

static void *write_unmerge(void *ctx)
{
	struct unmerging *u = ctx;

	u->ret = run_write(u->ctl, KSM_RUN_UNMERGE, &u->err);
	return NULL;
}

/* Draw until the thread has ended. */
static void watch_unmerge(struct unmerging *u, pthread_t thread, uint64_t total,
			  struct ksm_progress *bar)
{
	struct ksm_counters_snapshot s;
	struct ksm_derived d = { 0 };
	struct timespec tick;

	do {
		if (!ksm_backend_read(&u->ctl->b, &s, NULL))
			ksm_derive(&s, &d);
		ksm_progress_update(bar, total - (uint64_t)d.saved_bytes, total);
		clock_gettime(CLOCK_MONOTONIC, &tick);
		tick.tv_nsec += 100000000;
		if (tick.tv_nsec >= 1000000000) {
			tick.tv_nsec -= 1000000000;
			tick.tv_sec++;
		}
	} while (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &tick));
}

int run_unmerge(struct ksmctl *ctl, const struct ksm_counters_snapshot *before,
		struct ksm_error *err)
{
	struct unmerging u = { .ctl = ctl };
	struct ksm_progress bar;
	struct ksm_derived d;
	pthread_t thread;

	ksm_derive(before, &d);
	ksm_progress_start(&bar, "unmerging");
	if (!bar.shown || d.saved_bytes <= 0 || pthread_create(&thread, NULL, write_unmerge, &u))
		return run_write(ctl, KSM_RUN_UNMERGE, err);
	watch_unmerge(&u, thread, (uint64_t)d.saved_bytes, &bar);
	ksm_progress_end(&bar);
	*err = u.err;
	return u.ret;
}

int run_wait(const struct run_options *options, const char *what,
	     int (*done)(const struct ksm_counters_snapshot *s, void *ctx, struct ksm_error *err),
	     void *ctx, struct ksm_counters_snapshot *last, struct ksm_error *err)
{
	const struct timespec tick = { .tv_nsec = 200000000 };
	uint64_t end = ksm_monotonic_ns() + options->timeout * 1000000000ull;

	for (;;) {
		int ret = ksm_backend_read(&options->ctl->b, last, err);

		if (!ret)
			ret = done(last, ctx, err);
		if (ret)
			return ret < 0 ? ret : 0;
		if (options->timeout && last->time >= end)
			return ksm_error_set(err, -ETIMEDOUT, "%s after %u s", what,
					     options->timeout);
		nanosleep(&tick, NULL);
	}
}

static int report_json(const struct run_options *options, const char *action,
		       const struct ksm_counters_snapshot *s, const struct ksm_derived *d)
{
	struct json_object *root = json_object_new_object();

	ksm_json_str(root, "backend", options->ctl->b.name);
	ksm_json_str(root, "action", action);
	ksm_json_int(root, "run", ksm_snapshot_get(s, KSM_ABI_RUN));
	ksm_json_bool(root, "waited", options->wait);
	ksm_json_int(root, "full_scans", ksm_snapshot_get(s, KSM_ABI_FULL_SCANS));
	ksm_json_int(root, "saved_pages", d->saved_pages);
	ksm_json_int(root, "saved_bytes", d->saved_bytes);
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

int run_report(const struct run_options *options, const char *action, const char *text,
	       const struct ksm_counters_snapshot *s)
{
	char bytes[KSM_FORMAT_MAX], pages[KSM_FORMAT_MAX];
	struct ksm_derived d;

	ksm_derive(s, &d);
	if (options->ctl->json)
		return report_json(options, action, s, &d);
	printf("%s: %s; saved %s (%s pages)\n", options->ctl->b.name, text,
	       ksm_format_bytes(bytes, sizeof(bytes), d.saved_bytes),
	       ksm_format_count(pages, sizeof(pages), d.saved_pages));
	return KSM_EXIT_OK;
}
