// SPDX-License-Identifier: GPL-2.0
/* The shapes that meters have. */
#include <stdio.h>
#include <string.h>

#include "lib/format.h"
#include "meters.h"

#define LABEL 10 /* columns of the label of one-line meters */

static int64_t counter(const struct ksmtop_model *m, unsigned int id)
{
	return ksm_snapshot_get(&m->now.counters, id);
}

static const struct ksmtop_history *history_of(const struct ksmtop_meter *meter,
					       const struct ksmtop_model *m)
{
	return (const void *)((const char *)m + meter->history);
}

/* Columns of eighths, newest at the right, @r.h lines high. */
static void draw_history(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
			 struct screen *s, struct rect r)
{
	const struct ksmtop_history *h = history_of(meter, m);
	float top = history_max(h, (unsigned int)r.w);

	if (top < meter->least)
		top = meter->least;
	for (int i = 0; i < r.w; i++) {
		float v = history_get(h, (unsigned int)i);
		int eighths = (int)(v / top * (float)(r.h * 8) + 0.5f);

		if (v < 0)
			continue;
		if (!eighths)
			eighths = 1; /* a baseline: measured, and nothing */
		for (int line = r.h - 1; line >= 0 && eighths > 0; line--, eighths -= 8)
			screen_put(s, r.x + r.w - 1 - i, r.y + line,
				   (uint32_t)(0x2580 + (eighths > 8 ? 8 : eighths)),
				   v > 0 ? meter->style : ST_DIM);
	}
}

static void draw_graph_line(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
			    struct screen *s, struct rect r)
{
	int text = r.w / 2 > 38 ? 38 : r.w / 2;
	int graph = r.w - LABEL - text - 1;
	char value[64], detail[96] = "";
	int x = r.x + LABEL + graph + 2;

	meter->value(m, value, sizeof(value));
	screen_text(s, r.x, r.y, LABEL, ST_LABEL, meter->title);
	draw_history(meter, m, s, (struct rect){ r.x + LABEL, r.y, graph, r.h });
	screen_right(s, x + 11, r.y, meter->style, value);
	meter->detail(m, detail, sizeof(detail));
	screen_parts(s, x + 13, r.y, r.x + r.w - x - 13, ST_DIM, detail);
}

static void draw_graph_box(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
			   struct screen *s, struct rect r)
{
	char value[64], detail[96] = "", top[KSM_FORMAT_MAX], scale[KSM_FORMAT_MAX + 8];
	float max = history_max(history_of(meter, m), (unsigned int)(r.w - 2));
	int x = r.x + 3 + screen_width(s, meter->title);

	screen_box(s, r.x, r.y, r.w, r.h, meter->title);
	meter->value(m, value, sizeof(value));
	x += 1 + screen_text(s, x + 1, r.y, r.x + r.w - x - 4, meter->style, value);
	screen_put(s, x, r.y, ' ', ST_BOX);
	if (meter->detail)
		meter->detail(m, detail, sizeof(detail));
	if (*detail) {
		x = r.x + 3 + screen_parts(s, r.x + 3, r.y + r.h - 1, r.w - 16, ST_DIM, detail);
		screen_put(s, r.x + 2, r.y + r.h - 1, ' ', ST_BOX);
		screen_put(s, x, r.y + r.h - 1, ' ', ST_BOX);
	}
	draw_history(meter, m, s, (struct rect){ r.x + 1, r.y + 1, r.w - 2, r.h - 2 });
	if (max > 0) {
		if (meter->duration)
			ksm_format_duration(top, sizeof(top), (uint64_t)max);
		else
			ksm_format_short(top, sizeof(top), (double)max);
		snprintf(scale, sizeof(scale), " max %s ", top);
		screen_right(s, r.x + r.w - 2, r.y + r.h - 1, ST_DIM, scale);
	}
}

void meter_draw_graph(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		      struct screen *s, struct rect r)
{
	if (r.h < 3)
		draw_graph_line(meter, m, s, r);
	else
		draw_graph_box(meter, m, s, r);
}

void meter_draw_text(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		     struct screen *s, struct rect r)
{
	char value[64], detail[160] = "";
	int x = r.x + LABEL;

	screen_text(s, r.x, r.y, LABEL, ST_LABEL, meter->title);
	meter->value(m, value, sizeof(value));
	x += screen_text(s, x, r.y, r.w - LABEL, meter->style, value) + 2;
	if (meter->detail && m->state != KSMTOP_GONE)
		meter->detail(m, detail, sizeof(detail));
	screen_parts(s, x, r.y, r.x + r.w - x, ST_DIM, detail);
}

const struct ksmtop_kind ksmtop_kinds[KSMTOP_KINDS] = {
	{ "sharing", "saved: the page is kept once", 0x2588, ST_SHARING, KSM_ABI_PAGES_SHARING },
	{ "shared", "merged pages that are kept", 0x2593, ST_SHARED, KSM_ABI_PAGES_SHARED },
	{ "unshared", "unique, looked at again and again", 0x2592, ST_UNSHARED,
	  KSM_ABI_PAGES_UNSHARED },
	{ "volatile", "changing, or left alone by smart scan", 0x2591, ST_VOLATILE,
	  KSM_ABI_PAGES_VOLATILE },
};

