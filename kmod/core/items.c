// SPDX-License-Identifier: GPL-2.0
/*
 * Life of rmap items and of the slots that own them.
 *
 * A slot's items form a singly linked list by ascending address. The cursor walks it along with
 * the address space: items that no candidate matches are freed in passing, so that a list is
 * right again after every pass, whatever was unmapped meanwhile.
 */
#include "huge.h"
#include "index.h"
#include "items.h"

/**
 * ksm_core_init() - make an empty engine
 * @core: memory to fill in
 * @ops: its surroundings
 * @ctx: handed to every op
 * @page_size: bytes, a power of two above SEQNR_MASK | UNSTABLE_FLAG | STABLE_FLAG
 * @stable: @nr_nodes tree roots, owned by the caller
 * @unstable: as @stable, for as long as there are no more buckets
 * @nr_nodes: number of trees of each kind; a candidate's nid is below it
 *
 * Also sets the documented defaults of max_page_sharing and prune_millisecs.
 */
void ksm_core_init(struct ksm_core *core, const struct ksm_ops *ops, void *ctx,
		   unsigned long page_size, struct rb_root *stable, struct rb_root *unstable,
		   int nr_nodes)
{
	core->ops = ops;
	core->ctx = ctx;
	core->page_mask = ~(page_size - 1);
	core->nr_nodes = nr_nodes;
	core->stable = stable;
	core->least = unstable;
	core->buckets = NULL;
	core->nr_buckets = 0;
	INIT_LIST_HEAD(&core->slots);
	hash_init(core->slots_hash);
	core->scan = (struct ksm_scan){ 0 };
	core->counters = (struct ksm_counters){ 0 };
	core->max_page_sharing = 256;
	core->prune_millisecs = 2000;
	core->backoff = 0;
	core->huge_mask = 0;
	core->thp_min_partners = 1;
	core->smart_scan = true;
	core->use_zero_pages = false;
	core->zero_pages_only = false;
	core->zero_hash = 0;
	core->domains = false;
	core->domain = 0;
	core->empty_nodes = false;
	ksm_forget_samples(core);
	for (int nid = 0; nid < nr_nodes; nid++)
		stable[nid] = RB_ROOT;
	ksm_index_spread_unstable(core);
}

/**
 * ksm_core_set_nr_nodes() - keep NUMA nodes apart, or not
 * @core: the engine
 * @nr_nodes: trees of each kind; the arrays given to ksm_core_init() have room for them
 *
 * Return: false, with nothing changed, while there are KSM pages.
 */
bool ksm_core_set_nr_nodes(struct ksm_core *core, int nr_nodes)
{
	if (ksm_core_holds_pages(core))
		return false;
	/* Items of the unstable tree remember which tree they are in. */
	ksm_core_reset_scan(core);
	core->nr_nodes = nr_nodes;
	for (int nid = 0; nid < nr_nodes; nid++)
		core->stable[nid] = RB_ROOT;
	ksm_index_spread_unstable(core);
	return true;
}

/**
 * ksm_core_set_domains() - keep merge domains apart, or not
 * @core: the engine
 * @domains: whether to
 *
 * Return: false, with nothing changed, while there are KSM pages.
 */
bool ksm_core_set_domains(struct ksm_core *core, bool domains)
{
	if (ksm_core_holds_pages(core))
		return false;
	/* Items of the unstable tree are under keys that the domain is a part of. */
	ksm_core_reset_scan(core);
	core->domains = domains;
	return true;
}

/**
 * ksm_core_add_slot() - register an address space
 * @core: the engine
 * @slot: memory to fill in, stays the caller's
 * @mm: the address space, not registered yet
 *
 * While a pass is under way the newcomer goes right behind the cursor: its turn comes last, when
 * the pages of a process that was just forked have settled.
 */
void ksm_core_add_slot(struct ksm_core *core, struct ksm_mm_slot *slot, struct mm_struct *mm)
{
	struct list_head *before = core->scan.mm_slot ? &core->scan.mm_slot->mm_node : &core->slots;

	slot->mm = mm;
	slot->rmap_list = NULL;
	slot->huge = RB_ROOT;
	list_add_tail(&slot->mm_node, before);
	hash_add(core->slots_hash, &slot->hash, (unsigned long)mm);
}

