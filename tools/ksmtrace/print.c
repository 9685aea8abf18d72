// SPDX-License-Identifier: GPL-2.0
/* ksmtrace print: a recording as text or as JSON, one line per event. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ksmtrace/cmd.h"
#include "ksmtrace/line.h"
#include "lib/log.h"
#include "lib/trace_file.h"
#include "lib/trace_types.h"

#define SECOND UINT64_C(1000000000)
#define PIDS_MAX 256

/**
 * struct print - one pass
 * @from_text: --from as typed, NULL for none; likewise @to_text
 * @types: bits of the types to print, 0 for all
 * @pids: processes to print; none of them: all
 * @from: first time to print, CLOCK_MONOTONIC
 * @to: last one
 */
struct print {
	const char *dir;
	const char *from_text;
	const char *to_text;
	struct line_opts opts;
	uint64_t types;
	uint32_t pids[PIDS_MAX];
	unsigned int pid_count;
	uint64_t from;
	uint64_t to;
	struct ksm_trace_info info;
	struct line *line;
};

static void parse_pids(struct print *p, char *arg, struct argp_state *state)
{
	uint64_t pid;

	for (char *word = strtok(arg, ","); word; word = strtok(NULL, ",")) {
		if (ksm_parse_u64(word, &pid) || !pid || pid > INT32_MAX)
			argp_error(state, "--pid: '%.32s' is no process id", word);
		if (p->pid_count == PIDS_MAX)
			argp_error(state, "--pid: more than %d processes", PIDS_MAX);
		p->pids[p->pid_count++] = pid;
	}
	if (!p->pid_count)
		argp_error(state, "--pid: no process given");
}

static error_t parse_print(int key, char *arg, struct argp_state *state)
{
	struct print *p = state->input;
	struct ksm_error err;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &p->opts;
		return 0;
	case 'p':
		parse_pids(p, arg, state);
		return 0;
	case 'e':
		if (ksm_event_mask_parse(arg, &p->types, &err))
			argp_error(state, "--event: %s", err.text);
		return 0;
	case 'f':
		p->from_text = arg;
		return 0;
	case 'u':
		p->to_text = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "more than one directory given");
		p->dir = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "pid", 'p', "PID,...", 0, "Only events of these processes", 0 },
	{ "event", 'e', "EVENT,...", 0, "Only events of these types (ksmtrace list shows them)",
	  0 },
	{ "from", 'f', "TIME", 0,
	  "Only from then on: seconds on the clock of --time, or for wall "
	  "'YYYY-MM-DD HH:MM:SS' or 'HH:MM:SS'",
	  0 },
	{ "to", 'u', "TIME", 0, "Only until then", 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &line_argp, 0, NULL, 0 }, { 0 } };

static const struct argp print_argp = {
	.options = options,
	.parser = parse_print,
	.children = children,
	.args_doc = "[DIR]",
	.doc = "Print a recording (default " KSM_TRACE_DEFAULT ").",
};

/* "12", "12.5": nanoseconds. Return: false for anything else. */
static bool parse_seconds(const char *text, uint64_t *ns)
{
	uint64_t seconds = 0, unit = SECOND;
	size_t digits = strspn(text, "0123456789");
	const char *c = text + digits;

	if (!digits || digits > 10)
		return false;
	for (size_t i = 0; i < digits; i++)
		seconds = seconds * 10 + (text[i] - '0');
	*ns = seconds * SECOND;
	if (*c == '.')
		for (c++; *c >= '0' && *c <= '9'; c++, unit /= 10)
			*ns += unit / 10 * (*c - '0');
	return !*c;
}

/* Local time; without a date it is the day on which the recording started. */
static bool parse_wall(const struct print *p, const char *text, uint64_t *ns)
{
	time_t start = (p->info.start + p->info.wall_offset) / SECOND;
	uint64_t fraction = 0;
	const char *rest;
	int64_t wall;
	char zero[40];
	struct tm tm, day;

	if (!localtime_r(&start, &day))
		return false;
	/* What does not match is half filled in. */
	tm = day;
	rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	if (!rest) {
		tm = day;
		rest = strptime(text, "%H:%M:%S", &tm);
	}
	if (!rest || (*rest && *rest != '.'))
		return false;
	tm.tm_isdst = -1;
	snprintf(zero, sizeof(zero), "0%.30s", *rest ? rest : ".0");
	if (!parse_seconds(zero, &fraction))
		return false;
	wall = mktime(&tm) * (int64_t)SECOND + (int64_t)fraction;
	/* Before the machine was started: everything is later. */
	*ns = wall > p->info.wall_offset ? wall - p->info.wall_offset : 0;
	return true;
}

static int parse_time(struct print *p, const char *option, const char *text, uint64_t *ns)
{
	bool good;

	if (!text)
		return 0;
	good = p->opts.clock == LINE_WALL ? parse_wall(p, text, ns) : parse_seconds(text, ns);
	if (good && p->opts.clock == LINE_RELATIVE)
		*ns += p->info.start;
	if (good)
		return 0;
	ksm_log_error("--%s: '%.40s' is no time: give %s", option, text,
		      p->opts.clock == LINE_WALL ? "'YYYY-MM-DD HH:MM:SS' or 'HH:MM:SS'" :
						   "seconds such as 12.5");
	return KSM_EXIT_USAGE;
}

static bool wanted(const struct print *p, const struct ksm_event *event)
{
	if (event->time < p->from || (p->types && !(p->types >> event->type & 1)))
		return false;
	for (unsigned int i = 0; i < p->pid_count; i++)
		if (p->pids[i] == event->tgid)
			return true;
	return !p->pid_count;
}

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct print *p = ctx;

	if (event->time > p->to)
		return 1;
	if (wanted(p, event))
		return line_print(p->line, event, stdout);
	line_learn(p->line, event);
	return 0;
}

static int print(struct print *p)
{
	struct ksm_error err = { 0 };
	int ret = ksm_trace_read_info(p->dir, &p->info, &err);

	if (ret)
		return ksm_log_fail(&err);
	p->to = UINT64_MAX;
	ret = parse_time(p, "from", p->from_text, &p->from);
	if (!ret)
		ret = parse_time(p, "to", p->to_text, &p->to);
	if (!ret && p->from > p->to) {
		ksm_log_error("--from is later than --to: nothing would be printed");
		ret = KSM_EXIT_USAGE;
	}
	if (ret)
		return ret;
	p->line = line_new(&p->opts, p->info.start, p->info.wall_offset);
	if (!p->line)
		return KSM_EXIT_FAILED;
	ret = ksm_trace_read(p->dir, &p->info, on_event, p, &err);
	line_free(p->line);
	/* Nobody reads any more: main() says so. */
	if (ret == -EPIPE && !err.code)
		return KSM_EXIT_FAILED;
	fflush(stdout);
	return ksm_trace_verdict(ret < 0 ? ret : 0, &err);
}

int ksmtrace_print(void *ctx, int argc, char **argv)
{
	struct print *p = calloc(1, sizeof(*p));
	int status;

	if (!p)
		return KSM_EXIT_FAILED;
	p->dir = KSM_TRACE_DEFAULT;
	if (argp_parse(&print_argp, argc, argv, 0, NULL, p))
		status = KSM_EXIT_USAGE;
	else
		status = print(p);
	free(p);
	return status;
}
