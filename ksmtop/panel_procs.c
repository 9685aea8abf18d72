// SPDX-License-Identifier: GPL-2.0
#include "panel_procs.h"
#include "cells.h"

#include <stdio.h>
#include <string.h>

#define SHARE_BAR 10 /* columns of the bar in the share column */

static struct ksmtop_num pid_number(const struct ksmtop_row *r)
{
	return (struct ksmtop_num){ .have = true, .v = r->p.pid };
}

static struct ksmtop_num saved_number(const struct ksmtop_row *r)
{
	return r->saved;
}

static struct ksmtop_num merged_number(const struct ksmtop_row *r)
{
	return cell_num(r->p.merging);
}

static struct ksmtop_num zero_number(const struct ksmtop_row *r)
{
	return cell_num(r->p.zero);
}

static struct ksmtop_num net_number(const struct ksmtop_row *r)
{
	return r->net;
}

static struct ksmtop_num items_number(const struct ksmtop_row *r)
{
	return cell_num(r->p.rmap_items);
}

static struct ksmtop_num breaks_number(const struct ksmtop_row *r)
{
	return r->breaks;
}

static struct ksmtop_num cow_time_number(const struct ksmtop_row *r)
{
	return r->cow_time;
}

static struct ksmtop_num scan_number(const struct ksmtop_row *r)
{
	return r->scan;
}

static struct ksmtop_num mergeable_number(const struct ksmtop_row *r)
{
	return cell_num(r->p.mergeable);
}

static void pid_format(const struct ksmtop_row *r, char *buf, size_t size)
{
	snprintf(buf, size, "%d", (int)r->p.pid);
}

static void user_format(const struct ksmtop_row *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s", r->p.user);
}

/* What was done last says why it is mergeable: an attached process need not have asked. */
static void opt_format(const struct ksmtop_row *r, char *buf, size_t size)
{
	unsigned int opt = r->p.opt;

	snprintf(buf, size, "%s",
		 !r->p.have_opt		   ? "-" :
		 opt & KSMTOP_OPT_ATTACHED ? "attached" :
		 opt & KSMTOP_OPT_PRCTL	   ? "prctl" :
		 opt & KSMTOP_OPT_MADVISE  ? "madvise" :
					     "no");
}

static void command_format(const struct ksmtop_row *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s", r->p.command);
}

static void group_format(const struct ksmtop_row *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s", r->p.group ? r->p.group->name : "-");
}

const struct ksmtop_column ksmtop_columns[] = {
	{ .id = "pid",
	  .title = "PID",
	  .help = "process id",
	  .width = 7,
	  .ascending = true,
	  .number = pid_number,
	  .format = pid_format,
	  .style = ST_VALUE },
	{ .id = "user",
	  .title = "USER",
	  .help = "its user",
	  .width = 8,
	  .roomy = 5,
	  .text = true,
	  .format = user_format,
	  .style = ST_NORMAL },
	{ .id = "mergeable",
	  .title = "MERGEABLE",
	  .help = "memory of it that is marked mergeable",
	  .width = 9,
	  .wide = 96,
	  .number = mergeable_number,
	  .cell = cell_bytes,
	  .style = ST_NORMAL },
	{ .id = "saved",
	  .title = "SAVED",
	  .help = "its part of the memory saved",
	  .width = 8,
	  .number = saved_number,
	  .cell = cell_bytes,
	  .style = ST_ROW_SAVED },
	{ .id = "merged",
	  .title = "MERGED",
	  .help = "pages of it that map a merged page",
	  .width = 8,
	  .number = merged_number,
	  .cell = cell_count,
	  .style = ST_NORMAL },
	{ .id = "zero",
	  .title = "ZERO",
	  .help = "pages of it merged with the zero page",
	  .width = 6,
	  .wide = 88,
	  .number = zero_number,
	  .cell = cell_count,
	  .style = ST_NORMAL },
	{ .id = "net",
	  .title = "NET",
	  .help = "saved, less the metadata for it",
	  .width = 8,
	  .number = net_number,
	  .cell = cell_bytes,
	  .style = ST_NORMAL },
	{ .id = "items",
	  .title = "ITEMS",
	  .help = "pages of it that the engine tracks",
	  .width = 8,
	  .wide = 116,
	  .number = items_number,
	  .cell = cell_count,
	  .style = ST_NORMAL },
	{ .id = "cow",
	  .title = "COW/s",
	  .help = "its merged pages written to",
	  .width = 6,
	  .number = breaks_number,
	  .cell = cell_short,
	  .style = ST_GRAPH_COW },
	{ .id = "cowtime",
	  .title = "COW%",
	  .help = "CPU time that these writes took",
	  .width = 5,
	  .number = cow_time_number,
	  .cell = cell_percent,
	  .style = ST_GRAPH_COW },
	{ .id = "scan",
	  .title = "~SCAN%",
	  .help = "of the scanner's work, estimated by items",
	  .width = 7,
	  .wide = 106,
	  .number = scan_number,
	  .cell = cell_percent,
	  .style = ST_NORMAL },
	{ .id = "optin",
	  .title = "OPT-IN",
	  .help = "how it became mergeable",
	  .width = 8,
	  .text = true,
	  .format = opt_format,
	  .style = ST_NORMAL },
	{ .id = "share",
	  .title = "SHARE",
	  .help = "its part of what the table saves",
	  .width = SHARE_BAR + 5,
	  .wide = 140,
	  .number = saved_number,
	  .style = ST_SHARING },
	{ .id = "group",
	  .title = "GROUP",
	  .help = "its guest, container or control group",
	  .width = 24,
	  .wide = 170,
	  .text = true,
	  .format = group_format,
	  .style = ST_NORMAL },
	{ .id = "command",
	  .title = "COMMAND",
	  .help = "its name",
	  .width = 0,
	  .text = true,
	  .format = command_format,
	  .style = ST_VALUE },
};

