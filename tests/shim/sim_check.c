// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle. After every step the core's structures and counters are counted anew, and every
 * byte an owner could read is what it wrote. When all has come to rest, the pages must be grouped
 * as someone would who knows all contents.
 */
#include <stdlib.h>
#include <string.h>
#include "huge.h"
#include "index.h"
#include "sim.h"

struct tally {
	unsigned long shared, sharing, unshared, items, nodes, chains, dups;
	unsigned long stable_items; /* flagged so in the slots' lists */
	unsigned long in_unstable;  /* to be found in the unstable trees, by their age */
	unsigned long live_nodes;   /* whose page exists */
	unsigned long refused;      /* that only their domain keeps from being merged */
	unsigned long huge_pages, deferred;
};

#define MUST_EQUAL(sim, what, is, counted)                                             \
	do {                                                                           \
		if ((unsigned long)(is) != (unsigned long)(counted))                   \
			sim_violation(sim, "%s is %ld, counted %ld", what, (long)(is), \
				      (long)(counted));                                \
	} while (0)

static void check_item(struct sim *sim, struct mm_struct *mm, struct ksm_rmap_item *item,
		       struct tally *tally)
{
	u8 age = sim->core.scan.seqnr - item->address;

	tally->items++;
	if (item->mm != mm)
		sim_violation(sim, "an item is in the list of another address space");
	if (item->rmap_list &&
	    (item->rmap_list->address >> SIM_PAGE_SHIFT) <= (item->address >> SIM_PAGE_SHIFT))
		sim_violation(sim, "items of mm %d do not ascend", mm->id);
	if (item->address & FOREIGN_FLAG) {
		tally->refused++;
		if (!sim->core.domains || !(item->address & UNSTABLE_FLAG))
			sim_violation(sim, "an item is refused its merge, and is in no tree");
	}
	if (item->address & STABLE_FLAG) {
		tally->stable_items++;
		if (item->address & UNSTABLE_FLAG)
			sim_violation(sim, "a stable item with flags %#lx", item->address & 0xfff);
		if (item->linear_page_index != sim_linear_index(item))
			sim_violation(sim, "the reverse map would not find an item");
	} else if (item->address & UNSTABLE_FLAG) {
		tally->unshared++;
		tally->in_unstable += !age;
		if (age > 1)
			sim_violation(sim, "an unstable item of age %d", age);
	}
}

static void check_huge(struct sim *sim, struct mm_struct *mm, struct tally *tally)
{
	struct rb_node *rb;

	if (shim_rb_check(&mm->slot.huge) < 0)
		sim_violation(sim, "the huge pages of mm %d are no red-black tree", mm->id);
	for (rb = rb_first(&mm->slot.huge); rb; rb = rb_next(rb)) {
		struct ksm_huge *huge = rb_entry(rb, struct ksm_huge, node);
		u64 parts = huge->seen[0] | huge->before[0];

		tally->huge_pages++;
		tally->deferred += huge->partners;
		MUST_EQUAL(sim, "partners", huge->partners, __builtin_popcountll(parts));
		if (huge->address & ~sim->core.huge_mask || parts >> SIM_HUGE)
			sim_violation(sim, "a huge page at %#lx, parts %#llx", huge->address,
				      parts);
		if (rb_prev(rb) &&
		    rb_entry(rb_prev(rb), struct ksm_huge, node)->address >= huge->address)
			sim_violation(sim, "the huge pages of mm %d do not ascend", mm->id);
	}
}

static void check_slot(struct sim *sim, struct mm_struct *mm, struct tally *tally)
{
	struct ksm_scan *scan = &sim->core.scan;
	struct ksm_rmap_item **link = &mm->slot.rmap_list;
	bool cursor = scan->mm_slot != &mm->slot;
	unsigned long items = tally->items, merging = tally->stable_items;

	check_huge(sim, mm, tally);
	for (; *link; link = &(*link)->rmap_list) {
		bool ahead = (*link)->address >= scan->address;

		if (scan->mm_slot == &mm->slot) {
			cursor |= link == scan->rmap_list;
			if (!cursor && ahead)
				sim_violation(sim, "the cursor is not at its address");
		}
		check_item(sim, mm, *link, tally);
	}
	if (!cursor && link != scan->rmap_list)
		sim_violation(sim, "the cursor is in no list");
	MUST_EQUAL(sim, "items of an mm", mm->items, tally->items - items);
	MUST_EQUAL(sim, "merging pages of an mm", mm->merging, tally->stable_items - merging);
	if (ksm_core_find_slot(&sim->core, mm) != &mm->slot)
		sim_violation(sim, "mm %d is registered and not found", mm->id);
}

