// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/knobs.h"

static void test_table(void **state)
{
	unsigned int since = 0, writable = 0, engine = 0;

	assert_int_equal(ksm_knob_count, KSM_ABI_COUNT - 1);
	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		const struct ksm_knob *knob = &ksm_knobs[i];

		assert_ptr_equal(ksm_knob_by_id(knob->id), knob);
		assert_ptr_equal(ksm_knob_by_name(knob->name), knob);
		since += !!(knob->flags & KSM_ABI_SINCE_6_12);
		engine += !!(knob->flags & KSM_ABI_ENGINE);
		writable += ksm_knob_writable(knob);
		if (ksm_knob_writable(knob) && knob->kind == KSM_ABI_UINT)
			assert_true(knob->def >= knob->min && knob->def <= knob->max);
	}
	assert_int_equal(since, 10); /* 6.1 has 14 files, 6.12 has 24 */
	assert_int_equal(engine, 7); /* that no in-tree KSM has */
	assert_int_equal(writable, 18);
	assert_null(ksm_knob_by_id(0));
	assert_null(ksm_knob_by_id(KSM_ABI_COUNT));
	assert_null(ksm_knob_by_name("Run"));
}

static void test_suggest(void **state)
{
	assert_string_equal(ksm_knob_suggest("rnu"), "run");
	assert_string_equal(ksm_knob_suggest("sleep_milisecs"), "sleep_millisecs");
	assert_string_equal(ksm_knob_suggest("pages-to-scan"), "pages_to_scan");
	assert_null(ksm_knob_suggest("completely_other_thing"));
	assert_null(ksm_knob_suggest(""));
}

static void test_edit_distance(void **state)
{
	char huge[200];

	assert_int_equal(ksm_edit_distance("", ""), 0);
	assert_int_equal(ksm_edit_distance("abc", ""), 3);
	assert_int_equal(ksm_edit_distance("", "abc"), 3);
	assert_int_equal(ksm_edit_distance("kitten", "sitting"), 3);
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(ksm_edit_distance(huge, "x"), UINT_MAX);
	assert_null(ksm_knob_suggest(huge));
}

static void check(const char *name, const char *text, int ret, int64_t value)
{
	int64_t got = -1;

	assert_int_equal(ksm_knob_check(ksm_knob_by_name(name), text, &got, NULL), ret);
	if (!ret)
		assert_int_equal(got, value);
}

static void test_limits(void **state)
{
	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		const struct ksm_knob *knob = &ksm_knobs[i];
		char text[32];

		if (!ksm_knob_writable(knob) || knob->kind != KSM_ABI_UINT)
			continue;
		snprintf(text, sizeof(text), "%lld", (long long)knob->min);
		check(knob->name, text, 0, knob->min);
		snprintf(text, sizeof(text), "%lld", (long long)knob->max);
		check(knob->name, text, 0, knob->max);
		snprintf(text, sizeof(text), "%lld", (long long)knob->min - 1);
		check(knob->name, text, -EINVAL, 0);
		snprintf(text, sizeof(text), "%lld", (long long)knob->max + 1);
		check(knob->name, text, -EINVAL, 0);
	}
	check("full_scans", "1", -EINVAL, 0);
	check("advisor_mode", "scan-time", 0, 0);
	check("advisor_mode", "scan time", -EINVAL, 0);
	check("advisor_mode", "a-word-that-is-longer-than-any-kernel-uses", -EINVAL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_edit_distance),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
