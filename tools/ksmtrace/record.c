// SPDX-License-Identifier: GPL-2.0
/* ksmtrace record: events and snapshots into a trace, alongside a command or until told to stop. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ksmtrace/cmd.h"
#include "ksmtrace/command.h"
#include "ksmtrace/snapshot.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/trace_file.h"
#include "lib/trace_names.h"
#include "lib/trace_types.h"

#define SECOND UINT64_C(1000000000)
#define MAX_SECONDS (366 * 24 * 3600)

/**
 * struct record - one recording
 * @dir: where to
 * @spec: --backend
 * @seconds: --duration, 0 for no limit
 * @ring_bytes: --buffer, 0 for the default
 * @argv: command, NULL for none
 * @backends: whose counters are kept
 * @backend_count: how many
 * @mask: KSM_STREAM_KERNEL, KSM_STREAM_ENGINE
 * @start: CLOCK_MONOTONIC before anything is watched
 * @err: first failure of the trace
 */
struct record {
	const char *dir;
	const char *spec;
	unsigned int seconds;
	size_t ring_bytes;
	char **argv;
	struct ksm_backend backends[2];
	unsigned int backend_count;
	unsigned int mask;
	struct ksm_stream *stream;
	struct ksm_trace_writer *writer;
	struct command command;
	struct ksm_error err;
	uint64_t start;
	uint64_t events;
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int signal)
{
	stop_signal = signal;
}

static unsigned int parse_number(struct argp_state *state, const char *option, const char *arg,
				 uint64_t max)
{
	uint64_t value = 0;

	if (ksm_parse_u64(arg, &value) || !value || value > max)
		argp_error(state, "--%s: '%.32s' is no number from 1 to %" PRIu64, option, arg,
			   max);
	return value;
}

static error_t parse_record(int key, char *arg, struct argp_state *state)
{
	struct record *r = state->input;

	switch (key) {
	case 'o':
		if (!*arg)
			argp_error(state, "--output: no directory given");
		r->dir = arg;
		return 0;
	case 'b':
		r->spec = arg;
		return 0;
	case 'd':
		r->seconds = parse_number(state, "duration", arg, MAX_SECONDS);
		return 0;
	case 'm':
		r->ring_bytes = (size_t)parse_number(state, "buffer", arg, 1 << 20) << 10;
		return 0;
	case ARGP_KEY_ARG:
		r->argv = &state->argv[state->next - 1];
		state->next = state->argc;
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
	{ "backend", 'b', "NAME", 0,
	  "Whose events: kernel, engine, both, or auto (default: the "
	  "kernel's, and the engine's when its module is loaded)",
	  0 },
	{ "duration", 'd', "SECONDS", 0, "Stop after so long (a COMMAND gets SIGTERM)", 0 },
	{ "buffer", 'm', "KIB", 0,
	  "Size of the buffer between kernel and file (default 8192); what "
	  "does not fit is counted as lost",
	  0 },
	{ 0 },
};

static const struct argp record_argp = {
	.options = options,
	.parser = parse_record,
	.args_doc = "[-- COMMAND [ARGUMENT...]]",
	.doc = "Record while COMMAND runs, or until Ctrl-C.\v"
	       "With a COMMAND its exit status is that of ksmtrace; 127 when it is not found, "
	       "126 when it cannot be run.",
};

static int add_backend(struct record *r, const char *spec)
{
	struct ksm_backend *b = &r->backends[r->backend_count];

	if (ksm_backend_open(b, spec, &r->err))
		return ksm_log_fail(&r->err);
	r->mask |= b->kind == KSM_BACKEND_ENGINE ? KSM_STREAM_ENGINE : KSM_STREAM_KERNEL;
	r->backend_count++;
	return 0;
}

static int open_backends(struct record *r)
{
	bool automatic = !strcmp(r->spec, "auto"), both = !strcmp(r->spec, "both");
	struct ksm_io io;
	int status = 0;

	if (!automatic && !both && strcmp(r->spec, "kernel") && strcmp(r->spec, "engine")) {
		ksm_log_error("--backend: '%s' is none of auto, kernel, engine, both", r->spec);
		return KSM_EXIT_USAGE;
	}
	if (!automatic && !both)
		return add_backend(r, r->spec);
	if (ksm_io_init(&io, NULL)) {
		ksm_log_error(KSM_IO_ROOT_ENV " is too long");
		return KSM_EXIT_FAILED;
	}
	if (both || ksm_backend_exists(&io, KSM_BACKEND_KERNEL))
		status = add_backend(r, "kernel");
	if (!status && (both || ksm_backend_exists(&io, KSM_BACKEND_ENGINE)))
		status = add_backend(r, "engine");
	if (status || r->backend_count)
		return status;
	/* No KSM at all: let the library say so in its own words. */
	return add_backend(r, "auto");
}

static int on_name(void *ctx, const struct ksm_event *event)
{
	struct record *r = ctx;

	return ksm_trace_write(r->writer, event, &r->err) ? -EIO : 0;
}

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct record *r = ctx;
	int ret = ksm_trace_write(r->writer, event, &r->err);

	/* A name is told when a process first has to do with KSM: the moment to ask who that is. */
	if (!ret && event->type == KSM_EVENT_COMM)
		ret = ksm_names_read(&r->backends[0].io, event, on_name, r);
	if (!ret && event->type != KSM_EVENT_LOST && event->type < KSM_EVENT_COUNTER)
		r->events++;
	return ret ? -EIO : 0;
}

