// SPDX-License-Identifier: GPL-2.0
#include "app.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "keys.h"
#include "lib/headroom.h"
#include "lib/log.h"
#include "lib/profiles.h"
#include "maps.h"

#define NS_PER_SEC UINT64_C(1000000000)

/* ---- opening ------------------------------------------------------------------------------- */

static void add_profile(const struct ksm_profile *p, const struct ksm_error *bad, void *ctx)
{
	struct ksmtop_ui *ui = ctx;
	struct ui_profile *to;

	if (bad || ui->nprofiles == KSMTOP_PROFILES)
		return;
	to = &ui->profiles[ui->nprofiles++];
	ksm_copy(to->name, sizeof(to->name), p->name);
	ksm_copy(to->help, sizeof(to->help), p->summary);
}

static int open_replay(struct app *a, struct ksm_error *err)
{
	a->replay = replay_open(a->o->replay, err);
	if (!a->replay)
		return err->code ? err->code : -EIO;
	a->ui.replay = (struct ui_replay){
		.on = true,
		.from = replay_from(a->replay),
		.to = replay_to(a->replay),
		.at = replay_from(a->replay),
		.speed = a->o->speed,
	};
	return 0;
}

int app_open(struct app *a, const struct options *o, struct ksm_error *err)
{
	struct ksm_error setup = { 0 };

	a->o = o;
	a->attach.pidfd = -1;
	a->ui.sort = o->sort;
	a->ui.pids = o->pids;
	a->ui.npids = o->npids;
	a->ui.view = o->view;
	if (o->filter)
		ksm_copy(a->ui.filter, sizeof(a->ui.filter), o->filter);
	if (config_load(&a->ui, &setup) && !o->batch)
		ui_say(&a->ui, true, "%s", setup.text);
	a->ui.tree |= o->tree;
	if (o->replay)
		return open_replay(a, err);
	a->sampler = sampler_open(o->backend, err);
	if (!a->sampler)
		return err->code ? err->code : -EIO;
	a->ui.all = o->all;
	sampler_all(a->sampler, o->all);
	a->io = sampler_backend(a->sampler)->io;
	ksm_profile_each(&a->io, add_profile, &a->ui);
	ksm_copy(a->ui.profiles_why, sizeof(a->ui.profiles_why), "there are no profiles");
	return 0;
}

void app_close(struct app *a)
{
	job_wait(&a->change_job);
	job_wait(&a->join_job);
	job_wait(&a->detail_job);
	attach_close(&a->attach);
	sampler_close(a->sampler);
	replay_close(a->replay);
	screen_free(&a->screen);
	ui_free(&a->ui);
	model_free(&a->model);
	free(a->join_pids);
}

/* ---- samples ------------------------------------------------------------------------------- */

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct app *a = ctx;

	return events_take(&a->model.ev, event);
}

static bool take(struct app *a, struct ksmtop_sample *s)
{
	return model_update(&a->model, s) && ui_refresh(&a->ui, &a->model);
}

static uint64_t replay_step(const struct app *a)
{
	return (uint64_t)((double)a->o->delay * a->ui.replay.speed);
}

/* Up to a moment of the recording. */
static bool replay_until(struct app *a, uint64_t at)
{
	struct ui_replay *r = &a->ui.replay;
	struct ksmtop_sample s;

	/* No last frame of a few milliseconds: its rates would say nothing. */
	r->at = at + replay_step(a) / 2 < r->to ? at : r->to;
	r->done = !replay_forward(a->replay, r->at, on_event, a) || r->at == r->to;
	replay_sample(a->replay, r->at, &s);
	return take(a, &s);
}

/*
 * Back means from the beginning: what a moment was like follows from all before it. Of the way
 * there, only as many samples are taken as the graphs show.
 */
static bool replay_back_to(struct app *a, uint64_t at)
{
	uint64_t step = replay_step(a), from = a->ui.replay.from, back;
	pid_t watch = a->model.ev.watch;

	if (at < from)
		at = from;
	back = (at - from) / step;
	if (back > KSMTOP_HISTORY)
		back = KSMTOP_HISTORY;
	model_free(&a->model);
	memset(&a->model, 0, sizeof(a->model));
	events_watch(&a->model.ev, watch);
	replay_rewind(a->replay);
	for (; back; back--)
		if (!replay_until(a, at - back * step))
			return false;
	return replay_until(a, at);
}

