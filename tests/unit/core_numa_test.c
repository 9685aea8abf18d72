// SPDX-License-Identifier: GPL-2.0
/* One tree for each NUMA node: equal pages of different nodes stay apart, wherever they migrate. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"

/* Pages that the scan has merged as far as they go, and the oracle's word that it is right. */
static void settle(struct sim *sim)
{
	sim_settle(sim);
	sim_check_settled(sim);
}

static void migrate_all(struct sim *sim, struct mm_struct *mm, int nid)
{
	for (int i = 0; i < mm->nr; i++)
		if (mm->vpages[i].page->nid != nid)
			sim_migrate(sim, mm->vpages[i].page, nid);
}

static void nodes_share_only_when_told(void **state)
{
	for (int nr = 1; nr <= 2; nr++) {
		struct sim *sim = sim_new(1, nr);
		struct mm_struct *a = sim_equal_pages(sim, 3, 7, 0);
		struct mm_struct *b = sim_equal_pages(sim, 3, 7, 1);

		settle(sim);
		assert_int_equal(sim->core.counters.pages_shared, nr);
		assert_int_equal(sim->core.counters.pages_sharing, 6 - nr);
		assert_int_equal(a->vpages[0].page == b->vpages[0].page, nr == 1);
		assert_int_equal(a->vpages[0].page->nid, 0);
		sim_free(sim);
	}
}

/* One page on each node: no partner at all. */
static void two_on_two_nodes(void **state)
{
	struct sim *sim = sim_new(1, 2);

	sim_equal_pages(sim, 1, 7, 0);
	sim_equal_pages(sim, 1, 7, 1);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	assert_int_equal(sim->core.counters.pages_unshared, 2);
	sim_free(sim);
}

/* merge_across_nodes may change only while nothing is merged. */
static void the_number_of_trees_changes(void **state)
{
	struct sim *sim = sim_new(1, 2);
	struct mm_struct *a, *b;

	assert_true(ksm_core_set_nr_nodes(&sim->core, 1));
	assert_int_equal(sim->core.nr_nodes, 1);
	a = sim_equal_pages(sim, 2, 7, 0);
	b = sim_equal_pages(sim, 2, 7, 1);
	sim_equal_pages(sim, 1, 8, 1);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_false(ksm_core_set_nr_nodes(&sim->core, 2));
	assert_int_equal(sim->core.nr_nodes, 1);
	sim_check_settled(sim);

	/* In the middle of a pass, with items in the unstable tree and one the cursor is behind. */
	for (int i = 0; i < 2; i++) {
		sim_unshare_vpage(sim, a, i);
		sim_unshare_vpage(sim, b, i);
		a->vpages[i].page->nid = 0;
		b->vpages[i].page->nid = 1;
	}
	sim_unload(sim);
	sim_check(sim);
	sim_batch(sim, 1);
	assert_int_equal(sim->core.counters.nodes, 0);
	assert_int_equal(sim->core.counters.pages_unshared, 2);
	assert_true(ksm_core_set_nr_nodes(&sim->core, 2));
	assert_int_equal(sim->core.counters.pages_unshared, 0);
	sim_check(sim);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 2);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim_free(sim);
}

/* A KSM page is migrated: its node settles in the other tree, with all its items. */
static void a_migrated_page_settles(void **state)
{
	struct sim *sim = sim_new(1, 2);
	struct mm_struct *mm = sim_equal_pages(sim, 3, 7, 0), *more;
	struct ksm_stable_node *node;

	settle(sim);
	node = mm->vpages[0].page->node;
	assert_int_equal(node->nid, 0);
	migrate_all(sim, mm, 1);
	sim_check(sim);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_ptr_equal(mm->vpages[0].page->node, node);
	assert_int_equal(node->nid, 1);
	assert_null(rb_first(&sim->stable[0]));
	assert_int_equal(node->rmap_hlist_len, 3);

	/* Where equal pages find it; those of the node it left do not. */
	more = sim_equal_pages(sim, 1, 7, 1);
	sim_equal_pages(sim, 1, 7, 0);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_ptr_equal(more->vpages[0].page, mm->vpages[0].page);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	assert_int_equal(sim->core.counters.pages_unshared, 1);
	sim_free(sim);
}