void column_text(const struct ksmtop_column *c, const struct ksmtop_row *r, char *buf, size_t size)
{
	if (c->format)
		c->format(r, buf, size);
	else if (c->cell)
		c->cell(c->number(r), buf, size);
	else
		*buf = '\0';
}

const int ksmtop_ncolumns = sizeof(ksmtop_columns) / sizeof(ksmtop_columns[0]);

int column_find(const char *id)
{
	for (int i = 0; i < ksmtop_ncolumns; i++)
		if (!strcmp(ksmtop_columns[i].id, id))
			return i;
	return -1;
}

static int compare_text(const struct ksmtop_column *c, const struct ksmtop_row *a,
			const struct ksmtop_row *b)
{
	char x[80], y[80];

	column_text(c, a, x, sizeof(x));
	column_text(c, b, y, sizeof(y));
	return strcasecmp(x, y);
}

int row_compare(const struct ksmtop_row *a, const struct ksmtop_row *b, int column, bool reverse)
{
	const struct ksmtop_column *c = &ksmtop_columns[column];
	int order;

	if (c->text) {
		order = compare_text(c, a, b);
	} else {
		struct ksmtop_num x = c->number(a), y = c->number(b);

		if (x.have != y.have)
			return x.have ? -1 : 1;
		order = x.v < y.v ? -1 : x.v > y.v;
		if (!c->ascending)
			order = -order;
	}
	if (order)
		return reverse ? -order : order;
	return a->p.pid < b->p.pid ? -1 : a->p.pid > b->p.pid;
}

static bool visible(const struct ksmtop_column *c, const struct screen *s)
{
	return s->w >= c->wide;
}

/* The last column, of width 0, takes what is left. */
static int column_width(const struct ksmtop_column *c, const struct screen *s, int x)
{
	if (!c->width)
		return s->w - x;
	return c->width + (s->w >= KSMTOP_ROOMY ? c->roomy : 0);
}

static void draw_heading(struct ksmtop_ui *ui, struct screen *s, int y)
{
	int x = 1;

	screen_fill(s, 0, y, s->w, ' ', ST_HEAD);
	for (int i = 0; i < ksmtop_ncolumns; i++) {
		const struct ksmtop_column *c = &ksmtop_columns[i];
		int width = column_width(c, s, x);
		enum style style = i == ui->sort ? ST_HEAD_SORT : ST_HEAD;
		char title[24];

		if (!visible(c, s))
			continue;
		snprintf(title, sizeof(title), "%s%s", c->title,
			 i != ui->sort				  ? "" :
			 (c->text || c->ascending) != ui->reverse ? "▲" :
								    "▼");
		screen_fill(s, x, y, width, ' ', style);
		if (c->text || column_is_bar(c))
			screen_text(s, x, y, width, style, title);
		else
			screen_right(s, x + width, y, style, title);
		ui_hit_add(ui, (struct ui_hit){ y, 1, x, x + width, UI_HIT_COLUMN, i });
		x += width + 1;
	}
}

/* A bar of @width columns in eighths, filled to @part (0 to 1). */
static void draw_share(struct screen *s, int x, int y, double part, double fill)
{
	int eighths = (int)(fill * SHARE_BAR * 8 + 0.5);
	char text[8];

	for (int i = 0; i < SHARE_BAR; i++, eighths -= 8) {
		if (eighths >= 8)
			screen_put(s, x + i, y, 0x2588, ST_SHARING);
		else if (eighths > 0)
			screen_put(s, x + i, y, (uint32_t)(0x2590 - eighths), ST_SHARING);
	}
	snprintf(text, sizeof(text), "%3.0f%%", part * 100);
	screen_right(s, x + SHARE_BAR + 5, y, ST_DIM, text);
}