static void check_node(struct sim *sim, struct ksm_stable_node *node, struct tally *tally)
{
	struct page *page = node->kpfn < sim->nr_frames ? sim->frames[node->kpfn] : NULL;
	struct ksm_rmap_item *item;
	int len = 0;

	hlist_for_each_entry(item, &node->hlist, hlist) {
		if (!(item->address & STABLE_FLAG) || ksm_item_node(item) != node)
			sim_violation(sim, "an item on a node does not belong there");
		len++;
	}
	MUST_EQUAL(sim, "rmap_hlist_len", node->rmap_hlist_len, len);
	tally->nodes++;
	tally->shared += len > 0;
	tally->sharing += len > 0 ? len - 1 : 0;
	if (!page || page->node != node)
		return;
	tally->live_nodes++;
	if (sim->ops.checksum &&
	    node->hash != ksm_index_key(&sim->core, sim_hash(sim, page->content),
					ksm_stable_node_domain(node)))
		sim_violation(sim, "a node has another hash than its page");
}

static void check_entry(struct sim *sim, struct ksm_stable_node *entry, struct tally *tally)
{
	struct ksm_stable_node *dup;

	if (entry->rmap_hlist_len != STABLE_NODE_CHAIN) {
		check_node(sim, entry, tally);
		return;
	}
	tally->chains++;
	tally->nodes++;
	if (hlist_empty(&entry->hlist))
		sim_violation(sim, "a chain without dups");
	hlist_for_each_entry(dup, &entry->hlist, hlist_dup) {
		tally->dups++;
		if (dup->head != KSM_STABLE_DUP_HEAD || dup->chain != entry ||
		    dup->hash != entry->hash || dup->nid != entry->nid)
			sim_violation(sim, "a dup does not fit its chain");
		check_node(sim, dup, tally);
	}
}

/* Each bucket is a tree of the keys that begin with its number. */
static void check_bucket(struct sim *sim, int nid, const struct rb_root *root, u64 number,
			 unsigned int bits, struct tally *tally)
{
	u64 before = 0;

	if (shim_rb_check(root) < 0)
		sim_violation(sim, "a bucket is no red-black tree");
	for (struct rb_node *rb = rb_first(root); rb; rb = rb_next(rb)) {
		struct ksm_rmap_item *item = rb_entry(rb, struct ksm_rmap_item, node);

		if (item->hash < before || item->nid != nid)
			sim_violation(sim, "the unstable tree is out of order");
		if (bits && item->hash >> (64 - bits) != number)
			sim_violation(sim, "an item is in the wrong bucket");
		before = item->hash;
		if (!(item->address & UNSTABLE_FLAG))
			sim_violation(sim, "an item in the unstable tree is not flagged");
		tally->in_unstable--;
	}
}

static void check_unstable(struct sim *sim, int nid, struct tally *tally)
{
	const struct rb_root *roots = &sim->unstable[nid];
	unsigned long nr = 1;
	unsigned int bits = 0;

	if (sim->core.nr_buckets >= (unsigned long)sim->core.nr_nodes) {
		nr = sim->core.nr_buckets / sim->core.nr_nodes;
		roots = sim->core.buckets + nr * nid;
	}
	while (1UL << bits < nr)
		bits++;
	for (unsigned long i = 0; i < nr; i++)
		check_bucket(sim, nid, &roots[i], i, bits, tally);
}

static void check_trees(struct sim *sim, int nid, struct tally *tally)
{
	struct rb_node *rb;
	u64 before = 0;

	if (shim_rb_check(&sim->stable[nid]) < 0)
		sim_violation(sim, "a tree is no red-black tree");
	for (rb = rb_first(&sim->stable[nid]); rb; rb = rb_next(rb)) {
		struct ksm_stable_node *entry = rb_entry(rb, struct ksm_stable_node, node);

		if (entry->hash < before || entry->nid != nid)
			sim_violation(sim, "the stable tree is out of order");
		if (sim->core.domains && rb_prev(rb) && entry->hash != before &&
		    entry->hash >> KSM_DOMAIN_BITS == before >> KSM_DOMAIN_BITS)
			tally->refused++;
		before = entry->hash;
		check_entry(sim, entry, tally);
	}
	check_unstable(sim, nid, tally);
}

