// SPDX-License-Identifier: GPL-2.0
/* ksmtop's cells: what text becomes, and that nothing is written outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ksmtop/screen.h"

static char *dump(const struct screen *s)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	screen_dump(s, f);
	fclose(f);
	return text;
}

static void assert_dump(const struct screen *s, const char *expected)
{
	char *text = dump(s);

	assert_string_equal(text, expected);
	free(text);
}

static struct screen make(int w, int h, bool utf8)
{
	struct screen s = { .utf8 = utf8 };

	assert_true(screen_resize(&s, w, h));
	return s;
}

static void test_hostile_text(void **state)
{
	static const struct {
		const char *text, *utf8, *ascii;
	} cases[] = {
		{ "plain", "plain\n", "plain\n" },
		{ "\033[2J", "?[2J\n", "?[2J\n" },
		{ "a\nb\tc\x7f", "a?b?c?\n", "a?b?c?\n" },
		{ "\xc2\x9b"
		  "31m",
		  "?31m\n", "?31m\n" }, /* CSI as one C1 character */
		{ "\xff\xfe", "??\n", "??\n" },
		{ "\xc3", "?\n", "?\n" }, /* cut in the middle */
		{ "\xe2\x82", "??\n", "??\n" },
		{ "\xc0\xaf", "??\n", "??\n" },		    /* overlong */
		{ "\xed\xa0\x80", "???\n", "???\n" },	    /* surrogate */
		{ "\xf4\x90\x80\x80", "????\n", "????\n" }, /* beyond Unicode */
		{ "e\xcc\x81", "e\n", "e?\n" },		    /* combining: left out */
		{ "\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac\n", "??\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct screen u = make(20, 1, true), a = make(20, 1, false);

		screen_text(&u, 0, 0, 20, ST_NORMAL, cases[i].text);
		screen_text(&a, 0, 0, 20, ST_NORMAL, cases[i].text);
		assert_dump(&u, cases[i].utf8);
		assert_dump(&a, cases[i].ascii);
		screen_free(&u);
		screen_free(&a);
	}
}

static void test_wide_characters_keep_columns(void **state)
{
	struct screen s = make(5, 1, true);

	/* Two columns each: the third does not fit into five. */
	assert_int_equal(screen_text(&s, 0, 0, 5, ST_NORMAL, "日本語"), 4);
	assert_int_equal(screen_width(&s, "日本語"), 6);
	screen_put(&s, 0, 0, 'x', ST_NORMAL); /* over the first half of one */
	assert_dump(&s, "x 本\n");
	screen_put(&s, 3, 0, 'y', ST_NORMAL); /* over the second half of the other */
	assert_dump(&s, "x  y\n");
	screen_free(&s);
}

static void test_edges(void **state)
{
	struct screen s = make(4, 2, true);

	screen_text(&s, 2, 0, 10, ST_NORMAL, "abcdef");
	screen_text(&s, 0, 5, 10, ST_NORMAL, "below");
	screen_text(&s, 9, 1, 10, ST_NORMAL, "beside");
	screen_right(&s, 3, 1, ST_NORMAL, "longer");
	screen_fill(&s, -3, 0, 4, '#', ST_NORMAL);
	screen_box(&s, -1, -1, 10, 10, "a title that is too long for it");
	screen_restyle(&s, -5, 1, 50, ST_BAD);
	assert_int_equal(s.cells[7].style, ST_BAD);
	assert_false(screen_resize(&s, 0, 5));
	assert_int_equal(s.w, 4);
	screen_free(&s);
}

static void test_parts(void **state)
{
	struct screen s = make(20, 1, true);

	screen_parts(&s, 0, 0, 14, ST_NORMAL, "first · second · third");
	assert_dump(&s, "first · second\n");
	screen_clear(&s);
	screen_parts(&s, 0, 0, 13, ST_NORMAL, "first · second · third");
	assert_dump(&s, "first\n");
	screen_clear(&s);
	screen_parts(&s, 0, 0, 3, ST_NORMAL, "first · second");
	assert_dump(&s, "\n");
	screen_free(&s);
}

static void test_every_glyph_has_an_ascii_form(void **state)
{
	struct screen s = make(12, 3, false);

	screen_box(&s, 0, 0, 12, 3, "box");
	for (uint32_t i = 0; i < 8; i++)
		screen_put(&s, (int)i + 1, 1, 0x2581 + i, ST_NORMAL);
	assert_dump(&s, "+- box ----+\n|_..::||#  |\n+----------+\n");
	screen_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_wide_characters_keep_columns),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_every_glyph_has_an_ascii_form),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
