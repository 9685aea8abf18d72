// SPDX-License-Identifier: GPL-2.0
#include "keys.h"
#include "panel_procs.h"

#include <string.h>

#define WHEEL_ROWS 3

/* ---- actions ------------------------------------------------------------------------------- */

static void do_mode(struct ksmtop_ui *ui, const struct ksmtop_model *m, int mode)
{
	ui->mode = (enum ui_mode)mode;
	ui->not_found = false;
	if (mode == UI_SORT)
		ui->menu = ui->sort;
	if (mode == UI_SEARCH)
		ui->search[0] = '\0';
	if (mode == UI_FILTER)
		memcpy(ui->saved_filter, ui->filter, sizeof(ui->filter));
}

static void do_quit(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->quit = true;
}

static void do_sort(struct ksmtop_ui *ui, const struct ksmtop_model *m, int column)
{
	ui->reverse = column == ui->sort ? !ui->reverse : false;
	ui->sort = column;
	ui_refresh(ui, m);
}

/* Sort by the column with this id: the letter keys. Pressed again it stays as it is. */
static void sort_by(struct ksmtop_ui *ui, const struct ksmtop_model *m, const char *id)
{
	int column = column_find(id);

	if (column != ui->sort)
		do_sort(ui, m, column);
}

static void do_sort_saved(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	sort_by(ui, m, "saved");
}

static void do_sort_net(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	sort_by(ui, m, "net");
}

static void do_sort_cow(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	sort_by(ui, m, "cow");
}

static void do_sort_pid(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	sort_by(ui, m, "pid");
}

static void do_sort_step(struct ksmtop_ui *ui, const struct ksmtop_model *m, int step)
{
	do_sort(ui, m, (ui->sort + step + ksmtop_ncolumns) % ksmtop_ncolumns);
}

static void do_invert(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->reverse = !ui->reverse;
	ui_refresh(ui, m);
}

static void do_step(struct ksmtop_ui *ui, const struct ksmtop_model *m, int step)
{
	ui_move(ui, ui->cursor + step);
}

static void do_page(struct ksmtop_ui *ui, const struct ksmtop_model *m, int pages)
{
	ui->top += pages * ui->page;
	ui_move(ui, ui->cursor + pages * ui->page);
}

static void do_home(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui_move(ui, 0);
}

static void do_end(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui_move(ui, (int)ui->nshown - 1);
}

static void do_tag(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui_toggle_tag(ui);
	ui_move(ui, ui->cursor + 1);
}

static void do_untag(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->ntags = 0;
}

static void do_pause(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->paused = !ui->paused;
}

static void do_redraw(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg)
{
	ui->redraw = true;
}

const struct ksmtop_binding ksmtop_bindings[] = {
	{ { KT_F(1), 'h', '?' }, "F1 h ?", "this help", "Help", do_mode, UI_HELP },
	{ { KT_F(3), '/' }, "F3 /", "search; F3: next match", "Search", do_mode, UI_SEARCH },
	{ { KT_F(4), '\\' }, "F4 \\", "show only what matches", "Filter", do_mode, UI_FILTER },
	{ { KT_F(6) }, "F6", "choose the sort column", "SortBy", do_mode, UI_SORT },
	{ { '<', ',' }, "< ,", "sort one column left", NULL, do_sort_step, -1 },
	{ { '>', '.' }, "> .", "sort one column right", NULL, do_sort_step, 1 },
	{ { 'M' }, "M", "sort by memory saved", NULL, do_sort_saved, 0 },
	{ { 'P' }, "P", "sort by net saving", NULL, do_sort_net, 0 },
	{ { 'B' }, "B", "sort by COW breaks", NULL, do_sort_cow, 0 },
	{ { 'N' }, "N", "sort by process id", NULL, do_sort_pid, 0 },
	{ { 'I' }, "I", "invert the sort order", NULL, do_invert, 0 },
	{ { KT_UP, 'k' }, "Up k", "one row up", NULL, do_step, -1 },
	{ { KT_DOWN, 'j' }, "Down j", "one row down", NULL, do_step, 1 },
	{ { KT_PGUP }, "PgUp", "one page up", NULL, do_page, -1 },
	{ { KT_PGDN }, "PgDn", "one page down", NULL, do_page, 1 },
	{ { KT_HOME, 'g' }, "Home g", "first row", NULL, do_home, 0 },
	{ { KT_END, 'G' }, "End G", "last row", NULL, do_end, 0 },
	{ { ' ' }, "Space", "tag: adds up below", NULL, do_tag, 0 },
	{ { 'U' }, "U", "untag all", NULL, do_untag, 0 },
	{ { 'Z' }, "Z", "pause and go on", NULL, do_pause, 0 },
	{ { KT_CTRL_L }, "Ctrl-L", "draw the screen again", NULL, do_redraw, 0 },
	{ { KT_F(10), 'q', KT_CTRL_C }, "F10 q", "quit", "Quit", do_quit, 0 },
};

