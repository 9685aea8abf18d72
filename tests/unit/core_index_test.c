// SPDX-License-Identifier: GPL-2.0
/*
 * The buckets of the unstable index: as many as fit the last pass, exchanged between two passes
 * alone; whatever happens to an item meanwhile, it is found, or gone, where its key says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "index.h"
#include "shim/sim.h"

/* So many pages, none equal to another, beginning with a content. */
static struct mm_struct *unique_pages(struct sim *sim, int nr, u64 first)
{
	struct mm_struct *mm = sim_mm(sim, nr);

	for (int i = 0; i < nr; i++)
		sim_map(sim, mm, i, first + i, i % SIM_MAX_NODES);
	sim_register(sim, mm);
	return mm;
}

static void passes(struct sim *sim, int nr)
{
	while (nr--)
		sim_pass(sim, 64);
	sim_check(sim);
}

static void zap_from(struct sim *sim, struct mm_struct *mm, int i)
{
	for (; i < mm->nr; i++)
		sim_zap(sim, mm, i);
}

static void they_follow_the_items(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct mm_struct *mm = unique_pages(sim, 4500, 1);

	passes(sim, 1);
	assert_int_equal(sim->core.nr_buckets, 0); /* nothing is in the tree yet */
	passes(sim, 1);
	assert_int_equal(sim->core.nr_buckets, 128);
	passes(sim, 1);
	assert_int_equal(sim->exchanges, 1);
	assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 0);
	/* A little less is no reason. */
	zap_from(sim, mm, 3000);
	passes(sim, 2);
	assert_int_equal(sim->core.nr_buckets, 128);
	zap_from(sim, mm, 1500);
	passes(sim, 1);
	assert_int_equal(sim->core.nr_buckets, 0);
	assert_int_equal(sim->exchanges, 2);
	unique_pages(sim, 700, 10000);
	passes(sim, 2);
	assert_int_equal(sim->core.nr_buckets, KSM_BUCKETS_MIN);
	sim_exit(sim, mm);
	passes(sim, 2);
	assert_int_equal(sim->core.nr_buckets, 0);
	sim_free(sim);
}

static void there_is_a_limit(void **state)
{
	struct sim *sim = sim_new(1, 1);
	unsigned long was = sim->core.counters.pages_unshared;

	sim->core.counters.pages_unshared = KSM_BUCKETS_MIN * KSM_BUCKET_ITEMS - 1;
	assert_int_equal(ksm_core_buckets_wanted(&sim->core), 0);
	sim->core.counters.pages_unshared = KSM_BUCKETS_MAX * KSM_BUCKET_ITEMS - 1;
	assert_int_equal(ksm_core_buckets_wanted(&sim->core), KSM_BUCKETS_MAX / 2);
	sim->core.counters.pages_unshared = 3 * KSM_BUCKETS_MAX * KSM_BUCKET_ITEMS;
	assert_int_equal(ksm_core_buckets_wanted(&sim->core), KSM_BUCKETS_MAX);
	sim->core.counters.pages_unshared = was;
	sim_free(sim);
}

/* Without memory all stays as it was, and the next pass tries again. */
static void without_memory_they_stay(void **state)
{
	struct sim *sim = sim_new(1, 1);
	struct rb_root *had;

	unique_pages(sim, 2100, 1);
	sim->fail_op = SIM_ALLOC_BUCKETS;
	sim->fail_err = -ENOMEM;
	sim->fail_nth = 1;
	passes(sim, 2);
	assert_int_equal(sim->failed, 1);
	assert_int_equal(sim->core.nr_buckets, 0);
	assert_ptr_equal(sim->core.unstable, sim->unstable);
	passes(sim, 1);
	assert_int_equal(sim->core.nr_buckets, 64);
	had = sim->core.buckets;
	unique_pages(sim, 2100, 10000);
	sim->fail_nth = 1;
	passes(sim, 2);
	assert_int_equal(sim->failed, 2);
	assert_int_equal(sim->core.nr_buckets, 64);
	assert_ptr_equal(sim->core.unstable, had);
	passes(sim, 1);
	assert_int_equal(sim->core.nr_buckets, 128);
	sim_free(sim);
}

