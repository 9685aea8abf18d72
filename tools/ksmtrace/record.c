// SPDX-License-Identifier: GPL-2.0
/* ksmtrace record: events and snapshots into a trace, alongside a command or until told to stop. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ksmtrace/cmd.h"
#include "ksmtrace/snapshot.h"
#include "ksmtrace/target.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/trace_file.h"
#include "lib/trace_names.h"
#include "lib/trace_types.h"

#define SECOND UINT64_C(1000000000)
#define MIN_SIZE (UINT64_C(1) << 20)
#define MAX_PARTS 9999

/**
 * struct record - one recording
 * @target: what is watched
 * @dir: where to
 * @max_size: --max-size, 0 for no limit
 * @parts: --rotate: how many older parts are kept, 0 to end at @max_size
 * @err: first failure of the trace
 * @start: CLOCK_MONOTONIC before anything is watched
 * @last: time of the last event written
 * @size: of the parts that are finished, bytes
 * @events: written so far, without snapshots
 */
struct record {
	struct target target;
	const char *dir;
	uint64_t max_size;
	unsigned int parts;
	struct ksm_trace_writer *writer;
	struct ksm_error err;
	uint64_t start;
	uint64_t last;
	uint64_t size;
	uint64_t events;
};

static error_t parse_record(int key, char *arg, struct argp_state *state)
{
	struct record *r = state->input;
	uint64_t value;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->target;
		return 0;
	case 'o':
		if (!*arg)
			argp_error(state, "--output: no directory given");
		r->dir = arg;
		return 0;
	case 's':
		if (ksm_parse_size(arg, &r->max_size) || r->max_size < MIN_SIZE)
			argp_error(state, "--max-size: '%.32s' is no size from 1M on", arg);
		return 0;
	case 'r':
		if (ksm_parse_u64(arg, &value) || !value || value > MAX_PARTS)
			argp_error(state, "--rotate: '%.32s' is no number from 1 to %d", arg,
				   MAX_PARTS);
		r->parts = value;
		return 0;
	case ARGP_KEY_END:
		if (r->parts && !r->max_size)
			argp_error(state, "--rotate: at which size? Give --max-size as well");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "output", 'o', "DIR", 0,
	  "Where to (default " KSM_TRACE_DEFAULT "); a recording that is "
	  "there already becomes DIR.old",
	  0 },
	{ "max-size", 's', "SIZE", 0, "Stop when the recording is that large, such as 100M", 0 },
	{ "rotate", 'r', "N", 0,
	  "Do not stop then but begin anew; the last N parts are kept, DIR.1 the latest",
	  0 },
	{ 0 },
};

static const struct argp_child children[] = { { &target_argp, 0, NULL, 0 }, { 0 } };

static const struct argp record_argp = {
	.options = options,
	.parser = parse_record,
	.children = children,
	.args_doc = "[-- COMMAND [ARGUMENT...]]",
	.doc = "Record what COMMAND and its children do, or all processes until Ctrl-C.\v"
	       "With a COMMAND its exit status is that of ksmtrace; 127 when it is not found, "
	       "126 when it cannot be run.",
};

static int put(void *ctx, const struct ksm_event *event)
{
	struct record *r = ctx;

	if (ksm_trace_write(r->writer, event, &r->err))
		return -EIO;
	r->last = event->time;
	return 0;
}

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct record *r = ctx;
	int ret = put(r, event);

	/* A name is told when a process first has to do with KSM: the moment to ask who that is. */
	if (!ret && event->type == KSM_EVENT_COMM)
		ret = ksm_names_read(&r->target.backends[0].io, event, put, r);
	if (!ret && event->type != KSM_EVENT_LOST && event->type < KSM_EVENT_COUNTER)
		r->events++;
	return ret;
}

static void add_env(struct ksm_trace_env *env, size_t *count, const char *key, const char *value)
{
	if (*count == KSM_TRACE_ENV_MAX)
		return;
	ksm_copy(env[*count].key, sizeof(env[*count].key), key);
	ksm_copy(env[*count].value, sizeof(env[*count].value), value);
	++*count;
}

static const char *engines(unsigned int mask)
{
	static const char *const names[] = { "", "kernel", "engine", "kernel engine" };

	return names[mask & KSM_STREAM_BOTH];
}

