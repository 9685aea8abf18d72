// SPDX-License-Identifier: GPL-2.0
/* Guests, containers and control groups: their processes added up. */
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "views.h"

static const struct cells_column columns[] = {
	{ "KIND", 9, 0, true },	    { "PROCS", 5, 0, false },  { "MERGEABLE", 9, 100, false },
	{ "SAVED", 8, 0, false },   { "MERGED", 8, 0, false }, { "ZERO", 7, 88, false },
	{ "NET", 8, 0, false },	    { "COW/s", 6, 0, false },  { "COW%", 5, 0, false },
	{ "~SCAN%", 7, 94, false }, { "NAME", 0, 0, true },
};

#define COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

const char *group_name(const struct ksmtop_group_row *g)
{
	return g->group ? g->group->name : "(unknown)";
}

static bool wanted(const struct ksmtop_ui *ui, const struct ksmtop_group_row *g)
{
	return !ui->filter[0] || strcasestr(group_name(g), ui->filter);
}

int panel_groups_count(const struct ksmtop_model *m, const struct ksmtop_ui *ui)
{
	int n = 0;

	for (size_t i = 0; i < m->ngroups; i++)
		n += wanted(ui, &m->groups[i]);
	return n;
}

const struct ksmtop_group_row *groups_row(const struct ksmtop_model *m, const struct ksmtop_ui *ui,
					  int i)
{
	for (size_t g = 0; g < m->ngroups; g++)
		if (wanted(ui, &m->groups[g]) && !i--)
			return &m->groups[g];
	return NULL;
}

static void draw_group(const struct ksmtop_group_row *g, struct screen *s, int y)
{
	static const char *const kinds[] = { "cgroup", "container", "guest" };
	static const enum style styles[] = {
		ST_DIM,	   ST_NORMAL,	 ST_NORMAL,    ST_ROW_SAVED, ST_NORMAL, ST_NORMAL,
		ST_NORMAL, ST_GRAPH_COW, ST_GRAPH_COW, ST_NORMAL,    ST_VALUE,
	};
	char t[COLUMNS][24];
	const char *texts[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		texts[i] = t[i];
	texts[0] = g->group ? kinds[g->group->kind] : "-";
	snprintf(t[1], sizeof(t[1]), "%u", g->procs);
	cell_bytes(g->mergeable, t[2], sizeof(t[2]));
	cell_bytes(g->saved, t[3], sizeof(t[3]));
	cell_count(g->merged, t[4], sizeof(t[4]));
	cell_count(g->zero, t[5], sizeof(t[5]));
	cell_bytes(g->net, t[6], sizeof(t[6]));
	cell_short(g->breaks, t[7], sizeof(t[7]));
	cell_percent(g->cow_time, t[8], sizeof(t[8]));
	cell_percent(g->scan, t[9], sizeof(t[9]));
	texts[10] = group_name(g);
	cells_line(s, y, columns, COLUMNS, texts, styles);
}

void panel_groups_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		       int h)
{
	struct ui_list *l = &ui->list[VIEW_GROUPS];
	int n = panel_groups_count(m, ui);

	cells_heading(s, y, columns, COLUMNS);
	ui_list_view(l, h - 1, n);
	ui_hit_add(ui, (struct ui_hit){ y + 1, l->page, 0, s->w, UI_HIT_ROW, l->top });
	if (!n)
		screen_text(s, 2, y + 1, s->w - 2, ST_DIM,
			    m->ngroups ? "No group matches the filter." :
					 "No process has mergeable memory.");
	for (int i = 0; i < l->page && l->top + i < n; i++) {
		draw_group(groups_row(m, ui, l->top + i), s, y + 1 + i);
		if (l->top + i == l->cursor)
			screen_restyle(s, 0, y + 1 + i, s->w, ST_SELECTED);
	}
}
