// SPDX-License-Identifier: GPL-2.0
/* The merge algorithm: what it does in plain cases, with figures known beforehand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"

static struct mm_struct *equal_pages(struct sim *sim, int n, u64 content)
{
	return sim_equal_pages(sim, n, content, 0);
}

static unsigned long outcomes(struct sim *sim, enum ksm_outcome outcome)
{
	return sim->core.counters.outcomes[outcome];
}

static void two_equal_pages_take_two_passes(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *a = equal_pages(sim, 1, 7), *b = equal_pages(sim, 1, 7);

	sim_pass(sim, 10);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	assert_ptr_not_equal(a->vpages[0].page, b->vpages[0].page);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FIRST_SEEN), 2);

	sim_pass(sim, 10);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	assert_int_equal(sim->core.counters.pages_unshared, 0);
	assert_int_equal(sim->core.counters.full_scans, 2);
	assert_int_equal(sim->core.counters.pages_scanned, 4);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_UNSHARED), 1);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_NEW_PAGE), 1);
	assert_ptr_equal(a->vpages[0].page, b->vpages[0].page);
	assert_int_equal(a->merging, 1);
	assert_int_equal(b->merging, 1);

	sim_pass(sim, 10);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ALREADY), 2);

	/* A write by one of the two breaks the sharing; the other keeps the page for itself. */
	sim_write(sim, a, 0, 8);
	sim_pass(sim, 10);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_VOLATILE), 1);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.pages_sharing, 0);
	assert_int_equal(sim->emitted[KSM_EMIT_REMOVE_ITEM], 1);

	/* And a third, new, joins it at first sight. */
	equal_pages(sim, 1, 7);
	sim_pass(sim, 10);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_MERGED), 1);
	sim_free(sim);
}

static void different_pages_never_merge(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = sim_mm(sim, 100);

	sim->hash_mod = 20; /* many have equal hashes */
	for (int i = 0; i < 100; i++)
		sim_map(sim, mm, i, i + 1, 0);
	sim_register(sim, mm);
	sim_settle(sim);
	sim_check_settled(sim);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	assert_int_equal(sim->core.counters.pages_unshared, 100);
	sim_free(sim);
}

/* A page whose hash nobody shares is decided upon without a look at any other page. */
static void unique_pages_cost_no_compare(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = sim_mm(sim, 100);

	for (int i = 0; i < 100; i++)
		sim_map(sim, mm, i, i / 2 + 1, 0);
	sim_register(sim, mm);
	sim_settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 50);
	for (int i = 0; i < 10; i++)
		sim_write(sim, mm, 2 * i, 1000 + i);
	sim_pass(sim, 64);
	memset(sim->calls, 0, sizeof(sim->calls));
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_unshared, 10);
	assert_int_equal(sim->calls[SIM_HOLD], 0);
	assert_int_equal(sim->calls[SIM_HOLD_ITEM], 0);
	sim_free(sim);
}

/* More different contents of one hash than a lookup considers: pages stay unmerged, no more. */
static void endless_collisions_are_bounded(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = sim_mm(sim, 200);

	sim->hash_mod = 1;
	for (int i = 0; i < 200; i++)
		sim_map(sim, mm, i, 1 + i % 100, 0);
	sim_register(sim, mm);
	for (int i = 0; i < 10; i++)
		sim_pass(sim, 64);
	sim_check(sim);
	assert_in_range(sim->calls[SIM_HOLD], 0, 10 * 200 * 2 * 8);
	assert_in_range(sim->calls[SIM_HOLD_ITEM], 0, 10 * 200 * 8);
	sim_free(sim);
}

static void pages_of_two_nodes_stay_apart(void **state)
{
	struct sim *sim = sim_new(1, 2);
	struct mm_struct *mm = sim_mm(sim, 5);

	for (int i = 0; i < 5; i++)
		sim_map(sim, mm, i, 7, i % 2);
	sim_register(sim, mm);
	sim_settle(sim);
	sim_check_settled(sim);
	assert_int_equal(sim->core.counters.pages_shared, 2);
	assert_int_equal(sim->core.counters.pages_sharing, 3);
	sim_free(sim);
}

