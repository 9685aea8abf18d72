// SPDX-License-Identifier: GPL-2.0
/*
 * One scripted history in which every op is called and every outcome reached, run again and again
 * with one call of one op failing: each call of each op in each way. Whatever fails, structures
 * and counters agree, nothing leaks, every page reads what was written, and once nothing fails any
 * more everything that can be merged is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shim/sim.h"

static void pass(struct sim *sim)
{
	unsigned long passes = sim->core.counters.full_scans;

	while (!list_empty(&sim->core.slots) && sim->core.counters.full_scans == passes) {
		sim_batch(sim, 3);
		sim_check(sim);
	}
}

static struct mm_struct *fill(struct sim *sim, const char *contents)
{
	struct mm_struct *mm = sim_mm(sim, strlen(contents));

	for (int i = 0; i < mm->nr; i++)
		sim_map(sim, mm, i, contents[i], 0);
	sim_register(sim, mm);
	return mm;
}

/* What an unloaded engine leaves: a KSM page without a node. */
static void make_orphan(struct mm_struct *mm, int i)
{
	mm->vpages[i].page->ksm = true;
}

static void migrate(struct sim *sim, struct mm_struct *mm, int i, int nid)
{
	if (mm->vpages[i].page)
		sim_migrate(sim, mm->vpages[i].page, nid);
}

/* Zero pages, visits skipped, and KSM pages on the move between NUMA nodes */
static void newer_history(struct sim *sim)
{
	struct mm_struct *mm = fill(sim, "zz000zzu");

	for (int i = 2; i < 5; i++)
		sim_write(sim, mm, i, 0);
	sim->core.use_zero_pages = true;
	sim->core.smart_scan = true;
	for (int i = 0; i < 7; i++)
		pass(sim);
	migrate(sim, mm, 0, 1);
	pass(sim);
	for (int i = 0; i < 4; i++)
		sim_map(sim, mm, i, 'z', 1);
	for (int i = 0; i < 6; i++)
		pass(sim);
	for (int i = 0; i < mm->nr; i++)
		migrate(sim, mm, i, 0);
	pass(sim);
	fill(sim, "z");
	pass(sim);
}

/* Huge pages with too few partners, until one more comes; a child maps one of them, too. */
static void huge_history(struct sim *sim)
{
	struct mm_struct *mm[2], *child;

	sim->core.thp_min_partners = 3;
	sim->buckets = 64;
	mm[0] = fill(sim, "hijk0000");
	mm[1] = fill(sim, "hilm");
	for (int i = 4; i < 8; i++)
		sim_write(sim, mm[0], i, i < 6 ? 0 : 'n');
	for (int i = 0; i < 12; i += SIM_HUGE)
		sim_collapse(sim, mm[i / 8], i % 8);
	for (int i = 0; i < 3; i++)
		pass(sim);
	child = sim_fork(sim, mm[1]);
	sim_register(sim, child);
	pass(sim);
	fill(sim, "j");
	for (int i = 0; i < 3; i++)
		pass(sim);
	fill(sim, "l");
	sim_write(sim, mm[0], 6, 0);
	for (int i = 0; i < 3; i++)
		pass(sim);
}

/* The engine comes again, and keeps domains apart; one of three moves, with its child. */
static void domain_history(struct sim *sim)
{
	struct mm_struct *mm[3], *child;

	sim_unload(sim);
	sim->buckets = 0;
	ksm_core_set_domains(&sim->core, true);
	for (int i = 0; i < 3; i++) {
		mm[i] = fill(sim, "ddst");
		mm[i]->domain = i / 2;
	}
	for (int i = 0; i < 3; i++)
		pass(sim);
	child = sim_fork(sim, mm[0]);
	child->domain = 1;
	mm[1]->domain = 1;
	sim_register(sim, child);
	for (int i = 0; i < 3; i++)
		pass(sim);
}

