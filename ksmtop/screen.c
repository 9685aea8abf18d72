// SPDX-License-Identifier: GPL-2.0
#include "screen.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/*
 * Drawing code uses the Unicode glyphs freely; where the output cannot show them each one becomes
 * its ASCII neighbour here, in one place.
 */
static const struct {
	uint32_t ch;
	char ascii;
} fallback[] = {
	{ 0x00b7, '-' }, { 0x2026, '~' }, { 0x2191, '^' }, { 0x2193, 'v' }, { 0x2500, '-' },
	{ 0x2502, '|' }, { 0x256d, '+' }, { 0x256e, '+' }, { 0x256f, '+' }, { 0x2570, '+' },
	{ 0x251c, '|' }, { 0x2514, '`' }, { 0x2194, '=' }, { 0x00d7, 'x' }, { 0x25b6, '>' },
	{ 0x2581, '_' }, { 0x2582, '.' }, { 0x2583, '.' }, { 0x2584, ':' }, { 0x2585, ':' },
	{ 0x2586, '|' }, { 0x2587, '|' }, { 0x2588, '#' }, { 0x2589, '#' }, { 0x258a, '#' },
	{ 0x258b, '=' }, { 0x258c, '=' }, { 0x258d, '-' }, { 0x258e, '-' }, { 0x258f, '.' },
	{ 0x2591, '.' }, { 0x2592, '-' }, { 0x2593, '=' }, { 0x25b2, '^' }, { 0x25bc, 'v' },
	{ 0x25cb, 'o' }, { 0x25cf, '*' },
};

static uint32_t to_ascii(uint32_t ch)
{
	for (size_t i = 0; i < sizeof(fallback) / sizeof(fallback[0]); i++)
		if (fallback[i].ch == ch)
			return (uint32_t)fallback[i].ascii;
	return '?';
}

bool screen_resize(struct screen *s, int w, int h)
{
	struct cell *cells;

	if (w < 1 || h < 1)
		return false;
	cells = calloc((size_t)w * (size_t)h, sizeof(*cells));
	if (!cells)
		return false;
	free(s->cells);
	s->cells = cells;
	s->w = w;
	s->h = h;
	screen_clear(s);
	return true;
}

void screen_free(struct screen *s)
{
	free(s->cells);
	s->cells = NULL;
	s->w = s->h = 0;
}

void screen_clear(struct screen *s)
{
	for (int i = 0; i < s->w * s->h; i++)
		s->cells[i] = (struct cell){ .ch = ' ', .style = ST_NORMAL };
}

static struct cell *cell_at(struct screen *s, int x, int y)
{
	if (x < 0 || y < 0 || x >= s->w || y >= s->h)
		return NULL;
	return &s->cells[y * s->w + x];
}

void screen_put(struct screen *s, int x, int y, uint32_t ch, enum style style)
{
	struct cell *c = cell_at(s, x, y);

	if (!c)
		return;
	if (ch >= 0x80 && !s->utf8)
		ch = to_ascii(ch);
	/* Half of a wide character cannot stay behind: the line would shift by a column. */
	if (!c->ch && ch && x > 0)
		c[-1].ch = ' ';
	if (x + 1 < s->w && !c[1].ch)
		c[1].ch = ' ';
	*c = (struct cell){ .ch = ch, .style = (uint8_t)style };
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/*
 * Take one code point off *@p. Overlong forms, surrogates and stray bytes come back as '?', one
 * byte at a time, so that a malformed name still takes a bounded, visible place.
 */
static uint32_t decode(const char **p)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)*p;
	int more = s[0] < 0x80 ? 0 : s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : 1;
	uint32_t ch;

	(*p)++;
	if (!more)
		return s[0];
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return '?';
	ch = s[0] & (0x3fU >> more);
	for (int i = 1; i <= more; i++) {
		if (!is_continuation((char)s[i]))
			return '?';
		ch = ch << 6 | (s[i] & 0x3f);
	}
	if (ch < least[more] || ch > 0x10ffff || (ch >= 0xd800 && ch < 0xe000))
		return '?';
	*p += more;
	return ch;
}

/* The next thing to show and its columns: 0 for what has no width of its own and is left out. */
static int next_glyph(const struct screen *s, const char **p, uint32_t *ch)
{
	int width;

	*ch = decode(p);
	if (*ch < 0x20 || (*ch >= 0x7f && *ch < 0xa0))
		*ch = '?';
	if (*ch < 0x80)
		return 1;
	if (!s->utf8) {
		*ch = to_ascii(*ch);
		return 1;
	}
	width = wcwidth((wchar_t)*ch);
	if (width < 0) {
		*ch = '?';
		return 1;
	}
	return width;
}

