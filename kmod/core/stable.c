// SPDX-License-Identifier: GPL-2.0
/*
 * The stable tree: KSM pages, and chains of KSM pages with equal content.
 *
 * Every page of the tree is write-protected, so contents and hashes stay what they were when the
 * node went in. Only whether the page still exists is unknown until it is held: a node has no
 * reference to its page. Nodes whose page is gone are called stale and removed when met.
 *
 * A page has at most max_page_sharing items, because the kernel walks them all to unmap, migrate
 * or swap it. Further equal pages get a KSM page of their own, and a chain takes the place of the
 * first node in the tree, with all nodes of that content as its dups.
 */
#include "index.h"
#include "items.h"

/**
 * ksm_alloc_stable_node() - a node in no tree
 * @core: the engine
 * @hash: its key
 * @nid: tree it will be in
 *
 * Its domain is that of the visit under way.
 *
 * Return: the node, or NULL when memory is out.
 */
struct ksm_stable_node *ksm_alloc_stable_node(struct ksm_core *core, u64 hash, int nid)
{
	struct ksm_stable_node *node = core->ops->alloc_node(core->ctx);

	if (!node)
		return NULL;
	RB_CLEAR_NODE(&node->node);
	INIT_HLIST_HEAD(&node->hlist);
	node->nid = nid;
	node->hash = hash;
	node->domain = core->domain;
	core->counters.nodes++;
	return node;
}

/**
 * ksm_free_stable_node() - free a node or chain that is in no tree
 * @core: the engine
 * @node: without items or dups
 */
void ksm_free_stable_node(struct ksm_core *core, struct ksm_stable_node *node)
{
	core->counters.nodes--;
	core->ops->free_node(core->ctx, node);
}

static void stable_node_chain_add_dup(struct ksm_core *core, struct ksm_stable_node *dup,
				      struct ksm_stable_node *chain)
{
	dup->head = KSM_STABLE_DUP_HEAD;
	dup->chain = chain; /* in the place of its domain, which is the chain's */
	hlist_add_head(&dup->hlist_dup, &chain->hlist);
	core->counters.stable_node_dups++;
}

/* @chain, fresh from ksm_alloc_stable_node(), takes @node's place in the tree and @node as its dup.
 */
static void make_chain(struct ksm_core *core, struct ksm_stable_node *node,
		       struct ksm_stable_node *chain)
{
	chain->rmap_hlist_len = STABLE_NODE_CHAIN;
	chain->chain_prune_time = core->ops->now(core->ctx);
	chain->hash = node->hash;
	chain->domain = node->domain;
	ksm_index_replace_stable(core, node, chain);
	core->counters.stable_node_chains++;
	stable_node_chain_add_dup(core, node, chain);
}

/* The one dup left takes the place of @chain. */
static void collapse_chain(struct ksm_core *core, struct ksm_stable_node *chain,
			   struct ksm_stable_node *dup)
{
	hlist_del(&dup->hlist_dup);
	dup->domain = chain->domain;
	RB_CLEAR_NODE(&dup->node);
	ksm_index_replace_stable(core, chain, dup);
	core->counters.stable_node_dups--;
	core->counters.stable_node_chains--;
	ksm_free_stable_node(core, chain);
}

/* The held page of @node, or NULL: it is gone, and so is @node; or it cannot be had now. */
static struct page *get_ksm_page(struct ksm_core *core, struct ksm_stable_node *node)
{
	struct page *page = core->ops->hold(core->ctx, node, KSM_HOLD);

	if (!IS_ERR(page))
		return page;
	if (PTR_ERR(page) == -ESTALE)
		ksm_core_remove_node(core, node);
	return NULL;
}

/* Is @dup a better one to merge into than @best? The more sharers, the fewer pages in the end. */
static bool is_better_dup(struct ksm_core *core, struct ksm_stable_node *dup,
			  struct ksm_stable_node *best)
{
	if (!best)
		return true;
	if (!is_page_sharing_candidate(core, dup))
		return false;
	return !is_page_sharing_candidate(core, best) || dup->rmap_hlist_len > best->rmap_hlist_len;
}

