// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "lib/json.h"
#include "lib/util.h"

static char buf[KSM_FORMAT_MAX];
#define IS(call, text) assert_string_equal(call, text)

static void test_bytes(void **state)
{
	IS(ksm_format_bytes(buf, sizeof(buf), 0), "0 B");
	IS(ksm_format_bytes(buf, sizeof(buf), 1023), "1023 B");
	IS(ksm_format_bytes(buf, sizeof(buf), 1024), "1.0 KiB");
	IS(ksm_format_bytes(buf, sizeof(buf), 1536), "1.5 KiB");
	IS(ksm_format_bytes(buf, sizeof(buf), 1048575), "1.0 MiB"); /* never 1024.0 KiB */
	IS(ksm_format_bytes(buf, sizeof(buf), -3 * 1048576), "-3.0 MiB");
	IS(ksm_format_bytes(buf, sizeof(buf), INT64_MAX), "8.0 EiB");
	IS(ksm_format_bytes(buf, sizeof(buf), INT64_MIN), "-8.0 EiB");
	IS(ksm_format_bytes(buf, 4, 1536), "1.5"); /* cut, not overflowed */
	ksm_format_bytes(buf, sizeof(buf), 256 * ksm_page_size());
	{
		char pages[KSM_FORMAT_MAX];

		IS(ksm_format_pages(pages, sizeof(pages), 256), buf);
	}
}

static void test_counts(void **state)
{
	IS(ksm_format_count(buf, sizeof(buf), 0), "0");
	IS(ksm_format_count(buf, sizeof(buf), 999), "999");
	IS(ksm_format_count(buf, sizeof(buf), 1000), "1,000");
	IS(ksm_format_count(buf, sizeof(buf), -1234567), "-1,234,567");
	IS(ksm_format_count(buf, sizeof(buf), INT64_MIN), "-9,223,372,036,854,775,808");
	IS(ksm_format_short(buf, sizeof(buf), 999), "999");
	IS(ksm_format_short(buf, sizeof(buf), 12345), "12.3k");
	IS(ksm_format_short(buf, sizeof(buf), 999999), "1.0M");
	IS(ksm_format_rate(buf, sizeof(buf), 4500000), "4.5M/s");
	IS(ksm_format_percent(buf, sizeof(buf), 1, 3), "33.3 %");
	IS(ksm_format_percent(buf, sizeof(buf), 1, 0), "-");
}

static void test_durations(void **state)
{
	IS(ksm_format_duration(buf, sizeof(buf), 0), "0 s");
	IS(ksm_format_duration(buf, sizeof(buf), 850), "850 ns");
	IS(ksm_format_duration(buf, sizeof(buf), 12500), "12.5 us");
	IS(ksm_format_duration(buf, sizeof(buf), 999999), "1.0 ms");
	IS(ksm_format_duration(buf, sizeof(buf), 2100000000), "2.10 s");
	IS(ksm_format_duration(buf, sizeof(buf), 245000000000), "4 min 05 s");
	IS(ksm_format_duration(buf, sizeof(buf), 3600000000000), "1 h 00 min");
}

static void test_safe(void **state)
{
	IS(ksm_format_safe(buf, sizeof(buf), "plain"), "plain");
	IS(ksm_format_safe(buf, sizeof(buf), "a\033[31mb\n"), "a?[31mb?");
	IS(ksm_format_safe(buf, sizeof(buf), "gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
	IS(ksm_format_safe(buf, sizeof(buf),
			   "\xc2\x9b"
			   "31m"),
	   "?31m"); /* C1 CSI */
	IS(ksm_format_safe(buf, sizeof(buf), "\xff\xc3"), "??");
	IS(ksm_format_safe(buf, sizeof(buf), "\xc0\xaf"), "??"); /* overlong */
	IS(ksm_format_safe(buf, 3, "a\xc3\xbc"), "a");		 /* no half character */
	IS(ksm_format_safe(buf, 4, "a\xc3\xbc"), "a\xc3\xbc");
}

static void expect_table(const struct ksm_table *t, bool heading, const char *text)
{
	char *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);

	assert_non_null(file);
	ksm_table_print(t, file, heading);
	fclose(file);
	assert_string_equal(out, text);
	free(out);
}

static void test_table(void **state)
{
	static const struct ksm_column columns[] = { { "NAME", false },
						     { "N", true },
						     { "IS", true } };
	const char *const one[] = { "gr\xc3\xbc", "1,000", "" };
	const char *const two[] = { "longer", "7", "x" };
	struct ksm_table *t = ksm_table_new(columns, 3);

	assert_non_null(t);
	assert_int_equal(ksm_table_row(t, one), 0);
	assert_int_equal(ksm_table_row(t, two), 0);
	expect_table(t, true,
		     "NAME        N  IS\n"
		     "gr\xc3\xbc     1,000\n"
		     "longer      7   x\n");
	expect_table(t, false,
		     "gr\xc3\xbc     1,000\n"
		     "longer      7  x\n");
	for (int i = 0; i < 100; i++)
		assert_int_equal(ksm_table_row(t, two), 0);
	ksm_table_free(t);
	ksm_table_free(NULL);
	assert_null(ksm_table_new(columns, KSM_TABLE_COLUMNS + 1));
}

static void test_parse_numbers(void **state)
{
	uint64_t u;
	int64_t s;

	assert_int_equal(ksm_parse_u64("18446744073709551615", &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(ksm_parse_u64("18446744073709551616", &u), -ERANGE);
	assert_int_equal(ksm_parse_u64("", &u), -EINVAL);
	assert_int_equal(ksm_parse_u64("+1", &u), -EINVAL);
	assert_int_equal(ksm_parse_u64("0x1", &u), -EINVAL);
	assert_int_equal(ksm_parse_s64("-9223372036854775808", &s), 0);
	assert_true(s == INT64_MIN);
	assert_int_equal(ksm_parse_s64("-9223372036854775809", &s), -ERANGE);
	assert_int_equal(ksm_parse_s64("9223372036854775808", &s), -ERANGE);
	assert_int_equal(ksm_parse_s64("-", &s), -EINVAL);
	assert_int_equal(ksm_parse_s64("--1", &s), -EINVAL);
}

static void test_json_text(void **state)
{
	struct json_object *o = json_object_new_object();

	ksm_json_str(o, "bad", "x\xffy");
	ksm_json_str(o, "none", NULL);
	ksm_json_uint(o, "big", UINT64_MAX);
	ksm_json_int(o, "low", INT64_MIN);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			    "{\"bad\":\"x?y\",\"none\":null,\"big\":18446744073709551615,"
			    "\"low\":-9223372036854775808}");
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),	  cmocka_unit_test(test_counts),
		cmocka_unit_test(test_durations), cmocka_unit_test(test_safe),
		cmocka_unit_test(test_table),	  cmocka_unit_test(test_parse_numbers),
		cmocka_unit_test(test_json_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
