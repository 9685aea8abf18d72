// SPDX-License-Identifier: GPL-2.0
#include "ui.h"
#include "panel_procs.h"

#include "lib/util.h"
#include "tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is typed is looked for in the command, the user and the pid, as the eye would. */
bool ui_matches(const struct ksmtop_row *r, const char *text)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)r->p.pid);
	return strcasestr(r->p.command, text) || strcasestr(r->p.user, text) || strstr(pid, text) ||
	       (r->p.group && strcasestr(r->p.group->name, text));
}

static bool wanted(const struct ksmtop_ui *ui, const struct ksmtop_row *r)
{
	if (ui->filter[0] && !ui_matches(r, ui->filter))
		return false;
	for (size_t i = 0; i < ui->npids; i++)
		if (ui->pids[i] == r->p.pid)
			return true;
	return !ui->npids;
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct ksmtop_row *const *x = a, *const *y = b;
	const struct ksmtop_ui *ui = ctx;

	return row_compare(*x, *y, ui->sort, ui->reverse);
}

static bool make_room(struct ksmtop_ui *ui, size_t n)
{
	const struct ksmtop_row **shown;
	struct ui_branch *branch;

	if (n <= ui->room)
		return true;
	shown = realloc(ui->shown, n * sizeof(*shown));
	if (!shown)
		return false;
	ui->shown = shown;
	branch = realloc(ui->branch, n * sizeof(*branch));
	if (!branch)
		return false;
	ui->branch = branch;
	ui->room = n;
	return true;
}

static void find_cursor(struct ksmtop_ui *ui)
{
	for (size_t i = 0; ui->selected && i < ui->nshown; i++)
		if (ui->shown[i]->p.pid == ui->selected)
			ui->cursor = (int)i;
	if (ui->cursor >= (int)ui->nshown)
		ui->cursor = ui->nshown ? (int)ui->nshown - 1 : 0;
}

bool ui_refresh(struct ksmtop_ui *ui, const struct ksmtop_model *m)
{
	ui->nshown = 0;
	if (!make_room(ui, m->nrows))
		return false;
	for (size_t i = 0; i < m->nrows; i++)
		if (wanted(ui, &m->rows[i]))
			ui->shown[ui->nshown++] = &m->rows[i];
	if (ui->nshown)
		qsort_r(ui->shown, ui->nshown, sizeof(*ui->shown), compare, ui);
	if (ui->tree && ui->nshown && !tree_order(ui->shown, ui->branch, ui->nshown))
		return false;
	find_cursor(ui);
	return true;
}

void ui_move(struct ksmtop_ui *ui, int to)
{
	if (to >= (int)ui->nshown)
		to = (int)ui->nshown - 1;
	if (to < 0)
		to = 0;
	ui->cursor = to;
	/* The first row stays first, whoever is on it; any other choice follows its process. */
	ui->selected = to > 0 ? ui->shown[to]->p.pid : 0;
}

bool ui_find(struct ksmtop_ui *ui, int from)
{
	if (!ui->search[0])
		return true;
	for (size_t i = 0; i < ui->nshown; i++) {
		size_t at = ((size_t)from + i) % ui->nshown;

		if (ui_matches(ui->shown[at], ui->search)) {
			ui_move(ui, (int)at);
			return true;
		}
	}
	return false;
}

bool ui_tagged(const struct ksmtop_ui *ui, pid_t pid)
{
	for (size_t i = 0; i < ui->ntags; i++)
		if (ui->tags[i] == pid)
			return true;
	return false;
}

static void untag(struct ksmtop_ui *ui, pid_t pid)
{
	for (size_t i = 0; i < ui->ntags; i++)
		if (ui->tags[i] == pid)
			ui->tags[i--] = ui->tags[--ui->ntags];
}

void ui_toggle_tag(struct ksmtop_ui *ui)
{
	pid_t pid;

	if (!ui->nshown)
		return;
	pid = ui->shown[ui->cursor]->p.pid;
	if (ui_tagged(ui, pid)) {
		untag(ui, pid);
		return;
	}
	if (ui->ntags == ui->tag_room) {
		pid_t *tags = realloc(ui->tags, (ui->tag_room + 64) * sizeof(*tags));

		if (!tags)
			return;
		ui->tags = tags;
		ui->tag_room += 64;
	}
	ui->tags[ui->ntags++] = pid;
}

void ui_list_move(struct ui_list *l, int to, int count)
{
	if (to >= count)
		to = count - 1;
	l->cursor = to > 0 ? to : 0;
}

void ui_list_view(struct ui_list *l, int page, int count)
{
	l->page = page > 0 ? page : 1;
	ui_list_move(l, l->cursor, count);
	if (l->top < l->cursor - l->page + 1)
		l->top = l->cursor - l->page + 1;
	if (l->top > count - l->page)
		l->top = count - l->page;
	if (l->top > l->cursor)
		l->top = l->cursor;
	if (l->top < 0)
		l->top = 0;
}

char *ui_filter(struct ksmtop_ui *ui)
{
	return ui->view == VIEW_EVENTS ? ui->event_filter : ui->filter;
}

void ui_say(struct ksmtop_ui *ui, bool bad, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ui->message, sizeof(ui->message), fmt, ap);
	va_end(ap);
	ui->message_bad = bad;
}

void ui_changed(struct ksmtop_ui *ui, unsigned int id, const char *before, const char *after)
{
	struct ui_change *c;

	if (ui->nundo == KSMTOP_UNDO)
		memmove(ui->undo, ui->undo + 1, sizeof(*ui->undo) * (size_t)--ui->nundo);
	c = &ui->undo[ui->nundo++];
	c->id = id;
	ksm_copy(c->before, sizeof(c->before), before);
	ksm_copy(c->after, sizeof(c->after), after);
}

void ui_hit_add(struct ksmtop_ui *ui, struct ui_hit hit)
{
	if (ui->nhits < KSMTOP_HITS)
		ui->hits[ui->nhits++] = hit;
}

bool ui_hit_at(const struct ksmtop_ui *ui, int x, int y, struct ui_hit *hit)
{
	/* What was drawn last lies on top. */
	for (int i = ui->nhits - 1; i >= 0; i--) {
		*hit = ui->hits[i];
		if (y < hit->y || y >= hit->y + hit->h || x < hit->x0 || x >= hit->x1)
			continue;
		hit->arg += hit->target == UI_HIT_KEY ? 0 : y - hit->y;
		return true;
	}
	return false;
}

void ui_free(struct ksmtop_ui *ui)
{
	free(ui->shown);
	free(ui->branch);
	free(ui->tags);
	ui->shown = NULL;
	ui->branch = NULL;
	ui->tags = NULL;
	ui->nshown = ui->room = ui->ntags = ui->tag_room = 0;
}