static void check_counters(struct sim *sim, const struct tally *tally)
{
	const struct ksm_counters *counters = &sim->core.counters;
	unsigned long outcomes = 0;

	MUST_EQUAL(sim, "broken", counters->broken, 0);
	MUST_EQUAL(sim, "pages_shared", counters->pages_shared, tally->shared);
	MUST_EQUAL(sim, "pages_sharing", counters->pages_sharing, tally->sharing);
	MUST_EQUAL(sim, "pages_unshared", counters->pages_unshared, tally->unshared);
	MUST_EQUAL(sim, "domain_refused", counters->domain_refused, tally->refused);
	MUST_EQUAL(sim, "rmap_items", counters->rmap_items, tally->items);
	MUST_EQUAL(sim, "nodes", counters->nodes, tally->nodes);
	MUST_EQUAL(sim, "stable_node_chains", counters->stable_node_chains, tally->chains);
	MUST_EQUAL(sim, "stable_node_dups", counters->stable_node_dups, tally->dups);
	MUST_EQUAL(sim, "stable items", tally->stable_items, tally->shared + tally->sharing);
	MUST_EQUAL(sim, "items missing from the unstable trees", tally->in_unstable, 0);
	MUST_EQUAL(sim, "allocated items", sim->items, tally->items);
	MUST_EQUAL(sim, "huge pages", counters->huge_pages, tally->huge_pages);
	MUST_EQUAL(sim, "thp_deferred", counters->thp_deferred, tally->deferred);
	MUST_EQUAL(sim, "allocated records of huge pages", sim->huges, tally->huge_pages);
	MUST_EQUAL(sim, "allocated nodes", sim->nodes, tally->nodes);
	MUST_EQUAL(sim, "anon_vma references", sim->anon_vmas, tally->stable_items);
	for (int i = 0; i < KSM_NR_OUTCOMES; i++)
		outcomes += counters->outcomes[i];
	MUST_EQUAL(sim, "pages_scanned", counters->pages_scanned,
		   outcomes - counters->outcomes[KSM_OUTCOME_SKIPPED]);
	MUST_EQUAL(sim, "pages_skipped", counters->pages_skipped,
		   counters->outcomes[KSM_OUTCOME_SKIPPED]);
	MUST_EQUAL(sim, "outcomes told", sim->outcomes, outcomes);
}

static void check_contents(struct sim *sim, struct mm_struct *mm)
{
	for (int i = 0; i < mm->nr; i++) {
		const struct sim_vpage *vpage = &mm->vpages[i];
		u64 read = vpage->page ? vpage->page->content : 0;

		if (read != vpage->expect)
			sim_violation(sim, "mm %d page %d reads %llu, was written %llu", mm->id, i,
				      read, vpage->expect);
	}
}

/* To be called between batches, at any time. */
void sim_check(struct sim *sim)
{
	struct tally tally = { 0 };
	unsigned long with_node = 0;

	for (int m = 0; m < sim->nr_mms; m++) {
		check_contents(sim, sim->mms[m]);
		if (sim->mms[m]->registered)
			check_slot(sim, sim->mms[m], &tally);
	}
	for (int nid = 0; nid < sim->core.nr_nodes; nid++) {
		struct tally before = tally;
		struct ksm_tree_sizes sizes;

		check_trees(sim, nid, &tally);
		ksm_core_tree_sizes(&sim->core, nid, &sizes);
		MUST_EQUAL(sim, "tree size: unstable", sizes.unstable,
			   before.in_unstable - tally.in_unstable);
		MUST_EQUAL(sim, "tree size: chains", sizes.chains, tally.chains - before.chains);
		MUST_EQUAL(sim, "tree size: dups", sizes.dups, tally.dups - before.dups);
		MUST_EQUAL(sim, "tree size: nodes", sizes.nodes + sizes.chains,
			   tally.nodes - before.nodes);
		MUST_EQUAL(sim, "tree size: items", sizes.items,
			   tally.shared + tally.sharing - before.shared - before.sharing);
	}
	check_counters(sim, &tally);
	/* A page that points to a node which is not in the tree: the kernel would follow it. */
	for (unsigned long pfn = 0; pfn < sim->nr_frames; pfn++)
		with_node += sim->frames[pfn] && sim->frames[pfn]->node;
	MUST_EQUAL(sim, "pages with a node", with_node, tally.live_nodes);
}

/* Everything that a pass can change for good */
static unsigned long progress(const struct ksm_counters *counters)
{
	return counters->outcomes[KSM_OUTCOME_MERGED] + counters->outcomes[KSM_OUTCOME_NEW_PAGE] +
	       counters->outcomes[KSM_OUTCOME_FORKED] + counters->outcomes[KSM_OUTCOME_ORPHAN] +
	       counters->outcomes[KSM_OUTCOME_ZERO] + counters->outcomes[KSM_OUTCOME_FOREIGN] +
	       counters->outcomes[KSM_OUTCOME_FIRST_SEEN] +
	       counters->outcomes[KSM_OUTCOME_VOLATILE];
}

