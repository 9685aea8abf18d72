/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user did: sort order, cursor, search, filter, tags. Changed by keys, read by drawing.
 */
#ifndef KSMTOP_UI_H
#define KSMTOP_UI_H

#include "model.h"
#include "screen.h"

#define KSMTOP_INPUT_MAX 64
#define KSMTOP_HITS 64 /* columns, keys of the bar, and one for all rows */

/* Keys beyond Unicode; everything below is the character itself. */
enum ksmtop_keycode {
	KT_NONE = 0,
	KT_CTRL_C = 3,
	KT_TAB = 9,
	KT_ENTER = 13,
	KT_CTRL_L = 12,
	KT_ESC = 27,
	KT_BACKSPACE = 127,
	KT_UP = 0x110000,
	KT_DOWN,
	KT_LEFT,
	KT_RIGHT,
	KT_PGUP,
	KT_PGDN,
	KT_HOME,
	KT_END,
	KT_CLICK, /* @x, @y */
	KT_WHEEL_UP,
	KT_WHEEL_DOWN,
	KT_F0,
	KT_F_LAST = KT_F0 + 12,
};

#define KT_F(n) (KT_F0 + (n))

/**
 * struct ksmtop_key - one key press or mouse action
 * @code: a character, or enum ksmtop_keycode
 * @x, @y: where, for the mouse
 */
struct ksmtop_key {
	int code;
	int x, y;
};

/**
 * enum ui_mode - what the keys go to
 */
enum ui_mode {
	UI_NORMAL,
	UI_HELP,
	UI_SORT,
	UI_SEARCH,
	UI_FILTER,
};

/**
 * enum ui_target - what a place on the screen stands for when it is clicked
 */
enum ui_target {
	UI_HIT_ROW,    /* @arg: index among the rows shown */
	UI_HIT_COLUMN, /* @arg: index of the column */
	UI_HIT_KEY,    /* @arg: key code */
	UI_HIT_SORT,   /* @arg: entry of the sort menu */
};

/**
 * struct ui_hit - a clickable rectangle, noted while drawing
 * @y, @h: first line, and how many
 * @x0, @x1: first column, and the one behind the last
 * @target: what it is
 * @arg: of its first line; each line below counts one more
 */
struct ui_hit {
	int y, h, x0, x1;
	enum ui_target target;
	int arg;
};

/**
 * struct ksmtop_ui - the user's side of the display
 * @mode: what the keys go to
 * @sort: index into the columns
 * @reverse: against the column's own direction
 * @shown: rows of the model that pass the filter, sorted; point into the model, so they are valid
 *	until its next update
 * @cursor: index into @shown
 * @top: first of @shown that is on the screen
 * @page: rows that the table had room for when it was last drawn
 * @selected: pid under the cursor, 0 when the cursor has not been moved off the first row
 * @search, @filter: what was typed
 * @saved_filter: what Esc brings back
 * @menu: entry of the sort menu
 * @pids: with --pid, the only ones shown
 * @tags: tagged pids
 * @hits: what is where on the screen
 * @not_found: the search matches no row
 */
struct ksmtop_ui {
	enum ui_mode mode;
	int sort;
	bool reverse;
	const struct ksmtop_row **shown;
	size_t nshown, room;
	int cursor, top, page;
	pid_t selected;
	char search[KSMTOP_INPUT_MAX];
	char filter[KSMTOP_INPUT_MAX];
	char saved_filter[KSMTOP_INPUT_MAX];
	int menu;
	const pid_t *pids;
	size_t npids;
	pid_t *tags;
	size_t ntags, tag_room;
	struct ui_hit hits[KSMTOP_HITS];
	int nhits;
	bool not_found;
	bool paused;
	bool redraw;
	bool quit;
};

/**
 * ui_refresh() - filter and sort the model's rows again, and find the cursor's process
 *
 * After every model_update() and every change of sort order or filter.
 *
 * Return: false when there was no memory; nothing is shown then.
 */
bool ui_refresh(struct ksmtop_ui *ui, const struct ksmtop_model *m);

/**
 * ui_move() - put the cursor on row @to of those shown, or the nearest there is
 */
void ui_move(struct ksmtop_ui *ui, int to);

/**
 * ui_find() - move the cursor to the next row that matches the search
 * @from: row to begin with; the search wraps around
 *
 * Return: false, and the cursor stays, when no row matches.
 */
bool ui_find(struct ksmtop_ui *ui, int from);

/**
 * ui_tagged() - is this process tagged?
 */
bool ui_tagged(const struct ksmtop_ui *ui, pid_t pid);

/**
 * ui_toggle_tag() - tag the process under the cursor, or take its tag away
 */
void ui_toggle_tag(struct ksmtop_ui *ui);

/**
 * ui_hit_add() - note what a place on the screen stands for
 */
void ui_hit_add(struct ksmtop_ui *ui, struct ui_hit hit);

/**
 * ui_hit_at() - what is here?
 * @hit: filled, with the argument of that very line
 *
 * Return: false when it is nothing to click.
 */
bool ui_hit_at(const struct ksmtop_ui *ui, int x, int y, struct ui_hit *hit);

/**
 * ui_free() - release what the ui allocated
 */
void ui_free(struct ksmtop_ui *ui);

#endif /* KSMTOP_UI_H */