/* Before the scan visits its items a search finds out: the page searched for is of the old node. */
static void a_search_settles(void **state)
{
	struct sim *sim = sim_new(1, 2);
	struct mm_struct *first, *mm;

	first = sim_equal_pages(sim, 1, 9, 0);
	mm = sim_equal_pages(sim, 3, 7, 0);
	settle(sim);
	migrate_all(sim, mm, 1);
	sim_write(sim, first, 0, 7);
	sim_batch(sim, 1);
	sim_check(sim);
	assert_int_equal(mm->vpages[0].page->node->nid, 1);
	assert_false(first->vpages[0].page->ksm);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim_free(sim);
}

/* An equal KSM page is there already: they become dups of a chain, and come apart again. */
static void settled_beside_an_equal_page(void **state)
{
	struct sim *sim = sim_new(1, 2);
	struct mm_struct *a = sim_equal_pages(sim, 3, 7, 0);
	struct mm_struct *b = sim_equal_pages(sim, 3, 7, 1);

	settle(sim);
	assert_int_equal(sim->core.counters.stable_node_chains, 0);
	migrate_all(sim, a, 1);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.stable_node_chains, 1);
	assert_int_equal(sim->core.counters.stable_node_dups, 2);
	assert_null(rb_first(&sim->stable[0]));
	assert_int_equal(a->vpages[0].page->node->nid, 1);
	assert_ptr_equal(a->vpages[0].page->node->chain, b->vpages[0].page->node->chain);

	/* One of the dups goes; the chain stays with the other until a search meets it. */
	migrate_all(sim, a, 0);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(a->vpages[0].page->node->nid, 0);
	assert_false(is_stable_node_dup(a->vpages[0].page->node));
	assert_int_equal(sim->core.counters.stable_node_dups, 1);

	/* The last dup goes, and the chain with it. */
	migrate_all(sim, b, 0);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_null(rb_first(&sim->stable[1]));
	assert_int_equal(sim->core.counters.stable_node_chains, 1);
	assert_int_equal(sim->core.counters.stable_node_dups, 2);
	settle(sim);
	sim_free(sim);
}

/* Mapped once only, a KSM page that is migrated goes up in an equal one of its new NUMA node. */
static void alone_beside_an_equal_page(void **state)
{
	struct sim *sim = sim_new(1, 2);
	struct mm_struct *a = sim_equal_pages(sim, 3, 7, 0);
	struct mm_struct *b = sim_equal_pages(sim, 2, 7, 1);

	sim->core.max_page_sharing = 3;
	settle(sim);
	sim_write(sim, a, 1, 8);
	sim_write(sim, a, 2, 9);
	sim_pass(sim, 64);
	assert_int_equal(a->vpages[0].page->node->rmap_hlist_len, 1);
	a->vpages[0].page->nid = 1;
	sim_pass(sim, 64);
	sim_check(sim);
	assert_ptr_equal(a->vpages[0].page, b->vpages[0].page);
	assert_int_equal(b->vpages[0].page->node->rmap_hlist_len, 3);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_MERGED], 2);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.nodes, 1);

	/* That one is full now: the next one stays what it is. */
	sim_equal_pages(sim, 2, 7, 0);
	settle(sim);
	sim_write(sim, sim->mms[2], 0, 8);
	sim_pass(sim, 64);
	sim->mms[2]->vpages[1].page->nid = 1;
	settle(sim);
	assert_int_equal(sim->core.counters.stable_node_dups, 2);
	sim_free(sim);
}