/*
 * Let nothing more happen but passes, until they change nothing. Without smart scan: with it two
 * equal pages need not ever be visited in the same pass.
 */
void sim_settle(struct sim *sim)
{
	const struct ksm_counters *counters = &sim->core.counters;
	int quiet = 0, passes = 0, enough = 3;

	sim->fail_nth = 0;
	sim->fail_chance = 0;
	sim->meddle_chance = 0;
	sim->stale_next = false;
	sim->core.smart_scan = false;
	sim->core.backoff = 0;
	if (sim->hash_mod)
		enough = 10;
	for (int m = 0; m < sim->nr_mms; m++) {
		struct mm_struct *mm = sim->mms[m];

		mm->contended = false;
		if (!mm->registered && !mm->exited)
			sim_register(sim, mm);
		for (int i = 0; i < mm->nr; i++)
			if (mm->vpages[i].page && mm->vpages[i].page->pinned)
				enough = 10;
	}
	while (quiet < enough) {
		unsigned long before = progress(counters);
		unsigned long items = counters->rmap_items;

		sim_pass(sim, SIM_BATCH_MAX);
		quiet = progress(counters) == before && counters->rmap_items == items ? quiet + 1 :
											0;
		if (++passes > 500)
			sim_violation(sim, "does not come to rest");
	}
	/* Without address spaces there are no passes to find stale nodes. */
	if (list_empty(&sim->core.slots))
		ksm_core_holds_pages(&sim->core);
	sim_check(sim);
}

static bool has_room(struct sim *sim, const struct ksm_stable_node *node)
{
	return node->rmap_hlist_len && node->rmap_hlist_len < sim->core.max_page_sharing;
}

/* A page as one domain sees it: since a fork, two may map it */
struct seen {
	const struct page *page;
	u64 domain;
};

/* All that is mapped, once for each domain */
struct world {
	struct seen *seen;
	unsigned long n;
};

static bool are_equal(struct sim *sim, const struct seen *x, const struct seen *y)
{
	const struct page *a = x->page, *b = y->page;

	return a != b && a->content == b->content &&
	       !(sim->core.nr_nodes > 1 && a->nid != b->nid) && x->domain == y->domain &&
	       x->domain != KSM_DOMAIN_NONE;
}

static bool has_partner(struct sim *sim, const struct world *world, const struct seen *x)
{
	if (sim->core.use_zero_pages && !x->page->content)
		return true;
	for (unsigned long i = 0; i < world->n; i++)
		if (are_equal(sim, x, &world->seen[i]))
			return true;
	return false;
}

/*
 * Since a fork some address space may map a part of a huge page as a small one, which then stands
 * in the tree for all its mappings: as the part of a huge page it is not counted.
 */
static bool mapped_in_parts(struct sim *sim, const struct page *page)
{
	for (int m = 0; m < sim->nr_mms; m++)
		for (int i = 0; i < sim->mms[m]->nr; i++) {
			const struct page *mapped = sim->mms[m]->vpages[i].page;

			if (mapped && mapped->huge == page->huge && !sim_is_huge(sim->mms[m], i))
				return true;
		}
	return false;
}

/* Is it small, or part of a huge page in which enough others have a partner, too? */
static bool may_merge(struct sim *sim, const struct world *world, const struct seen *x)
{
	unsigned int partners = 0;

	if (!x->page->huge)
		return true;
	if (mapped_in_parts(sim, x->page))
		return false;
	for (unsigned long i = 0; i < world->n; i++) {
		const struct seen *part = &world->seen[i];

		partners += part->page->huge == x->page->huge && part->domain == x->domain &&
			    has_partner(sim, world, part);
	}
	return partners >= sim->core.thp_min_partners;
}

/* Two equal pages that could be one and are two? */
static void check_pair(struct sim *sim, const struct world *world, const struct seen *x,
		       const struct seen *y)
{
	const struct page *a = x->page, *b = y->page;

	if (!are_equal(sim, x, y) || (a->ksm && b->ksm))
		return;
	if (!may_merge(sim, world, x) || !may_merge(sim, world, y))
		return;
	if (!a->ksm && !b->ksm)
		sim_violation(sim, "pfn %lu and %lu are equal and not merged", a->pfn, b->pfn);
	if (!a->ksm && b->node && has_room(sim, b->node))
		sim_violation(sim, "pfn %lu is not merged into %lu", a->pfn, b->pfn);
}

