// SPDX-License-Identifier: GPL-2.0
/* Huge pages: split when enough of their parts have a partner, and no sooner. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"

/* A page for each letter; each aligned SIM_HUGE of them a huge page, if so wanted. */
static struct mm_struct *add(struct sim *sim, const char *contents, bool huge)
{
	struct mm_struct *mm = sim_mm(sim, strlen(contents));

	for (int i = 0; i < mm->nr; i++)
		sim_map(sim, mm, i, contents[i] == '0' ? 0 : contents[i], 0);
	for (int i = 0; huge && i < mm->nr; i += SIM_HUGE)
		assert_true(sim_collapse(sim, mm, i));
	sim_register(sim, mm);
	return mm;
}

static struct sim *start(unsigned int min_partners)
{
	struct sim *sim = sim_new(1, 1);

	sim->core.thp_min_partners = min_partners;
	return sim;
}

static void passes(struct sim *sim, int n)
{
	while (n--) {
		sim_pass(sim, 5);
		sim_check(sim);
	}
}

/* What was split and merged, and what is held back */
#define IS(sim, nr_splits, sharing, deferred)                                  \
	do {                                                                   \
		assert_int_equal((sim)->splits, nr_splits);                    \
		assert_int_equal((sim)->core.counters.pages_sharing, sharing); \
		assert_int_equal((sim)->core.counters.thp_deferred, deferred); \
	} while (0)

static void end(struct sim *sim)
{
	sim_settle(sim);
	sim_check_settled(sim);
	sim_free(sim);
}

static void below_at_and_above(void **state)
{
	static const struct {
		const char *other;
		bool split;
	} cases[] = {
		{ "axyz", false },
		{ "abyz", false },
		{ "abcz", true },
		{ "abcd", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim *sim = start(3);
		int equal = i + 1;

		add(sim, "abcd", true);
		add(sim, cases[i].other, false);
		passes(sim, 6);
		IS(sim, cases[i].split, cases[i].split ? equal : 0, cases[i].split ? 0 : equal);
		end(sim);
	}
}

/* Whoever is looked at first */
static void small_pages_first(void **state)
{
	struct sim *sim = start(2);

	add(sim, "awxy", false);
	add(sim, "abcd", true);
	passes(sim, 6);
	IS(sim, 0, 0, 1);
	add(sim, "b", false);
	passes(sim, 6);
	IS(sim, 1, 2, 0);
	end(sim);
}

static void ksm_pages_count(void **state)
{
	struct sim *sim = start(3);

	add(sim, "aabbcc", false);
	passes(sim, 4);
	IS(sim, 0, 3, 0);
	add(sim, "abxy", true);
	passes(sim, 6);
	IS(sim, 0, 3, 2);
	add(sim, "abcy", true);
	passes(sim, 6);
	/* y has a partner now, and makes three of the first one's, but is held back on no side. */
	IS(sim, 2, 3 + 6, 0);
	end(sim);
}

/* Both sides are huge: the poorer one decides. */
static void both_sides_count(void **state)
{
	struct sim *sim = start(2);

	add(sim, "abcd", true);
	add(sim, "abwx", true);
	passes(sim, 6);
	IS(sim, 2, 2, 0);
	end(sim);

	sim = start(3);
	add(sim, "abcd", true);
	add(sim, "abwx", true);
	passes(sim, 6);
	IS(sim, 0, 0, 4);
	/* Three for the first: it merges with the third, and waits for the second. */
	add(sim, "c", false);
	passes(sim, 6);
	IS(sim, 1, 1, 2);
	/* Two small ones, which are not held back by an equal one that is. */
	add(sim, "bb", false);
	passes(sim, 6);
	IS(sim, 1, 1 + 2, 2);
	add(sim, "w", false);
	passes(sim, 6);
	IS(sim, 2, 1 + 3 + 1 + 1, 0);
	end(sim);
}

static void equal_parts_inside(void **state)
{
	struct sim *sim = start(3);

	add(sim, "aabc", true);
	passes(sim, 6);
	IS(sim, 0, 0, 2);
	add(sim, "abba", true);
	passes(sim, 6);
	IS(sim, 2, 5, 0);
	end(sim);
}

/* A content that many have a part of each: nobody is split for it, and small pages find theirs. */
static void thin_everywhere(void **state)
{
	struct sim *sim = start(2);

	for (int i = 0; i < 20; i++)
		add(sim, (char[]){ 'a', 100 + i, 130 + i, 160 + i, 0 }, true);
	passes(sim, 6);
	IS(sim, 0, 0, 20);
	add(sim, "aa", false);
	passes(sim, 6);
	IS(sim, 0, 1, 20);
	sim->core.thp_min_partners = 1;
	passes(sim, 6);
	IS(sim, 20, 21, 0);
	end(sim);
}

static void zeroes_count(void **state)
{
	struct sim *sim = start(3);

	sim->core.use_zero_pages = true;
	add(sim, "00bc", true);
	passes(sim, 6);
	IS(sim, 0, 0, 2);
	add(sim, "c", false);
	passes(sim, 6);
	IS(sim, 1, 1, 0);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_ZERO], 2);
	end(sim);
}

