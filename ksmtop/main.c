// SPDX-License-Identifier: GPL-2.0
/*
 * ksmtop: options, and the loop that takes samples, draws and listens to keys.
 */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "keys.h"
#include "layout.h"
#include "lib/backend.h"
#include "lib/log.h"
#include "panel_procs.h"
#include "sampler.h"
#include "term.h"

#define DELAY_MIN 0.05
#define DELAY_MAX 3600.0
#define NS_PER_SEC UINT64_C(1000000000)

const char *argp_program_version = "ksmtop 0.1.0";

/**
 * struct options - the command line
 * @delay: between samples, ns
 * @frames: after which to end, 0: never
 */
struct options {
	const char *backend;
	uint64_t delay;
	uint64_t frames;
	bool batch;
	enum batch_format format;
	int sort;
	const char *filter;
	pid_t *pids;
	size_t npids;
};

enum { OPT_CSV = 256, OPT_JSON };

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
		fprintf(out, "%-8s  %s\n", ksmtop_columns[i].id, ksmtop_columns[i].help);
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
	case OPT_CSV:
	case OPT_JSON:
		o->batch = true;
		o->format = key == OPT_CSV ? BATCH_CSV : BATCH_JSON;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "there is nothing to do with '%.64s'", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.doc = "Shows live what memory merging saves, for whom, and what it costs."
	       "\vKeys: F1 or ? in the display. See ksmtop(1).",
};

/* ---- frames ---------------------------------------------------------------------------------- */

struct app {
	const struct options *o;
	struct ksmtop_sampler *sampler;
	struct ksmtop_model model;
	struct ksmtop_ui ui;
	struct screen screen;
};

static bool take(struct app *a)
{
	struct ksmtop_sample s;

	sampler_take(a->sampler, &s);
	if (model_update(&a->model, &s) && ui_refresh(&a->ui, &a->model))
		return true;
	return false;
}

static void sleep_until(uint64_t when)
{
	struct timespec t = { .tv_sec = (time_t)(when / NS_PER_SEC),
			      .tv_nsec = (long)(when % NS_PER_SEC) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* When the frame behind the one of @when is due. Frames that were missed are not made up for. */
static uint64_t after(uint64_t when, uint64_t delay)
{
	uint64_t now = ksm_monotonic_ns();

	return when + delay > now ? when + delay : now + delay;
}

static int run_batch(struct app *a)
{
	uint64_t next = ksm_monotonic_ns();

	for (unsigned int frame = 1; !a->o->frames || frame <= a->o->frames; frame++) {
		if (frame > 1)
			sleep_until(next);
		if (!take(a)) {
			ksm_log_error("no memory for the list of processes");
			return KSM_EXIT_FAILED;
		}
		if (batch_frame(stdout, a->o->format, &a->model, &a->ui, frame)) {
			ksm_log_error("writing to standard output failed: %s", strerror(errno));
			return KSM_EXIT_FAILED;
		}
		next = after(next, a->o->delay);
	}
	return KSM_EXIT_OK;
}

static void draw(struct app *a, bool whole)
{
	int w, h;

	term_size(&w, &h);
	if ((w != a->screen.w || h != a->screen.h) && !screen_resize(&a->screen, w, h))
		return;
	layout_draw(&a->model, &a->ui, &a->screen);
	term_draw(&a->screen, whole);
}

static void take_keys(struct app *a)
{
	struct ksmtop_key key;
	bool resized = false;

	while (!a->ui.quit && term_key(&key, &resized))
		if (key.code != KT_NONE)
			keys_press(&a->ui, &a->model, key);
	if (resized)
		a->ui.redraw = true;
}

static int until(uint64_t when)
{
	uint64_t now = ksm_monotonic_ns();

	return now >= when ? 0 : (int)((when - now + 999999) / 1000000);
}

/* Return: false when the frames asked for are done, or there is no memory to go on. */
static bool next_frame(struct app *a, uint64_t *next, uint64_t *frame)
{
	uint64_t now = ksm_monotonic_ns();

	if (now < *next)
		return true;
	if (a->o->frames && *frame >= a->o->frames)
		return false;
	*next = after(*next, a->o->delay);
	if (a->ui.paused)
		return true;
	++*frame;
	return take(a);
}

static void interact(struct app *a)
{
	uint64_t next = ksm_monotonic_ns(), frame = 0;

	while (!a->ui.quit && !term_signal()) {
		if (!next_frame(a, &next, &frame))
			return;
		draw(a, a->ui.redraw);
		a->ui.redraw = false;
		if (!term_wait(until(next)))
			return;
		take_keys(a);
	}
}

static int run_terminal(struct app *a)
{
	char err[256];

	if (!term_open(err, sizeof(err))) {
		ksm_log_error("%s", err);
		return KSM_EXIT_FAILED;
	}
	a->screen.utf8 = term_utf8();
	interact(a);
	term_close();
	/* Ctrl-C is a way of quitting; any other signal ends us as it says, but tidily. */
	if (term_signal() && term_signal() != SIGINT) {
		signal(term_signal(), SIG_DFL);
		raise(term_signal());
	}
	return KSM_EXIT_OK;
}

int main(int argc, char **argv)
{
	struct options o = { .backend = "auto", .delay = NS_PER_SEC, .sort = column_find("saved") };
	struct app a = { .o = &o };
	struct ksm_error err = { 0 };
	int status;

	/* Characters are all that is needed of a locale; small systems have no more of it. */
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = KSM_EXIT_USAGE;
	argv[0] = program_invocation_short_name;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	a.ui.sort = o.sort;
	a.ui.pids = o.pids;
	a.ui.npids = o.npids;
	if (o.filter)
		ksm_copy(a.ui.filter, sizeof(a.ui.filter), o.filter);
	a.sampler = sampler_open(o.backend, &err);
	if (!a.sampler)
		return ksm_log_fail(&err);
	status = o.batch ? run_batch(&a) : run_terminal(&a);
	sampler_close(a.sampler);
	screen_free(&a.screen);
	ui_free(&a.ui);
	model_free(&a.model);
	free(o.pids);
	return status;
}