/* While a pass is under way items are in there. */
static void not_during_a_pass(void **state)
{
	struct sim *sim = sim_new(1, 1);

	unique_pages(sim, 100, 1);
	sim->buckets = 16;
	passes(sim, 2);
	sim_batch(sim, 50);
	assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 50);
	sim->buckets = 32;
	sim_fit_index(sim); /* also checks what it was told */
	sim->buckets = 0;
	sim_fit_index(sim);
	assert_int_equal(sim->core.nr_buckets, 16);
	assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 50);
	ksm_core_reset_scan(&sim->core);
	assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 0);
	sim_fit_index(sim);
	assert_int_equal(sim->core.nr_buckets, 0);
	sim_check(sim);
	sim_free(sim);
}

/* Merged, unmapped, trimmed, exited: while others of the same bucket stay. */
static void items_leave_their_bucket(void **state)
{
	for (long buckets = 0; buckets <= 1024; buckets = buckets ? 4 * buckets : 4) {
		struct sim *sim = sim_new(1, 1);
		struct mm_struct *a = unique_pages(sim, 200, 1), *b;

		sim->buckets = buckets;
		passes(sim, 2);
		b = unique_pages(sim, 200, 101); /* half of them are a's */
		passes(sim, 1);
		for (int i = 0; i < 4; i++)
			sim_batch(sim, 50);
		assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 200);
		sim_batch(sim, 50);
		sim_check(sim);
		assert_int_equal(sim->core.counters.pages_shared, 50);
		assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 150);
		ksm_core_trim_slot(&sim->core, &a->slot, SIM_ADDRESS(20));
		sim_check(sim);
		assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 20);
		zap_from(sim, b, 60);
		sim_batch(sim, 10);
		sim_check(sim);
		assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 30);
		sim_exit(sim, a);
		sim_unregister(sim, a);
		sim_check(sim);
		assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 10);
		sim_settle(sim);
		sim_check_settled(sim);
		sim_free(sim);
	}
}

/* Each NUMA node has its share of the buckets; when these are too few, one each. */
static void nodes_share_them(void **state)
{
	for (long buckets = 1; buckets <= 64; buckets *= 4) {
		struct sim *sim = sim_new(1, 2);

		unique_pages(sim, 200, 1);
		sim->buckets = buckets;
		passes(sim, 2);
		assert_int_equal(sim->core.nr_buckets, buckets);
		assert_int_equal(sim->core.unstable == sim->unstable, buckets == 1);
		sim_batch(sim, 60);
		for (int nid = 0; nid < 2; nid++)
			assert_int_equal(ksm_index_count_unstable(&sim->core, nid), 30);
		assert_true(ksm_core_set_nr_nodes(&sim->core, 1));
		sim_check(sim);
		assert_ptr_equal(sim->core.unstable, sim->core.buckets);
		passes(sim, 2);
		sim_batch(sim, 60);
		assert_int_equal(ksm_index_count_unstable(&sim->core, 0), 60);
		assert_true(ksm_core_set_nr_nodes(&sim->core, 2));
		passes(sim, 2);
		sim_settle(sim);
		sim_check_settled(sim);
		sim_free(sim);
	}
}

/* Equal pages of two domains stand in one bucket, however many there are. */
static void domains_meet_in_them(void **state)
{
	for (long buckets = 0; buckets <= 4096; buckets = buckets ? 64 * buckets : 64) {
		struct sim *sim = sim_new(1, 1);

		assert_true(ksm_core_set_domains(&sim->core, true));
		sim->buckets = buckets;
		for (int i = 0; i < 2; i++)
			unique_pages(sim, 100, 1)->domain = 1 + i;
		passes(sim, 3);
		assert_int_equal(sim->core.nr_buckets, buckets);
		assert_int_equal(sim->core.counters.pages_unshared, 200);
		assert_int_equal(sim->core.counters.domain_refused, 100);
		sim_free(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_follow_the_items),
		cmocka_unit_test(there_is_a_limit),
		cmocka_unit_test(without_memory_they_stay),
		cmocka_unit_test(not_during_a_pass),
		cmocka_unit_test(items_leave_their_bucket),
		cmocka_unit_test(nodes_share_them),
		cmocka_unit_test(domains_meet_in_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
