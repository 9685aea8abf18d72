// SPDX-License-Identifier: GPL-2.0
/* Every knob: what it is set to, what it takes, what it means. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "lib/format.h"
#include "views.h"

static const struct cells_column columns[] = {
	{ "KNOB", 35, 0, true },  { "VALUE", 12, 0, false },   { "DEFAULT", 9, 0, false },
	{ "RANGE", 18, 0, true }, { "MEANING", 0, 156, true },
};

#define COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))
#define STEPS 30

static const struct {
	unsigned int id;
	const char *text;
} meanings[] = {
	{ KSM_ABI_RUN, "0 stops and keeps what is merged, 1 merges, 2 gives all pages back" },
	{ KSM_ABI_PAGES_TO_SCAN, "pages looked at in one go: more merge sooner and take more CPU" },
	{ KSM_ABI_SLEEP_MILLISECS, "how long the scanner sleeps after that: more takes less CPU" },
	{ KSM_ABI_MERGE_ACROSS_NODES,
	  "0 merges within a NUMA node only; cannot change while pages are merged" },
	{ KSM_ABI_MAX_PAGE_SHARING,
	  "most mappings of one page; cannot change while pages are merged" },
	{ KSM_ABI_PRUNE_MILLISECS,
	  "how often needless copies of much shared pages are looked for" },
	{ KSM_ABI_USE_ZERO_PAGES, "1 merges empty pages with the kernel's own: free of metadata" },
	{ KSM_ABI_SMART_SCAN, "1 skips pages that could not be merged the last times" },
	{ KSM_ABI_ADVISOR_MODE, "scan-time: the kernel chooses pages_to_scan, by the four below" },
	{ KSM_ABI_ADVISOR_MAX_CPU, "advisor: percent of a CPU that scanning may take" },
	{ KSM_ABI_ADVISOR_MIN_PAGES, "advisor: the least it chooses for pages_to_scan" },
	{ KSM_ABI_ADVISOR_MAX_PAGES, "advisor: the most it chooses for pages_to_scan" },
	{ KSM_ABI_ADVISOR_TARGET_TIME, "advisor: seconds that a pass over everything should take" },
	{ KSM_ABI_MERGE_DOMAIN, "whose pages may be one: all, of one uid, of one cgroup" },
	{ KSM_ABI_PAGES_DOMAIN_REFUSED, "what merge_domain costs: pages equal across domains" },
	{ KSM_ABI_FULL_HASH_PASSES,
	  "a page is read in full every so many passes, sampled in between" },
	{ KSM_ABI_ZERO_PAGES_ONLY, "only pages of zeroes are merged, with the kernel's zero page" },
	{ KSM_ABI_BACKOFF_PASSES,
	  "pages written soon after merging are left alone for so many passes at most" },
	{ KSM_ABI_THP_MIN_PARTNERS,
	  "a huge page is split when so many of its 512 pages can be merged; 513: never" },
	{ KSM_ABI_PAGES_THP_DEFERRED, "what thp_min_partners costs: pages kept in huge ones" },
};

const char *tuning_help(unsigned int id)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].id == id)
			return meanings[i].text;
	return "";
}

static bool listed(const struct ksmtop_model *m, const struct ksm_knob *knob)
{
	return ksm_knob_writable(knob) && ksm_snapshot_has(&m->now.counters, knob->id);
}

int tuning_count(const struct ksmtop_model *m, const struct ksmtop_ui *ui)
{
	int n = 0;

	for (unsigned int i = 0; i < ksm_knob_count; i++)
		n += listed(m, &ksm_knobs[i]);
	return n;
}

const struct ksm_knob *tuning_knob(const struct ksmtop_model *m, int i)
{
	for (unsigned int k = 0; k < ksm_knob_count; k++)
		if (listed(m, &ksm_knobs[k]) && !i--)
			return &ksm_knobs[k];
	return NULL;
}

void tuning_value(const struct ksmtop_model *m, const struct ksm_knob *knob, char *buf, size_t size)
{
	if (knob->kind == KSM_ABI_WORD)
		ksm_snapshot_word(&m->now.counters, knob->id, buf, size);
	else
		snprintf(buf, size, "%" PRId64, ksm_snapshot_get(&m->now.counters, knob->id));
}

/* The words of a file in their order, the current one in brackets. */
static void step_word(const char *list, int up, char *buf, size_t size)
{
	char text[KSM_WORD_MAX], *words[8], *save = NULL;
	int n = 0, now = 0;

	snprintf(text, sizeof(text), "%s", list);
	for (char *w = strtok_r(text, " ", &save); w && n < 8; w = strtok_r(NULL, " ", &save)) {
		if (*w == '[') {
			now = n;
			w++;
			w[strcspn(w, "]")] = '\0';
		}
		words[n++] = w;
	}
	if (n)
		snprintf(buf, size, "%s", words[(now + up + n) % n]);
}

