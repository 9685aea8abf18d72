// SPDX-License-Identifier: GPL-2.0
#include "palette.h"
#include "term.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#define RUN_MAX 512 /* cells written at once */

static SCREEN *terminal;
static struct screen drawn; /* what curses was given last */
static attr_t attrs[ST_COUNT];
static int pairs[ST_COUNT];
static volatile sig_atomic_t stop_signal;

/* What a crashing process writes to give the terminal back; made while all is well. */
static char restore[256];
static size_t restore_len;
static struct termios before;

/* ---- signals ------------------------------------------------------------------------------- */

static void on_stop(int sig)
{
	stop_signal = sig;
}

/* curses must not be called here; write(2) and tcsetattr(3) may. */
static void on_crash(int sig)
{
	if (write(STDOUT_FILENO, restore, restore_len) == (ssize_t)restore_len)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	else
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	raise(sig); /* SA_RESETHAND: with its default effect, after this handler returns */
}

static bool has_string(const char *cap)
{
	const char *s = tigetstr(cap);

	return s && s != (const char *)-1;
}

static void add_restore(const char *s)
{
	size_t len = strlen(s);

	if (restore_len + len > sizeof(restore))
		return;
	memcpy(restore + restore_len, s, len);
	restore_len += len;
}

static void prepare_restore(void)
{
	static const char *const caps[] = { "sgr0", "cnorm", "rmkx", "rmcup" };

	if (has_string("kmous"))
		add_restore("\033[?1006;1000l");
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (has_string(caps[i]))
			add_restore(tigetstr(caps[i]));
}

static void catch_signals(void)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction stop = { .sa_handler = on_stop };
	struct sigaction crash = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND };

	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		sigaction(stops[i], &stop, NULL);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &crash, NULL);
}

int term_signal(void)
{
	return stop_signal;
}

/* ---- colours ------------------------------------------------------------------------------- */

/* @own: what stands for the terminal's own colour, which not every terminal can go back to */
static int colour(int rgb, int basic, int own)
{
	if (rgb == PALETTE_OWN || (COLORS < 256 && basic == PALETTE_OWN))
		return own;
	if (COLORS > 256)
		return rgb;
	if (COLORS == 256)
		return palette_256(rgb);
	return basic;
}

static attr_t attributes(unsigned int attr)
{
	return (attr & PALETTE_BOLD ? A_BOLD : 0) | (attr & PALETTE_REVERSE ? A_REVERSE : 0) |
	       (attr & PALETTE_UNDERLINE ? A_UNDERLINE : 0);
}

static void open_colours(void)
{
	const char *no_color = getenv("NO_COLOR");
	bool colours = !(no_color && *no_color) && has_colors() && start_color() == OK;
	bool own = colours && use_default_colors() == OK;

	for (int i = 0; i < ST_COUNT; i++) {
		const struct look *l = &palette[i];

		attrs[i] = attributes(colours ? l->attr : l->mono);
		pairs[i] = 0;
		/* Where there are only eight colours, bold black is a grey that cannot be read. */
		if (colours && COLORS < 16 && l->fg8 == PALETTE_BLACK)
			attrs[i] = 0;
		if (!colours || (l->fg == PALETTE_OWN && l->bg == PALETTE_OWN))
			continue;
		if (init_extended_pair(i + 1, colour(l->fg, l->fg8, own ? -1 : COLOR_WHITE),
				       colour(l->bg, l->bg8, own ? -1 : COLOR_BLACK)) == OK)
			pairs[i] = i + 1;
		else
			attrs[i] = attributes(l->mono);
	}
}

/* ---- life ---------------------------------------------------------------------------------- */

bool term_open(char *err, size_t size)
{
	const char *name = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		snprintf(err, size, "no terminal to draw on; use --batch");
		return false;
	}
	tcgetattr(STDIN_FILENO, &before);
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal || !cursor_address) {
		if (terminal)
			endwin();
		snprintf(err, size,
			 "the terminal \"%s\" is unknown or cannot be drawn on; set TERM "
			 "or use --batch",
			 name ? name : "");
		return false;
	}
	set_escdelay(25);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0);
	open_colours();
	prepare_restore();
	catch_signals();
	return true;
}

