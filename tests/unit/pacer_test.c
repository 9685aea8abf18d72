// SPDX-License-Identifier: GPL-2.0
/*
 * The control loop against a scanner that is a few lines of arithmetic: it scans at the pace it is
 * told, merges what it has seen unchanged, and costs CPU time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "lib/pacer.h"
#include "lib/util.h"

#define SECOND 1000000000ull

/* A host: @pages mergeable, of which a share is saved one scan after they were first seen. */
struct host {
	struct ksm_pacer t;
	struct ksm_pacer_decision d;
	struct ksm_pacer_seen seen;
	double page_ns;
	double position; /* of the cursor, pages */
	int64_t share;	 /* percent that can be saved */
	double busy;	 /* of a CPU, in the last observation */
	double breaks_per_second;
	unsigned int changes;
	bool blind; /* the kernel does not tell the scanner's time */
};

static void start(struct host *h, int64_t pages)
{
	struct ksm_pacer_config config = ksm_pacer_defaults;

	memset(h, 0, sizeof(*h));
	h->page_ns = 2000;
	h->share = 50;
	h->seen.time = 1000 * SECOND;
	h->seen.runtime = 1;
	h->seen.pages = pages;
	h->seen.looked = true;
	ksm_pacer_start(&h->t, &config, &h->seen, &h->d);
	assert_true(h->d.change);
}

/* One second. */
static void step(struct host *h)
{
	double batch = (double)h->t.pages_to_scan, sleep = (double)h->t.sleep_ms * 1e6;
	double cycle = batch * h->page_ns + sleep;
	double scanned = h->seen.pages ? 1e9 / cycle * batch : 0;

	h->busy = h->seen.pages ? batch * h->page_ns / cycle : 0;
	h->seen.time += SECOND;
	h->seen.runtime = h->blind ? 0 : h->seen.runtime + (uint64_t)(h->busy * 1e9);
	h->seen.breaks += (uint64_t)h->breaks_per_second;
	for (h->position += scanned; h->seen.pages && h->position >= (double)h->seen.pages;
	     h->position -= (double)h->seen.pages) {
		h->seen.full_scans++;
		if (h->seen.full_scans > 1)
			h->seen.saved_pages = h->seen.pages * h->share / 100;
	}
	ksm_pacer_step(&h->t, &h->seen, &h->d);
	if (!h->d.change) {
		assert_string_equal(h->d.reason, "");
		return;
	}
	h->changes++;
	assert_string_not_equal(h->d.reason, "");
	assert_int_equal(h->d.pages_to_scan, h->t.pages_to_scan);
	assert_int_equal(h->d.sleep_ms, h->t.sleep_ms);
	assert_in_range(h->d.pages_to_scan, 100, 100000);
	assert_in_range(h->d.sleep_ms, 20, 1000);
}

/* Return: seconds until the state was reached. */
static unsigned int until(struct host *h, enum ksm_pacer_state state, unsigned int limit)
{
	for (unsigned int i = 0; i < limit; i++) {
		if (h->t.state == state)
			return i;
		step(h);
	}
	fail_msg("%s instead of %s after %u s", ksm_pacer_state_name(h->t.state),
		 ksm_pacer_state_name(state), limit);
	return limit;
}

static void steps(struct host *h, unsigned int n)
{
	while (n--)
		step(h);
}

static void test_nothing_to_merge(void **state)
{
	struct host h;

	start(&h, 0);
	assert_int_equal(h.t.state, KSM_PACER_IDLE);
	assert_int_equal(h.t.pages_to_scan, 100);
	assert_int_equal(h.t.sleep_ms, 1000);
	steps(&h, 100);
	assert_int_equal(h.changes, 0);
	/* one small mapping is not worth waking up for; a process is */
	h.seen.pages = 50;
	steps(&h, 10);
	assert_int_equal(h.t.state, KSM_PACER_IDLE);
	h.seen.pages = 10000;
	until(&h, KSM_PACER_BOOST, 3);
	assert_non_null(strstr(h.d.reason, "10,000 new mergeable pages"));
}

static void test_settles(void **state)
{
	struct host h;

	start(&h, 1000000);
	assert_int_equal(h.t.state, KSM_PACER_BOOST);
	until(&h, KSM_PACER_STEADY, 1000);
	assert_int_equal(h.seen.saved_pages, 500000);
	/* a first look, the merges, and two scans without change */
	assert_in_range(h.seen.full_scans, 4, 5);
	assert_non_null(strstr(h.d.reason, "settled after"));
	steps(&h, 10);
	assert_true(h.busy < 0.05);
	h.changes = 0;
	steps(&h, 1000);
	assert_int_equal(h.t.state, KSM_PACER_STEADY);
	assert_true(h.changes <= 1);
}