bool app_take(struct app *a)
{
	struct ksmtop_sample s;

	if (a->replay && a->model.samples && a->ui.replay.done)
		return true;
	if (a->replay)
		return replay_until(a, a->ui.replay.at + (a->model.samples ? replay_step(a) : 0));
	sampler_take(a->sampler, &s);
	return take(a, &s);
}

/* ---- knobs --------------------------------------------------------------------------------- */

static void write_knobs(void *arg)
{
	struct app_change *c = arg;

	c->ret = ksm_backend_apply(&c->backend, c->set, c->count, &c->err);
}

static void value_now(const struct app *a, const struct ksm_knob *knob, char *buf, size_t size)
{
	if (knob->kind == KSM_ABI_WORD)
		ksm_snapshot_word(&a->model.now.counters, knob->id, buf, size);
	else
		snprintf(buf, size, "%lld",
			 (long long)ksm_snapshot_get(&a->model.now.counters, knob->id));
}

static void change_knobs(struct app *a)
{
	struct app_change *c = &a->change;

	c->backend = *sampler_backend(a->sampler);
	c->err = (struct ksm_error){ 0 };
	for (unsigned int i = 0; i < c->count; i++)
		value_now(a, c->set[i].knob, c->before[i], sizeof(c->before[i]));
	if (!job_start(&a->change_job, write_knobs, c))
		ui_say(&a->ui, true, "the machine is too busy to change anything");
}

static void set_knob(struct app *a, const struct ui_request *r)
{
	struct app_change *c = &a->change;
	char word[KSM_WORD_MAX * 2];
	struct ksm_error err;

	if (a->change_job.running) {
		ui_say(&a->ui, true, "%s is still being written", c->what);
		return;
	}
	snprintf(word, sizeof(word), "%s=%s", ksm_knob_by_id(r->id)->name, r->text);
	if (ksm_setting_parse(&c->set[0], word, &err)) {
		ui_say(&a->ui, true, "%s", err.text);
		return;
	}
	c->count = 1;
	c->undo = r->ask == ASK_UNDO;
	ksm_copy(c->what, sizeof(c->what), word);
	change_knobs(a);
}

static void apply_profile(struct app *a, const struct ui_request *r)
{
	struct app_change *c = &a->change;
	const struct ksmtop_model *m = &a->model;
	struct ksm_profile_point point;
	struct ksm_profile profile;
	uint64_t tracked = (uint64_t)m->tracked * m->now.page_size;
	uint64_t marked = (uint64_t)m->mergeable.v;
	struct ksm_host host = { .cores = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN),
				 .mergeable = marked > tracked ? marked : tracked,
				 .known = true };
	struct ksm_error err;

	if (a->change_job.running) {
		ui_say(&a->ui, true, "%s is still being written", c->what);
		return;
	}
	if (ksm_profile_find(&a->io, a->ui.profiles[r->id].name, &profile, &err)) {
		ui_say(&a->ui, true, "%s", err.text);
		return;
	}
	ksm_profile_choose(&profile, &host, &m->now.counters, &point);
	c->count = point.count;
	c->undo = false;
	memcpy(c->set, point.set, sizeof(c->set[0]) * point.count);
	snprintf(c->what, sizeof(c->what), "profile %s", profile.name);
	change_knobs(a);
}

static void ask_unmerge(struct app *a, const struct ui_request *r)
{
	struct ui_request confirmed = *r;
	struct ksm_headroom h;
	char text[KSM_HEADROOM_TEXT];
	int ret = ksm_headroom_all(&a->io, &a->model.now.counters, &h);

	confirmed.ask = ASK_SET;
	if (ret) {
		ui_say(&a->ui, true,
		       "cannot tell how much memory is available: ksmctl unmerge --force");
		return;
	}
	ksm_headroom_text(text, sizeof(text), &h);
	if (ksm_headroom_fits(&h))
		keys_confirm(&a->ui, confirmed, "Unmerge everything? It %s.", text);
	else
		ui_say(&a->ui, true, "unmerging %s: free memory first, or ksmctl unmerge --force",
		       text);
}

static void changed(struct app *a)
{
	struct app_change *c = &a->change;
	struct ksmtop_ui *ui = &a->ui;

	if (c->ret) {
		ui_say(ui, true, "%s", c->err.text);
		return;
	}
	if (c->undo)
		ui->nundo -= ui->nundo > 0;
	else
		for (unsigned int i = 0; i < c->count; i++)
			if (strcmp(c->before[i], c->set[i].text))
				ui_changed(ui, c->set[i].knob->id, c->before[i], c->set[i].text);
	ui_say(ui, false, "%s%s", c->undo ? "undone: " : "done: ", c->what);
	app_take(a);
}

