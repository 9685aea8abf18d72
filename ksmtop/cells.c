// SPDX-License-Identifier: GPL-2.0
#include "cells.h"

#include <stdio.h>
#include <string.h>

#include "lib/format.h"

/* Without blank and "iB": columns are narrow, and the unit stays readable. */
void cell_bytes(struct ksmtop_num n, char *buf, size_t size)
{
	char *to = buf;

	if (!n.have) {
		snprintf(buf, size, "-");
		return;
	}
	ksm_format_bytes(buf, size, (int64_t)n.v);
	for (const char *from = buf; *from; from++)
		if (*from != ' ' && *from != 'i' && (*from != 'B' || from[-1] == ' '))
			*to++ = *from;
	*to = '\0';
}

void cell_count(struct ksmtop_num n, char *buf, size_t size)
{
	if (!n.have)
		snprintf(buf, size, "-");
	else if (n.v < 10000000)
		snprintf(buf, size, "%.0f", n.v);
	else
		ksm_format_short(buf, size, n.v);
}

void cell_short(struct ksmtop_num n, char *buf, size_t size)
{
	if (n.have)
		ksm_format_short(buf, size, n.v);
	else
		snprintf(buf, size, "-");
}

void cell_percent(struct ksmtop_num n, char *buf, size_t size)
{
	if (n.have)
		snprintf(buf, size, n.v >= 99.95 ? "%.0f" : "%.1f", n.v);
	else
		snprintf(buf, size, "-");
}

struct ksmtop_num cell_num(struct ksmtop_count c)
{
	return (struct ksmtop_num){ .have = c.have, .v = (double)c.v };
}

void cell_number(struct screen *s, int x, int y, enum style style, const char *text)
{
	if (!strcmp(text, "-") || !strcmp(text, "0") || !strcmp(text, "0B") || !strcmp(text, "0.0"))
		style = ST_DIM;
	screen_right(s, x, y, style, text);
}

static int width_of(const struct screen *s, const struct cells_column *c, int x)
{
	return c->width ? c->width : s->w - x;
}

void cells_heading(struct screen *s, int y, const struct cells_column *columns, int count)
{
	int x = 1;

	screen_fill(s, 0, y, s->w, ' ', ST_HEAD);
	for (int i = 0; i < count; i++) {
		const struct cells_column *c = &columns[i];
		int width = width_of(s, c, x);

		if (s->w < c->wide)
			continue;
		if (c->text)
			screen_text(s, x, y, width, ST_HEAD, c->title);
		else
			screen_right(s, x + width, y, ST_HEAD, c->title);
		x += width + 1;
	}
}

void cells_line(struct screen *s, int y, const struct cells_column *columns, int count,
		const char *const *texts, const enum style *styles)
{
	int x = 1;

	for (int i = 0; i < count; i++) {
		const struct cells_column *c = &columns[i];
		int width = width_of(s, c, x);

		if (s->w < c->wide)
			continue;
		if (c->text)
			screen_text(s, x, y, width, styles[i], texts[i]);
		else
			cell_number(s, x + width, y, styles[i], texts[i]);
		x += width + 1;
	}
}
