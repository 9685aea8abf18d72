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
 *     and what it returns is what counts. Before, nothing more than a sample is compared: reading
 *     both pages in full once more was a tenth of what a merge cost.
 *
 * What may go wrong is therefore that two equal pages meet one pass later; never that two
 * different pages become one.
 */
#include "huge.h"
#include "index.h"
#include "items.h"
#include "smart.h"

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

/*
 * A KSM page that was migrated, and has no other items: if its new NUMA node has one of its content
 * already, with room, the mapping moves over there, rather than that both stand side by side.
 * UNDECIDED when it has to stay what it is.
 */
static enum ksm_outcome merge_migrated(struct ksm_core *core, const struct ksm_candidate *cand,
				       struct ksm_rmap_item *item)
{
	enum ksm_outcome outcome = UNDECIDED;
	struct ksm_stable_hit hit;
	int err;

	if (core->nr_nodes == 1 || cand->node->nid == cand->nid || cand->node->rmap_hlist_len > 1)
		return UNDECIDED;
	/* Its own node is in the tree of its old NUMA node still. */
	if (!ksm_stable_tree_search(core, cand->page, cand->node->hash, cand->nid, &hit))
		return UNDECIDED;
	if (is_page_sharing_candidate(core, hit.node)) {
		ksm_remove_rmap_item_from_tree(core, item);
		err = core->ops->merge_into(core->ctx, item, cand->page, hit.node, hit.kpage);
		outcome = outcome_of(err, KSM_OUTCOME_MERGED);
		/* Back to its node: a page without items is neither migrated nor swapped. */
		if (err && !core->ops->adopt(core->ctx, item, cand->page, cand->node) &&
		    err != -EAGAIN)
			outcome = UNDECIDED;
	}
	core->ops->release(core->ctx, hit.kpage, KSM_HOLD);
	return outcome;
}

/* A KSM page. Fork copies mappings, not items: the child's mapping hangs on no node until now. */
static enum ksm_outcome visit_ksm_page(struct ksm_core *core, const struct ksm_candidate *cand,
				       struct ksm_rmap_item *item)
{
	enum ksm_outcome outcome;
	int err;

	if ((item->address & STABLE_FLAG) && ksm_item_node(item) == cand->node) {
		outcome = merge_migrated(core, cand, item);
		if (outcome != UNDECIDED)
			return outcome;
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
		/* Equal hashes, different contents: to the other half. */
		if (err != -ESTALE)
			outcome = outcome_of(err, KSM_OUTCOME_MERGED);
	} else {
		*full = !is_stable_node_chain(hit.entry);
	}
	core->ops->release(core->ctx, hit.kpage, KSM_HOLD);
	return outcome;
}

/* Is there an equal KSM page, and the candidate part of a huge page with too few partners? */
static bool deferred_from_ksm_page(struct ksm_core *core, const struct ksm_candidate *cand,
				   struct ksm_huge *huge)
{
	return huge && ksm_index_has_stable(core, cand->nid, key_of(core, cand)) &&
	       !ksm_huge_partner(core, huge, cand->address);
}

static void unstable_tree_insert(struct ksm_core *core, struct ksm_rmap_item *item, u64 key,
				 int nid, const struct ksm_index_place *place)
{
	item->hash = key;
	item->nid = nid;
	item->address |= UNSTABLE_FLAG | (core->scan.seqnr & SEQNR_MASK);
	ksm_index_insert_unstable(core, item, place);
	core->counters.pages_unshared++;
	if (core->domains && ksm_index_only_foreign(core, item)) {
		item->address |= FOREIGN_FLAG;
		core->counters.domain_refused++;
	}
}

/* Has the page, whose hash was the candidate's, likely not changed since? There is ops->sample. */
static bool looks_equal(struct ksm_core *core, const struct ksm_candidate *cand, struct page *page)
{
	return core->ops->sample(core->ctx, page) == cand->sample;
}

/*
 * Sample and key of a new KSM page, @node's. What the candidate was hashed from may have been
 * written since, both pages alike.
 */
static void note_new(struct ksm_core *core, const struct ksm_candidate *cand,
		     struct ksm_rmap_item *item, struct page *page, struct ksm_stable_node *node)
{
	u16 sample = core->ops->sample ? core->ops->sample(core->ctx, page) : cand->sample;
	u64 hash;

