// SPDX-License-Identifier: GPL-2.0
/* One process: its mappings, who it shares with, its events, how long its COW breaks took. */
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "lib/format.h"
#include "lib/latency.h"
#include "views.h"

#define SIDE 110 /* columns from which on the parts stand side by side */
#define PARTNERS 6
#define BUCKETS 12 /* of the histogram that are shown */
#define BITS 64

int panel_detail_count(const struct ksmtop_model *m, const struct ksmtop_ui *ui)
{
	return ui->detail && ui->detail->pid == ui->detail_pid ? (int)ui->detail->nvmas : 0;
}

/* One part's title, with its line. */
static void part(struct screen *s, int x, int y, int w, const char *title)
{
	screen_fill(s, x, y, w, 0x2500, ST_BOX);
	screen_put(s, x + 1, y, ' ', ST_BOX);
	screen_put(s, x + 2 + screen_text(s, x + 2, y, w - 4, ST_LABEL, title), y, ' ', ST_BOX);
}

/* ---- who it is ----------------------------------------------------------------------------- */

static void add(char *buf, size_t size, const char *what, const char *value)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s%s %s", len ? " · " : "", what, value);
}

static void draw_identity(const struct ksmtop_model *m, const struct ksmtop_ui *ui,
			  struct screen *s, int y)
{
	const struct ksmtop_row *r = model_row(m, ui->detail_pid);
	char text[320] = "", v[24];
	int x;

	x = 1 + screen_printf(s, 1, y, ST_VALUE, "%d ", (int)ui->detail_pid);
	x += screen_text(s, x, y, s->w - x, ST_VALUE, ui->detail_name) + 2;
	if (!r) {
		screen_text(s, x, y, s->w - x, ST_WARN,
			    "has gone, or has no merged memory any more");
		return;
	}
	cell_bytes(r->saved, v, sizeof(v));
	add(text, sizeof(text), "saves", v);
	cell_count(cell_num(r->p.merging), v, sizeof(v));
	add(text, sizeof(text), "merged", v);
	cell_short(r->breaks, v, sizeof(v));
	add(text, sizeof(text), "COW/s", v);
	cell_percent(r->cow_time, v, sizeof(v));
	add(text, sizeof(text), "COW%", v);
	if (r->p.group)
		add(text, sizeof(text), "in", r->p.group->name);
	screen_parts(s, x, y, s->w - x - 1, ST_NORMAL, text);
}

/* ---- mappings ------------------------------------------------------------------------------ */

static void draw_vma(const struct ksmtop_vma *v, struct screen *s, int x, int y, int w)
{
	struct ksmtop_num size = { true, (double)(v->end - v->start) };
	struct ksmtop_num rss = { true, (double)v->rss };
	struct ksmtop_num merged = { v->have_merged, (double)v->merged };
	char text[32];

	snprintf(text, sizeof(text), "%012llx", (unsigned long long)v->start);
	screen_text(s, x, y, 12, ST_DIM, text);
	cell_bytes(size, text, sizeof(text));
	cell_number(s, x + 20, y, ST_NORMAL, text);
	cell_bytes(rss, text, sizeof(text));
	cell_number(s, x + 28, y, ST_NORMAL, text);
	cell_bytes(merged, text, sizeof(text));
	cell_number(s, x + 36, y, ST_ROW_SAVED, text);
	screen_text(s, x + 37, y, 4, v->mergeable ? ST_GOOD : ST_DIM, v->mergeable ? "yes" : "no");
	screen_text(s, x + 42, y, w - 42, ST_NORMAL, v->path[0] ? v->path : "(anonymous)");
}

static void draw_vmas(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int x,
		      int y, int w, int h)
{
	const struct ksmtop_detail *d = ui->detail;
	struct ui_list *l = &ui->list[VIEW_DETAIL];
	int n = panel_detail_count(m, ui);
	char title[96], bytes[KSM_FORMAT_MAX];

	if (!d || d->pid != ui->detail_pid || d->why[0]) {
		part(s, x, y, w, "Mappings");
		screen_text(s, x + 1, y + 1, w - 2, ST_DIM,
			    ui->replay.on		  ? "A recording has no mappings." :
			    d && d->pid == ui->detail_pid ? d->why :
							    "Reading...");
		return;
	}
	snprintf(title, sizeof(title), "Mappings: %zu, %s mergeable", d->found,
		 ksm_format_bytes(bytes, sizeof(bytes), (int64_t)d->mergeable));
	part(s, x, y, w, title);
	screen_text(s, x + 1, y + 1, w - 2, ST_DIM,
		    "ADDRESS         SIZE     RSS  MERGED M    NAME");
	ui_list_view(l, h - 2, n);
	for (int i = 0; i < l->page && l->top + i < n; i++) {
		draw_vma(&d->vmas[l->top + i], s, x + 1, y + 2 + i, w - 2);
		if (l->top + i == l->cursor)
			screen_restyle(s, x, y + 2 + i, w, ST_SELECTED);
	}
}

/* ---- partners ------------------------------------------------------------------------------ */

