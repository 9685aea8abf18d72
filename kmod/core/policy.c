// SPDX-License-Identifier: GPL-2.0
/*
 * What to do with one page.
 *
 * Pages that are merged already are write-protected: their content cannot change, and the stable
 * tree that holds them can be trusted. Merging a page into one of them is the easy half.
 *
 * The other half is to find two equal pages among those that are not merged yet. They are written
 * to at any time, and write-protecting all of memory just to compare it would cost more than
 * merging saves. So they go into the unstable tree, which is ordered by contents that may already
 * be different. In a tree ordered by comparing the pages themselves, one changed page high up
 * misleads every search that passes it. This one is ordered by the hash that each page had when it
 * was put in, and that key does not change with the page: a search always arrives at the items
 * that had the hash looked for. A changed page thus spoils nothing but its own chance to be found,
 * and is found out as soon as someone compares it. Three more things keep the errors small and
 * passing:
 *
 *   - a page enters only when its hash is the one of its last visit, so that pages that are
 *     written all the time stay outside;
 *   - the whole tree is thrown away after each pass, so no mistake lives longer;
 *   - a hit is a suspicion. ops->promote_pair write-protects both pages and compares all bytes,
 *     and what it returns is what counts.
 *
 * What may go wrong is therefore that two equal pages meet one pass later; never that two
 * different pages become one.
 */
#include "index.h"
#include "items.h"

/* The visit is not over: try the next thing. */
#define UNDECIDED KSM_NR_OUTCOMES

static enum ksm_outcome outcome_of(int err, enum ksm_outcome success)
{
	switch (err) {
	case 0:
		return success;
	case -EAGAIN:
	case -ESTALE:
		return KSM_OUTCOME_RACED;
	case -EBUSY:
		return KSM_OUTCOME_PINNED;
	case -EFAULT:
		return KSM_OUTCOME_GONE;
	case -ENOMEM:
		return KSM_OUTCOME_NOMEM;
	default:
		return KSM_OUTCOME_REFUSED;
	}
}

/*
 * A KSM page that should not be mapped here: it has no node, so nothing can be merged into it; or
 * one of another merge domain, which the address space has left, or was forked out of. What may be
 * tracked at its address goes, too.
 */
static enum ksm_outcome unshare(struct ksm_core *core, const struct ksm_candidate *cand,
				enum ksm_outcome outcome)
{
	int err;

	ksm_skip_rmap_items(core, cand->address + 1);
	err = core->ops->unshare(core->ctx, core->scan.mm_slot->mm, cand->address);
	return outcome_of(err, outcome);
}

static u64 domain_of(const struct ksm_core *core, struct mm_struct *mm)
{
	return core->domains ? core->ops->domain(core->ctx, mm) : 0;
}

static u64 key_of(const struct ksm_core *core, const struct ksm_candidate *cand)
{
	return ksm_index_key(core, cand->hash, core->domain);
}

/* A KSM page. Fork copies mappings, not items: the child's mapping hangs on no node until now. */
static enum ksm_outcome visit_ksm_page(struct ksm_core *core, const struct ksm_candidate *cand,
				       struct ksm_rmap_item *item)
{
	int err;

	if ((item->address & STABLE_FLAG) && item->head == cand->node) {
		ksm_stable_node_settle(core, cand->node, cand->page);
		return KSM_OUTCOME_ALREADY;
	}
	ksm_remove_rmap_item_from_tree(core, item);
	err = core->ops->adopt(core->ctx, item, cand->page, cand->node);
	return outcome_of(err, KSM_OUTCOME_FORKED);
}

/*
 * @full is set when an equal KSM page stands alone in the tree and has no room: should the page
 * find a partner, a chain will be needed.
 */
static enum ksm_outcome merge_with_ksm_page(struct ksm_core *core, const struct ksm_candidate *cand,
					    struct ksm_rmap_item *item, bool *full)
{
	enum ksm_outcome outcome = UNDECIDED;
	struct ksm_stable_hit hit;
	int err;

