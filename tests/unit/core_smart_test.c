// SPDX-License-Identifier: GPL-2.0
/* Smart scan: pages that were not merged in many passes are visited less and less often. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"
#include "smart.h"

static struct sim *smart_sim(void)
{
	struct sim *sim = sim_new(1, 1);

	sim->core.smart_scan = true;
	return sim;
}

static unsigned long skipped(struct sim *sim)
{
	return sim->core.counters.pages_skipped;
}

/* Passes, each noted in @visits as v for a page that was looked at and . for one left alone. */
static void watch(struct sim *sim, char *visits, int passes)
{
	for (int i = 0; i < passes; i++) {
		unsigned long before = skipped(sim);

		sim_pass(sim, 64);
		sim_check(sim);
		visits[i] = skipped(sim) == before ? 'v' : '.';
	}
	visits[passes] = '\0';
}

/* The passes that look at old pages of one content, as of eight. */
static unsigned int turn(struct mm_struct *mm)
{
	return mm->slot.rmap_list->sample % 8;
}

/* Three visits in any case, then in every second pass, every fourth, and every eighth. */
static void visits_follow_the_steps(void **state)
{
	struct sim *sim = smart_sim();
	struct mm_struct *mm;
	char visits[45];

	mm = sim_equal_pages(sim, 1, 7, 0);
	watch(sim, visits, 44);
	assert_int_equal(turn(mm), 0);
	assert_string_equal(visits, "vvv.v...v.......v.......v.......v.......v...");
	assert_int_equal(sim->core.counters.pages_scanned, 9);
	assert_int_equal(skipped(sim), 35);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_SKIPPED], 35);
	assert_int_equal(sim->outcomes, 44);
	sim_free(sim);
}

/* Each pass looks at its share of the old pages, lest one have all the work. */
static void passes_share_the_work(void **state)
{
	struct sim *sim = smart_sim();
	struct mm_struct *mm = sim_mm(sim, 64);

	for (int i = 0; i < mm->nr; i++)
		sim_map(sim, mm, i, 100 + i, 0);
	sim_register(sim, mm);
	for (int pass = 0; pass < 40; pass++) {
		unsigned long before = sim->core.counters.pages_scanned;

		sim_pass(sim, 64);
		if (pass > 16)
			assert_in_range(sim->core.counters.pages_scanned - before, 2, 16);
	}
	sim_check(sim);
	sim_free(sim);
}

static void nothing_is_skipped_when_off(void **state)
{
	struct sim *sim = sim_new(1, 1);
	char visits[31];

	sim_equal_pages(sim, 1, 7, 0);
	watch(sim, visits, 30);
	assert_null(strchr(visits, '.'));

	/* Switched on later it knows what was not merged all the time: the next is pass 32. */
	sim->core.smart_scan = true;
	watch(sim, visits, 12);
	assert_string_equal(visits, "..v.......v.");
	sim->core.smart_scan = false;
	watch(sim, visits, 12);
	assert_string_equal(visits, "vvvvvvvvvvvv");
	sim_free(sim);
}

/* How often a page is looked at goes by its age, however it came to be that old. */
static void steps_go_by_age(void **state)
{
	static const int steps[] = { 1, 1, 1, 2, 4, 4, 4, 4, 4, 8, 8, 8 };

	for (int age = 1; age < 12; age++) {
		struct sim *sim = sim_new(1, 1);
		char visits[16];

		sim_equal_pages(sim, 1, 7, 0);
		watch(sim, visits, age);
		sim->core.smart_scan = true;
		watch(sim, visits, 1);
		assert_int_equal(visits[0], age % steps[age] ? '.' : 'v');
		sim_free(sim);
	}
}

/*
 * A merged page that is written is none any more, and leaves its node even when it is skipped. Its
 * age goes on where it was before it hung there.
 */
static void written_pages_leave_their_node(void **state)
{
	struct sim *sim = smart_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 1, 7, 0);
	char visits[10];

	for (int i = 0; i < 3; i++)
		sim_pass(sim, 64);
	sim_write(sim, mm, 0, 8);
	sim_equal_pages(sim, 3, 8, 0);
	for (int i = 3; i <= 8; i++)
		sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 3);
	assert_int_equal(mm->merging, 1);

	sim_write(sim, mm, 0, 9);
	watch(sim, visits, 1);
	assert_string_equal(visits, ".");
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	assert_int_equal(mm->merging, 0);
	/* In the turn of what it held when it was last looked at, then in that of what it holds. */
	watch(sim, visits, 9);
	assert_string_equal(visits, "..v..v...");
	sim_free(sim);
}

/* Age stops and does not begin anew; older pages would not be looked at any less. */
static void age_saturates(void **state)
{
	struct sim *sim = smart_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 1, 7, 0);
	char visits[601];

	watch(sim, visits, 600);
	assert_string_equal(visits + 590, "..v.......");
	assert_int_equal(mm->slot.rmap_list->age, KSM_AGE_MAX);
	for (int age = KSM_AGE_MAX; age < 256; age++)
		assert_int_equal(smart_scan_step(age), smart_scan_step(KSM_AGE_MAX));
	sim_free(sim);
}

