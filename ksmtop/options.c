// SPDX-License-Identifier: GPL-2.0
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/backend.h"
#include "panel_procs.h"
#include "views.h"

#define DELAY_MIN 0.05
#define DELAY_MAX 3600.0
#define SPEED_MIN 0.125
#define SPEED_MAX 1024.0
#define NS_PER_SEC UINT64_C(1000000000)

const char *argp_program_version = "ksmtop " KSMKIT_VERSION;

enum { OPT_CSV = 256, OPT_JSON, OPT_REPLAY, OPT_SPEED, OPT_VIEW, OPT_ALL, OPT_TREE };

static const struct argp_option argp_options[] = {
	{ "delay", 'd', "SECONDS", 0, "time between two frames (default 1)", 0 },
	{ "backend", 'B', "BACKEND", 0, KSM_BACKEND_SPECS " (default auto)", 0 },
	{ "batch", 'b', NULL, 0, "print frames instead of drawing on the terminal", 0 },
	{ "iterations", 'n', "N", 0, "end after N frames", 0 },
	{ "csv", OPT_CSV, NULL, 0, "batch as CSV", 0 },
	{ "json", OPT_JSON, NULL, 0, "batch as JSON, one object per line", 0 },
	{ "sort", 's', "COLUMN", 0, "sort by a column; \"help\" lists them", 0 },
	{ "filter", 'F', "TEXT", 0, "show only what has TEXT in command, user or pid", 0 },
	{ "pid", 'p', "PID[,PID...]", 0, "show only these processes", 0 },
	{ "all", OPT_ALL, NULL, 0, "also processes that KSM knows nothing of", 0 },
	{ "tree", OPT_TREE, NULL, 0, "children below their parents", 0 },
	{ "view", OPT_VIEW, "VIEW", 0, "begin with processes, groups, events, sharing or tuning",
	  0 },
	{ "replay", OPT_REPLAY, "DIR", 0, "show a recording of ksmtrace, not this machine", 0 },
	{ "speed", OPT_SPEED, "FACTOR", 0, "of the replay, times real time (default 1)", 0 },
	{ 0 },
};

static void parse_delay(struct argp_state *state, struct options *o, const char *arg)
{
	char *end;
	double seconds = strtod(arg, &end);

	if (end == arg || *end || !(seconds >= DELAY_MIN && seconds <= DELAY_MAX))
		argp_error(state, "--delay: '%.64s' is no number of seconds from %g to %g", arg,
			   DELAY_MIN, DELAY_MAX);
	o->delay = (uint64_t)(seconds * (double)NS_PER_SEC);
}

static void parse_frames(struct argp_state *state, struct options *o, const char *arg)
{
	if (ksm_parse_u64(arg, &o->frames) || !o->frames)
		argp_error(state, "--iterations: '%.64s' is no number of frames from 1 on", arg);
}

static void list_columns(FILE *out)
{
	for (int i = 0; i < ksmtop_ncolumns; i++)
		fprintf(out, "%-9s  %s\n", ksmtop_columns[i].id, ksmtop_columns[i].help);
}

static void parse_sort(struct argp_state *state, struct options *o, const char *arg)
{
	if (!strcmp(arg, "help")) {
		list_columns(stdout);
		exit(KSM_EXIT_OK);
	}
	o->sort = column_find(arg);
	if (o->sort < 0)
		argp_error(state, "--sort: there is no column '%.64s'; --sort=help lists them",
			   arg);
}

static void parse_pids(struct argp_state *state, struct options *o, char *arg)
{
	for (char *word = strtok(arg, ","); word; word = strtok(NULL, ",")) {
		pid_t *pids = realloc(o->pids, (o->npids + 1) * sizeof(*pids));
		uint64_t pid;

		if (ksm_parse_u64(word, &pid) || !pid || pid > INT_MAX)
			argp_error(state, "--pid: '%.64s' is no process id", word);
		if (!pids)
			argp_failure(state, KSM_EXIT_FAILED, ENOMEM, "--pid");
		o->pids = pids;
		o->pids[o->npids++] = (pid_t)pid;
	}
	if (!o->npids)
		argp_error(state, "--pid: no process id given");
}

static void parse_view(struct argp_state *state, struct options *o, const char *arg)
{
	for (int i = 0; i < VIEW_TABS; i++)
		if (!strcasecmp(arg, ksmtop_views[i].title)) {
			o->view = (enum ui_view)i;
			return;
		}
	argp_error(state, "--view: '%.64s' is none of processes, groups, events, sharing, tuning",
		   arg);
}

static void parse_speed(struct argp_state *state, struct options *o, const char *arg)
{
	char *end;

	o->speed = strtod(arg, &end);
	if (end == arg || *end || !(o->speed >= SPEED_MIN && o->speed <= SPEED_MAX))
		argp_error(state, "--speed: '%.64s' is no factor from %g to %g", arg, SPEED_MIN,
			   SPEED_MAX);
}

static error_t parse_long_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_CSV:
	case OPT_JSON:
		o->batch = true;
		o->format = key == OPT_CSV ? BATCH_CSV : BATCH_JSON;
		break;
	case OPT_ALL:
		o->all = true;
		break;
	case OPT_TREE:
		o->tree = true;
		break;
	case OPT_VIEW:
		parse_view(state, o, arg);
		break;
	case OPT_REPLAY:
		o->replay = arg;
		break;
	case OPT_SPEED:
		parse_speed(state, o, arg);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "there is nothing to do with '%.64s'", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		parse_delay(state, o, arg);
		break;
	case 'B':
		o->backend = arg;
		break;
	case 'n':
		parse_frames(state, o, arg);
		break;
	case 's':
		parse_sort(state, o, arg);
		break;
	case 'F':
		if (strlen(arg) >= KSMTOP_INPUT_MAX)
			argp_error(state, "--filter: longer than %d bytes", KSMTOP_INPUT_MAX - 1);
		o->filter = arg;
		break;
	case 'p':
		parse_pids(state, o, arg);
		break;
	case 'b':
		o->batch = true;
		break;
	default:
		return parse_long_option(key, arg, state);
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.doc = "Shows live what memory merging saves, for whom, and what it costs."
	       "\vKeys: F1 or ? in the display. See ksmtop(1).",
};

void options_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){
		.backend = "auto", .delay = NS_PER_SEC, .speed = 1, .sort = column_find("saved")
	};
	argp_err_exit_status = KSM_EXIT_USAGE;
	argv[0] = program_invocation_short_name;
	argp_parse(&argp, argc, argv, 0, NULL, o);
}
