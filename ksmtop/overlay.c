// SPDX-License-Identifier: GPL-2.0
#include "keys.h"
#include "layout.h"
#include "meters.h"
#include "panel_procs.h"

#include <stdio.h>

#define HELP_KEYS 34 /* columns of the left half */

static int bar_item(struct ksmtop_ui *ui, struct screen *s, int x, const char *key,
		    const char *text, int code)
{
	int y = s->h - 1, x0 = x;

	x += screen_text(s, x, y, s->w - x, ST_KEY, key);
	x += screen_text(s, x, y, s->w - x, ST_KEY_TEXT, text);
	screen_fill(s, x, y, x0 + 10 - x, ' ', ST_KEY_TEXT);
	if (x < x0 + 10)
		x = x0 + 10;
	ui_hit_add(ui, (struct ui_hit){ y, 1, x0, x, UI_HIT_KEY, code });
	return x;
}

static void bar_input(struct ksmtop_ui *ui, struct screen *s, const char *what, const char *text)
{
	int y = s->h - 1;
	int x = 0;

	if (ui->mode == UI_SEARCH)
		x = bar_item(ui, s, x, "F3", "Next", KT_F(3));
	x = bar_item(ui, s, x, "Enter", "Done", KT_ENTER);
	x = bar_item(ui, s, x, "Esc", "Cancel", KT_ESC);
	x += 1 + screen_text(s, x + 1, y, s->w - x, ST_LABEL, what) + 1;
	x += screen_text(s, x, y, s->w - x, ui->not_found ? ST_BAD : ST_INPUT, text);
	screen_put(s, x, y, '_', ST_INPUT);
	if (ui->not_found)
		screen_text(s, x + 2, y, s->w - x - 2, ST_BAD, "no match");
}

static void bar_normal(struct ksmtop_ui *ui, struct screen *s)
{
	int x = 0;

	for (int i = 0; i < ksmtop_nbindings; i++) {
		const struct ksmtop_binding *b = &ksmtop_bindings[i];
		char key[16];

		if (!b->bar)
			continue;
		snprintf(key, sizeof(key), "F%d", b->codes[0] - KT_F0);
		x = bar_item(ui, s, x, key, b->bar, b->codes[0]);
	}
	if (ui->filter[0]) {
		x += 1 + screen_text(s, x + 1, s->h - 1, s->w - x, ST_LABEL, "filter:") + 1;
		screen_text(s, x, s->h - 1, s->w - x, ST_INPUT, ui->filter);
	}
}

void bar_draw(struct ksmtop_ui *ui, struct screen *s)
{
	screen_fill(s, 0, s->h - 1, s->w, ' ', ST_KEY_TEXT);
	switch (ui->mode) {
	case UI_SEARCH:
		bar_input(ui, s, "search:", ui->search);
		break;
	case UI_FILTER:
		bar_input(ui, s, "filter:", ui->filter);
		break;
	case UI_SORT:
		bar_item(ui, s, bar_item(ui, s, 0, "Enter", "Sort", KT_ENTER), "Esc", "Cancel",
			 KT_ESC);
		break;
	case UI_HELP:
		bar_item(ui, s, 0, "Any key", "Back", KT_ESC);
		break;
	case UI_NORMAL:
		bar_normal(ui, s);
		break;
	}
}

static void draw_menu(struct ksmtop_ui *ui, struct screen *s)
{
	int h = ksmtop_ncolumns + 2, w = 58;
	int x = (s->w - w) / 2, y = (s->h - h) / 2;

	screen_box(s, x, y, w, h, "Sort by");
	for (int i = 0; i < ksmtop_ncolumns; i++) {
		const struct ksmtop_column *c = &ksmtop_columns[i];

		screen_text(s, x + 2, y + 1 + i, 9, ST_VALUE, c->title);
		screen_text(s, x + 12, y + 1 + i, w - 13, ST_DIM, c->help);
		if (i == ui->menu)
			screen_restyle(s, x + 1, y + 1 + i, w - 2, ST_SELECTED);
	}
	ui_hit_add(ui, (struct ui_hit){ y + 1, ksmtop_ncolumns, x, x + w, UI_HIT_SORT, 0 });
}

/* One list of the help screen. Return: the line below it. */
static int help_line(struct screen *s, int x, int y, int w, int indent, const char *what,
		     const char *help)
{
	screen_text(s, x, y, indent - 1, ST_VALUE, what);
	screen_text(s, x + indent, y, w - indent, ST_NORMAL, help);
	return y + 1;
}

static void help_header(struct screen *s, int x)
{
	int y = 1;

	screen_text(s, x, 0, s->w - x, ST_LABEL, "Header");
	for (int i = 0; i < ksmtop_nmeters; i++) {
		y = help_line(s, x, y, s->w - x, 9, ksmtop_meters[i].title, ksmtop_meters[i].help);
		/* The kinds of page belong to the second meter, whose legend they are. */
		for (int k = 0; i == 1 && k < KSMTOP_KINDS; k++) {
			screen_put(s, x + 1, y, ksmtop_kinds[k].glyph, ksmtop_kinds[k].style);
			y = help_line(s, x + 3, y, s->w - x - 3, 9, ksmtop_kinds[k].name,
				      ksmtop_kinds[k].help);
		}
	}
	screen_text(s, x, y++, s->w - x, ST_LABEL, "Columns");
	for (int i = 0; i < ksmtop_ncolumns && y < s->h - 1; i++)
		y = help_line(s, x, y, s->w - x, 9, ksmtop_columns[i].title,
			      ksmtop_columns[i].help);
}

static void draw_help(struct screen *s)
{
	int right = s->w >= 120 ? HELP_KEYS + 10 : HELP_KEYS;
	int y = 1;

	for (int i = 0; i < s->h - 1; i++)
		screen_fill(s, 0, i, s->w, ' ', ST_NORMAL);
	screen_text(s, 1, 0, right - 2, ST_LABEL, "Keys");
	for (int i = 0; i < ksmtop_nbindings && y < s->h - 1; i++)
		y = help_line(s, 1, y, right - 2, 8, ksmtop_bindings[i].label,
			      ksmtop_bindings[i].help);
	help_header(s, right);
}

void overlay_draw(struct ksmtop_ui *ui, struct screen *s)
{
	if (ui->mode == UI_HELP)
		draw_help(s);
	else if (ui->mode == UI_SORT)
		draw_menu(ui, s);
}
