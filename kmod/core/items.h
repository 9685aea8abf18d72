/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the core's own files: items, nodes and chains. All run under the engine mutex.
 */
#ifndef KSM_CORE_ITEMS_H
#define KSM_CORE_ITEMS_H

#include "ksm_core.h"

/*
 * May one more page be merged into @node? A node without items is about to lose its page, too late
 * to merge into it.
 */
static inline bool is_page_sharing_candidate(const struct ksm_core *core,
					     const struct ksm_stable_node *node)
{
	return node->rmap_hlist_len && node->rmap_hlist_len < core->max_page_sharing;
}

static inline void ksm_forget_samples(struct ksm_core *core)
{
	for (int i = 0; i < KSM_SAMPLE_VALUES / 64; i++)
		core->samples[i] = 0;
}

/* items.c */
void ksm_skip_rmap_items(struct ksm_core *core, unsigned long address);
struct ksm_rmap_item *ksm_get_next_rmap_item(struct ksm_core *core, unsigned long address);
void ksm_remove_rmap_item_from_tree(struct ksm_core *core, struct ksm_rmap_item *item);
void ksm_remove_trailing_rmap_items(struct ksm_core *core, struct ksm_rmap_item **rmap_list);
void ksm_unlink_stable_node(struct ksm_core *core, struct ksm_stable_node *node);

/* stable.c */
/**
 * struct ksm_stable_hit - what a search of the stable tree found
 * @entry: the node or chain in the tree
 * @node: the node: @entry, or one of its dups
 * @kpage: @node's page, held (KSM_HOLD)
 */
struct ksm_stable_hit {
	struct ksm_stable_node *entry;
	struct ksm_stable_node *node;
	struct page *kpage;
};

struct ksm_stable_node *ksm_alloc_stable_node(struct ksm_core *core, u64 hash, int nid);
void ksm_free_stable_node(struct ksm_core *core, struct ksm_stable_node *node);
bool ksm_stable_tree_search(struct ksm_core *core, struct page *page, u64 hash, int nid,
			    struct ksm_stable_hit *hit);
void ksm_stable_tree_insert(struct ksm_core *core, struct ksm_stable_node *node, struct page *kpage,
			    struct ksm_stable_node *chain);
bool ksm_stable_node_settle(struct ksm_core *core, struct ksm_stable_node *node,
			    struct page *page);
void ksm_prune_empty_nodes(struct ksm_core *core);

#endif /* KSM_CORE_ITEMS_H */