/* A page that is skipped is in no tree: it does not count as unshared, nor is it found. */
static void skipped_pages_leave_the_unstable_tree(void **state)
{
	struct sim *sim = smart_sim();

	sim_equal_pages(sim, 1, 7, 0);
	for (int i = 0; i < 3; i++)
		sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_unshared, 1);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(skipped(sim), 1);
	assert_int_equal(sim->core.counters.pages_unshared, 0);
	sim_free(sim);
}

static void merged_pages_are_never_skipped(void **state)
{
	struct sim *sim = smart_sim();

	sim_equal_pages(sim, 4, 7, 0);
	for (int i = 0; i < 40; i++)
		sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(skipped(sim), 0);
	assert_int_equal(sim->core.counters.pages_sharing, 3);
	sim_free(sim);
}

/* Whatever the moment, a page that became equal to a KSM page joins it before 8 skips are over. */
static void a_ksm_page_is_found_later(void **state)
{
	for (int moment = 1; moment < 40; moment++) {
		struct sim *sim = smart_sim();
		struct mm_struct *mm = sim_equal_pages(sim, 1, 7, 0);
		int passes = 0;

		for (int i = 0; i < moment; i++)
			sim_pass(sim, 64);
		sim_equal_pages(sim, 2, 8, 0);
		sim_pass(sim, 64);
		sim_pass(sim, 64);
		sim_write(sim, mm, 0, 8);
		while (sim->core.counters.pages_sharing < 2 && ++passes < 100)
			sim_pass(sim, 64);
		sim_check(sim);
		assert_in_range(passes, 1, 9);
		sim_free(sim);
	}
}

/* Two pages that become equal are visited in the same passes from then on, and meet. */
static void pages_of_one_age_meet_later(void **state)
{
	for (int moment = 1; moment < 40; moment++) {
		struct sim *sim = smart_sim();
		struct mm_struct *a = sim_equal_pages(sim, 1, 7, 0);
		struct mm_struct *b = sim_equal_pages(sim, 1, 8, 0);
		int passes = 0;

		for (int i = 0; i < moment; i++)
			sim_pass(sim, 64);
		sim_write(sim, a, 0, 9);
		sim_write(sim, b, 0, 9);
		while (!sim->core.counters.pages_sharing && ++passes < 100)
			sim_pass(sim, 64);
		sim_check(sim);
		/* Two visits: the first finds that it changed. */
		assert_in_range(passes, 2, 18);
		sim_free(sim);
	}
}

/* Two equal pages that were registered some passes apart meet, whatever the passes. */
static void pages_of_different_age_meet(void **state)
{
	for (int start = 0; start < 8; start++) {
		for (int apart = 0; apart < 64; apart++) {
			struct sim *sim = smart_sim();
			int passes = 0;

			for (int i = 0; i < start; i++)
				sim_pass(sim, 64);
			sim_equal_pages(sim, 1, 7, 0);
			for (int i = 0; i < apart; i++)
				sim_pass(sim, 64);
			sim_equal_pages(sim, 1, 7, 0);
			while (!sim->core.counters.pages_sharing && ++passes < 100)
				sim_pass(sim, 64);
			sim_check(sim);
			/* The younger one is looked at twice before it may be merged. */
			assert_in_range(passes, 2, 10);
			sim_free(sim);
		}
	}
}

/*
 * A candidate that the walk did not hash, because it was to be skipped, and whose item hangs on a
 * node by the time of the visit: it stays there, and the hash of nothing is not used.
 */
static void a_partner_marked_to_skip_stays_tracked(void **state)
{
	struct sim *sim = smart_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 2, 7, 0);
	struct ksm_candidate cand = { .address = SIM_ADDRESS(0), .settled = 2, .skip = true };

	sim_pass(sim, 64);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	assert_true(ksm_core_begin_pass(&sim->core));
	assert_int_equal(ksm_core_visit(&sim->core, &cand), KSM_OUTCOME_ALREADY);
	sim_check(sim);
	assert_int_equal(mm->merging, 2);
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	assert_int_equal(skipped(sim), 0);
	sim_free(sim);
}

static bool turn_off_next(void *ctx, struct ksm_candidate *cand)
{
	struct sim *sim = ctx;

	sim->core.smart_scan = false;
	return sim_ops.next(ctx, cand);
}

/* Switched off between walk and visit: what was not hashed is skipped still, and counted. */
static void switched_off_in_a_batch(void **state)
{
	struct sim *sim = smart_sim();

	sim_equal_pages(sim, 1, 7, 0);
	for (int i = 0; i < 4; i++)
		sim_pass(sim, 64);
	sim->ops.next = turn_off_next;
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_SKIPPED], 1);
	sim_check(sim);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_SKIPPED], 1);
	sim_free(sim);
}

