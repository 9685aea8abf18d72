// SPDX-License-Identifier: GPL-2.0
/*
 * Random histories: a few small address spaces, a few contents, and everything that can happen
 * happens, between batches and in the middle of ops. After each step all is recounted; at the end
 * the oracle says whether what could be merged was. SEED=n runs one history again, COUNT=n sets
 * how many are run: make soak takes a million.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "shim/sim.h"

#define DEFAULT_COUNT 20000
#define STEPS 30
#define MAX_MMS 6

static u64 random_domain(struct sim *sim)
{
	u64 n = sim_random(sim, 12);

	return n == 11 ? KSM_DOMAIN_NONE : n % 3;
}

static struct mm_struct *add_mm(struct sim *sim)
{
	struct mm_struct *mm = sim_mm(sim, 1 + sim_random(sim, 8));

	for (int i = 0; i < mm->nr; i++)
		if (sim_random(sim, 5))
			sim_write(sim, mm, i, sim_content(sim));
	if (sim_random(sim, 2))
		for (int i = 0; i < mm->nr; i += SIM_HUGE)
			sim_collapse(sim, mm, i);
	mm->domain = random_domain(sim);
	if (sim_random(sim, 5))
		sim_register(sim, mm);
	return mm;
}

static void act_on_page(struct sim *sim, struct mm_struct *mm, int i)
{
	struct sim_vpage *vpage = &mm->vpages[i];

	switch (sim_random(sim, 11)) {
	case 0:
		sim_zap(sim, mm, i);
		break;
	case 1:
		sim_unmergeable(sim, mm, i);
		break;
	case 2:
		vpage->mergeable = true;
		break;
	case 3:
		if (vpage->page)
			sim_migrate(sim, vpage->page, sim_random(sim, SIM_MAX_NODES));
		break;
	case 4:
		/* Pins are taken on pages of one's own. */
		if (vpage->page && vpage->page != sim->zero && !vpage->page->ksm &&
		    vpage->page->mapcount == 1)
			vpage->page->pinned = !vpage->page->pinned && !sim_random(sim, 3);
		break;
	case 5:
		sim_collapse(sim, mm, i);
		break;
	default:
		sim_write(sim, mm, i, sim_content(sim));
		break;
	}
}

static void act_on_mm(struct sim *sim, struct mm_struct *mm)
{
	switch (sim_random(sim, 7)) {
	case 0:
		sim_exit(sim, mm);
		break;
	case 1:
		if (sim->nr_mms < MAX_MMS)
			sim_fork(sim, mm);
		break;
	case 2:
		if (mm->registered)
			sim_unregister(sim, mm);
		else
			sim_register(sim, mm);
		break;
	case 3:
		mm->contended = !mm->contended;
		break;
	case 4:
		/* setuid(), or another control group */
		mm->domain = random_domain(sim);
		break;
	case 5:
		if (mm->registered)
			ksm_core_trim_slot(&sim->core, &mm->slot,
					   SIM_ADDRESS(sim_random(sim, mm->nr + 1)));
		break;
	default:
		if (sim->nr_mms < MAX_MMS)
			add_mm(sim);
		break;
	}
}

static long random_buckets(struct sim *sim)
{
	return sim_random(sim, 3) ? 1L << sim_random(sim, 8) : (long)sim_random(sim, 2) - 1;
}

/* What sysfs may set at any time */
static void turn_a_knob(struct sim *sim)
{
	struct ksm_core *core = &sim->core;
	int was = core->nr_nodes, nr = 1 + sim_random(sim, SIM_MAX_NODES);
	bool set;

	switch (sim_random(sim, 7)) {
	case 0:
		core->smart_scan = !core->smart_scan;
		break;
	case 1:
		core->use_zero_pages = !core->use_zero_pages;
		break;
	case 2:
		core->zero_pages_only = !core->zero_pages_only;
		break;
	case 3:
		core->thp_min_partners = 1 + sim_random(sim, SIM_HUGE + 1);
		break;
	case 4:
		if (ksm_core_set_domains(core, sim_random(sim, 2)) != !core->counters.nodes)
			sim_violation(sim, "domains set with %lu nodes", core->counters.nodes);
		break;
	case 5:
		/* No knob: it goes by what there is. */
		sim->buckets = random_buckets(sim);
		sim_fit_index(sim);
		break;
	default:
		set = ksm_core_set_nr_nodes(core, nr);
		if (set != !core->counters.nodes || core->nr_nodes != (set ? nr : was))
			sim_violation(sim, "%d trees set with %lu nodes in %d", nr,
				      core->counters.nodes, was);
		break;
	}
}

