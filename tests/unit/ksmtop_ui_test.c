// SPDX-License-Identifier: GPL-2.0
/* ksmtop's keys: every binding of the table, the modes, the mouse, and sorting. */
#include "ksmtop_fixture.h"

static void test_moving(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(under_cursor(f), 101);
	press(f, KT_UP); /* already first */
	assert_int_equal(under_cursor(f), 101);
	press(f, KT_DOWN);
	press(f, 'j');
	assert_int_equal(under_cursor(f), 103);
	press(f, 'k');
	assert_int_equal(under_cursor(f), 102);
	press(f, KT_PGDN);
	assert_int_equal(under_cursor(f), 102 + f->ui.page);
	press(f, KT_PGUP);
	assert_int_equal(under_cursor(f), 102);
	press(f, KT_END);
	assert_int_equal(under_cursor(f), 140);
	assert_int_equal(f->ui.top, NPROCS - f->ui.page);
	press(f, KT_DOWN);
	assert_int_equal(under_cursor(f), 140);
	press(f, KT_HOME);
	assert_int_equal(under_cursor(f), 101);
	press(f, 'G');
	assert_int_equal(under_cursor(f), 140);
	press(f, 'g');
	assert_int_equal(f->ui.top, 0);
}

static void test_sorting(void **state)
{
	struct fixture *f = *state;

	press(f, 'I');
	assert_int_equal(at(f, 0), 140);
	press(f, 'I');
	assert_int_equal(at(f, 0), 101);
	press(f, '>');
	assert_int_equal(f->ui.sort, column_find("merged"));
	press(f, '>'); /* the zero pages are not on a screen of 80 columns */
	assert_int_equal(f->ui.sort, column_find("net"));
	assert_true(screen_resize(&f->screen, 120, 40));
	show(f);
	press(f, '<');
	assert_int_equal(f->ui.sort, column_find("zero"));
	assert_int_equal(at(f, 0), 140);
	press(f, '<');
	assert_int_equal(f->ui.sort, column_find("merged"));
	press(f, 'N');
	assert_int_equal(at(f, 0), 101);
	press(f, '<'); /* round the left edge */
	assert_int_equal(f->ui.sort, ksmtop_ncolumns - 1);
	assert_string_equal(f->ui.shown[0]->p.command, "alpha");
	press(f, 'P');
	assert_int_equal(f->ui.sort, column_find("net"));
	press(f, 'B');
	assert_int_equal(f->ui.sort, column_find("cow"));
	press(f, 'M');
	assert_int_equal(f->ui.sort, column_find("saved"));
	assert_int_equal(at(f, 0), 101);
}

static void test_unknown_sorts_last(void **state)
{
	struct fixture *f = *state;

	f->procs[0].merging.have = f->procs[5].merging.have = false;
	f->sample.time_ns++;
	assert_true(model_update(&f->model, &f->sample));
	show(f);
	assert_int_equal(at(f, NPROCS - 2), 101);
	assert_int_equal(at(f, NPROCS - 1), 106);
	press(f, 'I'); /* also when the order is turned round */
	assert_int_equal(at(f, NPROCS - 2), 101);
}

static void test_sort_menu(void **state)
{
	struct fixture *f = *state;

	press(f, KT_F(6));
	assert_int_equal(f->ui.mode, UI_SORT);
	press(f, KT_UP);
	press(f, KT_UP);
	press(f, KT_UP);
	press(f, KT_ENTER);
	assert_int_equal(f->ui.mode, UI_NORMAL);
	assert_int_equal(f->ui.sort, column_find("pid"));
	press(f, KT_F(6));
	press(f, KT_DOWN);
	press(f, KT_ESC);
	assert_int_equal(f->ui.sort, column_find("pid"));
}

static void test_search(void **state)
{
	struct fixture *f = *state;

	press(f, '/');
	type(f, "gam");
	assert_int_equal(under_cursor(f), 103);
	press(f, KT_F(3));
	assert_int_equal(under_cursor(f), 106);
	type(f, "q");
	assert_true(f->ui.not_found);
	assert_int_equal(under_cursor(f), 106); /* a letter that is no quit here */
	assert_false(f->ui.quit);
	press(f, KT_BACKSPACE);
	assert_false(f->ui.not_found);
	press(f, KT_ENTER);
	assert_int_equal(f->ui.mode, UI_NORMAL);
	assert_int_equal(under_cursor(f), 106);
	press(f, KT_F(3));
	type(f, "139");
	assert_int_equal(under_cursor(f), 139);
	press(f, KT_F(3)); /* round the end */
	assert_int_equal(under_cursor(f), 139);
}

