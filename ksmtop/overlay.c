// SPDX-License-Identifier: GPL-2.0
/* What lies over the frame: menus, a question, the help. */
#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "layout.h"
#include "meters.h"
#include "panel_procs.h"
#include "views.h"

#define HELP_KEYS 46   /* columns of the left half */
#define HELP_SPLIT 100 /* narrower screens have one column */
#define MENU_W 64

/* A framed list in the middle of the screen. @top: first entry that fits with the chosen one. */
struct menu {
	int x, y, w, rows, top;
};

static struct menu menu_open(const struct ksmtop_ui *ui, struct screen *s, const char *title,
			     int count)
{
	struct menu m = { .w = MENU_W < s->w - 2 ? MENU_W : s->w - 2, .rows = count };

	if (m.rows > s->h - 4)
		m.rows = s->h - 4;
	m.x = (s->w - m.w) / 2;
	m.y = (s->h - m.rows - 2) / 2;
	if (ui->menu >= m.rows)
		m.top = ui->menu - m.rows + 1;
	screen_box(s, m.x, m.y, m.w, m.rows + 2, title);
	return m;
}

static void menu_line(const struct ksmtop_ui *ui, const struct menu *m, struct screen *s, int i,
		      int indent, const char *name, const char *help)
{
	int y = m->y + 1 + i - m->top;

	if (i < m->top || i >= m->top + m->rows)
		return;
	screen_text(s, m->x + 2, y, indent - 1, ST_VALUE, name);
	screen_text(s, m->x + 2 + indent, y, m->w - indent - 3, ST_DIM, help);
	if (i == ui->menu)
		screen_restyle(s, m->x + 1, y, m->w - 2, ST_SELECTED);
}

static void draw_sort(struct ksmtop_ui *ui, struct screen *s)
{
	struct menu m = menu_open(ui, s, "Sort by", ksmtop_ncolumns);

	for (int i = 0; i < ksmtop_ncolumns; i++)
		menu_line(ui, &m, s, i, 11, ksmtop_columns[i].title, ksmtop_columns[i].help);
	ui_hit_add(ui, (struct ui_hit){ m.y + 1, m.rows, m.x, m.x + m.w, UI_HIT_SORT, m.top });
}

static void draw_profiles(struct ksmtop_ui *ui, struct screen *s)
{
	struct menu m = menu_open(ui, s, "Apply a profile", ui->nprofiles);

	for (int i = 0; i < ui->nprofiles; i++)
		menu_line(ui, &m, s, i, 17, ui->profiles[i].name, ui->profiles[i].help);
}

static void draw_setup(struct ksmtop_ui *ui, struct screen *s)
{
	struct menu m =
		menu_open(ui, s, "Meters:  Space shows or hides,  < > moves", ksmtop_nmeters);

	for (int i = 0; i < ksmtop_nmeters; i++) {
		char name[32];
		int place = 0;

		while (place < ui->nmeters && ui->meters[place] != i)
			place++;
		if (place < ui->nmeters)
			snprintf(name, sizeof(name), "%2d. %s", place + 1, ksmtop_meters[i].title);
		else
			snprintf(name, sizeof(name), " -  %s", ksmtop_meters[i].title);
		menu_line(ui, &m, s, i, 16, name, ksmtop_meters[i].help);
	}
}

/* Words that fit into one line. Return: where the next line begins, NULL at the end. */
static const char *wrap(const char *text, int w, char *line, size_t size)
{
	size_t len = strlen(text), cut = (size_t)w < size - 1 ? (size_t)w : size - 1;

	if (len > cut) {
		len = cut;
		while (len && text[len] != ' ')
			len--;
		if (!len)
			len = cut;
	}
	memcpy(line, text, len);
	line[len] = '\0';
	text += len + strspn(text + len, " ");
	return *text ? text : NULL;
}

static void draw_confirm(const struct ksmtop_ui *ui, struct screen *s)
{
	int w = MENU_W < s->w - 2 ? MENU_W : s->w - 2, x = (s->w - w) / 2, y = s->h / 2 - 3;
	const char *text = ui->question;
	char line[MENU_W];

	screen_box(s, x, y, w, 7, "Sure?");
	for (int i = 0; i < 3 && text; i++) {
		text = wrap(text, w - 4, line, sizeof(line));
		screen_text(s, x + 2, y + 1 + i, w - 4, ST_VALUE, line);
	}
	screen_text(s, x + 2, y + 5, w - 4, ST_WARN, "y: yes   any other key: no");
}

/* ---- help ---------------------------------------------------------------------------------- */

/**
 * struct help - a column of the help while it is drawn
 * @y: where the next line goes; lines outside the screen are counted, not drawn
 */
struct help {
	struct screen *s;
	int x, y, w;
};

static void help_title(struct help *h, const char *title)
{
	if (h->y >= 0 && h->y < h->s->h - 1)
		screen_text(h->s, h->x, h->y, h->w, ST_LABEL, title);
	h->y++;
}