	*full = false;
	if (!ksm_stable_tree_search(core, cand->page, key_of(core, cand), cand->nid, &hit))
		return UNDECIDED;
	if (hit.kpage == cand->page) {
		/* Promoted through another mapping after the walk had collected this one. */
		err = core->ops->adopt(core->ctx, item, cand->page, hit.node);
		outcome = outcome_of(err, KSM_OUTCOME_FORKED);
	} else if (is_page_sharing_candidate(core, hit.node)) {
		err = core->ops->merge_into(core->ctx, item, cand->page, hit.node, hit.kpage);
		outcome = outcome_of(err, KSM_OUTCOME_MERGED);
	} else {
		*full = !is_stable_node_chain(hit.entry);
	}
	core->ops->release(core->ctx, hit.kpage, KSM_HOLD);
	return outcome;
}

static void unstable_tree_insert(struct ksm_core *core, struct ksm_rmap_item *item, u64 key,
				 int nid)
{
	item->hash = key;
	item->nid = nid;
	item->address |= UNSTABLE_FLAG | (core->scan.seqnr & SEQNR_MASK);
	ksm_index_insert_unstable(core, item);
	core->counters.pages_unshared++;
	if (core->domains && ksm_index_only_foreign(core, item)) {
		item->address |= FOREIGN_FLAG;
		core->counters.domain_refused++;
	}
}

/*
 * Make one new KSM page of two equal pages. Both nodes that may be needed are allocated first:
 * once the pages are merged there is no way back.
 */
static enum ksm_outcome try_to_merge_two_pages(struct ksm_core *core,
					       const struct ksm_candidate *cand,
					       struct ksm_rmap_item *item,
					       struct ksm_rmap_item *tree_item,
					       struct page *tree_page, bool full)
{
	struct ksm_stable_node *node, *chain = NULL;
	u64 key = key_of(core, cand);
	int err = -ENOMEM;

	node = ksm_alloc_stable_node(core, key, cand->nid);
	if (full)
		chain = ksm_alloc_stable_node(core, key, cand->nid);
	if (node && (chain || !full)) {
		/* anon_vma shares its place with nid, so the item leaves the tree before. */
		ksm_remove_rmap_item_from_tree(core, tree_item);
		err = core->ops->promote_pair(core->ctx, item, cand->page, tree_item, tree_page,
					      node);
		if (err)
			unstable_tree_insert(core, tree_item, key, cand->nid);
	}
	if (!err) {
		if (core->ops->checksum) {
			u64 hash = core->ops->checksum(core->ctx, item->mm, tree_page);

			node->hash = ksm_index_key(core, hash, core->domain);
		}
		ksm_stable_tree_insert(core, node, tree_page, chain);
		return KSM_OUTCOME_NEW_PAGE;
	}
	if (chain)
		ksm_free_stable_node(core, chain);
	if (node)
		ksm_free_stable_node(core, node);
	return outcome_of(err, KSM_OUTCOME_NEW_PAGE);
}

/*
 * Find an equal page in the unstable tree and merge with it, else leave the page there.
 *
 * Usually there is one item of a hash at most. There are more when a merge failed: pinned memory,
 * say, that stays so. Each visit tries one partner only, for a try costs a write-protection; and
 * begins with another one in each pass, lest a page that cannot be merged stand for ever between
 * two that can.
 */
static enum ksm_outcome unstable_tree_search_insert(struct ksm_core *core,
						    const struct ksm_candidate *cand,
						    struct ksm_rmap_item *item, bool full)
{
	struct ksm_rmap_item *run[KSM_INDEX_RUN];
	enum ksm_outcome outcome = KSM_OUTCOME_UNSHARED;
	u64 key = key_of(core, cand);
	int n = ksm_index_find_unstable(core, cand->nid, key, run);
	/* Smart scan's oldest pages are looked at every 8 passes only: another one then, too. */
	unsigned long first = core->scan.seqnr + core->scan.seqnr / 8;