/**
 * ksm_core_find_slot() - the slot of an address space
 * @core: the engine
 * @mm: the address space; only its address is used
 *
 * Return: the slot, or NULL when @mm is not registered.
 */
struct ksm_mm_slot *ksm_core_find_slot(struct ksm_core *core, struct mm_struct *mm)
{
	struct ksm_mm_slot *slot;

	hash_for_each_possible(core->slots_hash, slot, hash, (unsigned long)mm)
		if (slot->mm == mm)
			return slot;
	return NULL;
}

/**
 * ksm_core_remove_slot() - forget an address space
 * @core: the engine
 * @slot: registered; the caller frees it afterwards
 *
 * Frees all its items. A cursor that stands on it goes on to the next slot, which may end the pass.
 */
void ksm_core_remove_slot(struct ksm_core *core, struct ksm_mm_slot *slot)
{
	ksm_remove_trailing_rmap_items(core, &slot->rmap_list);
	ksm_huge_forget(core, slot);
	if (core->scan.mm_slot == slot) {
		core->scan.rmap_list = &slot->rmap_list;
		ksm_core_next_slot(core);
	}
	list_del(&slot->mm_node);
	hash_del(&slot->hash);
}

/**
 * ksm_core_trim_slot() - free a slot's items from an address on
 * @core: the engine
 * @slot: registered; may be the one being scanned
 * @from: first address whose item goes
 */
void ksm_core_trim_slot(struct ksm_core *core, struct ksm_mm_slot *slot, unsigned long from)
{
	struct ksm_rmap_item **link = &slot->rmap_list;
	bool kept = core->scan.mm_slot != slot || core->scan.rmap_list == link;

	while (*link && ((*link)->address & core->page_mask) < from) {
		link = &(*link)->rmap_list;
		kept |= core->scan.rmap_list == link;
	}
	if (!kept)
		core->scan.rmap_list = link; /* it was inside of an item that goes */
	ksm_remove_trailing_rmap_items(core, link);
}

/*
 * Age and flips are two digits of a number in the low bits of head, the bits being too few for a
 * field each.
 */
#define AGES (KSM_AGE_MAX + 1UL)
_Static_assert(AGES * (KSM_FLIPS_MAX + 1) <= KSM_NODE_ALIGN, "age and flips fit into item->head");

static void put_on_node(struct ksm_rmap_item *item, struct ksm_stable_node *node)
{
	item->head = (unsigned long)node | (item->flips * AGES + item->age);
}

/* All that an item on no node has; the page may have been written since, as after any look. */
static void take_off_node(struct ksm_rmap_item *item, const struct ksm_stable_node *node)
{
	unsigned int kept = item->head & (KSM_NODE_ALIGN - 1);

	item->hash = node->hash;
	item->sample = node->sample;
	item->age = kept % AGES;
	item->flips = kept / AGES;
	item->remaining_skips = 0;
	item->head = 0;
}

/**
 * ksm_core_append() - hang an item on a stable node
 * @core: the engine
 * @item: of no tree, with its anon_vma reference taken
 * @node: of the page that @item's address maps by now
 *
 * Called by ops->merge_into, promote_pair and adopt while they hold the page lock of @node's page.
 * What the item has instead of a linear_page_index is put aside, for the caller to set one.
 * The limit of max_page_sharing is not checked: a forked mapping exists whether we like it or not.
 * In-tree: stable_tree_append().
 */
void ksm_core_append(struct ksm_core *core, struct ksm_rmap_item *item,
		     struct ksm_stable_node *node)
{
	put_on_node(item, node);
	item->address &= ~(unsigned long)SEQNR_MASK;
	item->address |= STABLE_FLAG | (core->scan.seqnr & SEQNR_MASK);
	hlist_add_head(&item->hlist, &node->hlist);
	if (node->rmap_hlist_len++)
		core->counters.pages_sharing++;
	else
		core->counters.pages_shared++;
	core->ops->account(core->ctx, item->mm, 1, 0);
}