static void one_is_as_without(void **state)
{
	struct sim *sim = start(1);

	add(sim, "abcd", true);
	add(sim, "awxy", true);
	passes(sim, 3);
	IS(sim, 2, 1, 0);
	assert_int_equal(sim->core.counters.outcomes[KSM_OUTCOME_DEFERRED], 0);
	assert_int_equal(sim->calls[SIM_ALLOC_HUGE], 0);
	end(sim);
}

static void the_knob_turns(void **state)
{
	struct sim *sim = start(4);

	add(sim, "abcd", true);
	add(sim, "abcx", false);
	passes(sim, 5);
	IS(sim, 0, 0, 3);
	sim->core.thp_min_partners = 5; /* more than there are parts */
	passes(sim, 5);
	IS(sim, 0, 0, 3);
	sim->core.thp_min_partners = 3;
	passes(sim, 2);
	IS(sim, 1, 3, 0);
	end(sim);
}

/* A partner that goes is not counted for ever. */
static void partners_go(void **state)
{
	struct sim *sim = start(3);
	struct mm_struct *mm;

	add(sim, "abcd", true);
	mm = add(sim, "abxy", false);
	passes(sim, 5);
	IS(sim, 0, 0, 2);
	sim_write(sim, mm, 0, 'z');
	sim_zap(sim, mm, 1);
	passes(sim, 4);
	IS(sim, 0, 0, 0);
	add(sim, "cd", false);
	passes(sim, 5);
	IS(sim, 0, 0, 2);
	end(sim);
}

/* Split by others, unmapped, or its process gone: nothing of it is left. */
static void huge_pages_go(void **state)
{
	struct sim *sim = start(3);
	struct mm_struct *mm = add(sim, "abcdefghijkl", true), *gone = add(sim, "mnop", true);

	add(sim, "aeim", false);
	passes(sim, 5);
	assert_int_equal(sim->core.counters.huge_pages, 4);
	sim_exit(sim, gone);
	for (int i = 0; i < SIM_HUGE; i++)
		sim_zap(sim, mm, i);
	sim_split(sim, mm->vpages[4].page);
	passes(sim, 2);
	assert_int_equal(sim->core.counters.huge_pages, 1);
	assert_int_equal(sim->core.counters.thp_deferred, 1);
	assert_int_equal(sim->core.counters.pages_sharing, 1);
	ksm_core_reset_scan(&sim->core);
	assert_int_equal(sim->core.counters.huge_pages, 0);
	assert_int_equal(sim->core.counters.thp_deferred, 0);
	end(sim);
}

/* One huge page in two processes is no partner of itself. */
static void shared_since_a_fork(void **state)
{
	struct sim *sim = start(2);
	struct mm_struct *mm = add(sim, "abcd", true);

	sim_register(sim, sim_fork(sim, mm));
	passes(sim, 6);
	IS(sim, 0, 0, 0);
	add(sim, "awxy", false);
	passes(sim, 6);
	assert_int_equal(sim->splits, 0);
	add(sim, "b", false);
	passes(sim, 6);
	assert_int_equal(sim->splits, 1);
	end(sim);
}

/* Smart scan looks at the parts of an old huge page in different passes: they add up. */
static void with_smart_scan(void **state)
{
	struct sim *sim = start(3);

	sim->core.smart_scan = true;
	add(sim, "abcd", true);
	add(sim, "abyz", false);
	passes(sim, 40);
	IS(sim, 0, 0, 2);
	add(sim, "c", false);
	passes(sim, 40);
	IS(sim, 1, 3, 0);
	end(sim);
}

/* Where there is no memory to remember it, a huge page is merged as any. */
static void no_memory(void **state)
{
	struct sim *sim = start(3);

	sim->ops.alloc_huge = NULL;
	add(sim, "abcd", true);
	add(sim, "axyz", false);
	passes(sim, 3);
	IS(sim, 1, 1, 0);
	end(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(below_at_and_above), cmocka_unit_test(small_pages_first),
		cmocka_unit_test(ksm_pages_count),    cmocka_unit_test(both_sides_count),
		cmocka_unit_test(equal_parts_inside), cmocka_unit_test(thin_everywhere),
		cmocka_unit_test(zeroes_count),	      cmocka_unit_test(one_is_as_without),
		cmocka_unit_test(the_knob_turns),     cmocka_unit_test(partners_go),
		cmocka_unit_test(huge_pages_go),      cmocka_unit_test(shared_since_a_fork),
		cmocka_unit_test(with_smart_scan),    cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
