/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the keys do: one table, from which the help screen and the function bar are made.
 */
#ifndef KSMTOP_KEYS_H
#define KSMTOP_KEYS_H

#include "ui.h"

#define KSMTOP_KEYS_EACH 4

/**
 * struct ksmtop_binding - one action and its keys
 * @codes: keys that do it, 0 ends the list early
 * @label: the keys as people call them
 * @help: what it does
 * @bar: its word in the function bar with F-key @codes[0], or NULL
 * @run: does it
 * @arg: handed to @run, when several bindings share it
 */
struct ksmtop_binding {
	int codes[KSMTOP_KEYS_EACH];
	const char *label;
	const char *help;
	const char *bar;
	void (*run)(struct ksmtop_ui *ui, const struct ksmtop_model *m, int arg);
	int arg;
};

extern const struct ksmtop_binding ksmtop_bindings[];
extern const int ksmtop_nbindings;

/**
 * keys_press() - take one key in
 *
 * Changes @ui only; the caller draws afterwards and looks at @ui->quit.
 */
void keys_press(struct ksmtop_ui *ui, const struct ksmtop_model *m, struct ksmtop_key key);

#endif /* KSMTOP_KEYS_H */