/* The documented rule for N equal pages at max_page_sharing m */
static void check_rule(int pages, int max)
{
	struct sim *sim = sim_new(pages * 1000 + max, 1);
	unsigned long shared, sharing, chained;

	if (pages % max <= 1) {
		shared = pages / max;
		sharing = shared * (max - 1);
	} else {
		shared = pages / max + 1;
		sharing = pages - shared;
	}
	chained = shared > 1 ? shared : 0;
	sim->core.max_page_sharing = max;
	equal_pages(sim, pages, 7);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, shared);
	assert_int_equal(sim->core.counters.pages_sharing, sharing);
	assert_int_equal(sim->core.counters.pages_unshared, pages - shared - sharing);
	assert_int_equal(sim->core.counters.stable_node_dups, chained);
	assert_int_equal(sim->core.counters.stable_node_chains, chained > 0);
	sim_free(sim);
}

static void duplicates_follow_the_rule(void **state)
{
	static const int pages[] = { 2, 3, 10, 32, 300 };

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		for (int max = 2; max <= 34; max++)
			check_rule(pages[i], max);
}

static void one_content_16384_times(void **state)
{
	struct sim *sim = sim_new(1, 1);

	for (int i = 0; i < 16; i++)
		equal_pages(sim, 1024, 7);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 16384 - 64);
	assert_int_equal(sim->core.counters.stable_node_dups, 64);
	assert_int_equal(sim->core.counters.nodes, 65);
	sim_free(sim);
}

static void contents_8192_twice(void **state)
{
	struct sim *sim = sim_new(1, 1);

	for (int m = 0; m < 2; m++) {
		struct mm_struct *mm = sim_mm(sim, 8192);

		for (int i = 0; i < 8192; i++)
			sim_map(sim, mm, i, i + 1, 0);
		sim_register(sim, mm);
	}
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 8192);
	assert_int_equal(sim->core.counters.pages_sharing, 8192);
	sim_free(sim);
}

/* fork copies mappings and not items; adoption goes beyond max_page_sharing. */
static void forks_are_adopted_beyond_the_limit(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = equal_pages(sim, 4, 7);

	sim->core.max_page_sharing = 4;
	sim_settle(sim);
	for (int i = 0; i < 3; i++)
		sim_register(sim, sim_fork(sim, mm));
	sim_pass(sim, 64);
	sim_check(sim);
	sim_check_settled(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FORKED), 12);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.pages_sharing, 15);
	sim_free(sim);
}

/* Two mappings of one page, shared since a fork, are one page already. */
static void a_page_is_not_merged_with_itself(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = equal_pages(sim, 1, 7);

	sim_register(sim, sim_fork(sim, mm));
	sim_settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	assert_int_equal(sim->core.counters.pages_unshared, 1);

	/* With a third, equal one all three share a page. */
	equal_pages(sim, 1, 7);
	sim_settle(sim);
	sim_check_settled(sim);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim_free(sim);
}

/* Dups empty out: the chain shrinks, collapses into the last dup, and goes with it. */
static void chains_shrink_and_collapse(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm;

	sim->core.max_page_sharing = 2;
	sim->core.prune_millisecs = 0;
	mm = equal_pages(sim, 8, 7);
	sim_settle(sim);
	assert_int_equal(sim->core.counters.stable_node_chains, 1);
	assert_int_equal(sim->core.counters.stable_node_dups, 4);
	for (int i = 0; i < 6; i++)
		sim_write(sim, mm, i, 100 + i);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.stable_node_dups, 1);
	/* The next search for that content finds one dup in the chain. */
	equal_pages(sim, 1, 7);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.stable_node_chains, 0);
	assert_int_equal(sim->core.counters.stable_node_dups, 0);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	for (int i = 6; i < 8; i++)
		sim_write(sim, mm, i, 100 + i);
	sim_settle(sim);
	assert_int_equal(sim->core.counters.nodes, 0);
	sim_free(sim);
}

/* Pruning finds stale dups at once; the one with the most sharers gets the next page. */
static void pruning_prefers_the_fullest_dup(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm, *more;

	sim->core.max_page_sharing = 4;
	sim->core.prune_millisecs = 1000000;
	mm = equal_pages(sim, 12, 7);
	sim_settle(sim);
	assert_int_equal(sim->core.counters.stable_node_dups, 3);
	/* Pages merge in order: 0-3, 4-7, 8-11. Leave 1, 3 and 0 mappings of them. */
	for (int i = 0; i < 12; i++)
		if (i != 0 && i != 4 && i != 5 && i != 6)
			sim_zap(sim, mm, i);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 2);
	sim->core.prune_millisecs = 0;
	more = equal_pages(sim, 1, 7);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_ptr_equal(more->vpages[0].page, mm->vpages[4].page);
	sim_free(sim);
}