	for (int i = 0; i < n; i++) {
		struct ksm_rmap_item *tree_item = run[(first + i) % n];
		struct page *tree_page;
		bool same, equal;

		if (domain_of(core, tree_item->mm) != core->domain)
			continue;
		tree_page = core->ops->hold_item(core->ctx, tree_item);
		if (IS_ERR(tree_page)) {
			if (PTR_ERR(tree_page) == -ESTALE)
				ksm_remove_rmap_item_from_tree(core, tree_item);
			else
				outcome = KSM_OUTCOME_RACED;
			continue;
		}
		if (core->nr_nodes > 1 && core->ops->page_nid &&
		    core->ops->page_nid(core->ctx, tree_page) != cand->nid) {
			/* Migrated since it was put in. */
			core->ops->release(core->ctx, tree_page, KSM_HOLD);
			continue;
		}
		same = tree_page == cand->page;
		equal = !same && !core->ops->differ(core->ctx, cand->page, tree_page);
		if (equal)
			outcome = try_to_merge_two_pages(core, cand, item, tree_item, tree_page,
							 full);
		core->ops->release(core->ctx, tree_page, KSM_HOLD);
		if (outcome == KSM_OUTCOME_NEW_PAGE)
			return outcome;
		/* One page shared since a fork: the mapping that is in the tree stands for both. */
		if (same)
			return outcome;
		if (equal)
			break;
	}
	unstable_tree_insert(core, item, key, cand->nid);
	return outcome;
}

/*
 * Smart scan: one pass in how many looks at a page that was not merged in @age of them. About
 * in-tree's frequencies, but powers of two.
 */
static unsigned int smart_scan_step(u8 age)
{
	if (age < 3)
		return 1;
	if (age == 3)
		return 2;
	return age <= 8 ? 4 : 8;
}

/*
 * should_skip_rmap_item: whether this pass leaves the page alone.
 *
 * In-tree counts each page's skips down from its last look. Two equal pages that were registered
 * some passes apart may then be looked at in different passes for ever, and the unstable tree, in
 * which they would meet, lives for one (13, 15, 16 and 22 passes apart, for example). Here the
 * number of the pass decides, and what the page last held, so that passes share the work evenly
 * and equal pages have the same ones. Each step is a multiple of the ones before: whenever an old
 * page is looked at, so is every younger one that equals it.
 */
static bool should_skip_rmap_item(const struct ksm_core *core, const struct ksm_rmap_item *item)
{
	return core->smart_scan &&
	       (core->scan.seqnr + item->oldchecksum) % smart_scan_step(item->age);
}

/**
 * ksm_core_may_skip() - would a visit skip the page of an address?
 * @core: the engine, with a cursor
 * @at: where the last call stopped; NULL at the first address of a batch
 * @address: not below the one of the last call
 *
 * The walk asks before it hashes: a page that will be skipped need not be read. The item may
 * still be merged before its visit, as the partner of an earlier page.
 */
bool ksm_core_may_skip(struct ksm_core *core, struct ksm_rmap_item **at, unsigned long address)
{
	struct ksm_rmap_item *item = ksm_core_item_at(core, at, address);

	return item && !(item->address & STABLE_FLAG) && should_skip_rmap_item(core, item);
}

/* All that a visit of settled pages does is to leave their items where they are. */
static void visit_settled(struct ksm_core *core, const struct ksm_candidate *cand)
{
	unsigned long end = cand->address + cand->settled * (~core->page_mask + 1);
	struct ksm_rmap_item **link;

	ksm_skip_rmap_items(core, cand->address);
	link = core->scan.rmap_list;
	while (*link && ((*link)->address & core->page_mask) < end)
		link = &(*link)->rmap_list;
	core->scan.rmap_list = link;
	core->scan.address = end;
}

/*
 * The whole of it: merged already, with pages that it may be merged with; else zeroes, where these
 * are special; else equal to a KSM page; else, if it was left alone since the last visit, to a
 * page of the unstable tree.
 */
