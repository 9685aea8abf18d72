// SPDX-License-Identifier: GPL-2.0
/* Pages that are written soon after they were merged: left alone, for longer each time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"

static struct mm_struct *mm;

/* Two pages at rest and a third that joins and leaves them. */
static struct sim *flipping_sim(unsigned int backoff)
{
	struct sim *sim = sim_new(1, 1);

	sim->core.backoff = backoff;
	mm = sim_equal_pages(sim, 2, 7, 0);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	mm = sim_equal_pages(sim, 1, 7, 0);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	return sim;
}

/* Write the page, and again what it was: passes until it is merged, at most @most. */
static int flip(struct sim *sim, int most)
{
	int passes = 0;

	sim_write(sim, mm, 0, 8);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	sim_write(sim, mm, 0, 7);
	while (sim->core.counters.pages_sharing == 1 && passes++ < most) {
		sim_pass(sim, 64);
		sim_check(sim);
	}
	return passes;
}

static void each_flip_doubles_the_wait(void **state)
{
	struct sim *sim = flipping_sim(255);

	assert_int_equal(flip(sim, 300), 16);
	assert_int_equal(flip(sim, 300), 32);
	assert_int_equal(flip(sim, 300), 64);
	assert_int_equal(flip(sim, 300), 128);
	assert_int_equal(flip(sim, 300), 255);
	assert_int_equal(flip(sim, 300), 255);
	assert_int_equal(sim->core.counters.pages_skipped, 240 + 510);
	sim_free(sim);
}

static void the_wait_is_bounded(void **state)
{
	struct sim *sim = flipping_sim(10);

	assert_int_equal(flip(sim, 100), 10);
	for (int i = 0; i < 5; i++)
		assert_int_equal(flip(sim, 100), 10);
	sim_free(sim);
}

static void none_when_off(void **state)
{
	struct sim *sim = flipping_sim(0);

	for (int i = 0; i < 5; i++)
		assert_int_equal(flip(sim, 100), 1);
	assert_int_equal(sim->core.counters.pages_skipped, 0);
	sim_free(sim);
}

/* Switched off, it lets go of what is waiting. */
static void switched_off_nobody_waits(void **state)
{
	struct sim *sim = flipping_sim(64);

	assert_int_equal(flip(sim, 2), 3);
	sim->core.backoff = 0;
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim_free(sim);
}

/* What stayed merged for a while was worth it, and what came before is forgotten. */
static void who_lasts_does_not_wait(void **state)
{
	struct sim *sim = flipping_sim(64);

	for (int i = 0; i < 16; i++)
		sim_pass(sim, 64);
	assert_int_equal(flip(sim, 100), 1);

	assert_int_equal(flip(sim, 100), 16);
	assert_int_equal(flip(sim, 100), 32);
	for (int i = 0; i < 64; i++)
		sim_pass(sim, 64);
	assert_int_equal(flip(sim, 100), 1);
	assert_int_equal(flip(sim, 100), 16);
	sim_free(sim);
}

/* The last mapping of a KSM page may be the one that is written: all who left it back off. */
static void both_of_a_pair_back_off(void **state)
{
	struct sim *sim = sim_new(1, 1);
	int passes = 0;

	sim->core.backoff = 64;
	mm = sim_equal_pages(sim, 2, 7, 0);
	sim_pass(sim, 64);
	sim_pass(sim, 64);
	sim_write(sim, mm, 0, 8);
	sim_write(sim, mm, 1, 8);
	while (!sim->core.counters.pages_sharing || !passes) {
		assert_in_range(passes++, 0, 40);
		sim_pass(sim, 64);
		sim_check(sim);
	}
	assert_int_equal(sim->core.counters.pages_skipped, 32);
	assert_in_range(passes, 18, 19);
	sim_free(sim);
}

/* Only those who flip wait: a duplicate beside them is found as soon as ever. */
static void others_do_not_wait(void **state)
{
	struct sim *sim = flipping_sim(64);

	flip(sim, 1);
	sim_equal_pages(sim, 1, 7, 0);
	sim_pass(sim, 64);
	assert_int_equal(sim->core.counters.pages_sharing, 2);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flip_doubles_the_wait),
		cmocka_unit_test(the_wait_is_bounded),
		cmocka_unit_test(none_when_off),
		cmocka_unit_test(switched_off_nobody_waits),
		cmocka_unit_test(who_lasts_does_not_wait),
		cmocka_unit_test(both_of_a_pair_back_off),
		cmocka_unit_test(others_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