static void act_on_engine(struct sim *sim)
{
	unsigned long stale;

	switch (sim_random(sim, 7)) {
	case 0:
		ksm_core_reset_scan(&sim->core);
		break;
	case 1:
		if (sim_random(sim, 4) == 0)
			sim_unload(sim);
		break;
	case 2:
		stale = ksm_core_drop_stale_nodes(&sim->core);
		if (stale != sim->core.counters.nodes - sim->core.counters.stable_node_chains)
			sim_violation(sim, "wrong number of nodes left");
		break;
	case 3:
		turn_a_knob(sim);
		break;
	default:
		sim->now += sim_random(sim, 30);
		break;
	}
}

static void step(struct sim *sim)
{
	struct mm_struct *mm = sim->nr_mms ? sim->mms[sim_random(sim, sim->nr_mms)] : add_mm(sim);
	uint64_t dice = sim_random(sim, 100);

	if (dice < 45)
		sim_batch(sim, 1 + sim_random(sim, 12));
	else if (dice < 60)
		sim_pass(sim, 1 + sim_random(sim, 12));
	else if (dice < 63)
		act_on_engine(sim);
	else if (mm->exited)
		mm->registered ? sim_batch(sim, 1) : (void)add_mm(sim);
	else if (dice < 90)
		act_on_page(sim, mm, sim_random(sim, mm->nr));
	else
		act_on_mm(sim, mm);
	sim_check(sim);
}

static void run_history(uint64_t seed, unsigned long outcomes[KSM_NR_OUTCOMES])
{
	struct sim *sim = sim_new(seed, seed % 5 < 2 ? 2 : 1);

	sim->core.max_page_sharing = 2 + sim_random(sim, 4);
	sim->core.prune_millisecs = sim_random(sim, 3) * 20;
	if (seed % 4 == 1)
		sim->hash_mod = 2; /* half of all contents have equal hashes */
	if (seed % 3)
		sim->fail_chance = 4 + sim_random(sim, 60);
	if (seed % 2)
		sim->meddle_chance = 4 + sim_random(sim, 60);
	sim->stale_next = seed % 7 == 0;
	sim->settled_runs = seed % 5 != 0;
	sim->samples = seed % 6 > 1;
	sim->buckets = random_buckets(sim);
	sim->core.smart_scan = sim_random(sim, 2);
	sim->core.backoff = sim_random(sim, 2) * 64;
	sim->core.thp_min_partners = 1 + sim_random(sim, SIM_HUGE + 1);
	ksm_core_set_domains(&sim->core, sim_random(sim, 2));
	sim->core.use_zero_pages = sim_random(sim, 2);
	for (uint64_t i = 0, mms = 1 + sim_random(sim, 4); i < mms; i++)
		add_mm(sim);
	for (int i = 0; i < STEPS; i++)
		step(sim);
	sim->core.zero_pages_only = false; /* else hardly anything has to be merged */
	sim_settle(sim);
	sim_check_settled(sim);
	for (int i = 0; i < KSM_NR_OUTCOMES; i++)
		outcomes[i] += sim->core.counters.outcomes[i];
	sim_free(sim);
}

static unsigned long long from_env(const char *name, unsigned long long otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : otherwise;
}

static void random_histories(void **state)
{
	unsigned long outcomes[KSM_NR_OUTCOMES] = { 0 };
	bool once = getenv("SEED");
	uint64_t first = from_env("SEED", time(NULL) * 1000000ULL);
	uint64_t count = from_env("COUNT", once ? 1 : DEFAULT_COUNT);

	print_message("figure: %llu random histories, SEED=%llu\n", (unsigned long long)count,
		      (unsigned long long)first);
	for (uint64_t i = 0; i < count; i++)
		run_history(first + i, outcomes);
	for (int i = 0; i < KSM_NR_OUTCOMES; i++) {
		print_message("%10lu %s\n", outcomes[i], ksm_outcome_text(i));
		if (!once && count >= 1000)
			assert_int_not_equal(outcomes[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