/* The item that was to be skipped is gone: it was skipped all the same, and is new next time. */
static void trimmed_between_walk_and_visit(void **state)
{
	struct sim *sim = smart_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 1, 7, 0);
	struct ksm_candidate cand = { .address = SIM_ADDRESS(0), .settled = 1, .skip = true };
	char visits[7];

	ksm_core_begin_pass(&sim->core);
	ksm_core_visit(&sim->core, &cand);
	assert_int_equal(skipped(sim), 1);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_SKIPPED], 1);
	sim->outcomes = 1;
	sim_check(sim);
	assert_null(mm->slot.rmap_list);
	ksm_core_next_slot(&sim->core);
	watch(sim, visits, 6);
	assert_string_equal(visits, "vvvv..");
	sim_free(sim);
}

static unsigned long skipped_of_twelve(bool runs, int pages)
{
	struct sim *sim = smart_sim();
	struct mm_struct *mm = sim_mm(sim, 12);
	unsigned long nr;

	sim->settled_runs = runs;
	for (int i = 0; i < mm->nr; i++)
		sim_map(sim, mm, i, 100 + i, 0);
	sim_register(sim, mm);
	for (int pass = 0; pass < 44; pass++)
		sim_pass(sim, pages);
	sim_check(sim);
	nr = skipped(sim);
	assert_int_equal(nr + sim->core.counters.pages_scanned, 12 * 44);
	sim_free(sim);
	return nr;
}

/* Neighbours that are skipped are one candidate, like single ones, cut wherever a batch ends. */
static void runs_are_skipped_as_single_pages_are(void **state)
{
	unsigned long nr = skipped_of_twelve(false, 64);

	assert_in_range(nr, 12 * 30, 12 * 40);
	for (int pages = 1; pages <= 12; pages++)
		assert_int_equal(skipped_of_twelve(true, pages), nr);
}

static bool may_skip(struct sim *sim, struct ksm_rmap_item **at, int i)
{
	struct ksm_rmap_item *item = ksm_core_item_at(&sim->core, at, SIM_ADDRESS(i));

	return item && ksm_core_may_skip(&sim->core, item);
}

/* ksm_core_may_skip() foretells exactly what the visits do, and changes nothing. */
static void may_skip_foretells(void **state)
{
	struct sim *sim = smart_sim();
	struct mm_struct *mm = sim_mm(sim, 12);
	struct ksm_rmap_item *at;

	for (int i = 0; i < mm->nr; i += 2)
		sim_map(sim, mm, i, 100 + i, 0);
	sim_register(sim, mm);
	for (int pass = 0; pass < 30; pass++) {
		unsigned long before = skipped(sim), foretold = 0;

		if (pass == 3)
			sim_map(sim, mm, 5, 200, 0); /* out of step */
		if (pass == 9)
			sim_zap(sim, mm, 2);
		ksm_core_begin_pass(&sim->core);
		at = NULL;
		for (int i = 0; i < mm->nr; i++)
			foretold += mm->vpages[i].page && may_skip(sim, &at, i);
		assert_int_equal(skipped(sim), before);
		sim_check(sim);
		sim_pass(sim, 64);
		assert_int_equal(skipped(sim) - before, foretold);
	}
	assert_true(skipped(sim) > 60);

	/* Behind the last item nothing is found, and the search does not begin anew. */
	ksm_core_begin_pass(&sim->core);
	at = NULL;
	assert_null(ksm_core_item_at(&sim->core, &at, SIM_ADDRESS(100)));
	assert_non_null(at);
	sim_free(sim);

	sim = smart_sim();
	sim_equal_pages(sim, 1, 7, 0);
	ksm_core_begin_pass(&sim->core);
	at = NULL;
	assert_null(ksm_core_item_at(&sim->core, &at, SIM_ADDRESS(0)));
	assert_null(at);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(visits_follow_the_steps),
		cmocka_unit_test(passes_share_the_work),
		cmocka_unit_test(nothing_is_skipped_when_off),
		cmocka_unit_test(steps_go_by_age),
		cmocka_unit_test(written_pages_leave_their_node),
		cmocka_unit_test(age_saturates),
		cmocka_unit_test(skipped_pages_leave_the_unstable_tree),
		cmocka_unit_test(merged_pages_are_never_skipped),
		cmocka_unit_test(a_ksm_page_is_found_later),
		cmocka_unit_test(pages_of_one_age_meet_later),
		cmocka_unit_test(pages_of_different_age_meet),
		cmocka_unit_test(a_partner_marked_to_skip_stays_tracked),
		cmocka_unit_test(switched_off_in_a_batch),
		cmocka_unit_test(trimmed_between_walk_and_visit),
		cmocka_unit_test(runs_are_skipped_as_single_pages_are),
		cmocka_unit_test(may_skip_foretells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