void term_close(void)
{
	if (!terminal)
		return;
	endwin();
	delscreen(terminal);
	terminal = NULL;
	screen_free(&drawn);
}

bool term_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void term_size(int *w, int *h)
{
	*w = COLS;
	*h = LINES;
}

/* ---- output -------------------------------------------------------------------------------- */

/* Write cells of one style, from @x on. Return: the column behind them. */
static int draw_run(const struct cell *line, int w, int y, int x)
{
	wchar_t text[RUN_MAX];
	int style = line[x].style, start = x, n = 0;

	for (; x < w && line[x].style == style && n < RUN_MAX - 1; x++)
		if (line[x].ch)
			text[n++] = (wchar_t)line[x].ch;
	attr_set(attrs[style], 0, &pairs[style]);
	mvaddnwstr(y, start, text, n);
	return x;
}

/* Has this line changed? Remembers it. */
static bool is_new(const struct screen *s, int y, bool all)
{
	const struct cell *line = &s->cells[y * s->w];
	struct cell *before = &drawn.cells[y * s->w];
	size_t size = (size_t)s->w * sizeof(*line);

	if (!all && !memcmp(before, line, size))
		return false;
	memcpy(before, line, size);
	return true;
}

void term_draw(const struct screen *s, bool whole)
{
	bool resized = s->w != drawn.w || s->h != drawn.h;

	if (resized && !screen_resize(&drawn, s->w, s->h))
		return;
	if (whole)
		clearok(stdscr, TRUE);
	for (int y = 0; y < s->h && y < LINES; y++) {
		if (!is_new(s, y, whole || resized))
			continue;
		for (int x = 0; x < s->w && x < COLS;)
			x = draw_run(&s->cells[y * s->w], s->w, y, x);
	}
	refresh();
}

/* ---- input --------------------------------------------------------------------------------- */

bool term_wait(int timeout_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	if (poll(&in, 1, timeout_ms) < 0)
		return errno == EINTR;
	return !(in.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int translate(int code)
{
	static const struct {
		int curses, ours;
	} keys[] = {
		{ KEY_UP, KT_UP },	  { KEY_DOWN, KT_DOWN },
		{ KEY_LEFT, KT_LEFT },	  { KEY_RIGHT, KT_RIGHT },
		{ KEY_PPAGE, KT_PGUP },	  { KEY_NPAGE, KT_PGDN },
		{ KEY_HOME, KT_HOME },	  { KEY_END, KT_END },
		{ KEY_ENTER, KT_ENTER },  { KEY_BACKSPACE, KT_BACKSPACE },
		{ KEY_BTAB, KT_BACKTAB },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].curses == code)
			return keys[i].ours;
	if (code >= KEY_F(1) && code <= KEY_F(12))
		return KT_F(code - KEY_F0);
	return KT_NONE;
}

static void translate_mouse(struct ksmtop_key *key)
{
	MEVENT ev;

	key->code = KT_NONE;
	if (getmouse(&ev) != OK)
		return;
	key->x = ev.x;
	key->y = ev.y;
	if (ev.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED))
		key->code = KT_CLICK;
	else if (ev.bstate & BUTTON4_PRESSED)
		key->code = KT_WHEEL_UP;
	else if (ev.bstate & BUTTON5_PRESSED)
		key->code = KT_WHEEL_DOWN;
}

static int translate_char(wint_t ch)
{
	if (ch == '\n' || ch == '\r')
		return KT_ENTER;
	if (ch == '\b')
		return KT_BACKSPACE;
	return (int)ch;
}

bool term_key(struct ksmtop_key *key, bool *resized)
{
	wint_t ch;
	int kind = get_wch(&ch);

	*key = (struct ksmtop_key){ 0 };
	if (kind == ERR)
		return false;
	if (kind == OK)
		key->code = translate_char(ch);
	else if (ch == KEY_RESIZE)
		*resized = true;
	else if (ch == KEY_MOUSE)
		translate_mouse(key);
	else
		key->code = translate((int)ch);
	return true;
}
