// SPDX-License-Identifier: GPL-2.0
/* use_zero_pages: pages of zeroes are replaced by the zero page, and need no tracking any more. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"

static struct sim *zero_sim(void)
{
	struct sim *sim = sim_new(1, 1);

	sim->core.use_zero_pages = true;
	return sim;
}

static unsigned long outcomes(struct sim *sim, enum ksm_outcome outcome)
{
	return sim->core.counters.outcomes[outcome];
}

static void off_they_are_pages_like_any_other(void **state)
{
	struct sim *sim = sim_new(1, 1);

	sim_equal_pages(sim, 5, 0, 0);
	sim_settle(sim);
	sim_check_settled(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 0);
	assert_int_equal(sim->calls[SIM_MERGE_ZERO], 0);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.pages_sharing, 4);
	assert_int_equal(sim->zero->mapcount, 0);
	sim_free(sim);
}

static void on_they_become_the_zero_page(void **state)
{
	struct sim *sim = zero_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 5, 0, 0);

	sim_write(sim, mm, 4, 7);
	sim_pass(sim, 64);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FIRST_SEEN), 5);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 4);
	assert_int_equal(sim->zero->mapcount, 4);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	assert_int_equal(mm->merging, 0);

	/* The walk does not offer it any more; its items go. */
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 4);
	assert_int_equal(sim->core.counters.rmap_items, 1);

	/* Written, and zeroed again: a page like those before. */
	sim_write(sim, mm, 0, 8);
	sim_pass(sim, 64);
	assert_int_equal(sim->zero->mapcount, 3);
	sim_write(sim, mm, 0, 0);
	sim_settle(sim);
	sim_check_settled(sim);
	assert_int_equal(sim->zero->mapcount, 4);
	sim_free(sim);
}

/* One alone, too: no second page is needed. Pages still being written are left to settle. */
static void a_changing_page_is_left(void **state)
{
	struct sim *sim = zero_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 1, 0, 0);

	for (int i = 0; i < 6; i++) {
		sim_write(sim, mm, 0, i % 2 ? 0 : 7);
		sim_pass(sim, 64);
	}
	assert_int_equal(outcomes(sim, KSM_OUTCOME_VOLATILE), 5);
	assert_int_equal(sim->calls[SIM_MERGE_ZERO], 0);
	sim_pass(sim, 64);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 1);
	sim_free(sim);
}

/* It is effective for pages merged after the change, and for all of these. */
static void switched_on_later(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *old = sim_equal_pages(sim, 3, 0, 0), *mm;
	unsigned long merged;

	sim_settle(sim);
	sim->core.use_zero_pages = true;
	mm = sim_equal_pages(sim, 2, 0, 0);
	sim_settle(sim);
	sim_check_settled(sim);
	assert_ptr_equal(mm->vpages[0].page, sim->zero);
	assert_ptr_equal(mm->vpages[1].page, sim->zero);
	assert_true(old->vpages[0].page->ksm);
	assert_int_equal(sim->core.counters.pages_sharing, 2);

	/* And off again: a third, new, joins the KSM page at once. */
	sim->core.use_zero_pages = false;
	merged = outcomes(sim, KSM_OUTCOME_MERGED);
	sim_equal_pages(sim, 1, 0, 0);
	sim_pass(sim, 64);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_MERGED), merged + 1);
	assert_int_equal(sim->zero->mapcount, 2);
	sim_free(sim);
}

/* Nothing but zeroes: equal pages of anything else stay, merged ones are left as they are. */
static void only_these(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *before, *equal, *zeroes;

	before = sim_equal_pages(sim, 3, 5, 0);
	sim_settle(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim->core.zero_pages_only = true;
	equal = sim_equal_pages(sim, 4, 5, 0);
	zeroes = sim_equal_pages(sim, 4, 0, 0);
	for (int i = 0; i < 10; i++)
		sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->zero->mapcount, 4);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 4);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	assert_int_equal(equal->merging, 0);
	assert_int_equal(before->merging, 3);
	assert_ptr_equal(zeroes->vpages[0].page, sim->zero);

	/* Off again: all that has been left alone. */
	sim->core.zero_pages_only = false;
	sim_settle(sim);
	sim_check_settled(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 6);
	sim_free(sim);
}

static int write_first(void *ctx, struct ksm_rmap_item *item, struct page *page)
{
	sim_write(ctx, item->mm, SIM_INDEX(item->address), 9);
	return sim_ops.merge_zero(ctx, item, page);
}

/* Written after it was hashed: the bytes decide, and nothing is lost. */
static void written_before_write_protect(void **state)
{
	struct sim *sim = zero_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 1, 0, 0);

	sim->ops.merge_zero = write_first;
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->calls[SIM_MERGE_ZERO], 1);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_RACED), 1);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 0);
	assert_int_equal(mm->vpages[0].page->content, 9);
	sim_free(sim);
}

static void what_cannot_be_replaced_is_told(void **state)
{
	static const struct {
		int err;
		enum ksm_outcome outcome;
	} cases[] = {
		{ -EAGAIN, KSM_OUTCOME_RACED }, { -ESTALE, KSM_OUTCOME_RACED },
		{ -EBUSY, KSM_OUTCOME_PINNED }, { -EFAULT, KSM_OUTCOME_GONE },
		{ -ENOMEM, KSM_OUTCOME_NOMEM }, { -EIO, KSM_OUTCOME_REFUSED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim *sim = zero_sim();

		sim_equal_pages(sim, 1, 0, 0);
		sim->fail_op = SIM_MERGE_ZERO;
		sim->fail_nth = 1;
		sim->fail_err = cases[i].err;
		sim_pass(sim, 64);
		sim_pass(sim, 64);
		sim_check(sim);
		assert_int_equal(outcomes(sim, cases[i].outcome), 1);
		assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 0);
		sim_pass(sim, 64);
		sim_check(sim);
		assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 1);
		sim_free(sim);
	}
}

static void pinned_zeroes_stay(void **state)
{
	struct sim *sim = zero_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 2, 0, 0);

	mm->vpages[0].page->pinned = true;
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_PINNED), 1);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 1);
	mm->vpages[0].page->pinned = false;
	sim_pass(sim, 64);
	assert_int_equal(sim->zero->mapcount, 2);
	sim_free(sim);
}

/* Shared since a fork: each mapping is replaced for itself. */
static void forked_zeroes(void **state)
{
	struct sim *sim = zero_sim();
	struct mm_struct *mm = sim_equal_pages(sim, 3, 0, 0);

	sim_register(sim, sim_fork(sim, mm));
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->zero->mapcount, 6);
	sim_register(sim, sim_fork(sim, mm));
	sim_settle(sim);
	sim_check_settled(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_ZERO), 6);
	sim_free(sim);
}

/* Without the op the wish for it changes nothing. */
static void the_op_is_optional(void **state)
{
	struct sim *sim = zero_sim();

	sim->ops.merge_zero = NULL;
	sim_equal_pages(sim, 3, 0, 0);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_they_are_pages_like_any_other),
		cmocka_unit_test(on_they_become_the_zero_page),
		cmocka_unit_test(a_changing_page_is_left),
		cmocka_unit_test(switched_on_later),
		cmocka_unit_test(only_these),
		cmocka_unit_test(written_before_write_protect),
		cmocka_unit_test(what_cannot_be_replaced_is_told),
		cmocka_unit_test(pinned_zeroes_stay),
		cmocka_unit_test(forked_zeroes),
		cmocka_unit_test(the_op_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