static struct ksm_rmap_item *alloc_rmap_item(struct ksm_core *core, unsigned long address)
{
	struct ksm_rmap_item *item = core->ops->alloc_item(core->ctx);

	if (!item)
		return NULL;
	item->mm = core->scan.mm_slot->mm;
	item->address = address;
	core->counters.rmap_items++;
	core->ops->account(core->ctx, item->mm, 0, 1);
	return item;
}

static void free_rmap_item(struct ksm_core *core, struct ksm_rmap_item *item)
{
	core->counters.rmap_items--;
	core->ops->account(core->ctx, item->mm, 0, -1);
	core->ops->free_item(core->ctx, item);
}

static void remove_first_rmap_item(struct ksm_core *core, struct ksm_rmap_item **link)
{
	struct ksm_rmap_item *item = *link;

	*link = item->rmap_list;
	ksm_remove_rmap_item_from_tree(core, item);
	free_rmap_item(core, item);
}

/**
 * ksm_remove_trailing_rmap_items() - free the rest of a slot's items
 * @core: the engine
 * @rmap_list: link to the first that goes
 */
void ksm_remove_trailing_rmap_items(struct ksm_core *core, struct ksm_rmap_item **rmap_list)
{
	while (*rmap_list)
		remove_first_rmap_item(core, rmap_list);
}

/**
 * ksm_skip_rmap_items() - free the items from the cursor up to an address
 * @core: the engine, with a cursor
 * @address: first address whose item stays
 */
void ksm_skip_rmap_items(struct ksm_core *core, unsigned long address)
{
	struct ksm_rmap_item **link = core->scan.rmap_list;

	while (*link && ((*link)->address & core->page_mask) < address)
		remove_first_rmap_item(core, link);
}

/**
 * ksm_get_next_rmap_item() - the item of an address in the scanned slot
 * @core: the engine, with a cursor
 * @address: not below the cursor
 *
 * Frees the items between the cursor and @address, finds or makes the one at @address and moves
 * the cursor's link behind it.
 *
 * Return: the item, or NULL when there is no memory for a new one.
 */
struct ksm_rmap_item *ksm_get_next_rmap_item(struct ksm_core *core, unsigned long address)
{
	struct ksm_scan *scan = &core->scan;
	struct ksm_rmap_item *item;

	ksm_skip_rmap_items(core, address);
	item = *scan->rmap_list;
	if (!item || (item->address & core->page_mask) != address) {
		item = alloc_rmap_item(core, address);
		if (!item)
			return NULL;
		item->rmap_list = *scan->rmap_list;
		*scan->rmap_list = item;
	}
	scan->rmap_list = &item->rmap_list;
	return item;
}

static unsigned int at_most(unsigned int value, unsigned int most)
{
	return value < most ? value : most;
}

/*
 * Merging a page and copying it again costs as much as looking at it in ten passes. One that is
 * written sooner cost more than it saved, and is likely to be written again: each time in a row it
 * is left alone for twice as long. One that lasted has a clean slate. (Lifetimes are known modulo
 * 256: a few that lasted for ever are taken for short ones.)
 */
static void back_off(struct ksm_core *core, struct ksm_rmap_item *item)
{
	unsigned int lived = (core->scan.seqnr - item->address) & SEQNR_MASK;

	if (!core->backoff || lived >= at_most(16U << item->flips, 128)) {
		item->flips = 0;
		return;
	}
	item->remaining_skips = at_most(16U << item->flips, core->backoff);
	if (item->flips < KSM_FLIPS_MAX)
		item->flips++;
}

/* What remains to do for an item that was taken off its node's list. */
static void drop_from_node(struct ksm_core *core, struct ksm_rmap_item *item,
			   struct ksm_stable_node *node)
{
	core->ops->emit(core->ctx, KSM_EMIT_REMOVE_ITEM, item, node);
	core->ops->account(core->ctx, item->mm, -1, 0);
	core->ops->put_anon_vma(core->ctx, item);
	take_off_node(item, node);
	back_off(core, item);
	item->address &= core->page_mask;
}