static void test_filter(void **state)
{
	struct fixture *f = *state;

	press(f, '\\');
	type(f, "BETA");
	assert_int_equal(f->ui.nshown, 13);
	press(f, KT_ENTER);
	assert_int_equal(f->ui.nshown, 13);
	press(f, KT_F(4));
	type(f, "xx");
	assert_int_equal(f->ui.nshown, 0);
	press(f, KT_DOWN); /* nothing to move to */
	press(f, KT_ESC);  /* as it was */
	assert_int_equal(f->ui.nshown, 13);
	press(f, KT_F(4));
	for (int i = 0; i < 10; i++)
		press(f, KT_BACKSPACE);
	press(f, KT_ENTER);
	assert_int_equal(f->ui.nshown, NPROCS);
}

static void test_input_is_bounded(void **state)
{
	struct fixture *f = *state;

	press(f, '\\');
	for (int i = 0; i < 3 * KSMTOP_INPUT_MAX; i++)
		press(f, 0x65e5);
	assert_true(strlen(f->ui.filter) < KSMTOP_INPUT_MAX);
	press(f, KT_BACKSPACE); /* a whole character of three bytes */
	assert_int_equal(strlen(f->ui.filter) % 3, 0);
}

static void test_cursor_follows_process(void **state)
{
	struct fixture *f = *state;

	press(f, KT_DOWN);
	press(f, KT_DOWN);
	press(f, 'I');
	assert_int_equal(under_cursor(f), 103);
	f->sample.nprocs = 2; /* 103 and the others exit */
	f->sample.time_ns++;
	assert_true(model_update(&f->model, &f->sample));
	show(f);
	assert_int_equal(f->ui.cursor, 1);
	f->sample.nprocs = 0;
	f->sample.time_ns++;
	assert_true(model_update(&f->model, &f->sample));
	show(f);
	press(f, ' ');
	press(f, KT_END);
	press(f, '/');
	type(f, "a");
	assert_true(f->ui.not_found);
	assert_int_equal(f->ui.cursor, 0);
}

static void test_tags(void **state)
{
	struct fixture *f = *state;

	press(f, ' ');
	press(f, ' ');
	assert_true(ui_tagged(&f->ui, 101));
	assert_true(ui_tagged(&f->ui, 102));
	assert_int_equal(under_cursor(f), 103);
	press(f, KT_UP);
	press(f, ' ');
	assert_false(ui_tagged(&f->ui, 102));
	press(f, 'U');
	assert_false(ui_tagged(&f->ui, 101));
	for (int i = 0; i < NPROCS; i++)
		press(f, ' ');
	assert_int_equal(f->ui.ntags, 38); /* 103 to 140, the last one three times over */
}

static void test_pause_redraw_quit(void **state)
{
	struct fixture *f = *state;

	press(f, 'Z');
	assert_true(f->ui.paused);
	press(f, 'Z');
	assert_false(f->ui.paused);
	press(f, KT_CTRL_L);
	assert_true(f->ui.redraw);
	press(f, 'q');
	assert_true(f->ui.quit);
	f->ui.quit = false;
	press(f, KT_F(10));
	assert_true(f->ui.quit);
	f->ui.quit = false;
	press(f, '/');
	press(f, KT_CTRL_C); /* from any mode */
	assert_true(f->ui.quit);
}

static void test_help_lists_every_binding(void **state)
{
	struct fixture *f = *state;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	press(f, KT_F(1));
	for (int before = -1; before != f->ui.help_top;) {
		screen_dump(&f->screen, out);
		before = f->ui.help_top;
		press(f, KT_PGDN);
	}
	fclose(out);
	for (int i = 0; i < ksmtop_nbindings; i++)
		if (!strstr(text, ksmtop_bindings[i].help))
			fail_msg("the help lacks \"%s\"", ksmtop_bindings[i].help);
	for (int i = 0; i < ksmtop_ncolumns; i++)
		if (!strstr(text, ksmtop_columns[i].help))
			fail_msg("the help lacks column %s", ksmtop_columns[i].id);
	for (int i = 0; i < ksmtop_nmeters; i++)
		if (!strstr(text, ksmtop_meters[i].help))
			fail_msg("the help lacks meter %s", ksmtop_meters[i].id);
	for (int i = 0; i < VIEW_COUNT; i++)
		if (!strstr(text, ksmtop_views[i].help))
			fail_msg("the help lacks view %s", ksmtop_views[i].title);
	free(text);
	press(f, KT_PGUP);
	press(f, 'q'); /* any other key leaves the help, and does nothing else */
	assert_int_equal(f->ui.mode, UI_NORMAL);
	assert_false(f->ui.quit);
}

