// SPDX-License-Identifier: GPL-2.0
#include "layout.h"
#include "lib/format.h"
#include "meters.h"
#include "panel_procs.h"

#include <stdio.h>
#include <string.h>

#define ROW_METERS 4
#define LAYOUT_ROWS 8

struct layout_row {
	int h;
	const char *meters[ROW_METERS]; /* side by side, equally wide */
};

/**
 * struct layout - the header for screens of at least this size
 * @rows: ends with a height of 0
 */
struct layout {
	int w, h;
	struct layout_row rows[LAYOUT_ROWS];
};

/* The first that fits is taken. */
static const struct layout layouts[] = {
	{ 200,
	  48,
	  { { 1, { "saved" } },
	    { 1, { "pages" } },
	    { 1, { "net" } },
	    { 10, { "cpu", "scan", "merges", "cow" } } } },
	{ 160,
	  32,
	  { { 1, { "saved" } },
	    { 1, { "pages" } },
	    { 1, { "net" } },
	    { 7, { "cpu", "scan", "merges", "cow" } } } },
	{ 104,
	  32,
	  { { 1, { "saved" } },
	    { 1, { "pages" } },
	    { 1, { "net" } },
	    { 7, { "cpu", "merges", "cow" } } } },
	{ 0,
	  0,
	  { { 1, { "saved" } },
	    { 1, { "pages" } },
	    { 1, { "net" } },
	    { 1, { "cpu" } },
	    { 1, { "merges" } },
	    { 1, { "cow" } } } },
};

static const struct layout *choose(const struct screen *s)
{
	const struct layout *l = layouts;

	while (s->w < l->w || s->h < l->h)
		l++;
	return l;
}

static enum style state_style(enum ksmtop_state state)
{
	switch (state) {
	case KSMTOP_RUNNING:
		return ST_GOOD;
	case KSMTOP_GONE:
		return ST_BAD;
	case KSMTOP_UNMERGING:
	case KSMTOP_OFFLINE:
		return ST_WARN;
	case KSMTOP_STOPPED:
		break;
	}
	return ST_DIM;
}

static int64_t value(const struct ksmtop_model *m, unsigned int id)
{
	return ksm_snapshot_get(&m->now.counters, id);
}

/* Most important first: a narrow screen cuts the end. */
static void draw_title(const struct ksmtop_model *m, const struct ksmtop_ui *ui, struct screen *s)
{
	char clock[16] = "", text[256], pass[KSM_FORMAT_MAX];
	struct tm tm;
	int x, end;

	if (localtime_r(&m->now.wall, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	end = screen_right(s, s->w - 1, 0, ST_DIM, clock) - 2;
	if (ui->paused)
		end = screen_right(s, end, 0, ST_WARN, "PAUSED") - 2;
	x = 1 + screen_text(s, 1, 0, end, ST_BRAND, " ksmtop ") + 1;
	x += screen_text(s, x, 0, end - x, state_style(m->state),
			 m->state == KSMTOP_RUNNING ? "● " : "○ ");
	x += screen_text(s, x, 0, end - x, state_style(m->state), model_state_name(m->state)) + 2;
	if (m->state != KSMTOP_GONE) {
		snprintf(text, sizeof(text), "pass %s",
			 ksm_format_count(pass, sizeof(pass), value(m, KSM_ABI_FULL_SCANS)));
		x += screen_text(s, x, 0, end - x, ST_VALUE, text) + 2;
	}
	snprintf(text, sizeof(text), "%s backend · Linux %s", m->now.backend, m->now.kernel);
	if (m->state != KSMTOP_GONE)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " · %lld pages every %lld ms", (long long)value(m, KSM_ABI_PAGES_TO_SCAN),
			 (long long)value(m, KSM_ABI_SLEEP_MILLISECS));
	screen_parts(s, x, 0, end - x, ST_DIM, text);
}

static int draw_header(const struct ksmtop_model *m, struct screen *s, int y)
{
	const struct layout_row *row = choose(s)->rows;

	for (; row->h; y += row->h, row++) {
		int n = 0, inside = row->h == 1 ? s->w - 2 : s->w;

		while (n < ROW_METERS && row->meters[n])
			n++;
		for (int i = 0; i < n; i++) {
			int x0 = inside * i / n, x1 = inside * (i + 1) / n;
			int margin = row->h == 1;

			meter_draw(row->meters[i], m, s,
				   (struct rect){ margin + x0, y, x1 - x0, row->h });
		}
	}
	return y;
}

static void tag_sum(const struct ksmtop_model *m, const struct ksmtop_ui *ui, char *buf,
		    size_t size)
{
	char saved[KSM_FORMAT_MAX], pages[KSM_FORMAT_MAX];
	double bytes = 0, merged = 0;
	int n = 0;

	*buf = '\0';
	for (size_t i = 0; ui->ntags && i < m->nrows; i++) {
		if (!ui_tagged(ui, m->rows[i].p.pid))
			continue;
		n++;
		bytes += m->rows[i].saved.v;
		merged += (double)m->rows[i].p.merging.v;
	}
	if (n)
		snprintf(buf, size, "%d tagged: %s saved, %s pages merged", n,
			 ksm_format_bytes(saved, sizeof(saved), (int64_t)bytes),
			 ksm_format_count(pages, sizeof(pages), (int64_t)merged));
}

static int note_lines(const struct ksmtop_model *m, const struct screen *s)
{
	int most = s->h < 32 ? 2 : 4;

	return m->now.nnotes < most ? m->now.nnotes : most;
}

/* Why something is missing, above the function bar. Return: the first line used. */
static int draw_notes(const struct ksmtop_model *m, const struct ksmtop_ui *ui, struct screen *s)
{
	int n = note_lines(m, s);
	int y = s->h - 1 - n;
	char sum[128];

	for (int i = 0; i < n; i++) {
		screen_text(s, 1, y + i, 1, ST_WARN, "!");
		screen_text(s, 3, y + i, s->w - 4, ST_DIM, m->now.notes[i]);
	}
	if (m->now.nnotes > n)
		screen_right(s, s->w - 1, s->h - 2, ST_WARN, " more: ksmtop --batch ");
	tag_sum(m, ui, sum, sizeof(sum));
	if (*sum)
		screen_text(s, 1, --y, s->w - 2, ST_TAGGED, sum);
	return y;
}

static void draw_too_small(struct screen *s)
{
	screen_printf(s, 0, 0, ST_WARN, "%dx%d: too small", s->w, s->h);
	screen_printf(s, 0, 1, ST_DIM, "ksmtop needs %dx%d", KSMTOP_MIN_W, KSMTOP_MIN_H);
}

void layout_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s)
{
	int y, end;

	screen_clear(s);
	ui->nhits = 0;
	if (s->w < KSMTOP_MIN_W || s->h < KSMTOP_MIN_H) {
		draw_too_small(s);
		return;
	}
	draw_title(m, ui, s);
	y = draw_header(m, s, 1);
	end = draw_notes(m, ui, s);
	panel_procs_draw(m, ui, s, y, end - y);
	bar_draw(ui, s);
	overlay_draw(ui, s);
}