	core->samples[sample / 64] |= 1ULL << sample % 64;
	node->sample = sample;
	if (!core->ops->checksum || (core->ops->sample && sample == cand->sample))
		return; /* the candidate's key, under which it was allocated */
	hash = core->ops->checksum(core->ctx, item->mm, page);
	node->hash = ksm_index_key(core, hash, core->domain);
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
		/* anon_vma shares its place with the hash, so the item leaves the tree before. */
		ksm_remove_rmap_item_from_tree(core, tree_item);
		err = core->ops->promote_pair(core->ctx, item, cand->page, tree_item, tree_page,
					      node);
		if (err)
			unstable_tree_insert(core, tree_item, key, cand->nid, NULL);
	}
	if (!err) {
		ksm_huge_split(core, tree_item);
		note_new(core, cand, item, tree_page, node);
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
 * What two pages of one key may become: one; one when huge pages have more partners; nothing, for
 * they are one since a fork; nothing now, for that cannot be told.
 */
enum pair { PAIR, PAIR_DEFERRED, PAIR_SAME, PAIR_CONTENDED };

static enum pair pair_of(struct ksm_core *core, const struct ksm_candidate *cand,
			 struct ksm_huge *huge, struct ksm_rmap_item *tree_item)
{
	struct ksm_huge *other = ksm_huge_of_item(core, tree_item);
	bool enough;
	int same;

	if (!huge && !other)
		return PAIR;
	same = core->ops->maps(core->ctx, tree_item, cand->page);
	if (same)
		return same > 0 ? PAIR_SAME : PAIR_CONTENDED;
	ksm_huge_partner(core, huge, cand->address);
	enough = ksm_huge_partner(core, other, tree_item->address);
	return enough && ksm_huge_enough(core, huge) ? PAIR : PAIR_DEFERRED;
}

/*
 * The page of an item of the unstable tree, held; NULL if it cannot be a partner: it is gone, which
 * takes the item out, or cannot be told now, or has been migrated since it was put in.
 */
static struct page *hold_partner(struct ksm_core *core, const struct ksm_candidate *cand,
				 struct ksm_rmap_item *tree_item, enum ksm_outcome *outcome)
{
	struct page *tree_page = core->ops->hold_item(core->ctx, tree_item);

	if (IS_ERR(tree_page)) {
		if (PTR_ERR(tree_page) == -ESTALE)
			ksm_remove_rmap_item_from_tree(core, tree_item);
		else
			*outcome = KSM_OUTCOME_RACED;
		return NULL;
	}
	if (core->nr_nodes > 1 && core->ops->page_nid &&
	    core->ops->page_nid(core->ctx, tree_page) != cand->nid) {
		core->ops->release(core->ctx, tree_page, KSM_HOLD);
		return NULL;
	}
	return tree_page;
}

/*
 * Find an equal page in the unstable tree and merge with it, else leave the page there.
 *
 * Usually there is one item of a hash at most. There are more when a merge failed: pinned memory,
 * say, that stays so. Each visit tries one partner only, for a try costs a write-protection; and
 * begins with another one in each pass, lest a page that cannot be merged stand for ever between
 * two that can.
 *
 * A part of a huge page that is not to be split stays out of the tree when an equal page is in it,
 * who will find that one: else the few places of one hash would be full of pages to no avail.
 */
static enum ksm_outcome unstable_tree_search_insert(struct ksm_core *core,
						    const struct ksm_candidate *cand,
						    struct ksm_rmap_item *item,
						    struct ksm_huge *huge, bool full)
{
	struct ksm_rmap_item *run[KSM_INDEX_RUN];
	enum ksm_outcome outcome = KSM_OUTCOME_UNSHARED;
	u64 key = key_of(core, cand);
	struct ksm_index_place place;
	int n = ksm_index_find_unstable(core, cand->nid, key, run, &place);
	/* Smart scan's oldest pages are looked at every 8 passes only: another one then, too. */
	unsigned long first = core->scan.seqnr + core->scan.seqnr / 8;

	for (int i = 0; i < n; i++) {
		struct ksm_rmap_item *tree_item = run[(first + i) % n];
		struct page *tree_page;
		bool same, equal;
		enum pair pair;

		if (domain_of(core, tree_item->mm) != core->domain)
			continue;
		pair = pair_of(core, cand, huge, tree_item);
		if (pair == PAIR_SAME)
			return outcome;
		if (pair != PAIR) {
			outcome = pair == PAIR_DEFERRED ? KSM_OUTCOME_DEFERRED : KSM_OUTCOME_RACED;
			continue;
		}
		tree_page = hold_partner(core, cand, tree_item, &outcome);
		if (!tree_page)
			continue;
		same = tree_page == cand->page;
		/* Several of one hash are not what they seem, or could not be merged before. */
		if (same)
			equal = false;
		else if (n == 1 && core->ops->sample)
			equal = looks_equal(core, cand, tree_page);
		else
			equal = !core->ops->differ(core->ctx, cand->page, tree_page);
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
	if (outcome != KSM_OUTCOME_DEFERRED || ksm_huge_enough(core, huge))
		unstable_tree_insert(core, item, key, cand->nid, n ? NULL : &place);
	return outcome;
}

/*
 * A visit of an item that hangs on no node any more: an age, a hash and the rest it has only then.
 * Returns its age before.
 */
static u8 grow_older(struct ksm_rmap_item *item)
{
	u8 age = item->age;

	if (item->age < KSM_AGE_MAX)
		item->age++;
	if (item->remaining_skips)
		item->remaining_skips--;
	return age;
}

/**
 * ksm_core_recall() - how much of the page of an address has to be read
 * @core: the engine, with a cursor
 * @at: where the last call stopped; NULL at the first address of a batch
 * @address: not below the one of the last call
 * @hash: set to the hash of the last look, for KSM_LOOK_SURE
 * @sample: set to the sample of the last look, but for KSM_LOOK_NEW
 *
 * Most pages that are seen for the first time, or that keep changing, are equal to no KSM page, and
 * a sample proves it. A hash that was taken once may be of a page that was being filled, and that
 * holds in all sampled places what it held then: it takes two.
 */
enum ksm_look ksm_core_recall(struct ksm_core *core, struct ksm_rmap_item **at,
			      unsigned long address, u64 *hash, u16 *sample)
{
	const struct ksm_rmap_item *item = ksm_core_item_at(core, at, address);

	if (!item || (item->address & STABLE_FLAG))
		return KSM_LOOK_NEW;
	*sample = item->sample;
	if (!(item->address & UNSTABLE_FLAG) || !(item->address & SURE_FLAG))
		return KSM_LOOK_AGAIN;
	*hash = item->hash;
	return KSM_LOOK_SURE;
}

/*
 * A visit of pages that are left alone, or are merged already: their items stay where they are.
 * Some that were to be skipped may have been merged since, as partners of earlier pages. Returns
 * how many were merged.
 */
static unsigned long visit_run(struct ksm_core *core, const struct ksm_candidate *cand)
{
	unsigned long end = cand->address + cand->settled * (~core->page_mask + 1);
	unsigned long merged = 0;
	struct ksm_rmap_item **link, *item;

	ksm_skip_rmap_items(core, cand->address);
	link = core->scan.rmap_list;
	for (; (item = *link) && (item->address & core->page_mask) < end; link = &item->rmap_list) {
		if (item->address & STABLE_FLAG) {
			merged++;
		} else if (cand->skip) {
			ksm_remove_rmap_item_from_tree(core, item);
			grow_older(item);
		}
	}
	core->scan.rmap_list = link;
	core->scan.address = end;
	return merged;
}

/* Remember what was seen. Returns whether it is what the last visit saw. */
static bool note_content(struct ksm_rmap_item *item, const struct ksm_candidate *cand)
{
	unsigned int checksum = oldchecksum(item);
	bool same = item->sample == cand->sample && !cand->sampled;
	bool sure;

	item->sample = cand->sample;
	item->hash = cand->sampled ? 0 : cand->hash;
	sure = same && checksum == oldchecksum(item);
	if (checksum && checksum != oldchecksum(item))
		same = false;
	item->address = sure ? item->address | SURE_FLAG : item->address & ~SURE_FLAG;
	return same;
}

/*
 * Zeroes, where these are special; else equal to a KSM page; else, if it was left alone since the
 * last visit, to a page of the unstable tree.
 */
static enum ksm_outcome merge_page(struct ksm_core *core, const struct ksm_candidate *cand,
				   struct ksm_rmap_item *item, struct ksm_huge *huge, u8 age)
{
	enum ksm_outcome outcome = UNDECIDED;
	bool zero, only = core->zero_pages_only, full = false, deferred = false, same;

	/* Not into a KSM page of zeroes that is older than the wish for zero pages. */
	zero = (core->use_zero_pages || only) && core->ops->merge_zero && !cand->sampled &&
	       !((cand->hash ^ core->zero_hash) & ~KSM_DOMAIN_MASK);
	if (!zero && !only && !cand->sampled) {
		deferred = deferred_from_ksm_page(core, cand, huge);
		if (!deferred)
			outcome = merge_with_ksm_page(core, cand, item, &full);
	}
	if (outcome != UNDECIDED)
		return outcome;

	same = note_content(item, cand);
	if (deferred)
		return KSM_OUTCOME_DEFERRED;
	if (!age)
		return KSM_OUTCOME_FIRST_SEEN;
	if (!same)
		return KSM_OUTCOME_VOLATILE;
	if (!zero)
		return only ? KSM_OUTCOME_UNSHARED :
			      unstable_tree_search_insert(core, cand, item, huge, full);
	if (huge && !ksm_huge_partner(core, huge, cand->address))
		return KSM_OUTCOME_DEFERRED;
	return outcome_of(core->ops->merge_zero(core->ctx, item, cand->page), KSM_OUTCOME_ZERO);
}

static bool is_merged(enum ksm_outcome outcome)
{
	return outcome == KSM_OUTCOME_MERGED || outcome == KSM_OUTCOME_NEW_PAGE ||
	       outcome == KSM_OUTCOME_ZERO;
}

/* The whole of it: merged already; to be left alone in this pass; else what merge_page() says. */
static enum ksm_outcome cmp_and_merge_page(struct ksm_core *core, const struct ksm_candidate *cand)
{
	enum ksm_outcome outcome;
	struct ksm_rmap_item *item;
	struct ksm_huge *huge;
	bool skip;
	u8 age;

	if (cand->orphan)
		return unshare(core, cand, KSM_OUTCOME_ORPHAN);
	if (cand->node && ksm_stable_node_domain(cand->node) != core->domain)
		return unshare(core, cand, KSM_OUTCOME_FOREIGN);

	item = ksm_get_next_rmap_item(core, cand->address);
	if (!item)
		return KSM_OUTCOME_NOMEM;
	if (cand->node)
		return visit_ksm_page(core, cand, item);
	ksm_remove_rmap_item_from_tree(core, item);
	skip = ksm_core_may_skip(core, item);
	age = grow_older(item);
	if (skip)
		return KSM_OUTCOME_SKIPPED;
	if (core->domain == KSM_DOMAIN_NONE)
		return KSM_OUTCOME_GONE;
	huge = ksm_huge_visit(core, cand);
	outcome = merge_page(core, cand, item, huge, age);
	if (huge && is_merged(outcome))
		ksm_huge_split(core, item);
	return outcome;
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
	unsigned long skipped = 0, merged;

	if (!core->scan.mm_slot || cand->address < core->scan.address) {
		core->counters.broken++;
	} else if (cand->settled) {
		merged = visit_run(core, cand);
		skipped = cand->skip ? pages - merged : 0;
		outcome = KSM_OUTCOME_ALREADY;
	} else {
		core->domain = domain_of(core, core->scan.mm_slot->mm);
		outcome = cmp_and_merge_page(core, cand);
		skipped = outcome == KSM_OUTCOME_SKIPPED;
		core->scan.address = cand->address + ~core->page_mask + 1;
	}
	core->counters.pages_skipped += skipped;
	core->counters.pages_scanned += pages - skipped;
	core->counters.outcomes[KSM_OUTCOME_SKIPPED] += skipped;
	core->counters.outcomes[outcome] += pages - skipped;
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