static void history(struct sim *sim)
{
	struct mm_struct *a, *b, *c, *child;

	sim->core.max_page_sharing = 3;
	sim->core.prune_millisecs = 0;
	sim->buckets = 4;
	a = fill(sim, "xxxxabcdo");
	b = fill(sim, "xxxxaefgp");
	make_orphan(a, 8);
	b->vpages[8].page->pinned = true;
	pass(sim);
	pass(sim);
	c = fill(sim, "xxap");
	pass(sim);
	pass(sim);
	child = sim_fork(sim, a);
	sim_register(sim, child);
	sim_write(sim, a, 0, 'b');
	sim_write(sim, b, 7, 'v');
	pass(sim);
	sim_exit(sim, b);
	sim_write(sim, a, 1, 'c');
	sim_zap(sim, child, 2);
	pass(sim);
	for (int i = 0; i < 4; i++)
		sim_write(sim, child, i, 'q');
	sim_unmergeable(sim, c, 0);
	ksm_core_trim_slot(&sim->core, &a->slot, SIM_ADDRESS(5));
	sim_check(sim);
	pass(sim);
	ksm_core_drop_stale_nodes(&sim->core);
	sim_check(sim);
	pass(sim);
	sim_exit(sim, child);
	pass(sim);
	pass(sim);
	newer_history(sim);
	huge_history(sim);
	domain_history(sim);
}

static bool failing_history(enum sim_op op, int err, long nth)
{
	struct sim *sim = sim_new(nth, 2);
	bool reached;

	sim->fail_op = op;
	sim->fail_err = err;
	sim->fail_nth = nth;
	history(sim);
	reached = sim->failed;
	sim_settle(sim);
	sim_check_settled(sim);
	sim_free(sim);
	return reached;
}

/* Returns how many calls of @op the history has that can fail. */
static long fail_each_call(enum sim_op op, int err)
{
	long nth = 1;

	while (failing_history(op, err, nth))
		nth++;
	return nth - 1;
}

static void every_outcome_is_reached(void **state)
{
	struct sim *sim = sim_new(1, 2);
	bool reached[KSM_NR_OUTCOMES] = { false };
	static const struct {
		enum sim_op op;
		int err;
	} runs[] = {
		{ SIM_HOLD, 0 },       { SIM_MERGE_INTO, -EFAULT }, { SIM_PROMOTE, -EAGAIN },
		{ SIM_PROMOTE, -EIO }, { SIM_ALLOC_ITEM, -ENOMEM },
	};

	for (size_t run = 0; run < sizeof(runs) / sizeof(runs[0]); run++) {
		sim_free(sim);
		sim = sim_new(1, 2);
		sim->fail_op = runs[run].op;
		sim->fail_err = runs[run].err;
		sim->fail_nth = runs[run].err ? 1 : 0;
		history(sim);
		for (int i = 0; i < KSM_NR_OUTCOMES; i++)
			reached[i] |= sim->core.counters.outcomes[i] > 0;
	}
	for (int i = 0; i < KSM_NR_OUTCOMES; i++)
		if (!reached[i])
			fail_msg("no page ended as \"%s\"", ksm_outcome_text(i));
	sim_free(sim);
}

static void each_op_is_called(void **state)
{
	struct sim *sim = sim_new(1, 2);

	history(sim);
	for (int op = 0; op < SIM_NR_OPS; op++)
		if (!sim->calls[op])
			fail_msg("op %d is never called", op);
	for (int what = 0; what <= KSM_EMIT_SCAN_STOP; what++)
		assert_int_not_equal(sim->emitted[what], 0);
	sim_free(sim);
}

static void each_call_fails_in_each_way(void **state)
{
	for (int op = 0; op < SIM_NR_OPS; op++)
		for (const int *err = sim_errors(op); *err; err++)
			assert_in_range(fail_each_call(op, *err), 1, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_op_is_called),
		cmocka_unit_test(every_outcome_is_reached),
		cmocka_unit_test(each_call_fails_in_each_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
