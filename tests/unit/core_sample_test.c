// SPDX-License-Identifier: GPL-2.0
/* Samples: most pages are not read in full, and are merged no later for it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"

static struct sim *sample_sim(void)
{
	struct sim *sim = sim_new(1, 1);

	sim->samples = true;
	/* No page of these tests is due to be read in full in their first passes. */
	sim->core.scan.seqnr = 1;
	return sim;
}

static unsigned long outcomes(struct sim *sim, enum ksm_outcome outcome)
{
	return sim->core.counters.outcomes[outcome];
}

static enum ksm_look look_at(struct sim *sim, struct mm_struct *mm, int i, u64 *hash)
{
	struct ksm_rmap_item *at = NULL;
	enum ksm_look look;
	u16 sample;

	assert_true(ksm_core_begin_pass(&sim->core));
	assert_ptr_equal(sim->core.scan.mm_slot, &mm->slot);
	look = ksm_core_recall(&sim->core, &at, SIM_ADDRESS(i), hash, &sample);
	if (look != KSM_LOOK_NEW)
		assert_int_equal(sample, sim_sample(sim, mm->vpages[i].page->content));
	return look;
}

/* New, then the same again, then twice read in full and found the same. */
static void looks_go_by_what_is_known(void **state)
{
	static const enum ksm_look looks[] = { KSM_LOOK_NEW, KSM_LOOK_AGAIN, KSM_LOOK_AGAIN,
					       KSM_LOOK_SURE, KSM_LOOK_SURE };
	struct sim *sim = sample_sim();
	struct mm_struct *mm = sim_mm(sim, 1);
	u64 hash = 0;

	sim_map(sim, mm, 0, 7, 0);
	sim_register(sim, mm);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(look_at(sim, mm, 0, &hash), looks[i]);
		sim_pass(sim, 64);
		sim_check(sim);
	}
	assert_int_equal(hash, sim_hash(sim, 7));
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FIRST_SEEN), 1);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_UNSHARED), 4);

	sim_write(sim, mm, 0, 8);
	sim_pass(sim, 64);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_VOLATILE), 1);
	assert_int_equal(look_at(sim, mm, 0, &hash), KSM_LOOK_AGAIN);
	sim_free(sim);
}

static void two_passes_merge_as_ever(void **state)
{
	struct sim *sim = sample_sim();

	sim_equal_pages(sim, 8, 7, 0);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 0);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 7);
	sim_free(sim);
}

/* Equal to a KSM page: seen by its sample, read in full and merged at the first look. */
static void a_newcomer_joins_a_ksm_page_at_once(void **state)
{
	struct sim *sim = sample_sim();

	sim_equal_pages(sim, 2, 7, 0);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	assert_true(ksm_core_sample_known(&sim->core, sim_sample(sim, 7)));
	assert_false(ksm_core_sample_known(&sim->core, sim_sample(sim, 8)));
	sim_equal_pages(sim, 1, 7, 0);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_MERGED), 1);
	sim_free(sim);
}

static void samples_are_forgotten_with_the_last_ksm_page(void **state)
{
	struct sim *sim = sample_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 2, 7, 0);

	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_write(sim, mm, 0, 1);
	sim_pass(sim, 64);
	assert_true(ksm_core_sample_known(&sim->core, sim_sample(sim, 7)));
	sim_write(sim, mm, 1, 2);
	for (int i = 0; i < 3; i++)
		sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.nodes, 0);
	assert_false(ksm_core_sample_known(&sim->core, sim_sample(sim, 7)));
	sim_free(sim);
}

/* Changes that no sample sees: found when the page is next read in full; no page is lost. */
static void what_samples_miss_is_found_later(void **state)
{
	struct sim *sim = sample_sim();
	struct mm_struct *mm = sim_mm(sim, 2);

	sim->blind_samples = true;
	sim_map(sim, mm, 0, 1, 0);
	sim_map(sim, mm, 1, 2, 0);
	sim_register(sim, mm);
	for (int i = 0; i < 2 * SIM_FULL_PASSES; i++)
		sim_pass(sim, 64);
	sim_write(sim, mm, 0, 3);
	sim_write(sim, mm, 1, 3);
	for (int i = 0; i < 2 * SIM_FULL_PASSES && !sim->core.counters.pages_sharing; i++) {
		sim_pass(sim, 64);
		sim_check(sim);
	}
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	sim_free(sim);
}

/* Both pages of a pair change alike after the second was read: the new content is the key. */
static struct mm_struct *both;

static int rewrite_first(void *ctx, struct ksm_rmap_item *item, struct page *page,
			 struct ksm_rmap_item *tree_item, struct page *tree_page,
			 struct ksm_stable_node *node)
{
	sim_write(ctx, both, 0, 9);
	sim_write(ctx, both, 1, 9);
	return sim_ops.promote_pair(ctx, item, page, tree_item, tree_page, node);
}

static void a_new_ksm_page_is_found_under_what_it_holds(void **state)
{
	struct sim *sim = sample_sim();

	both = sim_equal_pages(sim, 2, 7, 0);
	sim->ops.promote_pair = rewrite_first;
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	assert_true(ksm_core_sample_known(&sim->core, sim_sample(sim, 9)));
	sim_equal_pages(sim, 1, 9, 0);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim_free(sim);
}

/* What a page last held is known of the node that it leaves, also when the first look merged it. */
static void written_after_its_merge(void **state)
{
	struct sim *sim = sample_sim();
	struct mm_struct *mm;

	sim->blind_samples = true;
	sim_equal_pages(sim, 2, 7, 0);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	mm = sim_equal_pages(sim, 1, 7, 0);
	sim_pass(sim, 64);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_MERGED), 1);
	sim_pass(sim, 64);

	sim_write(sim, mm, 0, 8);
	sim_write(sim, sim->mms[0], 0, 8);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_VOLATILE), 2);
	assert_int_equal(sim->core.counters.pages_unshared, 0);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 2);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_go_by_what_is_known),
		cmocka_unit_test(two_passes_merge_as_ever),
		cmocka_unit_test(a_newcomer_joins_a_ksm_page_at_once),
		cmocka_unit_test(samples_are_forgotten_with_the_last_ksm_page),
		cmocka_unit_test(what_samples_miss_is_found_later),
		cmocka_unit_test(a_new_ksm_page_is_found_under_what_it_holds),
		cmocka_unit_test(written_after_its_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
