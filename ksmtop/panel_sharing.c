// SPDX-License-Identifier: GPL-2.0
/* Who shares merged pages with whom. */
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "lib/format.h"
#include "views.h"

static const struct cells_column columns[] = {
	{ "PAGES", 9, 0, false },  { "MEMORY", 9, 0, false },  { "OF ITS", 7, 0, false },
	{ "PID", 8, 0, false },	   { "COMMAND", 16, 0, true }, { "WITH", 8, 0, false },
	{ "COMMAND", 0, 0, true },
};

#define COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

int panel_sharing_count(const struct ksmtop_model *m, const struct ksmtop_ui *ui)
{
	return ui->sharing ? (int)ui->sharing->npairs : 0;
}

static void draw_pair(const struct ksmtop_model *m, const struct ksmtop_pair *p, struct screen *s,
		      int y)
{
	static const enum style styles[] = { ST_VALUE,	ST_ROW_SAVED, ST_NORMAL, ST_VALUE,
					     ST_NORMAL, ST_VALUE,     ST_NORMAL };
	const struct ksmtop_row *row = model_row(m, p->a);
	struct ksmtop_num pages = { true, (double)p->pages };
	struct ksmtop_num bytes = { true, (double)(p->pages * m->now.page_size) };
	struct ksmtop_num part = { 0 };
	char t[6][24];
	const char *a = process_name(m, p->a), *b = process_name(m, p->b);
	const char *texts[] = { t[0],	    t[1],	 t[2],
				t[3],	    a ? a : "?", p->a == p->b ? "itself" : t[4],
				b ? b : "?" };

	if (row && row->p.merging.v)
		part = (struct ksmtop_num){ true,
					    (double)p->pages / (double)row->p.merging.v * 100 };
	cell_count(pages, t[0], sizeof(t[0]));
	cell_bytes(bytes, t[1], sizeof(t[1]));
	cell_percent(part, t[2], sizeof(t[2]) - 1);
	if (part.have)
		strcat(t[2], "%");
	snprintf(t[3], sizeof(t[3]), "%d", (int)p->a);
	snprintf(t[4], sizeof(t[4]), "%d", (int)p->b);
	cells_line(s, y, columns, COLUMNS, texts, styles);
}

static void draw_cost(const struct ksmtop_sharing *j, const struct ksmtop_ui *ui, struct screen *s,
		      int y)
{
	char cost[KSM_FORMAT_MAX], looked[KSM_FORMAT_MAX], frames[KSM_FORMAT_MAX], text[320];

	snprintf(text, sizeof(text),
		 "%s took %s · %s pages of %zu processes looked at · %s frames shared by %llu "
		 "mappings · %zu pairs",
		 ui->joining ? "again... the last one" : "r again;",
		 ksm_format_duration(cost, sizeof(cost), j->cost_ns),
		 ksm_format_count(looked, sizeof(looked), (int64_t)j->looked), j->processes,
		 ksm_format_count(frames, sizeof(frames), (int64_t)j->frames),
		 (unsigned long long)j->mappings, j->found);
	if (j->sample > 1)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " · 1 of %u frames sampled", j->sample);
	if (j->gone)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " · %zu could not be read", j->gone);
	screen_parts(s, 1, y, s->w - 2, ST_DIM, text);
}

static void draw_ask(const struct ksmtop_ui *ui, struct screen *s, int y)
{
	if (ui->replay.on) {
		screen_text(s, 2, y, s->w - 2, ST_DIM,
			    "A recording has no page tables to look at.");
		return;
	}
	if (ui->joining) {
		screen_text(s, 2, y, s->w - 2, ST_WARN, "Reading page tables...");
		return;
	}
	screen_text(s, 2, y, s->w - 2, ST_VALUE,
		    "Press r or Enter to find out who shares with whom.");
	screen_text(s, 2, y + 1, s->w - 2, ST_DIM,
		    "It reads the page tables of every process with merged pages, once;");
	screen_text(s, 2, y + 2, s->w - 2, ST_DIM,
		    "about 0.1 s of CPU per GiB. Nothing is read until you ask.");
}

void panel_sharing_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
			int h)
{
	const struct ksmtop_sharing *j = ui->sharing;
	struct ui_list *l = &ui->list[VIEW_SHARING];
	int n = panel_sharing_count(m, ui);

	cells_heading(s, y, columns, COLUMNS);
	ui_list_view(l, h - 2, n);
	if (!j || j->why[0]) {
		draw_ask(ui, s, y + 1);
		if (j)
			screen_text(s, 2, y + 5, s->w - 2, ST_BAD, j->why);
		return;
	}
	ui_hit_add(ui, (struct ui_hit){ y + 1, l->page, 0, s->w, UI_HIT_ROW, l->top });
	if (!n)
		screen_text(s, 2, y + 1, s->w - 2, ST_DIM, "No page frame is shared.");
	for (int i = 0; i < l->page && l->top + i < n; i++) {
		draw_pair(m, &j->pairs[l->top + i], s, y + 1 + i);
		if (l->top + i == l->cursor)
			screen_restyle(s, 0, y + 1 + i, s->w, ST_SELECTED);
	}
	draw_cost(j, ui, s, y + h - 1);
}