/* A node without items whose page an untracked child still maps: found out when the child goes. */
static void empty_nodes_are_pruned(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = equal_pages(sim, 2, 7), *child;

	sim_settle(sim);
	child = sim_fork(sim, mm);
	sim_write(sim, mm, 0, 1);
	sim_write(sim, mm, 1, 2);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	assert_int_equal(sim->core.counters.nodes, 1);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.nodes, 1);
	sim_exit(sim, child);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.nodes, 0);
	sim_free(sim);
}

/* With the scanner stopped, pages that are gone must not stand in the way of knobs. */
static void pages_that_are_gone_hold_nothing(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = equal_pages(sim, 2, 7);

	sim_settle(sim);
	assert_true(ksm_core_holds_pages(&sim->core));
	assert_false(ksm_core_set_nr_nodes(&sim->core, 2));
	assert_false(ksm_core_set_domains(&sim->core, true));
	sim_exit(sim, mm);
	assert_int_equal(sim->core.counters.nodes, 1);
	assert_true(ksm_core_set_nr_nodes(&sim->core, 2));
	assert_int_equal(sim->core.counters.nodes, 0);
	sim_check(sim);
	sim_free(sim);
}

/* Pages that cannot be merged must not keep others apart, wherever they stand. */
static void pinned_pages_do_not_block_others(void **state)
{
	for (int pinned = 0; pinned < 15; pinned++) {
		struct sim *sim = sim_new(pinned, 1);
		struct mm_struct *mm = equal_pages(sim, 4, 7);

		for (int i = 0; i < 4; i++)
			mm->vpages[i].page->pinned = pinned >> i & 1;
		sim_settle(sim);
		sim_check_settled(sim);
		sim_free(sim);
	}
}

/* A try costs a write-protection: one for each visit, even when all of memory is pinned. */
static void pinned_pages_cost_one_try(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = equal_pages(sim, 50, 7);

	for (int i = 0; i < 50; i++)
		mm->vpages[i].page->pinned = true;
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->calls[SIM_PROMOTE], 49);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_PINNED), 49);
	sim_free(sim);
}

/* An item of the unstable tree whose page went away is dropped by the search that finds it. */
static void vanished_partners_are_dropped(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *a = equal_pages(sim, 1, 7);

	equal_pages(sim, 1, 7);
	sim_pass(sim, 64);
	sim_batch(sim, 64);
	assert_int_equal(sim->core.counters.pages_unshared, 1);
	sim_zap(sim, a, 0);
	sim_batch(sim, 64);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_UNSHARED), 2);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_RACED), 0);
	assert_int_equal(sim->core.counters.pages_unshared, 1);
	sim_free(sim);
}

/* While the partner's address space is busy nothing is known of it: it stays where it is. */
static void contended_partners_are_kept(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *a = equal_pages(sim, 1, 7);

	equal_pages(sim, 1, 7);
	sim_pass(sim, 64);
	a->contended = true;
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_RACED), 1);
	assert_int_equal(sim->core.counters.pages_unshared, 2);
	a->contended = false;
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	sim_free(sim);
}

/* Memory for the chain is sought before pages are merged that would need it. */
static void no_memory_for_a_chain(void **state)
{
	struct sim *sim = sim_new(1, 1);

	sim->core.max_page_sharing = 2;
	equal_pages(sim, 4, 7);
	sim->fail_op = SIM_ALLOC_NODE;
	sim->fail_err = -ENOMEM;
	sim->fail_nth = 3; /* the first pair's node, the second's, the chain */
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_NOMEM), 1);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_NEW_PAGE), 1);
	assert_int_equal(sim->core.counters.nodes, 1);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 2);
	assert_int_equal(sim->core.counters.stable_node_chains, 1);
	sim_free(sim);
}

/* Without ops->checksum the hash of the candidate is the key. */
static void checksum_is_optional(void **state)
{
	struct sim *sim = sim_new(1, 1);

	sim->ops.checksum = NULL;
	equal_pages(sim, 8, 7);
	equal_pages(sim, 8, 8);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_shared, 2);
	assert_int_equal(sim->core.counters.pages_sharing, 14);
	sim_free(sim);
}

/*
 * A candidate that was collected before its page became a KSM page, through another mapping of it:
 * it is found to be that page, full or not.
 */
static void a_page_promoted_meanwhile_is_adopted(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *a = equal_pages(sim, 2, 7), *b;

	sim->core.max_page_sharing = 2;
	sim->stale_next = true;
	sim_write(sim, a, 0, 1);
	b = sim_fork(sim, a);
	sim_register(sim, b);
	sim_write(sim, b, 0, 7);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_ptr_equal(b->vpages[0].page, a->vpages[1].page);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_NEW_PAGE), 1);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FORKED), 1);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim_free(sim);
}