static int64_t kind_pages(const struct ksmtop_model *m, unsigned int id)
{
	/* Zero pages are saved as the sharing ones are; the bar has them in one piece. */
	return counter(m, id) +
	       (id == KSM_ABI_PAGES_SHARING ? counter(m, KSM_ABI_KSM_ZERO_PAGES) : 0);
}

static void draw_kinds(const struct ksmtop_model *m, struct screen *s, struct rect r)
{
	double sum = 0;
	bool mergeable;
	double whole = (double)model_whole(m, &mergeable);
	int done = 0;

	screen_fill(s, r.x, r.y, r.w, 0x00b7, ST_DIM);
	if (m->tracked <= 0)
		return;
	for (int i = 0; i < KSMTOP_KINDS; i++) {
		int end;

		sum += (double)kind_pages(m, ksmtop_kinds[i].id);
		end = (int)(sum / whole * r.w + 0.5);
		screen_fill(s, r.x + done, r.y, end - done, ksmtop_kinds[i].glyph,
			    ksmtop_kinds[i].style);
		done = end;
	}
}

void meter_draw_saved(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		      struct screen *s, struct rect r)
{
	char value[64], detail[96];
	int bar = r.x + LABEL + 12;
	int end;

	screen_text(s, r.x, r.y, LABEL, ST_LABEL, meter->title);
	meter->value(m, value, sizeof(value));
	screen_text(s, r.x + LABEL, r.y, 11, meter->style, value);
	meter->detail(m, detail, sizeof(detail));
	end = screen_right(s, r.x + r.w, r.y, ST_DIM, detail);
	draw_kinds(m, s, (struct rect){ bar, r.y, end - bar - 2, 1 });
}

static char *kind_count(const struct ksmtop_model *m, int i, bool full, char *buf, size_t size)
{
	int64_t n = counter(m, ksmtop_kinds[i].id);

	if (m->state == KSMTOP_GONE)
		snprintf(buf, size, "-");
	else if (full)
		ksm_format_count(buf, size, n);
	else
		ksm_format_short(buf, size, (double)n);
	return buf;
}

/* Columns of one entry of the legend: glyph, name, number. */
static int kind_width(const struct ksmtop_model *m, int i, bool full)
{
	char n[KSM_FORMAT_MAX];

	return 2 + (int)strlen(ksmtop_kinds[i].name) + 1 +
	       (int)strlen(kind_count(m, i, full, n, sizeof(n)));
}

static int legend_width(const struct ksmtop_model *m, bool full, int gap)
{
	int w = LABEL - gap;

	for (int i = 0; i < KSMTOP_KINDS; i++)
		w += kind_width(m, i, full) + gap;
	return w;
}

void meter_draw_pages(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		      struct screen *s, struct rect r)
{
	bool full = legend_width(m, true, 2) <= r.w;
	int gap = legend_width(m, full, 4) <= r.w ? 4 : 2;
	int x = r.x + LABEL;

	screen_text(s, r.x, r.y, LABEL, ST_LABEL, meter->title);
	for (int i = 0; i < KSMTOP_KINDS; i++) {
		char n[KSM_FORMAT_MAX];

		if (x + kind_width(m, i, full) > r.x + r.w)
			break;
		screen_put(s, x, r.y, ksmtop_kinds[i].glyph, ksmtop_kinds[i].style);
		x += 2 + screen_text(s, x + 2, r.y, r.w, ST_DIM, ksmtop_kinds[i].name) + 1;
		x += screen_text(s, x, r.y, r.w, ST_VALUE, kind_count(m, i, full, n, sizeof(n))) +
		     gap;
	}
}

/* How far the pass has come, as a bar. */
void meter_draw_pass(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		     struct screen *s, struct rect r)
{
	char value[64], detail[96];
	int bar = r.x + LABEL + 12, end, done;

	screen_text(s, r.x, r.y, LABEL, ST_LABEL, meter->title);
	meter->value(m, value, sizeof(value));
	screen_text(s, r.x + LABEL, r.y, 11, meter->style, value);
	meter->detail(m, detail, sizeof(detail));
	end = screen_right(s, r.x + r.w, r.y, ST_DIM, detail) - 2;
	if (end - bar < 8)
		return;
	screen_fill(s, bar, r.y, end - bar, 0x00b7, ST_DIM);
	if (!m->pass.have || m->pass.whole <= 0)
		return;
	done = (int)(m->pass.scanned / m->pass.whole * (end - bar) * 8 + 0.5);
	for (int x = bar; done > 0 && x < end; x++, done -= 8)
		screen_put(s, x, r.y, done >= 8 ? 0x2588 : (uint32_t)(0x2590 - done), meter->style);
}