static int open_stream(struct record *r)
{
	struct ksm_stream_opts opts = {
		.backend = r->mask,
		.events = KSM_STREAM_ALL,
		.ring_bytes = r->ring_bytes,
		.fn = on_event,
		.ctx = r,
	};
	const struct ksm_hook *hooks;
	char err[256];
	size_t count, with = 0;

	if (ksm_stream_open(&opts, &r->stream, err, sizeof(err))) {
		ksm_log_error("%s", err);
		return KSM_EXIT_FAILED;
	}
	hooks = ksm_stream_hooks(r->stream, &count);
	for (size_t i = 0; i < count; i++)
		with += !!hooks[i].hook;
	if (count && !with)
		ksm_log_warn("no event can be had, recording counters only: %s",
			     hooks[0].why ? hooks[0].why : "unknown");
	return 0;
}

static void add_env(struct ksm_trace_env *env, size_t *count, const char *key, const char *value)
{
	if (*count == KSM_TRACE_ENV_MAX)
		return;
	ksm_copy(env[*count].key, sizeof(env[*count].key), key);
	ksm_copy(env[*count].value, sizeof(env[*count].value), value);
	++*count;
}

/* What one must know to read the numbers: which kernel, and where each event came from. */
static size_t make_env(struct record *r, struct ksm_trace_env *env)
{
	const char *names[] = { "", "kernel", "engine", "kernel engine" };
	const struct ksm_hook *hooks;
	struct utsname uts;
	char key[48], value[320];
	size_t count = 0, nr;

	uname(&uts);
	add_env(env, &count, "tracer_name", "ksmtrace");
	add_env(env, &count, "tracer_version", KSMKIT_VERSION);
	add_env(env, &count, "domain", "kernel");
	add_env(env, &count, "kernel_release", uts.release);
	add_env(env, &count, "kernel_version", uts.version);
	add_env(env, &count, "machine", uts.machine);
	snprintf(value, sizeof(value), "%" PRId64, ksm_page_size());
	add_env(env, &count, "page_size", value);
	add_env(env, &count, "backend", names[r->mask]);
	hooks = ksm_stream_hooks(r->stream, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct ksm_hook *h = &hooks[i];

		snprintf(key, sizeof(key), "hook_%s_%s", names[h->backend],
			 ksm_event_name(h->type));
		snprintf(value, sizeof(value), "%s%s%s", h->hook ? h->hook : "unavailable",
			 h->why ? ": " : "", h->why ? h->why : "");
		add_env(env, &count, key, value);
	}
	return count;
}

static int open_trace(struct record *r)
{
	struct ksm_trace_env *env = calloc(KSM_TRACE_ENV_MAX, sizeof(*env));
	int ret;

	if (!env) {
		ksm_log_error("no memory");
		return KSM_EXIT_FAILED;
	}
	ret = ksm_trace_create(r->dir, r->start, env, make_env(r, env), &r->writer, &r->err);
	free(env);
	return ret ? ksm_log_fail(&r->err) : 0;
}

