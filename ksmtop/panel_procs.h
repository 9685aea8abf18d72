/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of processes: its columns, and how it is drawn.
 */
#ifndef KSMTOP_PANEL_PROCS_H
#define KSMTOP_PANEL_PROCS_H

#include "ui.h"

#define KSMTOP_ROOMY 100

/**
 * struct ksmtop_column - one column, and everything that is true of it
 * @id: name for --sort and the sort menu
 * @title: heading
 * @help: what it means, for the menu and the help screen
 * @width: of its cells; the last column takes what is left
 * @roomy: columns more on screens of at least KSMTOP_ROOMY
 * @wide: shown only when the screen has at least so many columns
 * @text: left-aligned, sorted ascending by @format's text; otherwise a number, largest first
 * @ascending: a number that is sorted smallest first
 * @number: the value to sort by, NULL for text; a value that is not there sorts last
 * @cell: makes the cell's text of @number
 * @format: makes it of the row, where there is no @cell; a column with neither is a bar
 * @style: of its cells
 */
struct ksmtop_column {
	const char *id;
	const char *title;
	const char *help;
	int width;
	int roomy;
	int wide;
	bool text;
	bool ascending;
	struct ksmtop_num (*number)(const struct ksmtop_row *r);
	void (*cell)(struct ksmtop_num n, char *buf, size_t size);
	void (*format)(const struct ksmtop_row *r, char *buf, size_t size);
	enum style style;
};

extern const struct ksmtop_column ksmtop_columns[];
extern const int ksmtop_ncolumns;

static inline bool column_is_bar(const struct ksmtop_column *c)
{
	return !c->cell && !c->format;
}

/**
 * column_text() - the text of a cell; "-" for what is not there, "" for a bar
 */
void column_text(const struct ksmtop_column *c, const struct ksmtop_row *r, char *buf, size_t size);

/**
 * column_find() - a column by its id
 *
 * Return: its index, or -1.
 */
int column_find(const char *id);

/**
 * row_compare() - order of two rows
 * @column: index of the column to sort by
 * @reverse: against the column's own direction
 *
 * What is not there comes last in both directions; rows that are equal are ordered by pid.
 */
int row_compare(const struct ksmtop_row *a, const struct ksmtop_row *b, int column, bool reverse);

/**
 * panel_procs_draw() - draw heading and rows
 * @y: line of the heading
 * @h: lines, heading included
 *
 * Notes @ui->page, keeps the cursor in view and notes what can be clicked.
 */
void panel_procs_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		      int h);

#endif /* KSMTOP_PANEL_PROCS_H */
