/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the styles look like: the palette by Okabe and Ito, which people with any kind of colour
 * blindness can tell apart, and attributes where there is no colour.
 */
#ifndef KSMTOP_PALETTE_H
#define KSMTOP_PALETTE_H

#include <stddef.h>

#include "screen.h"

#define PALETTE_OWN (-1) /* the terminal's own */

/* The eight colours that every terminal has, by their numbers. */
enum {
	PALETTE_BLACK,
	PALETTE_RED,
	PALETTE_GREEN,
	PALETTE_YELLOW,
	PALETTE_BLUE,
	PALETTE_MAGENTA,
	PALETTE_CYAN,
	PALETTE_WHITE,
};

#define PALETTE_BOLD 1u
#define PALETTE_REVERSE 2u
#define PALETTE_UNDERLINE 4u

/**
 * struct look - how a style is shown
 * @fg, @bg: 0xrrggbb or PALETTE_OWN
 * @fg8, @bg8: the nearest of eight
 * @attr: PALETTE_* with colour, @mono without
 */
struct look {
	int fg, fg8;
	int bg, bg8;
	unsigned int attr;
	unsigned int mono;
};

extern const struct look palette[ST_COUNT];

/**
 * palette_256() - the nearest of the 256 colours of xterm: a cube of six steps each way, 24 greys
 */
int palette_256(int rgb);

/**
 * palette_sgr() - the escape sequence for a style
 * @colour: with 256 colours; otherwise attributes only
 * @size: 48 is enough
 *
 * Return: @buf.
 */
char *palette_sgr(enum style style, bool colour, char *buf, size_t size);

#endif /* KSMTOP_PALETTE_H */