int screen_text(struct screen *s, int x, int y, int max, enum style style, const char *text)
{
	int used = 0;

	while (*text) {
		uint32_t ch;
		int width = next_glyph(s, &text, &ch);

		if (!width)
			continue;
		if (used + width > max || x + used + width > s->w)
			break;
		screen_put(s, x + used, y, ch, style);
		if (width == 2)
			screen_put(s, x + used + 1, y, 0, style);
		used += width;
	}
	return used;
}

int screen_printf(struct screen *s, int x, int y, enum style style, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return screen_text(s, x, y, s->w, style, text);
}

int screen_width(const struct screen *s, const char *text)
{
	int used = 0;
	uint32_t ch;

	while (*text)
		used += next_glyph(s, &text, &ch);
	return used;
}

int screen_parts(struct screen *s, int x, int y, int max, enum style style, const char *text)
{
	static const char between[] = " · ";
	char buf[512];

	snprintf(buf, sizeof(buf), "%s", text);
	while (screen_width(s, buf) > max) {
		char *last = NULL;

		for (char *end = strstr(buf, between); end; end = strstr(end + 1, between))
			last = end;
		*(last ? last : buf) = '\0';
	}
	return screen_text(s, x, y, max, style, buf);
}

int screen_right(struct screen *s, int x, int y, enum style style, const char *text)
{
	int width = screen_width(s, text);

	screen_text(s, x - width, y, width, style, text);
	return x - width;
}

void screen_fill(struct screen *s, int x, int y, int w, uint32_t ch, enum style style)
{
	for (int i = 0; i < w; i++)
		screen_put(s, x + i, y, ch, style);
}

void screen_restyle(struct screen *s, int x, int y, int w, enum style style)
{
	for (int i = 0; i < w; i++) {
		struct cell *c = cell_at(s, x + i, y);

		if (c)
			c->style = (uint8_t)style;
	}
}

void screen_box(struct screen *s, int x, int y, int w, int h, const char *title)
{
	for (int i = 1; i < h - 1; i++) {
		screen_put(s, x, y + i, 0x2502, ST_BOX);
		screen_fill(s, x + 1, y + i, w - 2, ' ', ST_NORMAL);
		screen_put(s, x + w - 1, y + i, 0x2502, ST_BOX);
	}
	screen_fill(s, x + 1, y, w - 2, 0x2500, ST_BOX);
	screen_fill(s, x + 1, y + h - 1, w - 2, 0x2500, ST_BOX);
	screen_put(s, x, y, 0x256d, ST_BOX);
	screen_put(s, x + w - 1, y, 0x256e, ST_BOX);
	screen_put(s, x, y + h - 1, 0x2570, ST_BOX);
	screen_put(s, x + w - 1, y + h - 1, 0x256f, ST_BOX);
	if (title && *title && w > 6) {
		int used = screen_text(s, x + 3, y, w - 6, ST_LABEL, title);

		screen_put(s, x + 2, y, ' ', ST_BOX);
		screen_put(s, x + 3 + used, y, ' ', ST_BOX);
	}
}

int screen_utf8_encode(uint32_t ch, char *out)
{
	int n = 0;

	if (ch < 0x80) {
		out[n++] = (char)ch;
	} else if (ch < 0x800) {
		out[n++] = (char)(0xc0 | ch >> 6);
		out[n++] = (char)(0x80 | (ch & 0x3f));
	} else if (ch < 0x10000) {
		out[n++] = (char)(0xe0 | ch >> 12);
		out[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (ch & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | ch >> 18);
		out[n++] = (char)(0x80 | (ch >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (ch & 0x3f));
	}
	out[n] = '\0';
	return n;
}

void screen_dump(const struct screen *s, FILE *out)
{
	char utf8[5];

	for (int y = 0; y < s->h; y++) {
		const struct cell *line = &s->cells[y * s->w];
		int end = s->w;

		while (end > 0 && line[end - 1].ch == ' ')
			end--;
		for (int x = 0; x < end; x++) {
			if (!line[x].ch)
				continue;
			screen_utf8_encode(line[x].ch, utf8);
			fputs(utf8, out);
		}
		fputc('\n', out);
	}
}
