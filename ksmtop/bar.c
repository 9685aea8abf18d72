// SPDX-License-Identifier: GPL-2.0
/* The lowest line: function keys, or what is being typed. */
#include <stdio.h>

#include "keys.h"
#include "layout.h"

#define ITEM 10 /* columns of a key where there is room */

static int bar_item(struct ksmtop_ui *ui, struct screen *s, int x, const char *key,
		    const char *text, int code)
{
	int y = s->h - 1, x0 = x;

	x += screen_text(s, x, y, s->w - x, ST_KEY, key);
	x += screen_text(s, x, y, s->w - x, ST_KEY_TEXT, text);
	screen_fill(s, x, y, x0 + ITEM - x, ' ', ST_KEY_TEXT);
	if (x < x0 + ITEM)
		x = x0 + ITEM;
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

		if (!b->bar || !keys_here(ui, b))
			continue;
		snprintf(key, sizeof(key), "F%d", b->codes[0] - KT_F0);
		x = bar_item(ui, s, x, key, b->bar, b->codes[0]);
	}
	if (ui->view == VIEW_DETAIL)
		x = bar_item(ui, s, x, "Esc", "Back", KT_ESC);
}

static void bar_menu(struct ksmtop_ui *ui, struct screen *s, const char *enter)
{
	bar_item(ui, s, bar_item(ui, s, 0, "Enter", enter, KT_ENTER), "Esc", "Cancel", KT_ESC);
}

void bar_draw(struct ksmtop_ui *ui, struct screen *s)
{
	screen_fill(s, 0, s->h - 1, s->w, ' ', ST_KEY_TEXT);
	switch (ui->mode) {
	case UI_SEARCH:
		bar_input(ui, s, "search:", ui->search);
		break;
	case UI_FILTER:
		bar_input(ui, s, "filter:", ui_filter(ui));
		break;
	case UI_VALUE:
		bar_input(ui, s, "value:", ui->value);
		break;
	case UI_SORT:
		bar_menu(ui, s, "Sort");
		break;
	case UI_PROFILE:
		bar_menu(ui, s, "Apply");
		break;
	case UI_HELP:
		bar_item(ui, s, bar_item(ui, s, 0, "PgDn", "More", KT_PGDN), "Esc", "Back", KT_ESC);
		break;
	case UI_SETUP:
		bar_item(ui, s, bar_item(ui, s, 0, "Space", "On/off", ' '), "Esc", "Done", KT_ESC);
		break;
	case UI_CONFIRM:
		bar_item(ui, s, bar_item(ui, s, 0, "y", "Yes", 'y'), "Esc", "No", KT_ESC);
		break;
	case UI_NORMAL:
		bar_normal(ui, s);
		break;
	}
}