/*
 * How many more pages would be saved if there were no domains: of each content all but one of those
 * that have it in different domains.
 */
static unsigned long count_refused(struct sim *sim, const struct seen *seen, unsigned long n)
{
	const bool zero = sim->core.use_zero_pages;
	unsigned long refused = 0;

	for (unsigned long a = 0; a < n; a++) {
		bool first = true, foreign = false;

		/* Zeroes merge across domains. */
		if (zero && !seen[a].page->ksm && !seen[a].page->content)
			continue;

		for (unsigned long b = 0; b < a; b++) {
			if (seen[a].page->content != seen[b].page->content ||
			    (zero && !seen[b].page->ksm && !seen[b].page->content) ||
			    (sim->core.nr_nodes > 1 && seen[a].page->nid != seen[b].page->nid))
				continue;
			first &= seen[a].domain != seen[b].domain;
			foreign |= seen[a].domain != seen[b].domain;
		}
		refused += first && foreign;
	}
	return refused;
}

/* Is the page what and where it should be? */
static void check_page(struct sim *sim, const struct world *world, const struct seen *x)
{
	const struct page *page = x->page;
	u64 domain = x->domain;

	if (page->ksm && !page->node)
		sim_violation(sim, "pfn %lu is an orphan still", page->pfn);
	if (page->ksm && ksm_stable_node_domain(page->node) != domain)
		sim_violation(sim, "pfn %lu of domain %llu is mapped in domain %llu", page->pfn,
			      ksm_stable_node_domain(page->node), domain);
	if (page->ksm && sim->core.nr_nodes > 1 && page->node->nid != page->nid)
		sim_violation(sim, "pfn %lu is of NUMA node %d, in the tree of %d", page->pfn,
			      page->nid, page->node->nid);
	if (!page->ksm && !page->content && sim->core.use_zero_pages && domain != KSM_DOMAIN_NONE &&
	    may_merge(sim, world, x))
		sim_violation(sim, "pfn %lu is not replaced by the zero page", page->pfn);
}

static bool counts(const struct sim *sim, const struct mm_struct *mm, int i)
{
	const struct sim_vpage *vpage = &mm->vpages[i];

	return mm->registered && vpage->page && vpage->page != sim->zero && vpage->mergeable &&
	       !vpage->page->pinned;
}

static bool is_new(const struct seen *seen, unsigned long n, const struct page *page, u64 domain)
{
	/* Mappings of one page mostly come one after the other. */
	while (n--)
		if (seen[n].page == page && seen[n].domain == domain)
			return false;
	return true;
}

/*
 * After sim_settle(): all mergeable pages of one content, of one domain and one NUMA node where
 * they are kept apart, are merged, but for a single page that found every KSM page of its content
 * full, and for parts of huge pages that were not to be split; no page is merged across domains,
 * and what that costs is counted; every mapping of a KSM page is tracked, and its node is in the
 * right tree.
 */
void sim_check_settled(struct sim *sim)
{
	unsigned long merged = 0;
	struct world world = {
		.seen = calloc(sim->nr_frames * (sim->nr_mms + 1) + 1, sizeof(*world.seen)),
	};
	bool countable = sim->core.domains && !sim->hash_mod;

	for (int m = 0; m < sim->nr_mms; m++)
		for (int i = 0; i < sim->mms[m]->nr; i++) {
			struct page *page = sim->mms[m]->vpages[i].page;
			u64 domain = sim->core.domains ? sim->mms[m]->domain : 0;

			/* Nothing is known of these, nor of a KSM page that only a parent maps. */
			if (page && (page->pinned || domain == KSM_DOMAIN_NONE))
				countable = false;
			if (!counts(sim, sim->mms[m], i)) {
				countable &= !page || !page->node;
				continue;
			}
			merged += page->ksm;
			if (is_new(world.seen, world.n, page, domain))
				world.seen[world.n++] = (struct seen){ page, domain };
		}
	for (unsigned long a = 0; a < world.n; a++) {
		check_page(sim, &world, &world.seen[a]);
		for (unsigned long b = 0; b < world.n; b++)
			check_pair(sim, &world, &world.seen[a], &world.seen[b]);
	}
	MUST_EQUAL(sim, "pages_shared + pages_sharing",
		   sim->core.counters.pages_shared + sim->core.counters.pages_sharing, merged);
	if (countable)
		MUST_EQUAL(sim, "domain_refused at rest", sim->core.counters.domain_refused,
			   count_refused(sim, world.seen, world.n));
	free(world.seen);
}