static bool chain_prune_due(struct ksm_core *core, struct ksm_stable_node *chain)
{
	unsigned long now = core->ops->now(core->ctx);

	if (now - chain->chain_prune_time < core->prune_millisecs)
		return false;
	chain->chain_prune_time = now;
	return true;
}

/*
 * Choose the dup of @hit->entry to merge into and hold its page. When pruning is due all dups are
 * held once, which finds the stale ones, and the best is chosen; else the first that will do, and
 * the full ones are passed by unheld. When all are full any one serves for comparing.
 *
 * A chain whose dups are all stale is freed with the last of them. One with a single dup left is
 * collapsed into it.
 */
static struct page *stable_node_dup(struct ksm_core *core, struct ksm_stable_hit *hit)
{
	struct ksm_stable_node *chain = hit->entry, *best = NULL, *dup;
	struct page *best_page = NULL, *page;
	struct hlist_node *next;
	bool prune = chain_prune_due(core, chain);

	hlist_for_each_entry_safe(dup, next, &chain->hlist, hlist_dup) {
		if (!prune && !is_better_dup(core, dup, best))
			continue;
		page = get_ksm_page(core, dup);
		if (!page)
			continue;
		if (!is_better_dup(core, dup, best)) {
			core->ops->release(core->ctx, page, KSM_HOLD);
			continue;
		}
		if (best)
			core->ops->release(core->ctx, best_page, KSM_HOLD);
		best = dup;
		best_page = page;
		if (!prune && is_page_sharing_candidate(core, best))
			break;
	}
	hit->node = best;
	if (!best)
		return NULL;
	if (hlist_is_singular_node(&best->hlist_dup, &chain->hlist)) {
		collapse_chain(core, chain, best);
		hit->entry = best;
	} else if (chain->hlist.first != &best->hlist_dup) {
		/* To the front, where the next search looks first. */
		hlist_del(&best->hlist_dup);
		hlist_add_head(&best->hlist_dup, &chain->hlist);
	}
	return best_page;
}

/*
 * The page of @node lives on another NUMA node than its tree is for: it was migrated. Equal pages
 * of that node shall find it there.
 */
static void move_node(struct ksm_core *core, struct ksm_stable_node *node, struct page *page,
		      int nid)
{
	u64 domain = ksm_stable_node_domain(node);

	ksm_unlink_stable_node(core, node);
	node->nid = nid;
	node->domain = domain;
	RB_CLEAR_NODE(&node->node);
	ksm_stable_tree_insert(core, node, page, NULL);
}

/**
 * ksm_stable_node_settle() - see to it that a node is in the tree of its page's NUMA node
 * @core: the engine
 * @node: of the stable tree, no chain
 * @page: its page, held
 *
 * Return: whether it was there already; else it is now, and entries of the index have changed.
 */
bool ksm_stable_node_settle(struct ksm_core *core, struct ksm_stable_node *node,
			    struct page *page)
{
	int nid;

	if (core->nr_nodes == 1 || !core->ops->page_nid)
		return true;
	nid = core->ops->page_nid(core->ctx, page);
	if (nid == node->nid)
		return true;
	move_node(core, node, page, nid);
	return false;
}

static struct page *get_entry_page(struct ksm_core *core, struct ksm_stable_hit *hit)
{
	if (is_stable_node_chain(hit->entry))
		return stable_node_dup(core, hit);
	hit->node = hit->entry;
	return get_ksm_page(core, hit->node);
}

/*
 * @merging: for who is going to merge, which compares all bytes: a content that alone has the hash
 * is not compared here. Also to move nodes that are in the wrong tree; not for who is moving one:
 * it would nest.
 */