static void help_line(struct help *h, int indent, const char *what, const char *text)
{
	if (h->y >= 0 && h->y < h->s->h - 1) {
		screen_text(h->s, h->x, h->y, indent - 1, ST_VALUE, what);
		screen_text(h->s, h->x + indent, h->y, h->w - indent, ST_NORMAL, text);
	}
	h->y++;
}

static void help_kind(struct help *h, const struct ksmtop_kind *kind)
{
	struct help in = { h->s, h->x + 3, h->y, h->w - 3 };

	if (h->y >= 0 && h->y < h->s->h - 1)
		screen_put(h->s, h->x + 1, h->y, kind->glyph, kind->style);
	help_line(&in, 9, kind->name, kind->help);
	h->y++;
}

static void help_keys(const struct ksmtop_ui *ui, struct help *h)
{
	unsigned int wrong = ui->replay.on ? KEY_LIVE : KEY_REPLAY;

	help_title(h, "Keys everywhere");
	for (int i = 0; i < ksmtop_nbindings; i++)
		if ((ksmtop_bindings[i].where & KEY_EVERYWHERE) == KEY_EVERYWHERE)
			help_line(h, 8, ksmtop_bindings[i].label, ksmtop_bindings[i].help);
	for (int v = 0; v < VIEW_COUNT; v++) {
		if (v == VIEW_EVENTS)
			continue;
		help_title(h, ksmtop_views[v].title);
		for (int i = 0; i < ksmtop_nbindings; i++) {
			const struct ksmtop_binding *b = &ksmtop_bindings[i];

			if (b->where & KEY_IN(v) && (b->where & KEY_VIEWS) != KEY_VIEWS &&
			    (b->where & KEY_ALWAYS) != wrong)
				help_line(h, 8, b->label, b->help);
		}
	}
	help_title(h, "A recording (--replay)");
	for (int i = 0; i < ksmtop_nbindings; i++)
		if ((ksmtop_bindings[i].where & KEY_ALWAYS) == KEY_REPLAY)
			help_line(h, 8, ksmtop_bindings[i].label, ksmtop_bindings[i].help);
}

static void help_rest(struct help *h)
{
	help_title(h, "Views");
	for (int i = 0; i < VIEW_COUNT; i++)
		help_line(h, 11, ksmtop_views[i].title, ksmtop_views[i].help);
	help_title(h, "Header");
	for (int i = 0; i < ksmtop_nmeters; i++) {
		help_line(h, 11, ksmtop_meters[i].title, ksmtop_meters[i].help);
		/* The kinds of page belong to the second meter, whose legend they are. */
		for (int k = 0; i == 1 && k < KSMTOP_KINDS; k++)
			help_kind(h, &ksmtop_kinds[k]);
	}
	help_title(h, "Columns");
	for (int i = 0; i < ksmtop_ncolumns; i++)
		help_line(h, 11, ksmtop_columns[i].title, ksmtop_columns[i].help);
}

/* In two columns, on narrow screens one below the other. Return: lines of it. */
static int help_both(const struct ksmtop_ui *ui, struct screen *s, int y)
{
	bool narrow = s->w < HELP_SPLIT;
	int split = narrow ? 1 : s->w >= 120 ? HELP_KEYS + 12 : HELP_KEYS;
	struct help keys = { s, 1, y, narrow ? s->w - 1 : split - 2 };
	struct help rest = { s, split, y, s->w - split };

	help_keys(ui, &keys);
	if (narrow)
		rest.y = keys.y;
	help_rest(&rest);
	return (keys.y > rest.y ? keys.y : rest.y) - y;
}

static void draw_help(struct ksmtop_ui *ui, struct screen *s)
{
	int most = help_both(ui, s, s->h) - (s->h - 1); /* below the screen: counted, not drawn */

	if (ui->help_top > most)
		ui->help_top = most;
	if (ui->help_top < 0)
		ui->help_top = 0;
	for (int i = 0; i < s->h - 1; i++)
		screen_fill(s, 0, i, s->w, ' ', ST_NORMAL);
	ui->page = s->h - 2;
	help_both(ui, s, -ui->help_top);
	if (ui->help_top < most)
		screen_right(s, s->w - 1, s->h - 1, ST_KEY_TEXT, "more below ");
}

void overlay_draw(struct ksmtop_ui *ui, struct screen *s)
{
	switch (ui->mode) {
	case UI_HELP:
		draw_help(ui, s);
		break;
	case UI_SORT:
		draw_sort(ui, s);
		break;
	case UI_SETUP:
		draw_setup(ui, s);
		break;
	case UI_PROFILE:
		draw_profiles(ui, s);
		break;
	case UI_CONFIRM:
		draw_confirm(ui, s);
		break;
	default:
		break;
	}
}
