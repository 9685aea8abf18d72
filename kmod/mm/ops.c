// SPDX-License-Identifier: GPL-2.0
/* The core's ops on Linux: candidates, memory and accounting; the rest is in its own file. */
#include "compat/kernel.h"

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "engine.h"
#include "huge.h"
#include "trace.h"

/*
 * Items and nodes are allocated before the engine lock is taken and wait here; both pools
 * are under ksm_thread_mutex. Items are chained through rmap_list, nodes by hlist.
 */
static struct kmem_cache *item_cache;
static struct kmem_cache *node_cache;
static struct ksm_rmap_item *item_pool;
static struct hlist_head node_pool = HLIST_HEAD_INIT;
static unsigned int items_reserved;
static unsigned int nodes_reserved;
static struct ksm_huge *huge_pool[KSME_RESERVE_HUGE];
static unsigned int huge_reserved;

/**
 * ksme_reserve - allocate what one chunk may need
 *
 * Whatever cannot be had is missing from the pool; the core then reports NOMEM for
 * single candidates. Context: under ksm_thread_mutex, not under the engine lock.
 */
void ksme_reserve(void)
{
	while (items_reserved < KSME_RESERVE_ITEMS) {
		struct ksm_rmap_item *item =
			kmem_cache_zalloc(item_cache, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);

		if (!item)
			break;
		item->rmap_list = item_pool;
		item_pool = item;
		items_reserved++;
	}
	while (nodes_reserved < KSME_RESERVE_NODES) {
		/* A node frees a page: worth dipping into reserves for. */
		struct ksm_stable_node *node =
			kmem_cache_zalloc(node_cache, GFP_KERNEL | __GFP_HIGH | __GFP_NOWARN);

		if (!node)
			break;
		hlist_add_head(&node->hlist_dup, &node_pool);
		nodes_reserved++;
	}
	while (huge_reserved < KSME_RESERVE_HUGE) {
		struct ksm_huge *huge =
			kzalloc(sizeof(*huge), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);

		if (!huge)
			break;
		huge_pool[huge_reserved++] = huge;
	}
}

/**
 * ksme_reserved - what ksme_reserve() has in store at this moment
 * @items: out
 * @nodes: out
 */
void ksme_reserved(unsigned int *items, unsigned int *nodes)
{
	*items = READ_ONCE(items_reserved);
	*nodes = READ_ONCE(nodes_reserved);
}

/**
 * ksme_fit_index - have as many buckets in the unstable index as the last pass had items for
 *
 * When there is no memory it stays as it is, and searches take longer. Context: under
 * ksm_thread_mutex, between two passes, not under the engine lock.
 */
