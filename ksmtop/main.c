// SPDX-License-Identifier: GPL-2.0
/*
 * ksmtop: the loop that takes samples, draws and listens to keys.
 */
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app.h"
#include "keys.h"
#include "layout.h"
#include "lib/log.h"
#include "term.h"

#define NS_PER_SEC UINT64_C(1000000000)
#define BUSY_MS 50

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
	uint64_t next;

	if (a->sampler)
		sampler_ready(a->sampler);
	next = ksm_monotonic_ns();
	for (unsigned int frame = 1; !a->o->frames || frame <= a->o->frames; frame++) {
		if (a->ui.replay.done)
			break;
		if (frame > 1 && !a->replay)
			sleep_until(next);
		if (!app_take(a)) {
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

	while (!a->ui.quit && term_key(&key, &resized)) {
		if (key.code == KT_NONE)
			continue;
		keys_press(&a->ui, &a->model, key);
		app_request(a);
	}
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
	return app_take(a);
}

/* Sooner than the next frame when something is under way, as often as somebody would notice. */
static int patience(bool busy, uint64_t next)
{
	int ms = until(next);

	return busy && ms > BUSY_MS ? BUSY_MS : ms;
}

static void interact(struct app *a)
{
	uint64_t next = ksm_monotonic_ns(), frame = 0;

	while (!a->ui.quit && !term_signal()) {
		bool busy;

		if (!next_frame(a, &next, &frame))
			return;
		busy = app_tick(a);
		draw(a, a->ui.redraw);
		a->ui.redraw = false;
		if (!term_wait(patience(busy, next)))
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
	static struct app a;
	struct ksm_error err = { 0 };
	struct options o;
	int status;

	/* One heap for all threads, so that what they free is free for everyone. */
	mallopt(M_ARENA_MAX, 1);
	/* Characters are all that is needed of a locale; small systems have no more of it. */
	setlocale(LC_CTYPE, "");
	options_parse(&o, argc, argv);
	if (app_open(&a, &o, &err))
		return ksm_log_fail(&err);
	status = o.batch ? run_batch(&a) : run_terminal(&a);
	app_close(&a);
	free(o.pids);
	return status;
}
