/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the keys do: one table, from which the help screen and the function bar are made.
 */
#ifndef KSMTOP_KEYS_H
#define KSMTOP_KEYS_H

#include "ui.h"

#define KSMTOP_KEYS_EACH 4

/* struct ksmtop_binding.where: views, and whether it is a recording */
#define KEY_IN(view) (1u << (view))
#define KEY_LIVE (1u << 16)
#define KEY_REPLAY (1u << 17)
#define KEY_VIEWS (KEY_IN(VIEW_COUNT) - 1)
#define KEY_ALWAYS (KEY_LIVE | KEY_REPLAY)
#define KEY_EVERYWHERE (KEY_VIEWS | KEY_ALWAYS)

/**
 * struct ksmtop_binding - one action and its keys
 * @codes: keys that do it, 0 ends the list early
 * @label: the keys as people call them
 * @help: what it does
 * @bar: its word in the function bar with F-key @codes[0], or NULL
 * @run: does it
 * @arg: handed to @run, when several bindings share it
 * @where: views in which it is there, and KEY_LIVE or KEY_REPLAY or both
 */
struct ksmtop_binding {
	int codes[KSMTOP_KEYS_EACH];
	const char *label;
	const char *help;
	const char *bar;
	void (*run)(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg);
	int arg;
	unsigned int where;
};

extern const struct ksmtop_binding ksmtop_bindings[];
extern const int ksmtop_nbindings;

/**
 * keys_here() - does a binding do something in this view, in this kind of run?
 */
bool keys_here(const struct ksmtop_ui *ui, const struct ksmtop_binding *b);

/**
 * keys_press() - take one key in
 *
 * Changes @ui only; the caller draws afterwards, looks at @ui->quit and sees to @ui->request.
 */
void keys_press(struct ksmtop_ui *ui, const struct ksmtop_model *m, struct ksmtop_key key);

/* What keys.c and keys_modes.c share. */

/**
 * keys_mode() - take one key in, in any mode
 */
void keys_mode(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code);

/* Do what a key does in UI_NORMAL. */
void keys_run(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code);

/* Sort by a column; by the same one again: the other way round. */
void keys_sort(struct ksmtop_ui *ui, const struct ksmtop_model *m, int column);

/* Set the knob under the cursor, after a question where it needs one. */
void keys_set_knob(struct ksmtop_ui *ui, const struct ksmtop_model *m, const char *text);

/* Ask, and want @request when the answer is y. */
void keys_confirm(struct ksmtop_ui *ui, struct ui_request request, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* KSMTOP_KEYS_H */
