// SPDX-License-Identifier: GPL-2.0
/*
 * The indexes as red-black trees keyed by content hash.
 *
 * Entries with equal hashes stand side by side, a newcomer behind those already there. In order,
 * not by content: the content of an unstable page may change at any time, so an order by content
 * could not be trusted there, and in the stable tree equal hashes of different contents are too
 * rare to deserve one.
 */
#include "index.h"

typedef u64 hash_of_fn(const struct rb_node *rb);

static __always_inline u64 item_hash(const struct rb_node *rb)
{
	return rb_entry(rb, struct ksm_rmap_item, node)->hash;
}

static __always_inline u64 node_hash(const struct rb_node *rb)
{
	return rb_entry(rb, struct ksm_stable_node, node)->hash;
}

static __always_inline struct rb_node *find_first(const struct rb_root *root, u64 hash,
						  hash_of_fn *hash_of)
{
	struct rb_node *rb = root->rb_node;
	struct rb_node *first = NULL;

	while (rb) {
		u64 here = hash_of(rb);

		if (here == hash)
			first = rb;
		rb = here < hash ? rb->rb_right : rb->rb_left;
	}
	return first;
}

static __always_inline void insert(struct rb_root *root, struct rb_node *rb, hash_of_fn *hash_of)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;
	u64 hash = hash_of(rb);

	while (*link) {
		parent = *link;
		link = hash < hash_of(parent) ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(rb, parent, link);
	rb_insert_color(rb, root);
}

/**
 * ksm_index_find_unstable() - the items of one hash
 * @core: the engine
 * @nid: NUMA node whose tree to search
 * @hash: content hash
 * @run: filled with the items, oldest first
 *
 * Return: how many there are; those beyond KSM_INDEX_RUN are not found.
 */
int ksm_index_find_unstable(struct ksm_core *core, int nid, u64 hash,
			    struct ksm_rmap_item *run[KSM_INDEX_RUN])
{
	struct rb_node *rb = find_first(&core->unstable[nid], hash, item_hash);
	int n = 0;

	for (; rb && n < KSM_INDEX_RUN && item_hash(rb) == hash; rb = rb_next(rb))
		run[n++] = rb_entry(rb, struct ksm_rmap_item, node);
	return n;
}

/**
 * ksm_index_insert_unstable() - add an item under its hash and nid
 * @core: the engine
 * @item: not in any tree
 */
void ksm_index_insert_unstable(struct ksm_core *core, struct ksm_rmap_item *item)
{
	insert(&core->unstable[item->nid], &item->node, item_hash);
}

/**
 * ksm_index_remove_unstable() - take an item out
 * @core: the engine
 * @item: inserted since the last ksm_index_reset_unstable()
 */
void ksm_index_remove_unstable(struct ksm_core *core, struct ksm_rmap_item *item)
{
	rb_erase(&item->node, &core->unstable[item->nid]);
}

/**
 * ksm_index_reset_unstable() - forget all items at once, without touching them
 * @core: the engine
 */
void ksm_index_reset_unstable(struct ksm_core *core)
{
	for (int nid = 0; nid < core->nr_nodes; nid++)
		core->unstable[nid] = RB_ROOT;
}

/**
 * ksm_index_find_stable() - the lone nodes and chains of one hash
 * @core: the engine
 * @nid: NUMA node whose tree to search
 * @hash: content hash
 * @run: filled with the entries, oldest first
 *
 * Return: how many there are; those beyond KSM_INDEX_RUN are not found.
 */
int ksm_index_find_stable(struct ksm_core *core, int nid, u64 hash,
			  struct ksm_stable_node *run[KSM_INDEX_RUN])
{
	struct rb_node *rb = find_first(&core->stable[nid], hash, node_hash);
	int n = 0;

	for (; rb && n < KSM_INDEX_RUN && node_hash(rb) == hash; rb = rb_next(rb))
		run[n++] = rb_entry(rb, struct ksm_stable_node, node);
	return n;
}

/**
 * ksm_index_insert_stable() - add a lone node or a chain under its hash and nid
 * @core: the engine
 * @entry: not in any tree
 */
void ksm_index_insert_stable(struct ksm_core *core, struct ksm_stable_node *entry)
{
	insert(&core->stable[entry->nid], &entry->node, node_hash);
}

/**
 * ksm_index_remove_stable() - take a lone node or a chain out
 * @core: the engine
 * @entry: in the index
 */
void ksm_index_remove_stable(struct ksm_core *core, struct ksm_stable_node *entry)
{
	rb_erase(&entry->node, &core->stable[entry->nid]);
}

/**
 * ksm_index_replace_stable() - put one entry in the place of another of the same hash and nid
 * @core: the engine
 * @old: in the index; out of it afterwards
 * @entry: not in any tree
 */
void ksm_index_replace_stable(struct ksm_core *core, struct ksm_stable_node *old,
			      struct ksm_stable_node *entry)
{
	rb_replace_node(&old->node, &entry->node, &core->stable[old->nid]);
}

/**
 * ksm_index_next_stable() - walk all entries, tree by tree
 * @core: the engine
 * @entry: the entry before, or NULL to begin
 *
 * The walk survives the removal of entries already passed.
 *
 * Return: the next lone node or chain, or NULL at the end.
 */
struct ksm_stable_node *ksm_index_next_stable(struct ksm_core *core, struct ksm_stable_node *entry)
{
	struct rb_node *rb = entry ? rb_next(&entry->node) : NULL;

	for (int nid = entry ? entry->nid + 1 : 0; !rb && nid < core->nr_nodes; nid++)
		rb = rb_first(&core->stable[nid]);
	return rb ? rb_entry(rb, struct ksm_stable_node, node) : NULL;
}