static void draw_partners(const struct ksmtop_model *m, const struct ksmtop_ui *ui,
			  struct screen *s, int x, int y, int w, int h)
{
	const struct ksmtop_sharing *j = ui->sharing;
	int line = y + 1;

	part(s, x, y, w, "Shares with");
	if (!j || j->why[0]) {
		screen_text(s, x + 1, line, w - 2, ST_DIM,
			    ui->joining ? "Reading page tables..." :
			    j		? j->why :
					  "r finds out");
		return;
	}
	for (size_t i = 0; i < j->npairs && line < y + h; i++) {
		const struct ksmtop_pair *p = &j->pairs[i];
		pid_t other = p->a == ui->detail_pid ? p->b : p->a;
		const char *name = process_name(m, other);
		char text[96], pages[KSM_FORMAT_MAX];

		if (p->a != ui->detail_pid && p->b != ui->detail_pid)
			continue;
		snprintf(text, sizeof(text), "%s pages",
			 ksm_format_count(pages, sizeof(pages), (int64_t)p->pages));
		screen_right(s, x + 17, line, ST_ROW_SAVED, text);
		snprintf(text, sizeof(text), "%d", (int)other);
		screen_right(s, x + 26, line, ST_VALUE, p->a == p->b ? "itself" : text);
		screen_text(s, x + 27, line++, w - 28, ST_NORMAL, name ? name : "?");
	}
	if (line == y + 1)
		screen_text(s, x + 1, line, w - 2, ST_DIM, "nobody");
}

/* ---- latency ------------------------------------------------------------------------------- */

/* By powers of two: the finer slots are for percentiles. */
static uint64_t octave(const struct ksmtop_hist *hist, int bit)
{
	uint64_t sum = 0;

	for (int i = 0; i < 1 << KSM_LATENCY_BITS; i++)
		sum += hist->n[bit << KSM_LATENCY_BITS | i];
	return sum;
}

static void draw_latency(const struct ksmtop_model *m, struct screen *s, int x, int y, int w, int h)
{
	const struct ksmtop_hist *hist = &m->ev.watch_latency;
	uint64_t max = 0, all = ksm_latency_count(hist->n);
	int first = 0, rows = h - 1 < BUCKETS ? h - 1 : BUCKETS;
	char text[96], a[KSM_FORMAT_MAX], b[KSM_FORMAT_MAX];

	ksm_format_duration(a, sizeof(a), ksm_latency_percentile(hist->n, 50));
	ksm_format_duration(b, sizeof(b), ksm_latency_percentile(hist->n, 99));
	snprintf(text, sizeof(text), "COW latency: p50 %s, p99 %s", all ? a : "-", all ? b : "-");
	part(s, x, y, w, text);
	if (!all)
		screen_text(s, x + 1, y + 1, w - 2, ST_DIM, "no COW break of it seen yet");
	for (int i = 0; i < BITS; i++)
		if (octave(hist, i) > max)
			max = octave(hist, i);
	while (first < BITS - 1 && !octave(hist, first))
		first++;
	for (int i = 0; all && i < rows && first + i < BITS; i++) {
		uint64_t n = octave(hist, first + i);
		int bar = (int)((double)n / (double)max * (w - 24) + 0.5);

		ksm_format_duration(text, sizeof(text), UINT64_C(1) << (first + i));
		screen_right(s, x + 10, y + 1 + i, ST_DIM, text);
		screen_fill(s, x + 12, y + 1 + i, n && !bar ? 1 : bar, 0x2588, ST_GRAPH_COW);
		snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
		if (n)
			screen_text(s, x + 13 + (bar ? bar : 1), y + 1 + i, 10, ST_NORMAL, text);
	}
}

/* ---- events -------------------------------------------------------------------------------- */

static void draw_events(const struct ksmtop_model *m, const struct ksmtop_ui *ui, struct screen *s,
			int x, int y, int w, int h)
{
	int line = y + h - 1;

	part(s, x, y, w, "Its events");
	for (uint64_t i = m->ev.total; i > events_oldest(&m->ev) && line > y; i--)
		if (events_get(&m->ev, i - 1)->tgid == (uint32_t)ui->detail_pid)
			event_line(m, s, x + 1, line--, events_get(&m->ev, i - 1));
	if (line == y + h - 1)
		screen_text(s, x + 1, y + 1, w - 2, ST_DIM, "none seen yet");
}

void panel_detail_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		       int h)
{
	int end = y + h, third;

	draw_identity(m, ui, s, y++);
	third = (end - y) / 3;
	if (s->w >= SIDE) {
		int half = s->w / 2;

		draw_vmas(m, ui, s, 0, y, half, end - y - third);
		draw_partners(m, ui, s, half + 1, y, s->w - half - 1, third);
		draw_latency(m, s, half + 1, y + third, s->w - half - 1, end - y - 2 * third);
		draw_events(m, ui, s, 0, end - third, s->w, third);
		return;
	}
	draw_vmas(m, ui, s, 0, y, s->w, third);
	draw_partners(m, ui, s, 0, y + third, s->w / 2, third);
	draw_latency(m, s, s->w / 2, y + third, s->w - s->w / 2, third);
	draw_events(m, ui, s, 0, y + 2 * third, s->w, end - y - 2 * third);
}
