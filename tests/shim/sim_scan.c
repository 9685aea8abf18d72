// SPDX-License-Identifier: GPL-2.0
/*
 * The loop that kmod's walk and thread are elsewhere.
 */
#include "sim.h"
#include "smart.h"

static void collect(struct sim *sim, struct mm_struct *mm, int *i, int pages)
{
	sim->batch_len = 0;
	sim->batch_pos = 0;
	for (; *i < mm->nr && sim->batch_len < pages; ++*i) {
		struct page *page = mm->vpages[*i].page;

		if (!page || page == sim->zero || !mm->vpages[*i].mergeable)
			continue;
		sim_get(page);
		sim->batch_pages[sim->batch_len] = page;
		sim->batch[sim->batch_len++] = (struct ksm_candidate){
			.address = SIM_ADDRESS(*i),
			.page = page,
			.hash = sim_hash(sim, page->content),
			.sample = sim_sample(sim, page->content),
			.node = page->node,
			.orphan = page->ksm && !page->node,
			.nid = sim_ops.page_nid(sim, page),
			.huge = sim_is_huge(mm, *i),
		};
	}
}

/* As the thread does: what smart scan leaves alone is not even read. */
static void mark_skips(struct sim *sim)
{
	struct ksm_rmap_item *at = NULL;

	for (int n = 0; n < sim->batch_len; n++) {
		struct ksm_candidate *cand = &sim->batch[n];
		struct ksm_rmap_item *item = ksm_core_item_at(&sim->core, &at, cand->address);

		if (cand->page->ksm || !item || !ksm_core_may_skip(&sim->core, item))
			continue;
		*cand = (struct ksm_candidate){
			.address = cand->address,
			.hash = 0x5eadbeef5eadbeefULL, /* of nothing */
			.settled = 1,
			.skip = true,
		};
	}
}

/* As the thread does: of most pages it reads a sample. */
static void look(struct sim *sim)
{
	struct ksm_rmap_item *at = NULL;

	for (int n = 0; n < sim->batch_len; n++) {
		struct ksm_candidate *cand = &sim->batch[n];
		enum ksm_look look = KSM_LOOK_FULL;
		u16 sample = cand->sample + 1;
		u64 hash = 0;

		if (cand->skip || cand->page->ksm)
			continue;
		if ((SIM_INDEX(cand->address) + sim->core.scan.seqnr) % SIM_FULL_PASSES)
			look = ksm_core_recall(&sim->core, &at, cand->address, &hash, &sample);
		if (look == KSM_LOOK_SURE && sample == cand->sample)
			cand->hash = hash;
		else if (look != KSM_LOOK_FULL &&
			 !(look == KSM_LOOK_AGAIN && sample == cand->sample))
			cand->sampled = !ksm_core_sample_known(&sim->core, cand->sample);
		if (cand->sampled)
			cand->hash = 0x5eadbeef5eadbeefULL;
	}
}

static bool is_settled(struct sim *sim, struct ksm_rmap_item **at, const struct ksm_candidate *cand)
{
	struct ksm_core *core = &sim->core;
	struct ksm_stable_node *node = cand->node;
	u64 domain = core->domains ? sim_ops.domain(sim, sim->scanned) : 0;
	struct ksm_rmap_item *item = ksm_core_item_at(core, at, cand->address);

	if (!node || !item || !(item->address & STABLE_FLAG) || ksm_item_node(item) != node)
		return false;
	return ksm_stable_node_domain(node) == domain &&
	       (core->nr_nodes == 1 || node->nid == cand->nid);
}

/* As the walk does: neighbours that a visit would not change become one candidate. */
static void join_settled(struct sim *sim)
{
	struct ksm_rmap_item *at = NULL;
	struct ksm_candidate *last = NULL;
	int len = 0;

	for (int n = 0; n < sim->batch_len; n++) {
		struct ksm_candidate cand = sim->batch[n];

		if (!cand.skip && !is_settled(sim, &at, &cand)) {
			last = NULL;
			sim->batch[len++] = cand;
		} else if (last && last->skip == cand.skip &&
			   last->address + SIM_ADDRESS(last->settled) - SIM_ADDRESS(0) ==
				   cand.address) {
			last->settled++;
		} else {
			last = &sim->batch[len++];
			*last = (struct ksm_candidate){
				.address = cand.address,
				.settled = 1,
				.skip = cand.skip,
			};
		}
	}
	sim->batch_len = len;
}

/* As the thread does, which spares those that will not be searched for. */
static void warm_index(struct sim *sim)
{
	struct ksm_probe probes[SIM_BATCH_MAX];

	for (int n = 0; n < sim->batch_len; n++)
		probes[n] = (struct ksm_probe){
			.hash = sim->batch[n].hash,
			.nid = sim->batch[n].nid,
		};
	ksm_core_warm(&sim->core, probes, sim->batch_len);
}

/* One batch of the scanner: collect, visit, let go. */
void sim_batch(struct sim *sim, int pages)
{
	struct ksm_core *core = &sim->core;
	struct mm_struct *mm;
	int i, pages_held;

	if (!ksm_core_begin_pass(core))
		return;
	mm = container_of(core->scan.mm_slot, struct mm_struct, slot);
	if (mm->exited) {
		sim_unregister(sim, mm);
		return;
	}
	i = core->scan.address ? SIM_INDEX(core->scan.address) : 0;
	sim->scanned = mm;
	collect(sim, mm, &i, pages < SIM_BATCH_MAX ? pages : SIM_BATCH_MAX);
	pages_held = sim->batch_len;
	mark_skips(sim);
	if (sim->samples)
		look(sim);
	if (sim->settled_runs)
		join_settled(sim);
	warm_index(sim);
	if (ksm_core_scan_batch(core) != (unsigned long)sim->batch_len)
		sim_violation(sim, "not all of the batch was visited");
	sim->scanned = NULL;
	/* The walk may have come further than to the last page it found. */
	core->scan.address = SIM_ADDRESS(i);
	for (int n = 0; n < pages_held; n++)
		sim_put(sim, sim->batch_pages[n]);
	if (i == mm->nr && !ksm_core_next_slot(core))
		sim_fit_index(sim);
}

/* Batches to the end of the pass under way, or of a whole one. */
void sim_pass(struct sim *sim, int pages)
{
	unsigned long passes = sim->core.counters.full_scans;

	while (!list_empty(&sim->core.slots) && sim->core.counters.full_scans == passes)
		sim_batch(sim, pages);
}