/* No memory for the chain: both stand in the tree side by side, and searches consider both. */
static void settled_without_memory(void **state)
{
	struct sim *sim = sim_new(1, 2);
	struct mm_struct *a = sim_equal_pages(sim, 3, 7, 0);

	sim_equal_pages(sim, 3, 7, 1);
	settle(sim);
	migrate_all(sim, a, 1);
	sim->fail_op = SIM_ALLOC_NODE;
	sim->fail_err = -ENOMEM;
	sim->fail_nth = 1;
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->failed, 1);
	assert_int_equal(sim->core.counters.stable_node_chains, 0);
	assert_int_equal(sim->core.counters.nodes, 2);
	assert_null(rb_first(&sim->stable[0]));
	sim_equal_pages(sim, 1, 7, 1);
	sim_pass(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->core.counters.pages_sharing, 5);
	settle(sim);
	sim_free(sim);
}

/* A page of the unstable tree that is migrated is not a partner for pages of the node it left. */
static void migrated_partners_are_passed_by(void **state)
{
	struct sim *sim = sim_new(1, 2);
	struct mm_struct *a = sim_equal_pages(sim, 1, 7, 0);

	sim_equal_pages(sim, 1, 7, 0);
	sim_pass(sim, 64);
	sim_batch(sim, 64);
	assert_int_equal(sim->core.counters.pages_unshared, 1);
	migrate_all(sim, a, 1);
	sim_batch(sim, 64);
	sim_check(sim);
	assert_int_equal(sim->calls[SIM_PROMOTE], 0);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_UNSHARED], 2);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 0);
	migrate_all(sim, a, 0);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 1);
	sim_free(sim);
}

/* Nobody tells the node of a page: the candidate's is the one. */
static void page_nid_is_optional(void **state)
{
	struct sim *sim = sim_new(1, 2);

	sim->ops.page_nid = NULL;
	sim_equal_pages(sim, 3, 7, 0);
	sim_equal_pages(sim, 3, 7, 1);
	settle(sim);
	assert_int_equal(sim->core.counters.pages_shared, 2);
	sim_free(sim);
}

static uintptr_t stack_top, stack_bottom;

static struct page *measured_hold(void *ctx, struct ksm_stable_node *node, enum ksm_hold how)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	if (here < stack_bottom)
		stack_bottom = here;
	if (here > stack_top)
		stack_top = here;
	return sim_ops.hold(ctx, node, how);
}

/* Two chains of @dups each change places. Returns the bytes of stack that one visit needed. */
static uintptr_t swap_chains(int dups)
{
	struct sim *sim = sim_new(dups, 2);
	struct mm_struct *first = sim_equal_pages(sim, 1, 9, 0), *a, *b;

	sim->core.max_page_sharing = 2;
	a = sim_equal_pages(sim, 2 * dups, 7, 0);
	b = sim_equal_pages(sim, 2 * dups, 7, 1);
	settle(sim);
	assert_int_equal(sim->core.counters.stable_node_dups, 2 * dups);
	migrate_all(sim, a, 1);
	migrate_all(sim, b, 0);
	sim_write(sim, first, 0, 7);
	sim->ops.hold = measured_hold;
	stack_bottom = UINTPTR_MAX;
	stack_top = 0;
	sim_pass(sim, 64);
	sim_check(sim);
	sim->ops.hold = sim_ops.hold;
	settle(sim);
	sim_free(sim);
	return stack_top - stack_bottom;
}

/* The kernel's stack is small: moving one node must not move the next one from within. */
static void settling_does_not_nest(void **state)
{
	assert_int_equal(swap_chains(64), swap_chains(4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_share_only_when_told),
		cmocka_unit_test(two_on_two_nodes),
		cmocka_unit_test(the_number_of_trees_changes),
		cmocka_unit_test(a_migrated_page_settles),
		cmocka_unit_test(a_search_settles),
		cmocka_unit_test(settled_beside_an_equal_page),
		cmocka_unit_test(alone_beside_an_equal_page),
		cmocka_unit_test(settled_without_memory),
		cmocka_unit_test(migrated_partners_are_passed_by),
		cmocka_unit_test(page_nid_is_optional),
		cmocka_unit_test(settling_does_not_nest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