struct share_scale {
	double sum, max;
};

static struct share_scale share_scale(const struct ksmtop_ui *ui)
{
	struct share_scale scale = { 0 };

	for (size_t i = 0; i < ui->nshown; i++) {
		double v = ui->shown[i]->saved.v;

		scale.sum += v;
		if (v > scale.max)
			scale.max = v;
	}
	return scale;
}

static void draw_cell(const struct ksmtop_column *c, const struct ksmtop_row *r, struct screen *s,
		      int x, int y, int width)
{
	char text[80];

	column_text(c, r, text, sizeof(text));
	if (c->text)
		screen_text(s, x, y, width, strcmp(text, "-") ? c->style : ST_DIM, text);
	else
		cell_number(s, x + width, y, c->style, text);
}

/* The lines that lead to a row of the tree. Return: the columns they take. */
static int draw_branch(const struct ui_branch *b, struct screen *s, int x, int y)
{
	unsigned int depth = b->depth < UI_DEPTH ? b->depth : UI_DEPTH - 1;

	for (unsigned int d = 1; d <= depth; d++) {
		bool more = b->more >> d & 1;

		if (d < depth) {
			screen_put(s, x, y, more ? 0x2502 : ' ', ST_DIM);
		} else {
			screen_put(s, x, y, more ? 0x251c : 0x2514, ST_DIM);
			screen_put(s, x + 1, y, 0x2500, ST_DIM);
		}
		x += d < depth ? 2 : 3;
	}
	return depth ? (int)depth * 2 + 1 : 0;
}

static void draw_row(const struct ksmtop_ui *ui, const struct ksmtop_row *r, struct screen *s,
		     int y, const struct share_scale *scale, const struct ui_branch *b)
{
	int x = 1;

	for (int i = 0; i < ksmtop_ncolumns; i++) {
		const struct ksmtop_column *c = &ksmtop_columns[i];
		int width = column_width(c, s, x);

		if (!visible(c, s))
			continue;
		if (!c->width && ui->tree)
			x += draw_branch(b, s, x, y);
		if (!column_is_bar(c))
			draw_cell(c, r, s, x, y, column_width(c, s, x));
		else if (r->saved.have && scale->max > 0)
			draw_share(s, x, y, r->saved.v / scale->sum, r->saved.v / scale->max);
		x += width + 1;
	}
}

static void keep_in_view(struct ksmtop_ui *ui)
{
	int last = (int)ui->nshown - ui->page;

	if (ui->top > ui->cursor)
		ui->top = ui->cursor;
	if (ui->top < ui->cursor - ui->page + 1)
		ui->top = ui->cursor - ui->page + 1;
	if (ui->top > last)
		ui->top = last;
	if (ui->top < 0)
		ui->top = 0;
}

static void draw_empty(const struct ksmtop_model *m, const struct ksmtop_ui *ui, struct screen *s,
		       int y)
{
	const char *text = "No process has mergeable memory: see madvise(2), MADV_MERGEABLE.";

	/* A stopped engine notices the end of a process late, and containers hide theirs. */
	if (ksm_snapshot_get(&m->now.counters, KSM_ABI_PAGES_SHARED))
		text = "Nobody here has merged pages: their processes ended, or are hidden.";
	if (m->now.reading)
		text = "Reading processes...";
	else if (m->state == KSMTOP_GONE)
		text = "";
	else if (m->nrows)
		text = ui->filter[0] ? "No process matches the filter." :
				       "None of the processes asked for has mergeable memory.";
	screen_text(s, 2, y, s->w - 2, ST_DIM, text);
}

void panel_procs_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		      int h)
{
	struct share_scale scale = share_scale(ui);

	draw_heading(ui, s, y);
	ui->page = h > 2 ? h - 1 : 1;
	keep_in_view(ui);
	ui_hit_add(ui, (struct ui_hit){ y + 1, ui->page, 0, s->w, UI_HIT_ROW, ui->top });
	if (!ui->nshown)
		draw_empty(m, ui, s, y + 1);
	for (int i = 0; i < ui->page && ui->top + i < (int)ui->nshown; i++) {
		const struct ksmtop_row *r = ui->shown[ui->top + i];

		draw_row(ui, r, s, y + 1 + i, &scale, &ui->branch[ui->top + i]);
		if (ui_tagged(ui, r->p.pid))
			screen_restyle(s, 0, y + 1 + i, s->w, ST_TAGGED);
		if (ui->top + i == ui->cursor)
			screen_restyle(s, 0, y + 1 + i, s->w, ST_SELECTED);
	}
}
