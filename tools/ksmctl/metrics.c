// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl metrics - figures for Prometheus, once or all the time
 */
#include "ksmctl/metrics.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"

#define DEFAULT_TOP 20

struct options {
	struct ksmctl *ctl;
	const char *output;
	bool openmetrics;
	unsigned int top;
	unsigned int interval;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = 1;
}

static const struct argp_option options_doc[] = {
	{ "output", 'o', "FILE", 0, "Replace FILE at once instead of printing", 0 },
	{ "interval", 'i', "SECONDS", 0,
	  "Stay, and write every SECONDS: adds COW breaks, their latency and lost events, which "
	  "only somebody who watches can count",
	  0 },
	{ "top", 'n', "N", 0, "Processes and cgroups by name (default 20); the rest is added up",
	  0 },
	{ "openmetrics", 'O', NULL, 0,
	  "OpenMetrics instead of Prometheus' own text, which node_exporter wants", 0 },
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
	case 'o':
		if (!*arg)
			argp_error(state, "--output: no name");
		options->output = arg;
		return 0;
	case 'i':
		options->interval = ksmctl_parse_seconds(state, "interval", arg);
		return 0;
	case 'n':
		if (ksm_parse_u64(arg, &n) || n > 1000)
			argp_error(state, "--top: '%.32s' is no number from 0 to 1000", arg);
		options->top = (unsigned int)n;
		return 0;
	case 'O':
		options->openmetrics = true;
		return 0;
	case ARGP_KEY_END:
		if (options->ctl->json)
			argp_error(state, "metrics have a text of their own; for JSON there is "
					  "'ksmctl status --json'");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options_doc,
	.parser = parse,
	.doc = "Print figures as Prometheus reads them, for node_exporter's textfile collector: "
	       "every file of both engines under node_exporter's names, savings and cost, and who "
	       "profits.",
	.children = ksmctl_children,
};

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct metrics_events *events = ctx;

	if (event->type != KSM_EVENT_COW_BREAK || event->n32 != KSM_COW_WRITE)
		return 0;
	events->breaks++;
	if (event->n64)
		ksm_latency_add(&events->latency, event->n64);
	return 0;
}

/* Without hooks the other figures are still worth having. */
static void watch(struct metrics_events *events, bool fake)
{
	struct ksm_stream_opts opts = {
		.backend = KSM_STREAM_BOTH,
		.events = KSM_STREAM_BIT(KSM_EVENT_COW_BREAK),
		.fn = on_event,
		.ctx = events,
	};
	const struct ksm_hook *hook;
	char err[256] = "";

	if (fake)
		return;
	if (ksm_stream_open(&opts, &events->stream, err, sizeof(err))) {
		ksm_log_warn("no events: %s", err);
		events->stream = NULL;
		return;
	}
	hook = ksm_stream_hook(events->stream, KSM_EVENT_COW_BREAK);
	events->has_breaks = hook && hook->hook;
	if (!events->has_breaks)
		ksm_log_warn("COW breaks cannot be counted: %s",
			     hook && hook->why ? hook->why : "no hook");
}

static int expose(const struct options *options, const struct metrics_events *events,
		  struct ksm_error *err)
{
	struct ksm_metrics m = { .openmetrics = options->openmetrics };
	const struct ksm_io here = { 0 }; /* the user's file, not one of the machine's */
	char *text = NULL;
	size_t size = 0;
	int ret;

	m.to = open_memstream(&text, &size);
	if (!m.to)
		return ksm_error_set(err, -ENOMEM, "out of memory");
	ret = metrics_write(&m, &options->ctl->b, options->ctl->spec, options->top, events, err);
	if (fclose(m.to) && !ret)
		ret = ksm_error_set(err, -ENOMEM, "out of memory");
	if (!ret && options->output) {
		ret = ksm_io_replace(&here, options->output, text, size);
		if (ret)
			ksm_error_set(err, ret, "%s: %s", options->output, strerror(-ret));
	} else if (!ret) {
		fwrite(text, 1, size, stdout);
		if (fflush(stdout))
			ret = ksm_error_set(err, -errno, "cannot write: %s", strerror(errno));
	}
	free(text);
	return ret;
}

/* Until the time has come, or somebody wants us to stop. */
static void wait_until(struct metrics_events *events, uint64_t when)
{
	const struct timespec tick = { .tv_nsec = 100000000 };

	while (!stopped && ksm_monotonic_ns() < when) {
		if (events->stream)
			ksm_stream_poll(events->stream, 100);
		else
			nanosleep(&tick, NULL);
	}
}

static int stay(const struct options *options, struct metrics_events *events, struct ksm_error *err)
{
	const struct sigaction action = { .sa_handler = stop };
	uint64_t next = ksm_monotonic_ns();
	int ret = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	watch(events, options->ctl->b.fake);
	while (!stopped && !ret) {
		ret = expose(options, events, err);
		next += options->interval * 1000000000ull;
		if (!ret)
			wait_until(events, next);
	}
	ksm_stream_close(events->stream);
	return ret;
}

int ksmctl_metrics(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct options options = { .ctl = ctl, .top = DEFAULT_TOP };
	static struct metrics_events events;
	struct ksm_error err;
	int ret;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return KSM_EXIT_USAGE;
	ret = ksm_backend_locate(&ctl->b, ctl->spec, &err);
	if (!ret)
		ret = options.interval ? stay(&options, &events, &err) :
					 expose(&options, &events, &err);
	return ret ? ksm_log_fail(&err) : KSM_EXIT_OK;
}