static void add_hooks(struct ksm_trace_env *env, size_t *count, const struct ksm_stream *stream)
{
	const struct ksm_hook *hooks;
	char key[48], value[320];
	size_t nr;

	hooks = ksm_stream_hooks(stream, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct ksm_hook *h = &hooks[i];

		snprintf(key, sizeof(key), "hook_%s_%s", engines(h->backend),
			 ksm_event_name(h->type));
		snprintf(value, sizeof(value), "%s%s%s", h->hook ? h->hook : "unavailable",
			 h->why ? ": " : "", h->why ? h->why : "");
		add_env(env, count, key, value);
	}
}

/* What was left out, so that nobody takes it for what did not happen. */
static void add_filter(struct ksm_trace_env *env, size_t *count, const struct target *t)
{
	char value[320] = "";
	size_t used = 0;

	if (t->cgroup) {
		snprintf(value, sizeof(value), "cgroup %s", t->cgroup);
	} else if (t->pid_count) {
		used = snprintf(value, sizeof(value), "processes");
		for (unsigned int i = 0; i < t->pid_count && used < sizeof(value); i++)
			used += snprintf(value + used, sizeof(value) - used, " %u", t->pids[i]);
	} else if (t->argv && !t->all) {
		snprintf(value, sizeof(value), "command %s", t->argv[0]);
	} else {
		return;
	}
	add_env(env, count, "filter", value);
}

/* What one must know to read the numbers: which kernel, and where each event came from. */
static size_t make_env(struct record *r, struct ksm_trace_env *env)
{
	struct utsname uts;
	char value[32];
	size_t count = 0;

	uname(&uts);
	add_env(env, &count, "tracer_name", "ksmtrace");
	add_env(env, &count, "tracer_version", KSMKIT_VERSION);
	add_env(env, &count, "domain", "kernel");
	add_env(env, &count, "kernel_release", uts.release);
	add_env(env, &count, "kernel_version", uts.version);
	add_env(env, &count, "machine", uts.machine);
	snprintf(value, sizeof(value), "%" PRId64, ksm_page_size());
	add_env(env, &count, "page_size", value);
	add_env(env, &count, "backend", engines(r->target.mask));
	add_filter(env, &count, &r->target);
	add_hooks(env, &count, r->target.stream);
	return count;
}

static int open_trace(struct record *r, uint64_t start)
{
	struct ksm_trace_env *env = calloc(KSM_TRACE_ENV_MAX, sizeof(*env));
	int ret;

	if (!env)
		return ksm_error_set(&r->err, -ENOMEM, "no memory");
	ret = ksm_trace_create(r->dir, start, env, make_env(r, env), &r->writer, &r->err);
	free(env);
	return ret;
}

/* Return: 0 or a negative errno with r->err set. A backend that goes (module unloaded) is left. */
static int snapshot_counters(struct record *r)
{
	struct target *t = &r->target;
	struct ksm_error err;
	int ret;

	for (unsigned int i = 0; i < t->backend_count; i++) {
		ret = ksm_snapshot_counters(t->stream, &t->backends[i], &err);
		if (ret != -ENOENT && ret) {
			r->err = err;
			return ret;
		}
		if (ret)
			ksm_log_warn("%s: no counters of it from now on", err.text);
		if (ret)
			t->backends[i--] = t->backends[--t->backend_count];
	}
	return 0;
}

/* What a part begins with: a host may have been merged long before. */
static int snapshot_all(struct record *r)
{
	int ret = snapshot_counters(r);

	/* Takes its time, and counters are to tell of the moment at which the hooks began. */
	if (!ret && (ret = ksm_snapshot_processes(&r->target)))
		ksm_error_set(&r->err, ret, "snapshot of processes: %s", strerror(-ret));
	return ret;
}

static uint64_t part_size(const struct record *r)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" KSM_TRACE_STREAM, r->dir);
	return stat(path, &st) ? 0 : st.st_size;
}

static int rotate(struct record *r)
{
	uint64_t size = part_size(r);
	int ret = ksm_trace_finish(r->writer, &r->err);

	r->writer = NULL;
	r->size += size;
	if (!ret)
		ret = ksm_trace_shift(r->dir, r->parts, &r->err);
	if (!ret)
		ret = open_trace(r, r->last);
	return ret ? ret : snapshot_all(r);
}

