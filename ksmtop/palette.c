// SPDX-License-Identifier: GPL-2.0
#include "palette.h"

#include <stdio.h>

#define ORANGE 0xf0a000
#define SKY 0x56b4e9
#define GREEN 0x00b187
#define YELLOW 0xf0e442
#define VERMILLION 0xe06c2b
#define PURPLE 0xcc79a7
#define GREY 0x949494
#define BLACK 0x000000

const struct look palette[ST_COUNT] = {
	[ST_NORMAL] = { PALETTE_OWN, PALETTE_OWN, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_DIM] = { GREY, PALETTE_OWN, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_LABEL] = { SKY, PALETTE_CYAN, PALETTE_OWN, PALETTE_OWN, 0, PALETTE_BOLD },
	[ST_VALUE] = { PALETTE_OWN, PALETTE_OWN, PALETTE_OWN, PALETTE_OWN, PALETTE_BOLD,
		       PALETTE_BOLD },
	[ST_BRAND] = { BLACK, PALETTE_BLACK, SKY, PALETTE_CYAN, PALETTE_BOLD,
		       PALETTE_REVERSE | PALETTE_BOLD },
	[ST_GOOD] = { GREEN, PALETTE_GREEN, PALETTE_OWN, PALETTE_OWN, PALETTE_BOLD, PALETTE_BOLD },
	[ST_WARN] = { ORANGE, PALETTE_YELLOW, PALETTE_OWN, PALETTE_OWN, PALETTE_BOLD,
		      PALETTE_BOLD },
	[ST_BAD] = { VERMILLION, PALETTE_RED, PALETTE_OWN, PALETTE_OWN, PALETTE_BOLD,
		     PALETTE_REVERSE },
	[ST_SHARING] = { GREEN, PALETTE_GREEN, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_SHARED] = { SKY, PALETTE_CYAN, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_UNSHARED] = { ORANGE, PALETTE_YELLOW, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_VOLATILE] = { PURPLE, PALETTE_MAGENTA, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_GRAPH_CPU] = { SKY, PALETTE_CYAN, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_GRAPH_MERGE] = { GREEN, PALETTE_GREEN, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_GRAPH_COW] = { ORANGE, PALETTE_YELLOW, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_BOX] = { 0x6c6c6c, PALETTE_OWN, PALETTE_OWN, PALETTE_OWN, 0, 0 },
	[ST_HEAD] = { BLACK, PALETTE_BLACK, GREEN, PALETTE_GREEN, 0, PALETTE_REVERSE },
	[ST_HEAD_SORT] = { BLACK, PALETTE_BLACK, YELLOW, PALETTE_YELLOW, PALETTE_BOLD,
			   PALETTE_REVERSE | PALETTE_BOLD },
	[ST_ROW_SAVED] = { GREEN, PALETTE_GREEN, PALETTE_OWN, PALETTE_OWN, PALETTE_BOLD,
			   PALETTE_BOLD },
	[ST_SELECTED] = { BLACK, PALETTE_BLACK, SKY, PALETTE_CYAN, 0, PALETTE_REVERSE },
	[ST_TAGGED] = { YELLOW, PALETTE_YELLOW, PALETTE_OWN, PALETTE_OWN, PALETTE_BOLD,
			PALETTE_BOLD | PALETTE_UNDERLINE },
	[ST_KEY] = { PALETTE_OWN, PALETTE_OWN, PALETTE_OWN, PALETTE_OWN, PALETTE_BOLD, 0 },
	[ST_KEY_TEXT] = { BLACK, PALETTE_BLACK, SKY, PALETTE_CYAN, 0, PALETTE_REVERSE },
	[ST_INPUT] = { BLACK, PALETTE_BLACK, YELLOW, PALETTE_YELLOW, 0,
		       PALETTE_REVERSE | PALETTE_BOLD },
};

static int cube(int v)
{
	return v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40;
}

int palette_256(int rgb)
{
	int r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;

	if (r == g && g == b && r > 8 && r < 248)
		return 232 + (r - 8) / 10;
	return 16 + 36 * cube(r) + 6 * cube(g) + cube(b);
}

static int add_attr(char *buf, size_t size, int len, unsigned int attr)
{
	return len + snprintf(buf + len, size - (size_t)len, "%s%s%s",
			      attr & PALETTE_BOLD ? ";1" : "", attr & PALETTE_UNDERLINE ? ";4" : "",
			      attr & PALETTE_REVERSE ? ";7" : "");
}

char *palette_sgr(enum style style, bool colour, char *buf, size_t size)
{
	const struct look *l = &palette[style];
	int len = snprintf(buf, size, "\033[0");

	len = add_attr(buf, size, len, colour ? l->attr : l->mono);
	if (colour && l->fg != PALETTE_OWN)
		len += snprintf(buf + len, size - (size_t)len, ";38;5;%d", palette_256(l->fg));
	if (colour && l->bg != PALETTE_OWN)
		len += snprintf(buf + len, size - (size_t)len, ";48;5;%d", palette_256(l->bg));
	snprintf(buf + len, size - (size_t)len, "m");
	return buf;
}
