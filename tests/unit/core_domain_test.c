// SPDX-License-Identifier: GPL-2.0
/* Merge domains: no page is shared by two, whoever moves or forks; what it costs is counted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "index.h"
#include "shim/sim.h"

static struct sim *domain_sim(void)
{
	struct sim *sim = sim_new(1, 1);

	assert_true(ksm_core_set_domains(&sim->core, true));
	return sim;
}

/* An address space in @domain, registered, of @nr pages with one content */
static struct mm_struct *tenant(struct sim *sim, u64 domain, int nr, u64 content)
{
	struct mm_struct *mm = sim_equal_pages(sim, nr, content, 0);

	mm->domain = domain;
	return mm;
}

static void settle(struct sim *sim)
{
	sim_settle(sim);
	sim_check_settled(sim);
}

static unsigned long outcomes(struct sim *sim, enum ksm_outcome outcome)
{
	return sim->core.counters.outcomes[outcome];
}

static void domains_share_only_when_told(void **state)
{
	for (int on = 0; on < 2; on++) {
		struct sim *sim = sim_new(1, 1);
		struct mm_struct *a, *b, *c;

		ksm_core_set_domains(&sim->core, on);
		a = tenant(sim, 1, 3, 7);
		b = tenant(sim, 2, 2, 7);
		c = tenant(sim, 1, 1, 7);
		settle(sim);
		assert_int_equal(sim->core.counters.pages_shared, 1 + on);
		assert_int_equal(sim->core.counters.pages_sharing, 5 - on);
		assert_int_equal(sim->core.counters.domain_refused, on);
		assert_ptr_equal(a->vpages[0].page, c->vpages[0].page);
		assert_int_equal(a->vpages[0].page == b->vpages[0].page, !on);
		sim_free(sim);
	}
}

/* Nobody has a partner in the own domain: all that domains cost is known all the same. */
static void one_page_in_each_domain(void **state)
{
	struct sim *sim = domain_sim();
	struct mm_struct *mm[4];

	for (int i = 0; i < 4; i++)
		mm[i] = tenant(sim, i, 1, 7);
	tenant(sim, 0, 1, 8);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	assert_int_equal(sim->core.counters.pages_unshared, 5);
	assert_int_equal(sim->core.counters.domain_refused, 3);

	/* It follows what happens, at the latest a pass later. */
	sim_write(sim, mm[2], 0, 9);
	settle(sim);
	assert_int_equal(sim->core.counters.domain_refused, 2);
	sim_exit(sim, mm[0]);
	sim_exit(sim, mm[1]);
	settle(sim);
	assert_int_equal(sim->core.counters.domain_refused, 0);

	/* A KSM page of one domain, a single page in the other */
	tenant(sim, 5, 2, 9);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.domain_refused, 1);
	ksm_core_reset_scan(&sim->core);
	sim_check(sim);
	assert_int_equal(sim->core.counters.domain_refused, 0);
	sim_free(sim);
}

/* Whoever moves leaves the pages of the old domain at the next visit and meets the new ones. */
static void one_moves(void **state)
{
	struct sim *sim = domain_sim();
	struct mm_struct *a = tenant(sim, 1, 2, 7), *b = tenant(sim, 2, 2, 7);
	struct mm_struct *c = tenant(sim, 1, 1, 7);

	settle(sim);
	assert_ptr_equal(c->vpages[0].page, a->vpages[0].page);
	c->domain = 2;
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FOREIGN), 1);
	assert_false(c->vpages[0].page->ksm);
	assert_int_equal(c->vpages[0].expect, 7);
	settle(sim);
	assert_ptr_equal(c->vpages[0].page, b->vpages[0].page);

	/* All of a domain: nothing of the old KSM page is left. */
	a->domain = 2;
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.domain_refused, 0);
	sim_free(sim);
}

static void unsharing_fails(void **state)
{
	struct sim *sim = domain_sim();
	struct mm_struct *a = tenant(sim, 1, 2, 7), *b = tenant(sim, 1, 1, 7);

	settle(sim);
	b->domain = 2;
	sim->fail_op = SIM_UNSHARE;
	sim->fail_err = -ENOMEM;
	sim->fail_nth = 1;
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->failed, 1);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FOREIGN), 0);
	assert_ptr_equal(b->vpages[0].page, a->vpages[0].page);

	/* The page is still its node's; the next pass has memory. */
	sim_pass(sim, 64);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FOREIGN), 1);
	assert_ptr_not_equal(b->vpages[0].page, a->vpages[0].page);
	settle(sim);
	sim_free(sim);
}

static void a_forked_child_moves(void **state)
{
	struct sim *sim = domain_sim();
	struct mm_struct *a = tenant(sim, 1, 2, 7), *child;

	settle(sim);
	child = sim_fork(sim, a);
	child->domain = 2;
	sim_register(sim, child);
	settle(sim);
	assert_int_equal(outcomes(sim, KSM_OUTCOME_FORKED), 0);
	assert_ptr_not_equal(child->vpages[0].page, a->vpages[0].page);
	assert_ptr_equal(child->vpages[0].page, child->vpages[1].page);
	sim_free(sim);
}

