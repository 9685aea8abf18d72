/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Figures as the narrow columns of tables show them; "-" for what is not there.
 */
#ifndef KSMTOP_CELLS_H
#define KSMTOP_CELLS_H

#include <stddef.h>

#include "model.h"
#include "screen.h"

/* "512.0M" */
void cell_bytes(struct ksmtop_num n, char *buf, size_t size);

/* In full up to 7 digits, then "12.3M". */
void cell_count(struct ksmtop_num n, char *buf, size_t size);

/* "12.3k" */
void cell_short(struct ksmtop_num n, char *buf, size_t size);

/* "12.3" */
void cell_percent(struct ksmtop_num n, char *buf, size_t size);

struct ksmtop_num cell_num(struct ksmtop_count c);

/**
 * cell_number() - write a number so that it ends before column @x, dimmed when it says nothing
 */
void cell_number(struct screen *s, int x, int y, enum style style, const char *text);

/**
 * struct cells_column - of a table that cannot be sorted
 * @title: heading
 * @width: of its cells; 0: what is left
 * @wide: shown only when the screen has at least so many columns
 * @text: left-aligned
 */
struct cells_column {
	const char *title;
	int width;
	int wide;
	bool text;
};

/* The heading line of a table. */
void cells_heading(struct screen *s, int y, const struct cells_column *columns, int count);

/**
 * cells_line() - one line of a table
 * @texts: a cell for each column
 * @styles: likewise
 */
void cells_line(struct screen *s, int y, const struct cells_column *columns, int count,
		const char *const *texts, const enum style *styles);

#endif /* KSMTOP_CELLS_H */