static bool stable_tree_search(struct ksm_core *core, struct page *page, u64 hash, int nid,
			       u64 domain, struct ksm_stable_hit *hit, bool merging)
{
	struct ksm_stable_node *run[KSM_INDEX_RUN];
	int n = ksm_index_find_stable(core, nid, hash, run);

	hit->kpage = NULL;
	for (int i = 0; i < n; i++) {
		struct ksm_stable_hit here = { .entry = run[i] };
		bool usable;

		if (here.entry->domain != domain)
			continue;
		here.kpage = get_entry_page(core, &here);
		if (!here.kpage)
			continue;
		if (merging && !ksm_stable_node_settle(core, here.node, here.kpage)) {
			/* Into another tree: @hit and the entries to come are what they were. */
			core->ops->release(core->ctx, here.kpage, KSM_HOLD);
			continue;
		}
		usable = here.kpage == page || is_page_sharing_candidate(core, here.node);
		if ((hit->kpage && !usable) ||
		    ((!merging || n > 1) && core->ops->differ(core->ctx, page, here.kpage))) {
			core->ops->release(core->ctx, here.kpage, KSM_HOLD);
			continue;
		}
		if (hit->kpage)
			core->ops->release(core->ctx, hit->kpage, KSM_HOLD);
		*hit = here;
		if (usable)
			break;
	}
	return hit->kpage;
}

/**
 * ksm_stable_tree_search() - find the KSM page with a given content
 * @core: the engine
 * @page: a page with that content, referenced
 * @hash: its key
 * @nid: NUMA node whose tree to search
 * @hit: filled in when found; the caller releases @hit->kpage
 *
 * The page found has that hash; all bytes are compared only where several have. It may be full,
 * which the caller has to check: then all of that content are. Removes
 * stale nodes met on the way, and moves one that is in the wrong tree. Finds pages of the domain of
 * the visit under way only.
 *
 * Return: whether it was found.
 */
bool ksm_stable_tree_search(struct ksm_core *core, struct page *page, u64 hash, int nid,
			    struct ksm_stable_hit *hit)
{
	return stable_tree_search(core, page, hash, nid, core->domain, hit, true);
}

/**
 * ksm_stable_tree_insert() - put a new KSM page into the stable tree
 * @core: the engine
 * @node: its node, in no tree
 * @kpage: its page, referenced
 * @chain: from ksm_alloc_stable_node(), in case that one is needed; or NULL. Used or freed.
 *
 * An equal page found by now gets @node as its dup. When an equal page cannot be held just now, or
 * a chain is needed that nobody foresaw and there is no memory for it, @node stands beside it in
 * the tree: searches consider both.
 */
void ksm_stable_tree_insert(struct ksm_core *core, struct ksm_stable_node *node, struct page *kpage,
			    struct ksm_stable_node *chain)
{
	struct ksm_stable_hit hit;

	if (stable_tree_search(core, kpage, node->hash, node->nid, node->domain, &hit, false)) {
		core->ops->release(core->ctx, hit.kpage, KSM_HOLD);
		if (!is_stable_node_chain(hit.entry)) {
			if (!chain)
				chain = ksm_alloc_stable_node(core, node->hash, node->nid);
			if (chain) {
				make_chain(core, hit.entry, chain);
				hit.entry = chain;
				chain = NULL;
			}
		}
		if (is_stable_node_chain(hit.entry)) {
			stable_node_chain_add_dup(core, node, hit.entry);
			node = NULL;
		}
	}
	if (node)
		ksm_index_insert_stable(core, node);
	if (chain)
		ksm_free_stable_node(core, chain);
}

/**
 * ksm_core_first_node() - some KSM page, to get rid of them one by one
 * @core: the engine
 *
 * Return: a node that is no chain, or NULL when the stable trees are empty.
 */
struct ksm_stable_node *ksm_core_first_node(struct ksm_core *core)
{
	struct ksm_stable_node *entry = ksm_index_next_stable(core, NULL);

