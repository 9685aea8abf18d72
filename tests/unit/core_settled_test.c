// SPDX-License-Identifier: GPL-2.0
/* Runs of merged pages that take no visits of their own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"

#define PAGES 12

static struct sim *merged_pair(struct mm_struct **a, struct mm_struct **b)
{
	struct sim *sim = sim_new(1, 1);

	sim->settled_runs = true;
	*a = sim_equal_pages(sim, PAGES, 7, 0);
	*b = sim_equal_pages(sim, PAGES, 7, 0);
	sim_settle(sim);
	sim_check_settled(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 2 * PAGES - 1);
	return sim;
}

/* All pages count as scanned and already merged; none of the items goes. */
static void a_pass_over_settled_pages_changes_nothing(void **state)
{
	struct mm_struct *a, *b;
	struct sim *sim = merged_pair(&a, &b);
	struct ksm_counters before = sim->core.counters;

	sim_pass(sim, SIM_BATCH_MAX);
	assert_int_equal(sim->core.counters.pages_scanned, before.pages_scanned + 2 * PAGES);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_ALREADY],
			 before.outcomes[KSM_OUTCOME_ALREADY] + 2 * PAGES);
	assert_int_equal(sim->core.counters.rmap_items, before.rmap_items);
	assert_int_equal(sim->core.counters.pages_sharing, before.pages_sharing);
	sim_check_settled(sim);
	sim_free(sim);
}

/* Pages between them that were written or unmapped are seen, wherever they are in the run. */
static void what_changed_inside_a_run_is_seen(void **state)
{
	for (int i = 0; i < PAGES; i++) {
		struct mm_struct *a, *b;
		struct sim *sim = merged_pair(&a, &b);

		sim_write(sim, a, i, 100 + i);
		sim_zap(sim, b, PAGES - 1 - i);
		sim_settle(sim);
		sim_check_settled(sim);
		assert_int_equal(sim->core.counters.pages_sharing, 2 * PAGES - 3);
		assert_int_equal(sim->core.counters.rmap_items, 2 * PAGES - 1);
		sim_free(sim);
	}
}

/* Stale items in front of a run go, as in front of any page. */
static void items_of_unmapped_pages_in_front_of_a_run_go(void **state)
{
	struct mm_struct *a, *b;
	struct sim *sim = merged_pair(&a, &b);

	for (int i = 0; i < PAGES - 1; i++)
		sim_zap(sim, a, i);
	sim_pass(sim, SIM_BATCH_MAX);
	assert_int_equal(sim->core.counters.rmap_items, PAGES + 1);
	assert_int_equal(sim->core.counters.pages_sharing, PAGES);
	sim_check(sim);
	sim_free(sim);
}

/* A run whose batches end inside it. */
static void batches_cut_a_run(void **state)
{
	for (int pages = 1; pages < PAGES; pages++) {
		struct mm_struct *a, *b;
		struct sim *sim = merged_pair(&a, &b);
		unsigned long scanned = sim->core.counters.pages_scanned;

		sim_pass(sim, pages);
		assert_int_equal(sim->core.counters.pages_scanned, scanned + 2 * PAGES);
		assert_int_equal(sim->core.counters.rmap_items, 2 * PAGES);
		sim_check_settled(sim);
		sim_free(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_over_settled_pages_changes_nothing),
		cmocka_unit_test(what_changed_inside_a_run_is_seen),
		cmocka_unit_test(items_of_unmapped_pages_in_front_of_a_run_go),
		cmocka_unit_test(batches_cut_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
