// SPDX-License-Identifier: GPL-2.0
#include "keys.h"
#include "lib/format.h"
#include "lib/util.h"
#include "panel_procs.h"
#include "views.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WHEEL_ROWS 3
#define SEEK_SECONDS 10
#define SPEED_MIN 0.125
#define SPEED_MAX 1024.0

/* ---- modes --------------------------------------------------------------------------------- */

static void do_mode(struct ksmtop_ui *ui, const struct ksmtop_model *m, int mode)
{
	ui->mode = (enum ui_mode)mode;
	ui->not_found = false;
	ui->help_top = 0;
	ui->menu = mode == UI_SORT ? ui->sort : 0;
	if (mode == UI_SEARCH)
		ui->search[0] = '\0';
	if (mode == UI_FILTER)
		memcpy(ui->saved_filter, ui_filter(ui), sizeof(ui->saved_filter));
}

void keys_confirm(struct ksmtop_ui *ui, struct ui_request request, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ui->question, sizeof(ui->question), fmt, ap);
	va_end(ap);
	ui->confirm = request;
	ui->mode = UI_CONFIRM;
}

static void do_quit(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->quit = true;
}

/* ---- views --------------------------------------------------------------------------------- */

static void do_view(struct ksmtop_ui *ui, const struct ksmtop_model *m, int view)
{
	ui->view = (enum ui_view)view;
}

static void do_tab(struct ksmtop_ui *ui, const struct ksmtop_model *m, int step)
{
	int from = ui->view < VIEW_TABS ? (int)ui->view : (int)ui->from_view;

	ui->view = (enum ui_view)((from + step + VIEW_TABS) % VIEW_TABS);
}

static void do_back(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->view = ui->from_view;
}

static void do_detail(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	const struct ksmtop_row *r;

	if (!ui->nshown)
		return;
	r = ui->shown[ui->cursor];
	ui->from_view = ui->view;
	ui->view = VIEW_DETAIL;
	ui->detail_pid = r->p.pid;
	ksm_copy(ui->detail_name, sizeof(ui->detail_name), r->p.command);
	ui->list[VIEW_DETAIL] = (struct ui_list){ 0 };
	ui->request = (struct ui_request){ .ask = ASK_DETAIL, .pid = r->p.pid };
}

/* The processes of one group: the filter takes the group's name too. */
static void do_open_group(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	const struct ksmtop_group_row *g = groups_row(m, ui, ui->list[VIEW_GROUPS].cursor);

	if (!g || !g->group)
		return;
	ksm_copy(ui->filter, sizeof(ui->filter), g->group->name);
	ui->view = VIEW_PROCS;
	ui_refresh(ui, m);
	ui_move(ui, 0);
}

static void do_ask(struct ksmtop_ui *ui, const struct ksmtop_model *m, int ask)
{
	ui->request = (struct ui_request){ .ask = (enum ui_ask)ask, .pid = ui->detail_pid };
}

/* ---- the table of processes ------------------------------------------------------------------ */

void keys_sort(struct ksmtop_ui *ui, const struct ksmtop_model *m, int column)
{
	ui->reverse = column == ui->sort ? !ui->reverse : false;
	ui->sort = column;
	ui_refresh(ui, m);
}

/* Sort by the column with this id: the letter keys. Pressed again it stays as it is. */
static void sort_by(struct ksmtop_ui *ui, const struct ksmtop_model *m, const char *id)
{
	int column = column_find(id);

	if (column != ui->sort)
		keys_sort(ui, m, column);
}

static void do_sort_saved(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	sort_by(ui, m, "saved");
}

static void do_sort_net(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	sort_by(ui, m, "net");
}

static void do_sort_cow(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	sort_by(ui, m, "cow");
}

static void do_sort_pid(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	sort_by(ui, m, "pid");
}

/* Columns that are not on the screen are passed over. */
static void do_sort_step(struct ksmtop_ui *ui, const struct ksmtop_model *m, int step)
{
	int column = ui->sort;

	do {
		column = (column + step + ksmtop_ncolumns) % ksmtop_ncolumns;
	} while (ksmtop_columns[column].wide > ui->width);
	keys_sort(ui, m, column);
}