/* 1, 2, 5, 10, 20, 50, ...: the next one beyond @v. */
static int64_t step_number(int64_t v, int up)
{
	static const int64_t ladder[] = { 1, 2, 5 };
	int64_t best = up > 0 ? INT64_MAX : 0, power = 1;

	for (int i = 0; i < STEPS; i++) {
		int64_t rung = ladder[i % 3] * power;

		if (up > 0 && rung > v && rung < best)
			best = rung;
		if (up < 0 && rung < v && rung > best)
			best = rung;
		power *= i % 3 == 2 ? 10 : 1;
	}
	return best;
}

void tuning_step(const struct ksmtop_model *m, const struct ksm_knob *knob, int up, char *buf,
		 size_t size)
{
	int64_t v = ksm_snapshot_get(&m->now.counters, knob->id);

	if (knob->kind == KSM_ABI_WORD) {
		tuning_value(m, knob, buf, size);
		step_word(m->now.counters.word[knob->id], up, buf, size);
		return;
	}
	v = knob->max <= 2 ? v + up : step_number(v, up);
	if (v > knob->max)
		v = knob->max;
	if (v < knob->min)
		v = knob->min;
	snprintf(buf, size, "%" PRId64, v);
}

static void draw_knob(const struct ksmtop_model *m, const struct ksm_knob *knob, struct screen *s,
		      int y)
{
	enum style styles[] = { ST_LABEL, ST_VALUE, ST_DIM, ST_NORMAL, ST_NORMAL };
	char value[KSM_WORD_MAX], def[24], range[64];
	const char *texts[] = { knob->name, value, def, range, tuning_help(knob->id) };

	tuning_value(m, knob, value, sizeof(value));
	if (knob->kind == KSM_ABI_WORD) {
		snprintf(def, sizeof(def), "%s", knob->id == KSM_ABI_MERGE_DOMAIN ? "all" : "none");
		snprintf(range, sizeof(range), "%s", m->now.counters.word[knob->id]);
	} else {
		snprintf(def, sizeof(def), "%" PRId64, knob->def);
		snprintf(range, sizeof(range), "%" PRId64 " to %" PRId64, knob->min, knob->max);
	}
	if (strcmp(value, def))
		styles[1] = ST_WARN;
	cells_line(s, y, columns, COLUMNS, texts, styles);
}

static void draw_undo(const struct ksmtop_ui *ui, struct screen *s, int y)
{
	const struct ui_change *c = ui->nundo ? &ui->undo[ui->nundo - 1] : NULL;
	char text[256];

	if (!c)
		snprintf(text, sizeof(text), "+ - change · Enter type a value · p profiles");
	else
		snprintf(text, sizeof(text),
			 "+ - Enter change · u undo %s=%s (was %s) · p profiles",
			 ksm_knob_by_id(c->id)->name, c->after, c->before);
	screen_parts(s, 1, y, s->w - 2, ST_DIM, text);
}

void panel_tuning_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		       int h)
{
	struct ui_list *l = &ui->list[VIEW_TUNING];
	int n = tuning_count(m, ui);

	cells_heading(s, y, columns, COLUMNS);
	ui_list_view(l, h - 3, n);
	if (!n) {
		screen_text(s, 2, y + 1, s->w - 2, ST_DIM, "No backend: there is nothing to set.");
		return;
	}
	ui_hit_add(ui, (struct ui_hit){ y + 1, l->page, 0, s->w, UI_HIT_ROW, l->top });
	for (int i = 0; i < l->page && l->top + i < n; i++) {
		draw_knob(m, tuning_knob(m, l->top + i), s, y + 1 + i);
		if (l->top + i == l->cursor)
			screen_restyle(s, 0, y + 1 + i, s->w, ST_SELECTED);
	}
	screen_text(s, 1, y + h - 2, s->w - 2, ST_NORMAL,
		    tuning_help(tuning_knob(m, l->cursor)->id));
	draw_undo(ui, s, y + h - 1);
}
