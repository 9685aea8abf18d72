// SPDX-License-Identifier: GPL-2.0
/* Keys while something is open: help, menus, a line being typed, a question. */
#include <string.h>

#include "keys.h"
#include "lib/util.h"
#include "meters.h"
#include "panel_procs.h"
#include "views.h"

static bool edit(char *text, int code)
{
	size_t len = strlen(text);
	char utf8[5];
	int n;

	if (code == KT_BACKSPACE) {
		while (len && ((unsigned char)text[--len] & 0xc0) == 0x80)
			;
		text[len] = '\0';
		return true;
	}
	if (code < ' ' || code >= KT_UP)
		return false;
	n = screen_utf8_encode((uint32_t)code, utf8);
	if (len + (size_t)n >= KSMTOP_INPUT_MAX)
		return false;
	memcpy(text + len, utf8, (size_t)n + 1);
	return true;
}

static void press_search(struct ksmtop_ui *ui, int code)
{
	if (code == KT_ENTER || code == KT_ESC) {
		ui->mode = UI_NORMAL;
		ui->not_found = false;
	} else if (code == KT_F(3) || code == KT_DOWN) {
		ui->not_found = !ui_find(ui, ui->cursor + 1);
	} else if (edit(ui->search, code)) {
		ui->not_found = !ui_find(ui, ui->cursor);
	}
}

static void press_filter(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	if (code == KT_ENTER) {
		ui->mode = UI_NORMAL;
	} else if (code == KT_ESC) {
		ui->mode = UI_NORMAL;
		memcpy(ui_filter(ui), ui->saved_filter, sizeof(ui->saved_filter));
		ui_refresh(ui, m);
	} else if (edit(ui_filter(ui), code)) {
		ui_refresh(ui, m);
	}
}

/* Return: true when the menu of @count entries is to be closed. */
static bool press_list(struct ksmtop_ui *ui, int code, int count)
{
	if (count && (code == KT_UP || code == 'k'))
		ui->menu = (ui->menu + count - 1) % count;
	else if (count && (code == KT_DOWN || code == 'j'))
		ui->menu = (ui->menu + 1) % count;
	return code == KT_ENTER || code == KT_ESC || code == 'q';
}

static void press_sort(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	bool close = press_list(ui, code, ksmtop_ncolumns) || code == KT_F(6);

	if (code == KT_ENTER && ui->menu != ui->sort)
		keys_sort(ui, m, ui->menu);
	if (close)
		ui->mode = UI_NORMAL;
}

static void press_profile(struct ksmtop_ui *ui, int code)
{
	bool close = press_list(ui, code, ui->nprofiles) || code == 'p';
	const struct ui_profile *p = &ui->profiles[ui->menu];

	if (close)
		ui->mode = UI_NORMAL;
	if (code == KT_ENTER && ui->nprofiles)
		keys_confirm(
			ui, (struct ui_request){ .ask = ASK_PROFILE, .id = (unsigned int)ui->menu },
			"Apply the profile \"%s\"? It sets: %s", p->name, p->help);
}

static int meter_place(const struct ksmtop_ui *ui, int meter)
{
	for (int i = 0; i < ui->nmeters; i++)
		if (ui->meters[i] == meter)
			return i;
	return -1;
}

static void toggle_meter(struct ksmtop_ui *ui, int meter)
{
	int at = meter_place(ui, meter);

	if (at < 0) {
		ui->meters[ui->nmeters++] = meter;
		return;
	}
	ui->nmeters--;
	memmove(ui->meters + at, ui->meters + at + 1,
		sizeof(*ui->meters) * (size_t)(ui->nmeters - at));
}

static void shift_meter(struct ksmtop_ui *ui, int meter, int by)
{
	int at = meter_place(ui, meter), to = at + by;

	if (at < 0 || to < 0 || to >= ui->nmeters)
		return;
	ui->meters[at] = ui->meters[to];
	ui->meters[to] = meter;
}

static void press_setup(struct ksmtop_ui *ui, int code)
{
	bool close = press_list(ui, code, ksmtop_nmeters) || code == KT_F(2) || code == KT_F(10);

	if (code == ' ')
		toggle_meter(ui, ui->menu);
	else if (code == '<' || code == KT_LEFT || code == KT_F(7))
		shift_meter(ui, ui->menu, -1);
	else if (code == '>' || code == KT_RIGHT || code == KT_F(8))
		shift_meter(ui, ui->menu, 1);
	if (!close)
		return;
	ui->mode = UI_NORMAL;
	ui->request = (struct ui_request){ .ask = ASK_SAVE };
}

static void press_confirm(struct ksmtop_ui *ui, int code)
{
	ui->mode = UI_NORMAL;
	if (code == 'y' || code == 'Y')
		ui->request = ui->confirm;
	else
		ui_say(ui, false, "nothing was changed");
}

static void press_value(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	if (code == KT_ESC) {
		ui->mode = UI_NORMAL;
	} else if (code == KT_ENTER) {
		ui->mode = UI_NORMAL;
		keys_set_knob(ui, m, ui->value);
	} else if (strlen(ui->value) < KSM_WORD_MAX - 5 || code == KT_BACKSPACE) {
		edit(ui->value, code);
	}
}

/* The lists of the help are longer than a small screen. */
static void press_help(struct ksmtop_ui *ui, int code)
{
	switch (code) {
	case KT_DOWN:
	case KT_WHEEL_DOWN:
		ui->help_top++;
		break;
	case KT_UP:
	case KT_WHEEL_UP:
		ui->help_top--;
		break;
	case KT_PGDN:
	case ' ':
		ui->help_top += ui->page;
		break;
	case KT_PGUP:
		ui->help_top -= ui->page;
		break;
	default:
		ui->mode = UI_NORMAL;
	}
}

void keys_mode(struct ksmtop_ui *ui, const struct ksmtop_model *m, int code)
{
	switch (ui->mode) {
	case UI_NORMAL:
		ui->message[0] = '\0';
		keys_run(ui, m, code);
		break;
	case UI_HELP:
		press_help(ui, code);
		break;
	case UI_SORT:
		press_sort(ui, m, code);
		break;
	case UI_SEARCH:
		press_search(ui, code);
		break;
	case UI_FILTER:
		press_filter(ui, m, code);
		break;
	case UI_SETUP:
		press_setup(ui, code);
		break;
	case UI_CONFIRM:
		press_confirm(ui, code);
		break;
	case UI_VALUE:
		press_value(ui, m, code);
		break;
	case UI_PROFILE:
		press_profile(ui, code);
		break;
	}
}
