// SPDX-License-Identifier: GPL-2.0
/* ksmtrace trace: events as they happen, one line each, as print shows them. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ksmtrace/cmd.h"
#include "ksmtrace/line.h"
#include "ksmtrace/snapshot.h"
#include "ksmtrace/target.h"
#include "lib/log.h"

/**
 * struct live - one run
 * @target: what is watched
 * @opts: what a line looks like
 */
struct live {
	struct target target;
	struct line_opts opts;
	struct line *line;
};

static error_t parse_live(int key, char *arg, struct argp_state *state)
{
	struct live *l = state->input;

	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = &l->target;
	state->child_inputs[1] = &l->opts;
	return 0;
}

static const struct argp_child children[] = {
	{ &target_argp, 0, NULL, 0 },
	{ &line_argp, 0, "How it is shown:", 1 },
	{ 0 },
};

static const struct argp live_argp = {
	.parser = parse_live,
	.children = children,
	.args_doc = "[-- COMMAND [ARGUMENT...]]",
	.doc = "Print events as they happen, until COMMAND ends or Ctrl-C.",
};

/* Unless told otherwise: what happens, not what there was at the start. */
#define SHOWN ((KSM_STREAM_ALL & ~KSM_STREAM_BIT(KSM_EVENT_COMM)) | KSM_STREAM_BIT(KSM_EVENT_LOST))

/* Names that were not asked for are learnt all the same, so that lines can show them. */
static int on_event(void *ctx, const struct ksm_event *event)
{
	struct live *l = ctx;
	uint64_t shown = l->target.types ? l->target.types | KSM_STREAM_BIT(KSM_EVENT_LOST) : SHOWN;

	if (shown & KSM_STREAM_BIT(event->type))
		return line_print(l->line, event, stdout);
	line_learn(l->line, event);
	return 0;
}

static int64_t wall_offset(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return wall.tv_sec * INT64_C(1000000000) + wall.tv_nsec - (int64_t)ksm_monotonic_ns();
}

static int live(struct live *l)
{
	int status, ret = ksm_snapshot_processes(&l->target);

	status = target_start(&l->target);
	while (!status && !ret && !target_over(&l->target)) {
		ret = ksm_stream_poll(l->target.stream, 50);
		if (ret == -EINTR)
			ret = 0;
		if (!ret && fflush(stdout))
			ret = -EPIPE;
	}
	if (!ret)
		ret = ksm_stream_finish(l->target.stream);
	target_close(&l->target);
	if (ret && ret != -EPIPE)
		ksm_log_error("events: %s", strerror(-ret));
	if (ret)
		return KSM_EXIT_FAILED;
	return status ? status : target_exit(&l->target);
}

int ksmtrace_trace(void *ctx, int argc, char **argv)
{
	struct live *l = calloc(1, sizeof(*l));
	int status;

	if (!l)
		return KSM_EXIT_FAILED;
	if (argp_parse(&live_argp, argc, argv, ARGP_IN_ORDER, NULL, l))
		return KSM_EXIT_USAGE;
	l->line = line_new(&l->opts, ksm_monotonic_ns(), wall_offset());
	status = l->line ? target_open(&l->target, on_event, l) : KSM_EXIT_FAILED;
	if (!status)
		status = live(l);
	else
		target_close(&l->target);
	line_free(l->line);
	free(l);
	return status;
}
