/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A screen as plain data: a grid of cells, each a character and what it means.
 *
 * Everything that ksmtop shows is drawn into one of these. Only term.c turns it into curses calls,
 * so the whole display can be rendered and compared without a terminal.
 */
#ifndef KSMTOP_SCREEN_H
#define KSMTOP_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * enum style - what a cell means; term.c decides how that looks
 */
enum style {
	ST_NORMAL,
	ST_DIM, /* units, rules, things that are there but say little */
	ST_LABEL,
	ST_VALUE,
	ST_BRAND,
	ST_GOOD,
	ST_WARN,
	ST_BAD,
	ST_SHARING, /* the four kinds of tracked page, and the graphs */
	ST_SHARED,
	ST_UNSHARED,
	ST_VOLATILE,
	ST_GRAPH_CPU,
	ST_GRAPH_MERGE,
	ST_GRAPH_COW,
	ST_BOX,
	ST_HEAD,      /* the table's heading */
	ST_HEAD_SORT, /* its sort column */
	ST_ROW_SAVED,
	ST_SELECTED,
	ST_TAGGED,
	ST_KEY,	     /* function bar: the key */
	ST_KEY_TEXT, /* and what it does */
	ST_INPUT,
	ST_COUNT
};

/**
 * struct cell - one column of one line
 * @ch: Unicode code point; 0 in the second column of a wide character
 * @style: enum style
 */
struct cell {
	uint32_t ch;
	uint8_t style;
};

/**
 * struct screen - a grid of cells
 * @w: columns
 * @h: lines
 * @utf8: the output can show Unicode; otherwise every glyph is replaced by an ASCII one
 * @cells: @w * @h cells, line by line
 */
struct screen {
	int w, h;
	bool utf8;
	struct cell *cells;
};

/**
 * screen_resize() - give a screen a size and blank it
 * @s: zeroed, or sized before; @s->utf8 is kept
 * @w: columns, at least 1
 * @h: lines, at least 1
 *
 * Return: false when there is no memory; the screen then keeps its old size and content.
 */
bool screen_resize(struct screen *s, int w, int h);

/**
 * screen_free() - release the cells; @s may be used with screen_resize() again
 */
void screen_free(struct screen *s);

/**
 * screen_clear() - blank every cell
 */
void screen_clear(struct screen *s);

/**
 * screen_put() - set one cell; nothing happens outside the screen
 */
void screen_put(struct screen *s, int x, int y, uint32_t ch, enum style style);

/**
 * screen_text() - write text, at most @max columns
 * @text: UTF-8. Control characters and malformed bytes appear as '?', so that nothing a process
 *	calls itself ever reaches the terminal as an instruction.
 *
 * Return: the number of columns written.
 */
int screen_text(struct screen *s, int x, int y, int max, enum style style, const char *text);

/**
 * screen_printf() - screen_text() up to the right edge, formatted
 */
int screen_printf(struct screen *s, int x, int y, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/**
 * screen_parts() - write text of several parts, separated by " · ", as many as fit whole
 *
 * Return: the number of columns written.
 */
int screen_parts(struct screen *s, int x, int y, int max, enum style style, const char *text);

/**
 * screen_right() - write text so that it ends just before column @x
 *
 * Return: the column where it begins.
 */
int screen_right(struct screen *s, int x, int y, enum style style, const char *text);

/**
 * screen_width() - columns that @text takes when written by screen_text()
 */
int screen_width(const struct screen *s, const char *text);

/**
 * screen_fill() - fill @w columns of a line with one character
 */
void screen_fill(struct screen *s, int x, int y, int w, uint32_t ch, enum style style);

/**
 * screen_restyle() - change the style of @w columns of a line, keeping the text
 */
void screen_restyle(struct screen *s, int x, int y, int w, enum style style);

/**
 * screen_box() - draw a frame with @title in its upper edge; the inside is blanked
 */
void screen_box(struct screen *s, int x, int y, int w, int h, const char *title);

/**
 * screen_dump() - write the screen as text, trailing blanks removed, a newline after each line
 */
void screen_dump(const struct screen *s, FILE *out);

/**
 * screen_utf8_encode() - one code point as UTF-8
 * @out: room for 5 bytes, terminated by this function
 *
 * Return: bytes written, without the terminator.
 */
int screen_utf8_encode(uint32_t ch, char *out);

#endif /* KSMTOP_SCREEN_H */
