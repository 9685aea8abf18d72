// SPDX-License-Identifier: GPL-2.0
#include "layout.h"
#include "lib/format.h"
#include "meters.h"
#include "views.h"

#include <stdio.h>
#include <string.h>

#define BOX_W 34    /* least columns of a framed graph */
#define BOXES_W 104 /* smaller screens have graphs in one line each */
#define BOXES_H 32
#define WIDE 160 /* screens on which the less important graphs are shown, too */

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

/* Where one is in a recording. Return: the column before it. */
static int draw_replay(const struct ui_replay *r, struct screen *s, int end)
{
	uint64_t at = r->at > r->from ? r->at - r->from : 0;
	uint64_t all = r->to > r->from ? r->to - r->from : 0;
	char text[64];

	snprintf(text, sizeof(text), "REPLAY %llu:%02llu of %llu:%02llu x%g%s",
		 (unsigned long long)(at / 60000000000), (unsigned long long)(at / 1000000000 % 60),
		 (unsigned long long)(all / 60000000000),
		 (unsigned long long)(all / 1000000000 % 60), r->speed, r->done ? " END" : "");
	return screen_right(s, end, 0, ST_WARN, text) - 2;
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
	if (ui->replay.on)
		end = draw_replay(&ui->replay, s, end);
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

/* Is this meter a graph here, and not for wider screens only? */
static bool is_graph(const struct ksmtop_meter *meter, const struct screen *s)
{
	return meter->history && (!meter->extra || s->w >= WIDE);
}

/* Graphs that have a frame of their own; the others take a line each. */
static int box_count(const struct ksmtop_ui *ui, const struct screen *s)
{
	int n = 0;

	if (s->w < BOXES_W || s->h < BOXES_H)
		return 0;
	for (int i = 0; i < ui->nmeters; i++)
		n += is_graph(&ksmtop_meters[ui->meters[i]], s);
	return n < s->w / BOX_W ? n : s->w / BOX_W;
}

/* As many as leave half of the screen to what is below, more of it where that has several parts. */
static int draw_lines(const struct ksmtop_model *m, const struct ksmtop_ui *ui, struct screen *s,
		      int y)
{
	int most = s->h / 2 - 4 > 3 ? s->h / 2 - 4 : 3, boxes = box_count(ui, s);

	if (ui->view == VIEW_DETAIL && s->h < BOXES_H)
		most = 3;
	for (int i = 0; i < ui->nmeters && most; i++) {
		const struct ksmtop_meter *meter = &ksmtop_meters[ui->meters[i]];

		if (meter->history && (!is_graph(meter, s) || boxes-- > 0))
			continue;
		meter->draw(meter, m, s, (struct rect){ 1, y++, s->w - 2, 1 });
		most--;
	}
	return y;
}

/* Graphs side by side. */
static int draw_boxes(const struct ksmtop_model *m, const struct ksmtop_ui *ui, struct screen *s,
		      int y)
{
	int all = box_count(ui, s), h = s->w >= 200 && s->h >= 48 ? 10 : 7, n = 0;

	for (int i = 0; i < ui->nmeters && n < all; i++) {
		const struct ksmtop_meter *meter = &ksmtop_meters[ui->meters[i]];
		int x0 = s->w * n / all, x1 = s->w * (n + 1) / all;

		if (!is_graph(meter, s))
			continue;
		meter->draw(meter, m, s, (struct rect){ x0, y, x1 - x0, h });
		n++;
	}
	return n ? y + h : y;
}

static int draw_header(const struct ksmtop_model *m, const struct ksmtop_ui *ui, struct screen *s,
		       int y)
{
	y = draw_lines(m, ui, s, y);
	return draw_boxes(m, ui, s, y);
}

/* The views as tabs, each with the number that is its key. */
static void draw_tabs(struct ksmtop_ui *ui, struct screen *s, int y)
{
	int x = 1;

	for (int i = 0; i < VIEW_COUNT; i++) {
		enum style style = i == (int)ui->view ? ST_BRAND : ST_NORMAL;
		char text[32];
		int x0 = x;

		if (i == VIEW_DETAIL && ui->view != VIEW_DETAIL)
			continue;
		if (i == VIEW_DETAIL)
			snprintf(text, sizeof(text), " %s %d ", ksmtop_views[i].title,
				 (int)ui->detail_pid);
		else
			snprintf(text, sizeof(text), " %d %s ", i + 1, ksmtop_views[i].title);
		x += screen_text(s, x, y, s->w - x, style, text);
		if (i < VIEW_TABS)
			ui_hit_add(ui, (struct ui_hit){ y, 1, x0, x, UI_HIT_VIEW, i });
		x++;
	}
	screen_fill(s, x, y, s->w - x - 1, 0x2500, ST_BOX);
	if (ui->view < VIEW_SHARING && ui_filter(ui)[0]) {
		x += screen_text(s, x, y, s->w - x, ST_LABEL, " filter: ");
		x += screen_text(s, x, y, s->w - x - 1, ST_INPUT, ui_filter(ui));
		screen_put(s, x, y, ' ', ST_NORMAL);
	}
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
	if (ui->message[0]) {
		screen_fill(s, 0, --y, s->w, ' ', ST_NORMAL);
		screen_text(s, 1, y, s->w - 2, ui->message_bad ? ST_BAD : ST_GOOD, ui->message);
	}
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
	ui->width = s->w;
	if (s->w < KSMTOP_MIN_W || s->h < KSMTOP_MIN_H) {
		draw_too_small(s);
		return;
	}
	draw_title(m, ui, s);
	y = draw_header(m, ui, s, 1);
	draw_tabs(ui, s, y++);
	end = draw_notes(m, ui, s);
	ksmtop_views[ui->view].draw(m, ui, s, y, end - y);
	bar_draw(ui, s);
	overlay_draw(ui, s);
}