/* ---- who shares, one process ----------------------------------------------------------------- */

static void run_join(void *arg)
{
	struct app *a = arg;

	join_run(&a->io, a->join_pids, a->join_count, &a->sharing);
}

static void start_join(struct app *a)
{
	if (a->replay || a->join_job.running)
		return;
	free(a->join_pids);
	a->join_pids = calloc(a->model.nrows + 1, sizeof(*a->join_pids));
	a->join_count = 0;
	for (size_t i = 0; a->join_pids && i < a->model.nrows; i++)
		if (a->model.rows[i].p.merging.v || !a->model.rows[i].p.merging.have)
			a->join_pids[a->join_count++] = a->model.rows[i].p.pid;
	a->ui.sharing = NULL;
	a->ui.joining = job_start(&a->join_job, run_join, a);
}

static void run_detail(void *arg)
{
	struct app *a = arg;

	maps_detail(&a->io, a->detail_pid, &a->detail);
}

static void start_detail(struct app *a, pid_t pid)
{
	events_watch(&a->model.ev, pid);
	if (a->replay)
		return;
	job_wait(&a->detail_job);
	a->ui.detail = NULL;
	a->detail_pid = pid;
	job_start(&a->detail_job, run_detail, a);
}

/* ---- requests ------------------------------------------------------------------------------ */

static void save_setup(struct app *a)
{
	struct ksm_error err;
	char path[PATH_MAX];

	if (config_save(&a->ui, path, sizeof(path), &err))
		ui_say(&a->ui, true, "%s", err.text);
	else
		ui_say(&a->ui, false, "saved in %s", path);
}

static void move_in_time(struct app *a, int64_t ns)
{
	const struct ui_replay *r = &a->ui.replay;
	int64_t at = (int64_t)r->at + ns;

	if (at < (int64_t)r->from)
		at = (int64_t)r->from;
	if (ns > 0)
		replay_until(a, (uint64_t)at);
	else
		replay_back_to(a, (uint64_t)at);
}

void app_request(struct app *a)
{
	struct ui_request r = a->ui.request;

	a->ui.request = (struct ui_request){ 0 };
	if (a->sampler)
		sampler_all(a->sampler, a->ui.all);
	switch (r.ask) {
	case ASK_NOTHING:
		break;
	case ASK_SET:
	case ASK_UNDO:
		set_knob(a, &r);
		break;
	case ASK_UNMERGE:
		ask_unmerge(a, &r);
		break;
	case ASK_PROFILE:
		apply_profile(a, &r);
		break;
	case ASK_ATTACH:
	case ASK_DETACH:
		attach_ask(&a->attach, sampler_backend(a->sampler), &a->ui, &r);
		break;
	case ASK_ATTACH_NOW:
	case ASK_DETACH_NOW:
		attach_start(&a->attach, &a->ui);
		break;
	case ASK_JOIN:
		start_join(a);
		break;
	case ASK_DETAIL:
		start_detail(a, r.pid);
		break;
	case ASK_SAVE:
		save_setup(a);
		break;
	case ASK_STEP:
		move_in_time(a, r.amount * (int64_t)replay_step(a));
		break;
	case ASK_SEEK:
		move_in_time(a, r.amount * (int64_t)NS_PER_SEC);
		break;
	case ASK_BEGIN:
		move_in_time(a, -(int64_t)(a->ui.replay.at - a->ui.replay.from));
		break;
	}
}

/* Events cost the machine something: they are taken while somebody looks at them. */
static bool poll_events(struct app *a)
{
	bool look = a->ui.view == VIEW_EVENTS || a->ui.view == VIEW_DETAIL;

	if (!a->sampler)
		return false;
	sampler_events(a->sampler, look ? on_event : NULL, a);
	return look && sampler_poll(a->sampler);
}

bool app_tick(struct app *a)
{
	bool events = poll_events(a);

	if (job_over(&a->change_job))
		changed(a);
	if (job_over(&a->join_job)) {
		a->ui.joining = false;
		a->ui.sharing = &a->sharing;
	}
	if (job_over(&a->detail_job))
		a->ui.detail = &a->detail;
	if (attach_tick(&a->attach, &a->ui))
		app_take(a);
	return events || a->change_job.running || a->join_job.running || a->detail_job.running ||
	       a->attach.job.running || (a->sampler && sampler_opening(a->sampler));
}