/* What is still being filled is waited for, but not for ever. */
static void test_waits_for_growth(void **state)
{
	struct host h;

	start(&h, 0);
	for (int i = 0; i < 4; i++) {
		h.seen.pages += 10000;
		step(&h);
		assert_int_equal(h.t.state, KSM_PACER_IDLE);
	}
	step(&h);
	assert_int_equal(h.t.state, KSM_PACER_BOOST);
	assert_non_null(strstr(h.d.reason, "40,000 new mergeable pages"));
	start(&h, 0);
	for (int i = 0; i < 5; i++) {
		h.seen.pages += 10000;
		step(&h);
		assert_int_equal(h.t.state, KSM_PACER_IDLE);
	}
	h.seen.pages += 10000;
	step(&h);
	assert_int_equal(h.t.state, KSM_PACER_BOOST);
	/* nobody has looked: not known to stand still */
	start(&h, 0);
	h.seen.pages = 10000;
	step(&h);
	h.seen.looked = false;
	steps(&h, 3);
	assert_int_equal(h.t.state, KSM_PACER_IDLE);
	h.seen.looked = true;
	step(&h);
	assert_int_equal(h.t.state, KSM_PACER_BOOST);
}

/* Between two steps the scanner passes often: the boost ends with the second calm one. */
static void test_glances(void **state)
{
	struct host h;
	int64_t scans;

	start(&h, 1000000);
	ksm_pacer_glance(&h.t, &h.seen, &h.d);
	assert_false(h.d.change);
	while (h.seen.saved_pages == 0)
		step(&h);
	scans = h.seen.full_scans;
	do {
		assert_int_equal(h.t.state, KSM_PACER_BOOST);
		h.seen.time += SECOND / 5;
		h.seen.full_scans++;
		ksm_pacer_glance(&h.t, &h.seen, &h.d);
	} while (!h.d.change);
	assert_int_equal(h.seen.full_scans - scans, 2);
	assert_int_equal(h.t.state, KSM_PACER_STEADY);
	assert_non_null(strstr(h.d.reason, "settled after"));
	assert_int_equal(h.d.pages_to_scan, h.t.pages_to_scan);
	h.seen.full_scans++;
	ksm_pacer_glance(&h.t, &h.seen, &h.d);
	assert_false(h.d.change);
	/* and the cost of a page is still what it was */
	steps(&h, 10);
	assert_true(h.t.page_ns > 1800 && h.t.page_ns < 2200);
}

/* A process that is still growing when the boost begins is not new once more when that has settled.
 */
static void test_grows_while_boosted(void **state)
{
	struct host h;

	start(&h, 0);
	h.seen.pages = 100;
	until(&h, KSM_PACER_BOOST, 3);
	h.seen.pages = 50000;
	step(&h);
	h.seen.pages = 1000000;
	until(&h, KSM_PACER_STEADY, 1000);
	assert_int_equal(h.seen.saved_pages, 500000);
	for (int i = 0; i < 100; i++) {
		step(&h);
		assert_int_equal(h.t.state, KSM_PACER_STEADY);
	}
}

/* Whatever a page costs, and whatever was thought of it at first. */
static void test_holds_the_cap(void **state)
{
	static const double costs[] = { 200, 700, 2000, 5000, 20000, 60000 };
	struct host h;

	for (size_t i = 0; i < KSM_ARRAY_SIZE(costs); i++) {
		start(&h, 1ll << 40); /* never settles */
		h.page_ns = costs[i];
		steps(&h, 20);
		assert_int_equal(h.t.state, KSM_PACER_BOOST);
		assert_true(h.busy < 0.20 * 1.25);
		assert_true(h.busy > 0.20 * 0.75 || h.t.pages_to_scan == 100000);
	}
}

static void test_holds_the_scan_time(void **state)
{
	static const int64_t sizes[] = { 10000, 100000, 1000000, 5000000 };
	struct host h;

	for (size_t i = 0; i < KSM_ARRAY_SIZE(sizes); i++) {
		double cycle, scan;

		start(&h, sizes[i]);
		until(&h, KSM_PACER_STEADY, 5000);
		steps(&h, 5);
		cycle = (double)h.t.pages_to_scan * h.page_ns + (double)h.t.sleep_ms * 1e6;
		scan = (double)sizes[i] / (double)h.t.pages_to_scan * cycle / 1e9;
		/* the slowest pace does 100 pages a second */
		if (sizes[i] >= 100 * 200)
			assert_true(fabs(scan - 200) < 200 * 0.3);
		else
			assert_int_equal(h.t.sleep_ms, 1000);
	}
}

