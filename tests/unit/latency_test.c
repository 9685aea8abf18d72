// SPDX-License-Identifier: GPL-2.0
/* Latencies by slot, as bpf/breaks.bpf.h counts them; and sizes as typed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ksm_event.h"
#include "lib/latency.h"
#include "lib/util.h"

/* The slots follow each other without a gap, and none is wider than an eighth of its value. */
static void test_slots(void **state)
{
	unsigned int first = KSM_LATENCY_BITS << KSM_LATENCY_BITS;

	assert_int_equal(ksm_latency_value(first), 1 << KSM_LATENCY_BITS);
	assert_int_equal(ksm_latency_slot(0), first);
	assert_int_equal(ksm_latency_slot(UINT64_MAX), KSM_LATENCY_SLOTS - 1);
	for (unsigned int slot = first; slot + 1 < KSM_LATENCY_SLOTS; slot++) {
		uint64_t low = ksm_latency_value(slot), high = ksm_latency_value(slot + 1);

		assert_int_equal(ksm_latency_slot(low), slot);
		assert_int_equal(ksm_latency_slot(high - 1), slot);
		assert_true(high > low);
		assert_true((high - low) * 8 <= low);
	}
}

static void test_percentiles(void **state)
{
	uint64_t slots[KSM_LATENCY_SLOTS] = { 0 };
	unsigned int us = 10 << KSM_LATENCY_BITS; /* 1,024 ns */
	unsigned int ms = 20 << KSM_LATENCY_BITS; /* 1,048,576 ns */

	assert_int_equal(ksm_latency_percentile(slots, 50), 0);
	slots[us] = 90;
	slots[ms] = 10;
	assert_int_equal(ksm_latency_count(slots), 100);
	assert_int_equal(ksm_latency_percentile(slots, 0), 1024 + 128);
	assert_int_equal(ksm_latency_percentile(slots, 50), 1024 + 128);
	assert_int_equal(ksm_latency_percentile(slots, 90), 1024 + 128);
	assert_int_equal(ksm_latency_percentile(slots, 91), 1048576 + 131072);
	assert_int_equal(ksm_latency_percentile(slots, 100), 1048576 + 131072);
	memset(slots, 0, sizeof(slots));
	slots[KSM_LATENCY_SLOTS - 1] = 1;
	assert_true(ksm_latency_percentile(slots, 100) == UINT64_MAX);
}

static void test_sizes(void **state)
{
	static const char *const bad[] = { "",   "K",  "-1", "1k",   "1KB", "1.5M",
					   "M1", " 1", "1 ", "0x10", "1KK" };
	uint64_t bytes;

	assert_int_equal(ksm_parse_size("0", &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(ksm_parse_size("4096", &bytes), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(ksm_parse_size("16M", &bytes), 0);
	assert_int_equal(bytes, 16 << 20);
	assert_int_equal(ksm_parse_size("3T", &bytes), 0);
	assert_true(bytes == UINT64_C(3) << 40);
	assert_int_equal(ksm_parse_size("16777215T", &bytes), 0);
	assert_int_equal(ksm_parse_size("16777216T", &bytes), -ERANGE);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(bad); i++)
		assert_int_equal(ksm_parse_size(bad[i], &bytes), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