const int ksmtop_nbindings = sizeof(ksmtop_bindings) / sizeof(ksmtop_bindings[0]);

static void run_binding(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	for (int i = 0; i < ksmtop_nbindings; i++)
		for (int k = 0; k < KSMTOP_KEYS_EACH && ksmtop_bindings[i].codes[k]; k++)
			if (ksmtop_bindings[i].codes[k] == code) {
				ksmtop_bindings[i].run(ui, m, ksmtop_bindings[i].arg);
				return;
			}
}

/* ---- modes --------------------------------------------------------------------------------- */

static bool edit(char *text, int code)
{
	size_t len = strlen(text);
	char utf8[5];
	int n;

	if (code == KT_BACKSPACE) {
		while (len && ((unsigned char)text[--len] & 0xc0) == 0x80)
			;
		text[len] = '\0';
		return true;
	}
	if (code < ' ' || code >= KT_UP)
		return false;
	n = screen_utf8_encode((uint32_t)code, utf8);
	if (len + (size_t)n >= KSMTOP_INPUT_MAX)
		return false;
	memcpy(text + len, utf8, (size_t)n + 1);
	return true;
}

static void press_search(struct ksmtop_ui *ui, int code)
{
	if (code == KT_ENTER || code == KT_ESC) {
		ui->mode = UI_NORMAL;
		ui->not_found = false;
	} else if (code == KT_F(3) || code == KT_DOWN) {
		ui->not_found = !ui_find(ui, ui->cursor + 1);
	} else if (edit(ui->search, code)) {
		ui->not_found = !ui_find(ui, ui->cursor);
	}
}

static void press_filter(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	if (code == KT_ENTER) {
		ui->mode = UI_NORMAL;
	} else if (code == KT_ESC) {
		ui->mode = UI_NORMAL;
		memcpy(ui->filter, ui->saved_filter, sizeof(ui->filter));
		ui_refresh(ui, m);
	} else if (edit(ui->filter, code)) {
		ui_refresh(ui, m);
	}
}

static void press_menu(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	if (code == KT_UP || code == 'k')
		ui->menu = (ui->menu + ksmtop_ncolumns - 1) % ksmtop_ncolumns;
	else if (code == KT_DOWN || code == 'j')
		ui->menu = (ui->menu + 1) % ksmtop_ncolumns;
	if (code == KT_ENTER && ui->menu != ui->sort)
		do_sort(ui, m, ui->menu);
	if (code == KT_ENTER || code == KT_ESC || code == 'q' || code == KT_F(6))
		ui->mode = UI_NORMAL;
}

static void press_mode(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	switch (ui->mode) {
	case UI_NORMAL:
		run_binding(ui, m, code);
		break;
	case UI_HELP:
		ui->mode = UI_NORMAL;
		break;
	case UI_SORT:
		press_menu(ui, m, code);
		break;
	case UI_SEARCH:
		press_search(ui, code);
		break;
	case UI_FILTER:
		press_filter(ui, m, code);
		break;
	}
}

static void click(struct ksmtop_ui *ui, const struct ksmtop_model *m, int x, int y)
{
	struct ui_hit hit;

	if (!ui_hit_at(ui, x, y, &hit))
		return;
	switch (hit.target) {
	case UI_HIT_ROW:
		if (hit.arg < (int)ui->nshown)
			ui_move(ui, hit.arg);
		break;
	case UI_HIT_COLUMN:
		do_sort(ui, m, hit.arg);
		break;
	case UI_HIT_KEY:
		press_mode(ui, m, hit.arg);
		break;
	case UI_HIT_SORT:
		if (hit.arg != ui->sort)
			do_sort(ui, m, hit.arg);
		ui->mode = UI_NORMAL;
		break;
	}
}

void keys_press(struct ksmtop_ui *ui, const struct ksmtop_model *m, struct ksmtop_key key)
{
	/* Ctrl-C ends it from wherever one is. */
	if (key.code == KT_CTRL_C)
		ui->quit = true;
	else if (key.code == KT_CLICK)
		click(ui, m, key.x, key.y);
	else if (key.code == KT_WHEEL_UP)
		ui_move(ui, ui->cursor - WHEEL_ROWS);
	else if (key.code == KT_WHEEL_DOWN)
		ui_move(ui, ui->cursor + WHEEL_ROWS);
	else if (key.code != KT_NONE)
		press_mode(ui, m, key.code);
}