static enum ksm_outcome cmp_and_merge_page(struct ksm_core *core, const struct ksm_candidate *cand)
{
	enum ksm_outcome outcome = UNDECIDED;
	struct ksm_rmap_item *item;
	bool zero, full = false, changed, skip;
	u8 age;

	if (cand->orphan)
		return unshare(core, cand, KSM_OUTCOME_ORPHAN);
	if (cand->node && cand->node->domain != core->domain)
		return unshare(core, cand, KSM_OUTCOME_FOREIGN);

	item = ksm_get_next_rmap_item(core, cand->address);
	if (!item)
		return KSM_OUTCOME_NOMEM;
	if (cand->node)
		return visit_ksm_page(core, cand, item);
	/* Not hashed, and merged as the partner of another page since. */
	if (cand->skip && (item->address & STABLE_FLAG))
		return KSM_OUTCOME_ALREADY;

	/* It has an age and a checksum only while it hangs on no node. */
	ksm_remove_rmap_item_from_tree(core, item);
	skip = cand->skip || should_skip_rmap_item(core, item);
	age = item->age;
	if (item->age < 255)
		item->age++;
	if (skip)
		return KSM_OUTCOME_SKIPPED;
	if (core->domain == KSM_DOMAIN_NONE)
		return KSM_OUTCOME_GONE;
	/* Not into a KSM page of zeroes that is older than the wish for zero pages. */
	zero = core->use_zero_pages && core->ops->merge_zero &&
	       !((cand->hash ^ core->zero_hash) & ~KSM_DOMAIN_MASK);
	if (!zero)
		outcome = merge_with_ksm_page(core, cand, item, &full);
	if (outcome != UNDECIDED)
		return outcome;

	changed = item->oldchecksum != (unsigned int)(cand->hash >> 32);
	item->oldchecksum = (unsigned int)(cand->hash >> 32);
	item->sample = cand->sample;
	item->hash = cand->hash;
	if (!age)
		return KSM_OUTCOME_FIRST_SEEN;
	if (changed)
		return KSM_OUTCOME_VOLATILE;
	if (zero)
		return outcome_of(core->ops->merge_zero(core->ctx, item, cand->page),
				  KSM_OUTCOME_ZERO);
	return unstable_tree_search_insert(core, cand, item, full);
}

/**
 * ksm_core_visit() - decide on one page of the scanned slot
 * @core: the engine, with a cursor
 * @cand: the page; its address is not below the cursor
 *
 * Moves the cursor behind it and counts the outcome.
 *
 * Return: what became of it.
 */
enum ksm_outcome ksm_core_visit(struct ksm_core *core, const struct ksm_candidate *cand)
{
	enum ksm_outcome outcome = KSM_OUTCOME_REFUSED;
	unsigned long pages = cand->settled ? cand->settled : 1;

	if (!core->scan.mm_slot || cand->address < core->scan.address) {
		core->counters.broken++;
	} else if (cand->settled) {
		visit_settled(core, cand);
		outcome = KSM_OUTCOME_ALREADY;
	} else {
		core->domain = domain_of(core, core->scan.mm_slot->mm);
		outcome = cmp_and_merge_page(core, cand);
		core->scan.address = cand->address + ~core->page_mask + 1;
	}
	if (outcome == KSM_OUTCOME_SKIPPED)
		core->counters.pages_skipped += pages;
	else
		core->counters.pages_scanned += pages;
	core->counters.outcomes[outcome] += pages;
	if (core->observed)
		core->ops->outcome(core->ctx, outcome, cand);
	return outcome;
}

/**
 * ksm_core_scan_batch() - visit all that ops->next offers
 * @core: the engine, with a cursor; the caller holds the mmap_lock of the scanned address space
 *
 * Return: pages visited.
 */
unsigned long ksm_core_scan_batch(struct ksm_core *core)
{
	unsigned long visited = 0;

	for (;;) {
		struct ksm_candidate cand = { 0 };

		if (!core->ops->next(core->ctx, &cand))
			return visited;
		ksm_core_visit(core, &cand);
		visited++;
	}
}
