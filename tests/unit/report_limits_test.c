// SPDX-License-Identifier: GPL-2.0
/* What a report says that it cannot know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ksmtrace/report_limits.h"
#include "lib/trace_types.h"

static void add_limit(void *ctx, const struct report_limit *limit)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%s %s %d %s\n", limit->backend, ksm_event_name(limit->type),
		limit->seen, limit->why ? limit->why : "-");
}

/* What a recording could not see, or was not to. */
static void test_limits(void **state)
{
	static const struct ksm_trace_info info = {
		.env = { { "hook_kernel_merge", "tp_btf ksm_merge: no better one" },
			 { "hook_kernel_new_page", "tp_btf ksm_merge" },
			 { "hook_kernel_scan_start", "fentry x: why; number is not known" },
			 { "hook_kernel_scan_stop", "unavailable: a reason" },
			 { "hook_kernel_zero_merge", "unavailable" },
			 { "hook_kernel_cow_break", "fexit do_wp_page" },
			 { "hook_kernel_exit", "tp_btf ksm_exit" },
			 { "hook_kernel_unmerge_range", "x: y; slow" } },
		.env_count = 8,
	};
	static const struct ksm_trace_info none = { .env_count = 0 };
	char text[1024] = "", *printed = NULL;
	size_t size;
	FILE *to;

	report_each_limit(&none, add_limit, text);
	assert_string_equal(text, "");
	report_each_limit(&info, add_limit, text);
	assert_string_equal(text, "kernel scan_start 0 number is not known\n"
				  "kernel scan_stop 1 a reason\n"
				  "kernel zero_merge 1 -\n"
				  "kernel rmap_removed 2 -\n"
				  "kernel swapin_copy 2 -\n");
	to = open_memstream(&printed, &size);
	report_print_limits(&info, to);
	fclose(to);
	assert_string_equal(printed,
			    "not seen    scan_stop, zero_merge: no hook there (--by "
			    "event says why)\n"
			    "left out    rmap_removed, swapin_copy: not recorded (--event)\n"
			    "in part     scan_start: number is not known\n");
	free(printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_limits) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
