// SPDX-License-Identifier: GPL-2.0
/*
 * ansi2svg COLUMNS LINES <SCREEN >PICTURE: a screen with escape sequences, as tmux prints it with
 * `capture-pane -e`, as a picture. Blocks and shades are drawn, so that they fit whatever the font.
 */
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define CELL_W 8.4
#define CELL_H 17.0
#define MARGIN 10.0
#define FOREGROUND 0xd8dee9
#define BACKGROUND 0x14181d
#define RUN 512

struct pen {
	int fg, bg; /* 0xrrggbb, -1 the terminal's own */
	bool bold, reverse;
};

static const int basic[16] = { 0x000000, 0xe06c2b, 0x00b187, 0xf0a000, 0x5683c9, 0xcc79a7,
			       0x56b4e9, 0xd8dee9, 0x6c6c6c, 0xe06c2b, 0x00b187, 0xf0e442,
			       0x5683c9, 0xcc79a7, 0x56b4e9, 0xffffff };

static int colour_256(int n)
{
	static const int steps[] = { 0, 95, 135, 175, 215, 255 };

	if (n < 16)
		return basic[n & 15];
	if (n >= 232)
		return (8 + (n - 232) * 10) * 0x010101;
	n -= 16;
	return steps[n / 36] << 16 | steps[n / 6 % 6] << 8 | steps[n % 6];
}

static void colour_of(int *to, char **p)
{
	long kind = strtol(*p, p, 10), a;

	if (kind == 5) {
		*to = colour_256((int)strtol(*p + 1, p, 10));
		return;
	}
	a = strtol(*p + 1, p, 10) << 16;
	a |= strtol(*p + 1, p, 10) << 8;
	*to = (int)(a | strtol(*p + 1, p, 10));
}

/* "1;38;5;36" */
static void take_sgr(struct pen *pen, char *p)
{
	while (*p) {
		long n = strtol(p, &p, 10);

		if (*p)
			p++;
		if (!n)
			*pen = (struct pen){ -1, -1, false, false };
		else if (n == 1)
			pen->bold = true;
		else if (n == 7)
			pen->reverse = true;
		else if (n == 22)
			pen->bold = false;
		else if (n == 27)
			pen->reverse = false;
		else if (n == 38 || n == 48)
			colour_of(n == 38 ? &pen->fg : &pen->bg, &p);
		else if (n >= 30 && n <= 37)
			pen->fg = basic[n - 30];
		else if (n >= 40 && n <= 47)
			pen->bg = basic[n - 40];
		else if (n == 39)
			pen->fg = -1;
		else if (n == 49)
			pen->bg = -1;
		p += *p == ';';
	}
}

static void rect(double x, double y, double w, double h, int rgb, double opacity)
{
	printf("<rect x='%.1f' y='%.2f' width='%.1f' height='%.2f' fill='#%06x'", MARGIN + x,
	       MARGIN + y, w + 0.2, h + 0.2, rgb);
	if (opacity < 1)
		printf(" opacity='%.2f'", opacity);
	puts("/>");
}

static void block(wchar_t ch, double x, double y, double w, int rgb)
{
	static const double shades[] = { 0.25, 0.45, 0.7 };

	if (ch >= 0x2581 && ch <= 0x2588)
		rect(x, y + CELL_H * (0x2588 - ch) / 8.0, w, CELL_H * (ch - 0x2580) / 8.0, rgb, 1);
	else if (ch >= 0x2589 && ch <= 0x258f)
		rect(x, y, CELL_W * (0x2590 - ch) / 8.0, CELL_H, rgb, 1);
	else if (ch >= 0x2591 && ch <= 0x2593)
		rect(x, y + 1, w, CELL_H - 2, rgb, shades[ch - 0x2591]);
}

static void put_char(wchar_t ch)
{
	if (ch == '<' || ch == '&')
		fputs(ch == '<' ? "&lt;" : "&amp;", stdout);
	else
		printf("%lc", (wint_t)ch);
}

/* One run of cells that look the same. */
static void put_run(const wchar_t *text, int n, int column, int line, const struct pen *pen)
{
	int fg = pen->fg < 0 ? FOREGROUND : pen->fg, bg = pen->bg;
	double x = column * CELL_W, y = line * CELL_H;
	bool blank = true;

	if (!n)
		return;
	if (pen->reverse) {
		bg = fg;
		fg = pen->bg < 0 ? BACKGROUND : pen->bg;
	}
	if (bg >= 0)
		rect(x, y, n * CELL_W, CELL_H, bg, 1);
	if (text[0] >= 0x2581 && text[0] <= 0x2593) {
		block(text[0], x, y, n * CELL_W, fg);
		return;
	}
	for (int i = 0; i < n; i++)
		blank &= text[i] == ' ';
	if (blank)
		return;
	printf("<text x='%.1f' y='%.1f' textLength='%.1f' fill='#%06x'%s>", MARGIN + x,
	       MARGIN + y + CELL_H * 0.76, n * CELL_W, fg, pen->bold ? " font-weight='bold'" : "");
	for (int i = 0; i < n; i++)
		put_char(text[i]);
	puts("</text>");
}

static bool is_block(wchar_t ch)
{
	return ch >= 0x2581 && ch <= 0x2593;
}

/* Blocks run together with the same ones only, text with text. */
static bool continues(const wchar_t *text, int n, wchar_t ch)
{
	if (!n || n == RUN)
		return false;
	return is_block(ch) || is_block(text[n - 1]) ? ch == text[n - 1] : true;
}

static void put_line(char *p, int line, struct pen *pen)
{
	wchar_t text[RUN], ch;
	int n = 0, column = 0;

	for (int bytes; *p && *p != '\n'; p += bytes) {
		if (*p == '\033' && p[1] == '[') {
			char *end = p + strcspn(p, "m");

			put_run(text, n, column, line, pen);
			column += n;
			n = 0;
			bytes = (int)(end - p) + !!*end;
			*end = '\0';
			take_sgr(pen, p[2] ? p + 2 : (char[]){ "0" });
			continue;
		}
		bytes = mbtowc(&ch, p, MB_CUR_MAX);
		if (bytes < 1)
			return;
		if (!continues(text, n, ch)) {
			put_run(text, n, column, line, pen);
			column += n;
			n = 0;
		}
		text[n++] = ch;
	}
	put_run(text, n, column, line, pen);
}

int main(int argc, char **argv)
{
	struct pen pen = { -1, -1, false, false };
	int w = argc == 3 ? atoi(argv[1]) : 0, h = argc == 3 ? atoi(argv[2]) : 0;
	char text[16384];

	if (w < 1 || h < 1 || !setlocale(LC_CTYPE, "C.UTF-8"))
		return 2;
	printf("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %.0f %.0f' "
	       "font-family='DejaVu Sans Mono,Menlo,Consolas,monospace' font-size='14' "
	       "xml:space='preserve'>\n<rect width='100%%' height='100%%' rx='6' fill='#%06x'/>\n",
	       w * CELL_W + 2 * MARGIN, h * CELL_H + 2 * MARGIN, BACKGROUND);
	for (int line = 0; line < h && fgets(text, sizeof(text), stdin); line++)
		put_line(text, line, &pen);
	puts("</svg>");
	return 0;
}