static void do_invert(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->reverse = !ui->reverse;
	ui_refresh(ui, m);
}

static void do_tree(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->tree = !ui->tree;
	ui_refresh(ui, m);
}

static void do_all(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->all = !ui->all;
	ui_say(ui, false, ui->all ? "all processes" : "only processes with mergeable memory");
}

static void do_tag(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui_toggle_tag(ui);
	ui_move(ui, ui->cursor + 1);
}

static void do_untag(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->ntags = 0;
}

static void do_attach(struct ksmtop_ui *ui, const struct ksmtop_model *m, int ask)
{
	if (!ui->nshown)
		return;
	ui->request =
		(struct ui_request){ .ask = (enum ui_ask)ask, .pid = ui->shown[ui->cursor]->p.pid };
}

/* ---- moving -------------------------------------------------------------------------------- */

static void move_by(struct ksmtop_ui *ui, const struct ksmtop_model *m, int rows)
{
	struct ui_list *l = &ui->list[ui->view];
	int (*count)(const struct ksmtop_model *, const struct ksmtop_ui *) =
		ksmtop_views[ui->view].count;

	if (ui->view == VIEW_PROCS)
		ui_move(ui, ui->cursor + rows);
	else if (ui->view == VIEW_EVENTS)
		ui->last_event = events_scroll(m, ui, -rows);
	else if (count)
		ui_list_move(l, l->cursor + rows, count(m, ui));
}

static void do_step(struct ksmtop_ui *ui, const struct ksmtop_model *m, int step)
{
	move_by(ui, m, step);
}

static void do_page(struct ksmtop_ui *ui, const struct ksmtop_model *m, int pages)
{
	struct ui_list *l = &ui->list[ui->view];

	if (ui->view == VIEW_PROCS)
		ui->top += pages * ui->page;
	else
		l->top += pages * l->page;
	move_by(ui, m, pages * (ui->view == VIEW_PROCS ? ui->page : l->page));
}

#define FAR 1000000000 /* rows: beyond any list */

static void do_end(struct ksmtop_ui *ui, const struct ksmtop_model *m, int way)
{
	if (ui->view == VIEW_PROCS)
		ui_move(ui, way < 0 ? 0 : (int)ui->nshown - 1);
	else
		move_by(ui, m, way * FAR);
}

/* ---- knobs --------------------------------------------------------------------------------- */

static const struct ksm_knob *knob_here(const struct ksmtop_ui *ui, const struct ksmtop_model *m)
{
	return tuning_knob(m, ui->list[VIEW_TUNING].cursor);
}

void keys_set_knob(struct ksmtop_ui *ui, const struct ksmtop_model *m, const char *text)
{
	const struct ksm_knob *knob = knob_here(ui, m);
	struct ui_request r = { .ask = ASK_SET };
	char now[KSM_WORD_MAX];
	struct ksm_error err = { 0 };
	int64_t value;

	if (!knob)
		return;
	if (ksm_knob_check(knob, text, &value, &err)) {
		ui_say(ui, true, "%s", err.text);
		return;
	}
	tuning_value(m, knob, now, sizeof(now));
	if (!strcmp(now, text))
		return;
	r.id = knob->id;
	ksm_copy(r.text, sizeof(r.text), text);
	if (knob->id != KSM_ABI_RUN || value != KSM_RUN_UNMERGE) {
		ui->request = r;
		return;
	}
	/* How much memory it needs is found out first, then the user is asked. */
	r.ask = ASK_UNMERGE;
	ui->request = r;
}

static bool may_tune(struct ksmtop_ui *ui)
{
	if (ui->replay.on)
		ui_say(ui, true, "a recording cannot be tuned");
	return !ui->replay.on;
}

static void do_change(struct ksmtop_ui *ui, const struct ksmtop_model *m, int up)
{
	const struct ksm_knob *knob = knob_here(ui, m);
	char text[KSM_WORD_MAX];

	if (!knob || !may_tune(ui))
		return;
	tuning_step(m, knob, up, text, sizeof(text));
	keys_set_knob(ui, m, text);
}