/* Return: 0 or a negative errno with r->err set. A backend that goes (module unloaded) is left. */
static int snapshot(struct record *r)
{
	struct ksm_error err;
	int ret;

	for (unsigned int i = 0; i < r->backend_count; i++) {
		ret = ksm_snapshot_counters(r->stream, &r->backends[i], &err);
		if (ret != -ENOENT && ret) {
			r->err = err;
			return ret;
		}
		if (ret)
			ksm_log_warn("%s: no counters of it from now on", err.text);
		if (ret)
			r->backends[i--] = r->backends[--r->backend_count];
	}
	return 0;
}

static void show_progress(struct record *r, uint64_t started)
{
	char events[KSM_FORMAT_MAX], lost[KSM_FORMAT_MAX];

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\rksmtrace: %" PRIu64 " s, %s events, %s lost ",
		(ksm_monotonic_ns() - started) / SECOND,
		ksm_format_count(events, sizeof(events), r->events),
		ksm_format_count(lost, sizeof(lost), ksm_stream_lost(r->stream)));
}

/* A Ctrl-C reaches the command too, so it is waited for; other signals are passed on. */
static bool should_stop(struct record *r, uint64_t started)
{
	bool over = r->seconds && ksm_monotonic_ns() - started >= r->seconds * SECOND;
	int signal = stop_signal;

	if (!r->argv)
		return signal || over;
	if (command_ended(&r->command))
		return true;
	stop_signal = 0;
	if ((signal && signal != SIGINT) || over)
		kill(r->command.pid, over ? SIGTERM : signal);
	if (over)
		r->seconds = 0;
	return false;
}

static int run(struct record *r)
{
	uint64_t started = ksm_monotonic_ns(), next = started + SECOND, now;
	int ret = 0;

	while (!should_stop(r, started)) {
		ret = ksm_stream_poll(r->stream, 20);
		if (ret && ret != -EINTR)
			return ret;
		now = ksm_monotonic_ns();
		if (now < next)
			continue;
		next += SECOND * ((now - next) / SECOND + 1);
		ret = snapshot(r);
		if (!ret)
			ret = ksm_trace_flush(r->writer, &r->err);
		if (ret)
			return ret;
		show_progress(r, started);
	}
	return snapshot(r);
}

static void summarize(struct record *r)
{
	char events[KSM_FORMAT_MAX], lost[KSM_FORMAT_MAX];

	fprintf(stderr, "%sksmtrace: %s events, %s lost, in %s\n",
		isatty(STDERR_FILENO) ? "\r\033[K" : "",
		ksm_format_count(events, sizeof(events), r->events),
		ksm_format_count(lost, sizeof(lost), ksm_stream_lost(r->stream)), r->dir);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* The command is not left behind when the recording fails. */
static void end_command(struct record *r)
{
	while (r->command.pid && !command_ended(&r->command)) {
		kill(r->command.pid, SIGTERM);
		usleep(20000);
	}
}

static int record(struct record *r)
{
	int status = 0, ret;

	ret = ksm_snapshot_processes(r->stream, &r->backends[0].io);
	if (ret)
		ksm_error_set(&r->err, ret, "snapshot of processes: %s", strerror(-ret));
	if (!ret)
		ret = snapshot(r);
	if (!ret && r->argv)
		status = command_start(&r->command, r->argv);
	if (!ret && !status)
		ret = run(r);
	if (!ret)
		ret = ksm_stream_finish(r->stream);
	if (ret)
		end_command(r);
	if (ksm_trace_finish(r->writer, &r->err))
		ret = -EIO;
	summarize(r);
	if (ret)
		return ksm_log_fail(&r->err);
	return status ? status : r->command.status;
}

int ksmtrace_record(void *ctx, int argc, char **argv)
{
	struct record *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return KSM_EXIT_FAILED;
	r->dir = KSM_TRACE_DEFAULT;
	r->spec = "auto";
	r->start = ksm_monotonic_ns();
	if (argp_parse(&record_argp, argc, argv, ARGP_IN_ORDER, NULL, r))
		return KSM_EXIT_USAGE;
	status = r->argv ? command_find(r->argv[0]) : 0;
	if (!status)
		status = open_backends(r);
	if (!status)
		catch_signals();
	if (!status)
		status = open_stream(r);
	if (!status)
		status = open_trace(r);
	if (!status)
		status = record(r);
	ksm_stream_close(r->stream);
	free(r);
	return status;
}