	if (entry && is_stable_node_chain(entry))
		return hlist_entry(entry->hlist.first, struct ksm_stable_node, hlist_dup);
	return entry;
}

/**
 * ksm_core_for_each_node() - visit every KSM page's node
 * @core: the engine
 * @fn: gets each node that is no chain; may remove that node and no other
 * @arg: handed to @fn
 */
void ksm_core_for_each_node(struct ksm_core *core,
			    void (*fn)(struct ksm_core *core, struct ksm_stable_node *node,
				       void *arg),
			    void *arg)
{
	struct ksm_stable_node *entry, *following, *dup;
	struct hlist_node *next;

	for (entry = ksm_index_next_stable(core, NULL); entry; entry = following) {
		following = ksm_index_next_stable(core, entry);
		if (!is_stable_node_chain(entry)) {
			fn(core, entry, arg);
			continue;
		}
		hlist_for_each_entry_safe(dup, next, &entry->hlist, hlist_dup)
			fn(core, dup, arg);
	}
}

static void count_node(const struct ksm_stable_node *node, struct ksm_tree_sizes *sizes)
{
	sizes->nodes++;
	sizes->items += node->rmap_hlist_len;
}

/**
 * ksm_core_tree_sizes() - count the trees of one NUMA node, for who debugs the engine
 * @core: the engine
 * @nid: the node
 * @sizes: filled in
 */
void ksm_core_tree_sizes(struct ksm_core *core, int nid, struct ksm_tree_sizes *sizes)
{
	struct ksm_stable_node *entry = NULL, *dup;

	*sizes = (struct ksm_tree_sizes){ .unstable = ksm_index_count_unstable(core, nid) };
	while ((entry = ksm_index_next_stable(core, entry))) {
		if (entry->nid != nid)
			continue;
		if (!is_stable_node_chain(entry)) {
			count_node(entry, sizes);
			continue;
		}
		sizes->chains++;
		hlist_for_each_entry(dup, &entry->hlist, hlist_dup) {
			sizes->dups++;
			count_node(dup, sizes);
		}
	}
}

static void drop_if_stale(struct ksm_core *core, struct ksm_stable_node *node, void *arg)
{
	bool *only_empty = arg;
	struct page *page;

	if (*only_empty && node->rmap_hlist_len)
		return;
	if (!node->rmap_hlist_len)
		core->empty_nodes = true; /* even if it goes now: at worst one walk for nothing */
	page = get_ksm_page(core, node);
	if (page)
		core->ops->release(core->ctx, page, KSM_HOLD);
}

static void drop_stale_nodes(struct ksm_core *core, bool only_empty)
{
	core->empty_nodes = false;
	ksm_core_for_each_node(core, drop_if_stale, &only_empty);
}

/**
 * ksm_prune_empty_nodes() - remove stale nodes that no item would lead to
 * @core: the engine
 *
 * A search meets only nodes of its own hash, and a visit only the node its item hangs on. A node
 * that lost its last item while something else still held the page (a child that was not scanned
 * yet, a pending reference) has neither. One walk per pass, and only when such a node was seen.
 */
void ksm_prune_empty_nodes(struct ksm_core *core)
{
	if (core->empty_nodes)
		drop_stale_nodes(core, true);
}

/**
 * ksm_core_drop_stale_nodes() - remove every node whose page is gone
 * @core: the engine
 *
 * Return: number of KSM pages that remain.
 */
unsigned long ksm_core_drop_stale_nodes(struct ksm_core *core)
{
	drop_stale_nodes(core, false);
	return core->counters.nodes - core->counters.stable_node_chains;
}

/**
 * ksm_core_holds_pages() - whether there are KSM pages
 * @core: the engine
 *
 * With the scanner stopped nobody else would find out that the last one is gone.
 */
bool ksm_core_holds_pages(struct ksm_core *core)
{
	return core->counters.nodes && ksm_core_drop_stale_nodes(core);
}