static void show_progress(struct record *r)
{
	char events[KSM_FORMAT_MAX], lost[KSM_FORMAT_MAX], size[KSM_FORMAT_MAX];

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\rksmtrace: %" PRIu64 " s, %s events, %s, %s lost\033[K",
		(ksm_monotonic_ns() - r->target.started) / SECOND,
		ksm_format_count(events, sizeof(events), r->events),
		ksm_format_bytes(size, sizeof(size), r->size + part_size(r)),
		ksm_format_count(lost, sizeof(lost), ksm_stream_lost(r->target.stream)));
}

/* Once a second. Return: 0; 1 when the recording has its size; negative errno with r->err set. */
static int second(struct record *r)
{
	int ret = snapshot_counters(r);

	if (!ret)
		ret = ksm_trace_flush(r->writer, &r->err);
	if (ret)
		return ret;
	show_progress(r);
	if (!r->max_size || part_size(r) < r->max_size)
		return 0;
	if (r->parts)
		return rotate(r);
	ksm_log_warn("%s has %" PRIu64 " bytes: the recording ends", r->dir, part_size(r));
	return 1;
}

static int run(struct record *r)
{
	uint64_t next = r->target.started + SECOND, now;
	int ret = 0;

	while (!target_over(&r->target)) {
		ret = ksm_stream_poll(r->target.stream, 20);
		if (ret && ret != -EINTR)
			return ret;
		now = ksm_monotonic_ns();
		if (now < next)
			continue;
		next += SECOND * ((now - next) / SECOND + 1);
		ret = second(r);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	return snapshot_counters(r);
}

/* A line for each cause, with what can be done about it. */
static void explain_losses(const struct ksm_stream *stream)
{
	char lost[KSM_FORMAT_MAX];
	struct ksm_totals totals;

	ksm_stream_totals(stream, &totals);
	for (unsigned int cause = 0; cause < KSM_LOST_MAX; cause++) {
		uint64_t sum = ksm_totals_lost_by(&totals, cause);

		if (!sum)
			continue;
		fprintf(stderr, "ksmtrace: lost %s: %s%s\n",
			ksm_format_count(lost, sizeof(lost), sum), ksm_lost_cause_text(cause),
			cause == KSM_LOST_FULL ? ": a larger --buffer holds more" : "");
	}
}

static void summarize(struct record *r)
{
	char events[KSM_FORMAT_MAX], lost[KSM_FORMAT_MAX];

	fprintf(stderr, "%sksmtrace: %s events, %s lost, in %s\n",
		isatty(STDERR_FILENO) ? "\r\033[K" : "",
		ksm_format_count(events, sizeof(events), r->events),
		ksm_format_count(lost, sizeof(lost), ksm_stream_lost(r->target.stream)), r->dir);
	explain_losses(r->target.stream);
}

/* A recording that ends before its command lets the command go on: it is not about us. */
static int record(struct record *r)
{
	struct target *t = &r->target;
	int status = target_start(t), ret = 0, command;

	if (!status)
		ret = run(r);
	if (!ret)
		ret = ksm_stream_finish(t->stream);
	if (ksm_trace_finish(r->writer, &r->err))
		ret = -EIO;
	summarize(r);
	if (ret)
		ksm_log_fail(&r->err);
	target_close(t);
	command = target_exit(t);
	return ret ? KSM_EXIT_FAILED : status ? status : command;
}

int ksmtrace_record(void *ctx, int argc, char **argv)
{
	struct record *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return KSM_EXIT_FAILED;
	r->dir = KSM_TRACE_DEFAULT;
	r->start = r->last = ksm_monotonic_ns();
	if (argp_parse(&record_argp, argc, argv, ARGP_IN_ORDER, NULL, r))
		return KSM_EXIT_USAGE;
	status = target_open(&r->target, on_event, r);
	/* The files come last: once they are there everything is in place. */
	if (!status && (snapshot_all(r) || open_trace(r, r->start)))
		status = ksm_log_fail(&r->err);
	if (!status)
		status = record(r);
	target_close(&r->target);
	free(r);
	return status;
}