static void test_boosts_for_what_is_new(void **state)
{
	struct host h;
	int64_t slow;

	start(&h, 1000000);
	until(&h, KSM_PACER_STEADY, 1000);
	steps(&h, 10);
	slow = h.t.pages_to_scan * 1000 / h.t.sleep_ms;
	h.seen.pages += 10000; /* a hundredth: no event */
	steps(&h, 5);
	assert_int_equal(h.t.state, KSM_PACER_STEADY);
	h.seen.pages += 1000000;
	until(&h, KSM_PACER_BOOST, 3);
	assert_true(h.t.pages_to_scan * 1000 / h.t.sleep_ms > slow * 5);
	until(&h, KSM_PACER_STEADY, 1000);
	/* what has gone and comes again is new */
	h.seen.pages -= 1000000;
	steps(&h, 5);
	assert_int_equal(h.t.state, KSM_PACER_STEADY);
	h.seen.pages += 1000000;
	until(&h, KSM_PACER_BOOST, 3);
	/* and when all has gone there is nothing to do */
	h.seen.pages = 0;
	until(&h, KSM_PACER_IDLE, 2);
}

static void test_backs_off(void **state)
{
	struct host h;
	unsigned int waited;

	start(&h, 1000000);
	until(&h, KSM_PACER_STEADY, 1000);
	/* 500,000 pages are worth 9.5 % of a CPU: that is 31,000 breaks of 3 us */
	h.breaks_per_second = 20000;
	steps(&h, 20);
	assert_int_equal(h.t.state, KSM_PACER_STEADY);
	h.breaks_per_second = 50000;
	until(&h, KSM_PACER_BACKOFF, 4);
	assert_non_null(strstr(h.d.reason, "15.0 % of a CPU, the saving is worth 9.5 %"));
	assert_int_equal(h.t.sleep_ms, 1000);
	waited = until(&h, KSM_PACER_STEADY, 100);
	assert_in_range(waited, 58, 62);
	/* no better: longer */
	until(&h, KSM_PACER_BACKOFF, 4);
	waited = until(&h, KSM_PACER_STEADY, 200);
	assert_in_range(waited, 118, 122);
	/* better for long: forgotten */
	h.breaks_per_second = 0;
	steps(&h, 1000);
	assert_int_equal(h.t.state, KSM_PACER_STEADY);
	assert_int_equal(h.t.backoff, 0);
	/* a moment of breaks is no reason */
	h.breaks_per_second = 50000;
	steps(&h, 2);
	h.breaks_per_second = 0;
	steps(&h, 10);
	assert_int_equal(h.t.state, KSM_PACER_STEADY);
}

static void test_memory_pressure(void **state)
{
	struct host h;

	start(&h, 1000000);
	until(&h, KSM_PACER_STEADY, 1000);
	h.seen.psi = 4;
	steps(&h, 5);
	assert_int_equal(h.t.state, KSM_PACER_STEADY);
	h.seen.psi = 30;
	step(&h);
	assert_int_equal(h.t.state, KSM_PACER_PRESSURE);
	assert_non_null(strstr(h.d.reason, "30.0 %"));
	steps(&h, 3);
	assert_true(h.busy > 0.15);
	h.seen.psi = 3; /* still above half of it: no flutter */
	steps(&h, 3);
	assert_int_equal(h.t.state, KSM_PACER_PRESSURE);
	h.seen.psi = 1;
	step(&h);
	assert_int_equal(h.t.state, KSM_PACER_BOOST);
	until(&h, KSM_PACER_STEADY, 1000);
	/* it outranks a back-off */
	h.breaks_per_second = 50000;
	until(&h, KSM_PACER_BACKOFF, 5);
	h.seen.psi = 30;
	step(&h);
	assert_int_equal(h.t.state, KSM_PACER_PRESSURE);
	/* without anything to merge it cannot help */
	start(&h, 0);
	h.seen.psi = 90;
	steps(&h, 5);
	assert_int_equal(h.t.state, KSM_PACER_IDLE);
}

/* A kernel that does not tell the scanner's time; counters that begin anew; time standing still. */
static void test_poor_figures(void **state)
{
	struct host h;

	start(&h, 1000000);
	h.blind = true;
	steps(&h, 300);
	assert_true(h.t.page_ns == 2000);
	h.seen.full_scans = 0;
	h.seen.breaks = 0;
	h.seen.saved_pages = -5;
	steps(&h, 10);
	ksm_pacer_step(&h.t, &h.seen, &h.d);
	ksm_pacer_step(&h.t, &h.seen, &h.d);
	assert_in_range(h.t.pages_to_scan, 100, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_merge),
		cmocka_unit_test(test_settles),
		cmocka_unit_test(test_waits_for_growth),
		cmocka_unit_test(test_glances),
		cmocka_unit_test(test_grows_while_boosted),
		cmocka_unit_test(test_holds_the_cap),
		cmocka_unit_test(test_holds_the_scan_time),
		cmocka_unit_test(test_boosts_for_what_is_new),
		cmocka_unit_test(test_backs_off),
		cmocka_unit_test(test_memory_pressure),
		cmocka_unit_test(test_poor_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