void ksme_fit_index(void)
{
	struct rb_root *buckets = NULL;
	unsigned long nr;

	mutex_lock(&ksme.lock);
	nr = ksm_core_buckets_wanted(&ksme.core);
	mutex_unlock(&ksme.lock);
	if (nr == ksme.core.nr_buckets)
		return;
	if (nr) {
		buckets = kvcalloc(nr, sizeof(*buckets), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (!buckets)
			return;
	}
	mutex_lock(&ksme.lock);
	buckets = ksm_core_exchange_buckets(&ksme.core, buckets, nr);
	mutex_unlock(&ksme.lock);
	kvfree(buckets);
}

static struct ksm_rmap_item *alloc_item(void *ctx)
{
	struct ksm_rmap_item *item = item_pool;

	if (!item)
		return NULL;
	item_pool = item->rmap_list;
	items_reserved--;
	item->rmap_list = NULL;
	return item;
}

static void free_item(void *ctx, struct ksm_rmap_item *item)
{
	kmem_cache_free(item_cache, item);
}

static struct ksm_stable_node *alloc_node(void *ctx)
{
	struct ksm_stable_node *node;

	if (hlist_empty(&node_pool))
		return NULL;
	node = hlist_entry(node_pool.first, struct ksm_stable_node, hlist_dup);
	hlist_del(&node->hlist_dup);
	nodes_reserved--;
	memset(node, 0, sizeof(*node));
	return node;
}

static void free_node(void *ctx, struct ksm_stable_node *node)
{
	kmem_cache_free(node_cache, node);
}

static struct ksm_huge *alloc_huge(void *ctx)
{
	return huge_reserved ? huge_pool[--huge_reserved] : NULL;
}

static void free_huge(void *ctx, struct ksm_huge *huge)
{
	kfree(huge);
}

/*
 * The spot's page; NULL when it is not what was hashed. One that is still referenced may have lost
 * this mapping, or become a KSM page: merging finds out under the PTE lock, and an item for an
 * address that has gone is stale as any other.
 */
static struct page *page_of_spot(struct ksme_batch *batch, struct ksme_spot *spot)
{
	struct page *page = spot->page;

	spot->page = NULL;
	if (page && !ksme_is_ksm(page))
		return page;
	if (page)
		put_page(page);
	if (!batch->vma || spot->address < batch->vma->vm_start ||
	    spot->address >= batch->vma->vm_end)
		batch->vma = ksme_mergeable_vma(batch->mm, spot->address);
	page = batch->vma ? ksme_page_at(batch->vma, spot->address) : NULL;
	if (page && page_to_pfn(page) != spot->pfn && !ksme_is_ksm(page)) {
		put_page(page);
		return NULL;
	}
	return page;
}

/**
 * ksme_batch_end - drop what the batch still refers to
 * @batch: after the core has seen it, or when it never will
 */
void ksme_batch_end(struct ksme_batch *batch)
{
	for (; batch->pos < batch->nr; batch->pos++) {
		struct page *page = batch->spots[batch->pos].page;

		if (page)
			put_page(page);
	}
	if (batch->page)
		put_page(batch->page);
	batch->page = NULL;
	batch->vma = NULL;
}

static int page_nid(void *ctx, struct page *page)
{
	return ksme.core.nr_nodes > 1 ? page_to_nid(page) : 0;
}

/**
 * ksme_warm_index - let the searches of a batch not wait for memory one after the other
 * @batch: hashed
 *
 * Of huge pages no part is held any more: these go without. Without buckets there is little to
 * search, or nobody knew yet that there is more. Context: under the engine lock.
 */
void ksme_warm_index(struct ksme_batch *batch)
{
	unsigned int i, nr = 0;

	if (!ksme.core.nr_buckets)
		return;
	for (i = 0; i < batch->nr; i++) {
		const struct ksme_spot *spot = &batch->spots[i];

		if (!spot->page || spot->sampled)
			continue;
		batch->probes[nr].hash = spot->hash;
		batch->probes[nr++].nid = page_nid(NULL, spot->page);
	}
	ksm_core_warm(&ksme.core, batch->probes, nr);
}

static void describe_page(struct ksm_candidate *cand, struct page *page)
{
	cand->page = page;
	cand->nid = page_nid(NULL, page);
	if (ksme_is_ksm(page)) {
		cand->node = ksme_page_node(page);
		cand->orphan = !cand->node;
	}
}

static bool next_candidate(void *ctx, struct ksm_candidate *cand)
{
	struct ksme_batch *batch = &ksme.batch;

	if (batch->page)
		put_page(batch->page);
	batch->page = NULL;

	while (batch->pos < batch->nr) {
		struct ksme_spot *spot = &batch->spots[batch->pos++];

		*cand = (struct ksm_candidate){
			.address = spot->address,
			.hash = spot->hash,
			.sample = spot->sample,
			.sampled = spot->sampled,
			.skip = spot->skip,
			.huge = spot->huge,
			.settled = spot->settled,
		};
		if (spot->settled)
			return true;
		batch->page = page_of_spot(batch, spot);
		if (batch->page) {
			describe_page(cand, batch->page);
			/* A part of it may have been merged since. */
			if (cand->huge)
				cand->huge = PageCompound(batch->page);
			return true;
		}
	}
	return false;
}

static u64 checksum(void *ctx, struct mm_struct *mm, struct page *page)
{
	return ksme_hash(page);
}

static int unshare(void *ctx, struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = ksme_mergeable_vma(mm, address);

	return vma ? ksme_break_ksm(vma, address) : -EFAULT;
}

static void put_item_anon_vma(void *ctx, struct ksm_rmap_item *item)
{
	put_anon_vma(item->anon_vma);
	item->anon_vma = NULL;
}

static void account(void *ctx, struct mm_struct *mm, long merging, long items)
{
	mm->ksm_merging_pages += merging;
	mm->ksm_rmap_items += items;
}

static unsigned long now(void *ctx)
{
	return jiffies_to_msecs(jiffies);
}

static void emit(void *ctx, enum ksm_emit what, struct ksm_rmap_item *item,
		 struct ksm_stable_node *node)
{
	struct ksm_core *core = &ksme.core;

	switch (what) {
	case KSM_EMIT_REMOVE_PAGE:
		trace_ksm_engine_remove_ksm_page(node->kpfn);
		break;
	case KSM_EMIT_REMOVE_ITEM:
		trace_ksm_engine_remove_rmap_item(node->kpfn, item, item->mm);
		break;
	case KSM_EMIT_SCAN_START:
		trace_ksm_engine_start_scan(core->scan.seqnr, core->counters.rmap_items);
		break;
	case KSM_EMIT_SCAN_STOP:
		trace_ksm_engine_stop_scan(core->scan.seqnr, core->counters.rmap_items);
		break;
	}
}

static void outcome(void *ctx, enum ksm_outcome outcome, const struct ksm_candidate *cand)
{
	trace_ksm_engine_visit(ksme.batch.mm, cand->address, cand->settled ?: 1, outcome);
}

const struct ksm_ops ksme_ops = {
	.next = next_candidate,
	.checksum = checksum,
	.sample = ksme_sample,
	.differ = ksme_differ,
	.hold = ksme_hold,
	.release = ksme_release,
	.hold_item = ksme_hold_item,
	.maps = ksme_maps,
	.merge_into = ksme_merge_into,
	.promote_pair = ksme_promote_pair,
	.merge_zero = ksme_merge_zero,
	.domain = ksme_domain,
	.page_nid = page_nid,
	.adopt = ksme_adopt,
	.unshare = unshare,
	.put_anon_vma = put_item_anon_vma,
	.account = account,
	.alloc_item = alloc_item,
	.free_item = free_item,
	.alloc_node = alloc_node,
	.free_node = free_node,
	.alloc_huge = alloc_huge,
	.free_huge = free_huge,
	.now = now,
	.emit = emit,
	.outcome = outcome,
};

/**
 * ksme_ops_init - create the caches
 *
 * Context: no engine lock: creating a cache takes the memory hotplug lock.
 */
int ksme_ops_init(void)
{
	item_cache = kmem_cache_create("ksm_engine_rmap_item", sizeof(struct ksm_rmap_item),
				       __alignof__(struct ksm_rmap_item), 0, NULL);
	if (!item_cache)
		return -ENOMEM;
	node_cache = kmem_cache_create("ksm_engine_stable_node", sizeof(struct ksm_stable_node),
				       __alignof__(struct ksm_stable_node), 0, NULL);
	if (!node_cache) {
		kmem_cache_destroy(item_cache);
		return -ENOMEM;
	}
	return 0;
}

/**
 * ksme_ops_exit - free the buckets and pools, destroy the caches, when nothing uses them any more
 */
void ksme_ops_exit(void)
{
	struct ksm_stable_node *node;
	struct ksm_rmap_item *item;
	struct ksm_huge *huge;

	kvfree(ksme.core.buckets);
	while ((node = alloc_node(NULL)))
		free_node(NULL, node);
	while ((item = alloc_item(NULL)))
		free_item(NULL, item);
	while ((huge = alloc_huge(NULL)))
		free_huge(NULL, huge);
	kmem_cache_destroy(node_cache);
	kmem_cache_destroy(item_cache);
}