static void remove_from_stable_tree(struct ksm_core *core, struct ksm_rmap_item *item)
{
	struct ksm_stable_node *node = ksm_item_node(item);
	struct page *page = core->ops->hold(core->ctx, node, KSM_HOLD_LOCK);

	if (IS_ERR(page)) {
		/* The page is gone, and with it what all the node's items were there for. */
		ksm_core_remove_node(core, node);
		return;
	}
	hlist_del(&item->hlist);
	node->rmap_hlist_len--;
	core->ops->release(core->ctx, page, KSM_HOLD_LOCK);

	if (node->rmap_hlist_len) {
		core->counters.pages_sharing--;
	} else {
		core->counters.pages_shared--;
		core->empty_nodes = true;
	}
	drop_from_node(core, item, node);
}

static void remove_from_unstable_tree(struct ksm_core *core, struct ksm_rmap_item *item)
{
	u8 age = core->scan.seqnr - item->address;

	/*
	 * Each pass begins with an empty unstable tree, so only an item put in by this pass is in
	 * it. One from the pass before just keeps the flag. There is none older, because every
	 * pass visits or frees each item; the eight bits of age rely on it.
	 */
	if (!age)
		ksm_index_remove_unstable(core, item);
	else if (age > 1)
		core->counters.broken++;
	core->counters.pages_unshared--;
	if (item->address & FOREIGN_FLAG)
		core->counters.domain_refused--;
	item->address &= core->page_mask;
}

/**
 * ksm_remove_rmap_item_from_tree() - make an item belong to no tree
 * @core: the engine
 * @item: of the stable tree, the unstable tree, or none
 *
 * Finds out in passing when the page of its stable node is gone, and then removes the node.
 */
void ksm_remove_rmap_item_from_tree(struct ksm_core *core, struct ksm_rmap_item *item)
{
	if (item->address & STABLE_FLAG)
		remove_from_stable_tree(core, item);
	else if (item->address & UNSTABLE_FLAG)
		remove_from_unstable_tree(core, item);
}

/**
 * ksm_unlink_stable_node() - take a node out of the index
 * @core: the engine
 * @node: a lone node or a dup; a chain does not outlive its last dup
 */
void ksm_unlink_stable_node(struct ksm_core *core, struct ksm_stable_node *node)
{
	struct ksm_stable_node *chain;

	if (!is_stable_node_dup(node)) {
		if (!RB_EMPTY_NODE(&node->node))
			ksm_index_remove_stable(core, node);
		return;
	}
	chain = node->chain;
	hlist_del(&node->hlist_dup);
	core->counters.stable_node_dups--;
	if (hlist_empty(&chain->hlist)) {
		ksm_index_remove_stable(core, chain);
		core->counters.stable_node_chains--;
		ksm_free_stable_node(core, chain);
	}
}

/**
 * ksm_core_remove_node() - forget a KSM page
 * @core: the engine
 * @node: a lone node or a dup, its page gone; or locked by the caller and no longer pointing to it
 *
 * Its items become items of no tree; the node is freed, and its chain when it was the last dup.
 * In-tree: remove_node_from_stable_tree().
 */
void ksm_core_remove_node(struct ksm_core *core, struct ksm_stable_node *node)
{
	struct ksm_rmap_item *item;
	struct hlist_node *next;

	if (is_stable_node_chain(node)) {
		core->counters.broken++;
		return;
	}
	hlist_for_each_entry_safe(item, next, &node->hlist, hlist) {
		hlist_del(&item->hlist);
		if (--node->rmap_hlist_len)
			core->counters.pages_sharing--;
		else
			core->counters.pages_shared--;
		drop_from_node(core, item, node);
	}
	core->ops->emit(core->ctx, KSM_EMIT_REMOVE_PAGE, NULL, node);
	ksm_unlink_stable_node(core, node);
	ksm_free_stable_node(core, node);
}