/* Hashes of 256 passes ago look like those of this pass: no item may be that old. */
static void passes_wrap_around(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *a = equal_pages(sim, 3, 7), *b = equal_pages(sim, 3, 8);

	sim_write(sim, a, 0, 1);
	sim_write(sim, b, 0, 2);
	for (int i = 0; i < 600; i++) {
		sim_batch(sim, 1);
		if (i % 3 == 0)
			ksm_core_reset_scan(&sim->core);
		sim_check(sim);
	}
	for (int i = 0; i < 600; i++) {
		sim_pass(sim, 2);
		sim_check(sim);
	}
	sim_check_settled(sim);
	sim_free(sim);
}

static void wrong_calls_are_counted(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm;
	struct ksm_candidate cand = { .address = SIM_ADDRESS(0) };

	assert_false(ksm_core_begin_pass(&sim->core));
	assert_false(ksm_core_next_slot(&sim->core));
	assert_int_equal(ksm_core_visit(&sim->core, &cand), KSM_OUTCOME_REFUSED);
	assert_int_equal(sim->core.counters.broken, 1);

	mm = equal_pages(sim, 2, 7);
	assert_ptr_equal(ksm_core_find_slot(&sim->core, mm), &mm->slot);
	assert_true(ksm_core_begin_pass(&sim->core));
	assert_true(ksm_core_begin_pass(&sim->core));
	sim_batch(sim, 1);
	assert_int_equal(ksm_core_visit(&sim->core, &cand), KSM_OUTCOME_REFUSED);
	assert_int_equal(sim->core.counters.broken, 2);
	sim->core.counters.broken = 0;
	sim_free(sim);
}

static void wrong_states_are_counted(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm;

	/* A chain is not a node that can be removed. */
	sim->core.max_page_sharing = 2;
	mm = equal_pages(sim, 5, 7);
	sim_settle(sim);
	assert_int_equal(sim->core.counters.stable_node_chains, 1);
	ksm_core_remove_node(&sim->core,
			     rb_entry(rb_first(&sim->stable[0]), struct ksm_stable_node, node));
	assert_int_equal(sim->core.counters.broken, 1);
	assert_int_equal(sim->core.counters.stable_node_dups, 2);

	/* An item of the unstable tree that two passes did not visit is not looked for in it. */
	sim->core.counters.broken = 0;
	assert_int_equal(sim->core.counters.pages_unshared, 1);
	sim->core.scan.seqnr += 5;
	ksm_core_trim_slot(&sim->core, &mm->slot, 0);
	assert_int_equal(sim->core.counters.broken, 1);
	assert_int_equal(sim->core.counters.pages_unshared, 0);
	sim->core.counters.broken = 0;
	sim_free(sim);
}

static void outcomes_have_names(void **state)
{
	for (int i = 0; i < KSM_NR_OUTCOMES; i++) {
		assert_string_not_equal(ksm_outcome_text(i), "unknown");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(ksm_outcome_text(i), ksm_outcome_text(j));
	}
	assert_string_equal(ksm_outcome_text(KSM_NR_OUTCOMES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_equal_pages_take_two_passes),
		cmocka_unit_test(different_pages_never_merge),
		cmocka_unit_test(unique_pages_cost_no_compare),
		cmocka_unit_test(endless_collisions_are_bounded),
		cmocka_unit_test(pages_of_two_nodes_stay_apart),
		cmocka_unit_test(duplicates_follow_the_rule),
		cmocka_unit_test(one_content_16384_times),
		cmocka_unit_test(contents_8192_twice),
		cmocka_unit_test(forks_are_adopted_beyond_the_limit),
		cmocka_unit_test(a_page_is_not_merged_with_itself),
		cmocka_unit_test(chains_shrink_and_collapse),
		cmocka_unit_test(pruning_prefers_the_fullest_dup),
		cmocka_unit_test(empty_nodes_are_pruned),
		cmocka_unit_test(pages_that_are_gone_hold_nothing),
		cmocka_unit_test(pinned_pages_do_not_block_others),
		cmocka_unit_test(pinned_pages_cost_one_try),
		cmocka_unit_test(vanished_partners_are_dropped),
		cmocka_unit_test(contended_partners_are_kept),
		cmocka_unit_test(no_memory_for_a_chain),
		cmocka_unit_test(checksum_is_optional),
		cmocka_unit_test(a_page_promoted_meanwhile_is_adopted),
		cmocka_unit_test(passes_wrap_around),
		cmocka_unit_test(wrong_calls_are_counted),
		cmocka_unit_test(wrong_states_are_counted),
		cmocka_unit_test(outcomes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