static void do_value(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	const struct ksm_knob *knob = knob_here(ui, m);

	if (!knob || !may_tune(ui))
		return;
	tuning_value(m, knob, ui->value, sizeof(ui->value));
	ui->mode = UI_VALUE;
}

static void do_undo(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	const struct ui_change *c = ui->nundo ? &ui->undo[ui->nundo - 1] : NULL;

	if (!c) {
		ui_say(ui, true, "nothing was changed here");
		return;
	}
	ui->request = (struct ui_request){ .ask = ASK_UNDO, .id = c->id };
	ksm_copy(ui->request.text, sizeof(ui->request.text), c->before);
}

static void do_profiles(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	if (!may_tune(ui))
		return;
	if (ui->nprofiles)
		do_mode(ui, m, UI_PROFILE);
	else
		ui_say(ui, true, "%s", ui->profiles_why);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void do_pause(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->paused = !ui->paused;
}

static void do_redraw(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->redraw = true;
}

static void do_time(struct ksmtop_ui *ui, enum ui_ask ask, int amount)
{
	ui->paused |= ask == ASK_STEP;
	ui->request = (struct ui_request){ .ask = ask, .amount = amount };
}

static void do_replay_step(struct ksmtop_ui *ui, const struct ksmtop_model *m, int amount)
{
	do_time(ui, ASK_STEP, amount);
}

static void do_seek(struct ksmtop_ui *ui, const struct ksmtop_model *m, int amount)
{
	do_time(ui, ASK_SEEK, amount);
}

static void do_begin(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	do_time(ui, ASK_BEGIN, 0);
}

static void do_speed(struct ksmtop_ui *ui, const struct ksmtop_model *m, int up)
{
	double speed = up > 0 ? ui->replay.speed * 2 : ui->replay.speed / 2;

	if (speed >= SPEED_MIN && speed <= SPEED_MAX)
		ui->replay.speed = speed;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define PROCS (KEY_IN(VIEW_PROCS) | KEY_ALWAYS)
#define PROCS_LIVE (KEY_IN(VIEW_PROCS) | KEY_LIVE)
#define TUNING (KEY_IN(VIEW_TUNING) | KEY_ALWAYS)
#define FILTERED (KEY_IN(VIEW_PROCS) | KEY_IN(VIEW_GROUPS) | KEY_IN(VIEW_EVENTS) | KEY_ALWAYS)
#define SHARING (KEY_IN(VIEW_SHARING) | KEY_LIVE)
#define DETAIL (KEY_IN(VIEW_DETAIL) | KEY_ALWAYS)
#define REPLAY (KEY_VIEWS | KEY_REPLAY)

const struct ksmtop_binding ksmtop_bindings[] = {
	{ { KT_F(1), 'h', '?' }, "F1 h ?", "this help", "Help", do_mode, UI_HELP, KEY_EVERYWHERE },
	{ { KT_F(2), 'S' },
	  "F2 S",
	  "choose the meters",
	  "Setup",
	  do_mode,
	  UI_SETUP,
	  KEY_EVERYWHERE },
	{ { KT_F(3), '/' }, "F3 /", "search; F3: next match", "Search", do_mode, UI_SEARCH, PROCS },
	{ { KT_F(4), '\\' },
	  "F4 \\",
	  "show only what matches",
	  "Filter",
	  do_mode,
	  UI_FILTER,
	  FILTERED },
	{ { KT_F(5) }, "F5", "tree, or list", "Tree", do_tree, 0, PROCS },
	{ { 't' }, "t", "the same", NULL, do_tree, 0, PROCS_LIVE },
	{ { KT_F(6) }, "F6", "choose the sort column", "SortBy", do_mode, UI_SORT, PROCS },
	{ { KT_TAB }, "Tab", "next view", NULL, do_tab, 1, KEY_EVERYWHERE },
	{ { KT_BACKTAB }, "S-Tab", "the view before", NULL, do_tab, -1, KEY_EVERYWHERE },
	{ { '1' }, "1", "processes", NULL, do_view, VIEW_PROCS, KEY_EVERYWHERE },
	{ { '2' }, "2", "guests, containers, cgroups", NULL, do_view, VIEW_GROUPS, KEY_EVERYWHERE },
	{ { '3' }, "3", "events", NULL, do_view, VIEW_EVENTS, KEY_EVERYWHERE },
	{ { '4' }, "4", "who shares with whom", NULL, do_view, VIEW_SHARING, KEY_EVERYWHERE },
	{ { '5' }, "5", "tuning", NULL, do_view, VIEW_TUNING, KEY_EVERYWHERE },
	{ { KT_ENTER }, "Enter", "one process in detail", NULL, do_detail, 0, PROCS },
	{ { KT_ENTER },
	  "Enter",
	  "processes of the group",
	  NULL,
	  do_open_group,
	  0,
	  KEY_IN(VIEW_GROUPS) | KEY_ALWAYS },
	{ { KT_ESC, KT_BACKSPACE }, "Esc", "back from the detail", NULL, do_back, 0, DETAIL },
	{ { 'r', KT_ENTER }, "r Enter", "find out who shares", NULL, do_ask, ASK_JOIN, SHARING },
	{ { 'r' },
	  "r",
	  "find out its partners",
	  NULL,
	  do_ask,
	  ASK_JOIN,
	  KEY_IN(VIEW_DETAIL) | KEY_LIVE },
	{ { 'a' }, "a", "attach: make it mergeable", NULL, do_attach, ASK_ATTACH, PROCS_LIVE },
	{ { 'd' }, "d", "detach: take that back", NULL, do_attach, ASK_DETACH, PROCS_LIVE },
	{ { 'A' }, "A", "all processes, or only KSM's", NULL, do_all, 0, PROCS_LIVE },
	{ { '<', ',' }, "< ,", "sort one column left", NULL, do_sort_step, -1, PROCS },
	{ { '>', '.' }, "> .", "sort one column right", NULL, do_sort_step, 1, PROCS },
	{ { 'M' }, "M", "sort by memory saved", NULL, do_sort_saved, 0, PROCS },
	{ { 'P' }, "P", "sort by net saving", NULL, do_sort_net, 0, PROCS },
	{ { 'B' }, "B", "sort by COW breaks", NULL, do_sort_cow, 0, PROCS },
	{ { 'N' }, "N", "sort by process id", NULL, do_sort_pid, 0, PROCS },
	{ { 'I' }, "I", "invert the sort order", NULL, do_invert, 0, PROCS },
	{ { ' ' }, "Space", "tag: adds up below", NULL, do_tag, 0, PROCS },
	{ { 'U' }, "U", "untag all", NULL, do_untag, 0, PROCS },
	{ { '+', '=', KT_RIGHT },
	  "+ =",
	  "raise the knob",
	  NULL,
	  do_change,
	  1,
	  KEY_IN(VIEW_TUNING) | KEY_LIVE },
	{ { '-', KT_LEFT },
	  "-",
	  "lower the knob",
	  NULL,
	  do_change,
	  -1,
	  KEY_IN(VIEW_TUNING) | KEY_LIVE },
	{ { KT_ENTER }, "Enter", "type the knob's value", NULL, do_value, 0, TUNING },
	{ { 'u' }, "u", "undo the last change", NULL, do_undo, 0, TUNING },
	{ { 'p' }, "p", "apply a profile", NULL, do_profiles, 0, TUNING },
	{ { KT_UP, 'k' }, "Up k", "one row up", NULL, do_step, -1, KEY_EVERYWHERE },
	{ { KT_DOWN, 'j' }, "Down j", "one row down", NULL, do_step, 1, KEY_EVERYWHERE },
	{ { KT_PGUP }, "PgUp", "one page up", NULL, do_page, -1, KEY_EVERYWHERE },
	{ { KT_PGDN }, "PgDn", "one page down", NULL, do_page, 1, KEY_EVERYWHERE },
	{ { KT_HOME, 'g' }, "Home g", "first row", NULL, do_end, -1, KEY_EVERYWHERE },
	{ { KT_END, 'G' }, "End G", "last row; follow events", NULL, do_end, 1, KEY_EVERYWHERE },
	{ { 'Z' }, "Z", "pause and go on", NULL, do_pause, 0, KEY_EVERYWHERE },
	{ { 't' }, "t", "replay: one step on", NULL, do_replay_step, 1, REPLAY },
	{ { 'T' }, "T", "replay: one step back", NULL, do_replay_step, -1, REPLAY },
	{ { KT_RIGHT }, "Right", "replay: 10 s on", NULL, do_seek, SEEK_SECONDS, REPLAY },
	{ { KT_LEFT }, "Left", "replay: 10 s back", NULL, do_seek, -SEEK_SECONDS, REPLAY },
	{ { 'b' }, "b", "replay: from the beginning", NULL, do_begin, 0, REPLAY },
	{ { ']' }, "]", "replay: twice as fast", NULL, do_speed, 1, REPLAY },
	{ { '[' }, "[", "replay: half as fast", NULL, do_speed, -1, REPLAY },
	{ { KT_CTRL_L }, "Ctrl-L", "draw the screen again", NULL, do_redraw, 0, KEY_EVERYWHERE },
	{ { KT_F(10), 'q', KT_CTRL_C }, "F10 q", "quit", "Quit", do_quit, 0, KEY_EVERYWHERE },
};

const int ksmtop_nbindings = sizeof(ksmtop_bindings) / sizeof(ksmtop_bindings[0]);

bool keys_here(const struct ksmtop_ui *ui, const struct ksmtop_binding *b)
{
	return b->where & KEY_IN(ui->view) && b->where & (ui->replay.on ? KEY_REPLAY : KEY_LIVE);
}

void keys_run(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	for (int i = 0; i < ksmtop_nbindings; i++)
		for (int k = 0; k < KSMTOP_KEYS_EACH && ksmtop_bindings[i].codes[k]; k++)
			if (ksmtop_bindings[i].codes[k] == code &&
			    keys_here(ui, &ksmtop_bindings[i])) {
				ksmtop_bindings[i].run(ui, m, ksmtop_bindings[i].arg);
				return;
			}
}

/* ---- mouse --------------------------------------------------------------------------------- */

static void click_row(struct ksmtop_ui *ui, const struct ksmtop_model *m, int row)
{
	if (ui->mode != UI_NORMAL)
		return;
	if (ui->view == VIEW_PROCS && row < (int)ui->nshown)
		ui_move(ui, row);
	else if (ui->view != VIEW_PROCS && ksmtop_views[ui->view].count)
		ui_list_move(&ui->list[ui->view], row, ksmtop_views[ui->view].count(m, ui));
}

static void click(struct ksmtop_ui *ui, const struct ksmtop_model *m, int x, int y)
{
	struct ui_hit hit;

	if (!ui_hit_at(ui, x, y, &hit))
		return;
	switch (hit.target) {
	case UI_HIT_ROW:
		click_row(ui, m, hit.arg);
		break;
	case UI_HIT_COLUMN:
		keys_sort(ui, m, hit.arg);
		break;
	case UI_HIT_KEY:
		keys_mode(ui, m, hit.arg);
		break;
	case UI_HIT_VIEW:
		ui->view = (enum ui_view)hit.arg;
		break;
	case UI_HIT_SORT:
		if (hit.arg != ui->sort)
			keys_sort(ui, m, hit.arg);
		ui->mode = UI_NORMAL;
		break;
	}
}

void keys_press(struct ksmtop_ui *ui, const struct ksmtop_model *m, struct ksmtop_key key)
{
	bool help = ui->mode == UI_HELP;

	/* Ctrl-C ends it from wherever one is. */
	if (key.code == KT_CTRL_C)
		ui->quit = true;
	else if (key.code == KT_CLICK)
		click(ui, m, key.x, key.y);
	else if (key.code == KT_WHEEL_UP && !help)
		move_by(ui, m, -WHEEL_ROWS);
	else if (key.code == KT_WHEEL_DOWN && !help)
		move_by(ui, m, WHEEL_ROWS);
	else if (key.code != KT_NONE)
		keys_mode(ui, m, key.code);
}