/* Forked before anything was merged: the frame becomes a KSM page of one, and leaves the other. */
static void promoted_under_a_child(void **state)
{
	struct sim *sim = domain_sim();
	struct mm_struct *a = tenant(sim, 1, 1, 7), *child = sim_fork(sim, a);

	child->domain = 2;
	sim_register(sim, child);
	settle(sim);
	assert_ptr_equal(child->vpages[0].page, a->vpages[0].page);
	tenant(sim, 1, 1, 7);
	settle(sim);
	assert_true(a->vpages[0].page->ksm);
	assert_false(child->vpages[0].page->ksm);
	sim_free(sim);
}

static void nobody_owns_it(void **state)
{
	struct sim *sim = domain_sim();
	struct mm_struct *a = tenant(sim, 1, 2, 7), *b = tenant(sim, 1, 1, 7);

	tenant(sim, KSM_DOMAIN_NONE, 3, 7);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	assert_int_equal(sim->core.counters.pages_unshared, 0);
	assert_int_not_equal(outcomes(sim, KSM_OUTCOME_GONE), 0);
	b->domain = KSM_DOMAIN_NONE;
	settle(sim);
	assert_ptr_not_equal(a->vpages[0].page, b->vpages[0].page);
	sim_free(sim);
}

/* Another domain that goes by the same bits of the key for a content */
static u64 double_of(struct sim *sim, u64 domain, u64 content)
{
	u64 hash = sim_hash(sim, content), key = ksm_index_key(&sim->core, hash, domain);

	for (u64 other = domain + 1;; other++)
		if (ksm_index_key(&sim->core, hash, other) == key)
			return other;
}

/* The key leads to likely partners: who they are is asked. */
static void two_domains_with_one_key(void **state)
{
	struct sim *sim = domain_sim();
	u64 other = double_of(sim, 1, 7);
	struct mm_struct *a, *b;

	/* In the unstable tree */
	a = tenant(sim, 1, 1, 7);
	b = tenant(sim, other, 1, 7);
	sim_settle(sim);
	assert_int_equal(sim->calls[SIM_PROMOTE], 0);
	assert_int_equal(sim->core.counters.pages_unshared, 2);

	/* In the stable one */
	tenant(sim, 1, 1, 7);
	sim_settle(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	assert_int_equal(sim->calls[SIM_MERGE_INTO], 0);
	tenant(sim, other, 2, 7);
	sim_settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 2);
	assert_int_equal(sim->core.counters.pages_sharing, 3);
	assert_ptr_not_equal(a->vpages[0].page, b->vpages[0].page);
	assert_int_equal(a->vpages[0].page->node->hash, b->vpages[0].page->node->hash);
	sim_free(sim);
}

/* Full KSM pages of two domains: a chain for each */
static void a_chain_for_each_domain(void **state)
{
	struct sim *sim = domain_sim();
	struct mm_struct *a, *b;

	sim->core.max_page_sharing = 2;
	a = tenant(sim, 1, 6, 7);
	b = tenant(sim, 2, 6, 7);
	settle(sim);
	assert_int_equal(sim->core.counters.stable_node_chains, 2);
	assert_int_equal(sim->core.counters.stable_node_dups, 6);
	assert_int_equal(sim->core.counters.domain_refused, 1);
	assert_int_equal(a->vpages[0].page->node->chain->domain, 1);
	assert_int_equal(b->vpages[0].page->node->chain->domain, 2);

	/* The dup that is left of a chain is of that domain by itself, once a search has met it. */
	sim->core.prune_millisecs = 0;
	for (int i = 0; i < 4; i++)
		sim_write(sim, a, i, 100 + i);
	tenant(sim, 1, 1, 7);
	settle(sim);
	assert_int_equal(sim->core.counters.stable_node_chains, 1);
	assert_false(is_stable_node_dup(a->vpages[5].page->node));
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_FOREIGN], 0);
	sim_free(sim);
}

/* The zero page is nobody's: that a page became it tells nothing about others. */
static void zero_pages_are_for_all(void **state)
{
	struct sim *sim = domain_sim();

	sim->core.use_zero_pages = true;
	tenant(sim, 1, 2, 0);
	tenant(sim, 2, 2, 0);
	settle(sim);
	assert_int_equal(sim->zero->mapcount, 4);
	assert_int_equal(sim->core.counters.domain_refused, 0);
	sim_free(sim);
}

static void switching_needs_an_empty_tree(void **state)
{
	struct sim *sim = sim_new(1, 1);

	tenant(sim, 1, 1, 7);
	tenant(sim, 2, 1, 7);
	sim_pass(sim, 64);
	sim_batch(sim, 64);
	assert_int_equal(sim->core.counters.pages_unshared, 1);
	/* With an item in the unstable tree, under a key without a domain */
	assert_true(ksm_core_set_domains(&sim->core, true));
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_unshared, 0);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	assert_int_equal(sim->core.counters.domain_refused, 1);

	assert_true(ksm_core_set_domains(&sim->core, false));
	assert_int_equal(sim->core.counters.domain_refused, 0);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_false(ksm_core_set_domains(&sim->core, true));
	assert_false(sim->core.domains);
	settle(sim);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_share_only_when_told),
		cmocka_unit_test(one_page_in_each_domain),
		cmocka_unit_test(one_moves),
		cmocka_unit_test(unsharing_fails),
		cmocka_unit_test(a_forked_child_moves),
		cmocka_unit_test(promoted_under_a_child),
		cmocka_unit_test(nobody_owns_it),
		cmocka_unit_test(two_domains_with_one_key),
		cmocka_unit_test(a_chain_for_each_domain),
		cmocka_unit_test(zero_pages_are_for_all),
		cmocka_unit_test(switching_needs_an_empty_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