static bool both(const struct ksmtop_binding *a, const struct ksmtop_binding *b)
{
	unsigned int common = a->where & b->where;

	return common & KEY_VIEWS && common & KEY_ALWAYS;
}

static void test_no_key_has_two_meanings(void **state)
{
	for (int i = 0; i < ksmtop_nbindings; i++)
		for (int j = i + 1; j < ksmtop_nbindings; j++)
			for (int k = 0; k < KSMTOP_KEYS_EACH * KSMTOP_KEYS_EACH; k++) {
				int a = ksmtop_bindings[i].codes[k % KSMTOP_KEYS_EACH];
				int b = ksmtop_bindings[j].codes[k / KSMTOP_KEYS_EACH];

				if (a && both(&ksmtop_bindings[i], &ksmtop_bindings[j]))
					assert_int_not_equal(a, b);
			}
}

static void test_every_key_is_somewhere(void **state)
{
	for (int i = 0; i < ksmtop_nbindings; i++) {
		assert_true(ksmtop_bindings[i].where & KEY_VIEWS);
		assert_true(ksmtop_bindings[i].where & KEY_ALWAYS);
	}
}

static void test_mouse(void **state)
{
	struct fixture *f = *state;
	int heading = 10;

	mouse(f, KT_CLICK, 10, heading + 4);
	assert_int_equal(under_cursor(f), 104);
	mouse(f, KT_WHEEL_DOWN, 10, 10);
	assert_int_equal(under_cursor(f), 107);
	mouse(f, KT_WHEEL_UP, 10, 10);
	assert_int_equal(under_cursor(f), 104);
	mouse(f, KT_CLICK, 3, heading);
	assert_int_equal(f->ui.sort, column_find("pid"));
	mouse(f, KT_CLICK, 3, heading); /* again: the other way round */
	assert_int_equal(at(f, 0), 140);
	mouse(f, KT_CLICK, 52, 23); /* F6 in the bar */
	assert_int_equal(f->ui.mode, UI_SORT);
	mouse(f, KT_CLICK, 40, (24 - ksmtop_ncolumns - 2) / 2 + 1 + column_find("merged"));
	assert_int_equal(f->ui.sort, column_find("merged"));
	assert_int_equal(f->ui.mode, UI_NORMAL);
	mouse(f, KT_CLICK, 79, 0); /* nothing there */
	mouse(f, KT_CLICK, -1, 500);
}

static void test_any_size(void **state)
{
	struct fixture *f = *state;
	static const int modes[] = { '1', KT_F(1), KT_F(2), KT_F(6), '/',
				     '2', '3',	   '4',	    '5',     KT_ENTER };

	knob(f, KSM_ABI_RUN, 1);
	for (int i = 0; i < 300; i++)
		give(f, KSM_EVENT_MERGE, 101);
	press(f, KT_END);
	for (int w = 1; w <= 310; w += w < 130 ? 3 : 20)
		for (int h = 1; h <= 110; h += h < 40 ? 1 : 10)
			for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
				assert_true(screen_resize(&f->screen, w, h));
				press(f, modes[i]);
				press(f, KT_ESC);
				f->ui.mode = UI_NORMAL;
			}
	for (int w = 1; w <= 310; w += 13)
		for (int h = 1; h <= 110; h += 3) {
			f->ui.view = VIEW_DETAIL;
			assert_true(screen_resize(&f->screen, w, h));
			press(f, KT_DOWN);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_moving),
		TEST(test_sorting),
		TEST(test_unknown_sorts_last),
		TEST(test_sort_menu),
		TEST(test_search),
		TEST(test_filter),
		TEST(test_input_is_bounded),
		TEST(test_cursor_follows_process),
		TEST(test_tags),
		TEST(test_pause_redraw_quit),
		TEST(test_help_lists_every_binding),
		cmocka_unit_test(test_no_key_has_two_meanings),
		cmocka_unit_test(test_every_key_is_somewhere),
		TEST(test_mouse),
		TEST(test_any_size),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
