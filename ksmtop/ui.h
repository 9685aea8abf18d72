/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user did: sort order, cursor, search, filter, tags. Changed by keys, read by drawing.
 */
#ifndef KSMTOP_UI_H
#define KSMTOP_UI_H

#include "lib/knobs.h"
#include "model.h"
#include "screen.h"
#include "sharing.h"

#define KSMTOP_INPUT_MAX 64
#define KSMTOP_HITS 96 /* columns, views, keys of the bar, and one for all rows */
#define KSMTOP_UNDO 32
#define KSMTOP_METERS 16 /* more than there are */
#define KSMTOP_PROFILES 32

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
	KT_BACKTAB,
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
 * enum ui_view - what the lower part shows
 */
enum ui_view {
	VIEW_PROCS,
	VIEW_GROUPS,
	VIEW_EVENTS,
	VIEW_SHARING,
	VIEW_TUNING,
	VIEW_TABS,		 /* those above can be chosen */
	VIEW_DETAIL = VIEW_TABS, /* one process; Enter in VIEW_PROCS */
	VIEW_COUNT
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
	UI_SETUP,   /* which meters */
	UI_CONFIRM, /* y or not */
	UI_VALUE,   /* a knob's new value is typed */
	UI_PROFILE, /* a profile is chosen */
};

/**
 * enum ui_target - what a place on the screen stands for when it is clicked
 */
enum ui_target {
	UI_HIT_ROW,    /* @arg: index among the rows shown */
	UI_HIT_COLUMN, /* @arg: index of the column */
	UI_HIT_KEY,    /* @arg: key code */
	UI_HIT_SORT,   /* @arg: entry of the sort menu */
	UI_HIT_VIEW,   /* @arg: enum ui_view */
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
 * enum ui_ask - what the user wants of the machine; keys only note it, main.c sees to it
 */
enum ui_ask {
	ASK_NOTHING,
	ASK_SET,	/* @id to @text */
	ASK_UNMERGE,	/* ask whether run is to be 2, with the memory it needs */
	ASK_UNDO,	/* likewise, taking back the last change */
	ASK_PROFILE,	/* profile number @id */
	ASK_ATTACH,	/* ask whether process @pid is to be attached */
	ASK_DETACH,	/* likewise, with the memory it needs */
	ASK_ATTACH_NOW, /* the user said yes */
	ASK_DETACH_NOW,
	ASK_JOIN,   /* who shares with whom */
	ASK_DETAIL, /* mappings of @pid */
	ASK_SAVE,   /* the setup */
	ASK_STEP,   /* replay: @amount steps */
	ASK_SEEK,   /* replay: @amount seconds on, or back */
	ASK_BEGIN,  /* replay: from the beginning */
};

struct ui_request {
	enum ui_ask ask;
	unsigned int id;
	int amount;
	pid_t pid;
	char text[KSM_WORD_MAX];
};

/**
 * struct ui_change - one knob that was changed here
 */
struct ui_change {
	unsigned int id;
	char before[KSM_WORD_MAX];
	char after[KSM_WORD_MAX];
};

/**
 * struct ui_list - where one is in a view's list
 */
struct ui_list {
	int cursor, top, page;
};

/**
 * struct ui_profile - settings with a name
 */
struct ui_profile {
	char name[32];
	char help[96];
};

/**
 * struct ui_replay - a recording instead of the machine
 * @on: it is one
 * @done: it is at its end
 * @from, @to, @at: CLOCK_MONOTONIC of the recording, ns
 * @speed: times real time
 */
struct ui_replay {
	bool on, done;
	uint64_t from, to, at;
	double speed;
};

/**
 * struct ksmtop_ui - the user's side of the display
 * @mode: what the keys go to
 * @view: what is shown below the header; @from_view is where Esc leads from VIEW_DETAIL
 * @sort: index into the columns
 * @reverse: against the column's own direction
 * @tree: children below their parents
 * @all: also processes that KSM knows nothing of
 * @shown: rows of the model that pass the filter, sorted; point into the model, so they are valid
 *	until its next update
 * @branch: for each of @shown, where it hangs in the tree, see struct ui_branch
 * @cursor: index into @shown
 * @top: first of @shown that is on the screen
 * @page: rows that the table had room for when it was last drawn
 * @width: of the screen it was drawn on
 * @selected: pid under the cursor, 0 when the cursor has not been moved off the first row
 * @list: cursor and top of the other views
 * @last_event: number of the event in the lowest line, 0 to follow the newest
 * @search, @filter: what was typed; @event_filter is VIEW_EVENTS's own
 * @saved_filter: what Esc brings back
 * @menu: entry of the menu that is open
 * @help_top: first line of the help that is on the screen
 * @pids: with --pid, the only ones shown
 * @tags: tagged pids
 * @hits: what is where on the screen
 * @not_found: the search matches no row
 * @detail_pid: of VIEW_DETAIL; @detail_name is what it was called
 * @detail, @sharing: what was found out, NULL while it is not
 * @joining: who shares with whom is being found out
 * @meters: indices of the meters shown, in this order
 * @request: what is wanted of the machine
 * @confirm: what is wanted once the user has said y to @question
 * @message: result of what was wanted, until the next key; @message_bad when it failed
 * @undo: changes made here, the last one last
 * @profiles: what UI_PROFILE offers; @profiles_why when there are none
 */
struct ksmtop_ui {
	enum ui_mode mode;
	enum ui_view view, from_view;
	int sort;
	bool reverse, tree, all;
	const struct ksmtop_row **shown;
	struct ui_branch *branch;
	size_t nshown, room;
	int cursor, top, page, width;
	pid_t selected;
	struct ui_list list[VIEW_COUNT];
	uint64_t last_event;
	char search[KSMTOP_INPUT_MAX];
	char filter[KSMTOP_INPUT_MAX];
	char event_filter[KSMTOP_INPUT_MAX];
	char saved_filter[KSMTOP_INPUT_MAX];
	char value[KSMTOP_INPUT_MAX];
	int menu;
	int help_top;
	const pid_t *pids;
	size_t npids;
	pid_t *tags;
	size_t ntags, tag_room;
	struct ui_hit hits[KSMTOP_HITS];
	int nhits;
	bool not_found;
	pid_t detail_pid;
	char detail_name[64];
	const struct ksmtop_detail *detail;
	const struct ksmtop_sharing *sharing;
	bool joining;
	int meters[KSMTOP_METERS];
	int nmeters;
	struct ui_request request;
	struct ui_request confirm;
	char question[256];
	char message[256];
	bool message_bad;
	struct ui_change undo[KSMTOP_UNDO];
	int nundo;
	struct ui_profile profiles[KSMTOP_PROFILES];
	int nprofiles;
	char profiles_why[128];
	struct ui_replay replay;
	bool paused;
	bool redraw;
	bool quit;
};

/**
 * struct ui_branch - the place of a row in the tree
 * @depth: ancestors that are shown
 * @more: bit d: the ancestor at depth d has more children below; bit @depth: so has its parent
 */
struct ui_branch {
	unsigned int depth;
	uint32_t more;
};

#define UI_DEPTH 16 /* deeper ones are shown as deep as this */

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
 * ui_list_move() - move a list's cursor to row @to of @count, or the nearest there is
 */
void ui_list_move(struct ui_list *l, int to, int count);

/**
 * ui_list_view() - keep the cursor on the screen
 * @page: lines that there are for rows
 */
void ui_list_view(struct ui_list *l, int page, int count);

/**
 * ui_filter() - the filter of the current view
 */
char *ui_filter(struct ksmtop_ui *ui);

/**
 * ui_matches() - is this what the user looks for?
 * @text: as typed; case does not matter
 */
bool ui_matches(const struct ksmtop_row *r, const char *text);

/**
 * ui_say() - a line for the user, until the next key
 */
void ui_say(struct ksmtop_ui *ui, bool bad, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * ui_changed() - note a change of a knob, so that it can be undone
 */
void ui_changed(struct ksmtop_ui *ui, unsigned int id, const char *before, const char *after);

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
