/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The merge algorithm, without a machine: structures, the ops it asks its
 * surroundings for, and what it offers them.
 *
 * The core knows contents, trees and counters. It never sees a page table, takes
 * no lock and calls no scheduler function; struct mm_struct, struct anon_vma and
 * struct page are opaque pointers that it hands back to the ops. kmod/mm
 * implements the ops on Linux, tests/shim over simulated address spaces.
 *
 * Locking: every function here is called under the one engine mutex, which the
 * caller holds. While a batch runs (ksm_core_scan_batch) the caller also holds the
 * mmap_lock of the scanned address space for reading. Ops may sleep.
 */
#ifndef KSM_CORE_H
#define KSM_CORE_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/hashtable.h>
#include <linux/err.h>

#include "outcome.h"
#include "rmap.h"

struct page;
struct ksm_core;
struct ksm_huge;

#define KSM_BACKOFF_MAX 255

/* What ops->domain says of an address space that is in no domain: nothing is merged there. */
#define KSM_DOMAIN_NONE (~0ULL)

/**
 * struct ksm_mm_slot - one registered address space
 * @hash: in ksm_core.slots_hash, keyed by @mm
 * @mm_node: in ksm_core.slots, scan order
 * @mm: the address space; the embedding side holds the reference
 * @rmap_list: its items, by ascending address
 * @huge: what is known of its huge pages
 *
 * The mm side embeds it and owns its memory.
 */
struct ksm_mm_slot {
	struct hlist_node hash;
	struct list_head mm_node;
	struct mm_struct *mm;
	struct ksm_rmap_item *rmap_list;
	struct rb_root huge;
};

/**
 * struct ksm_scan - where the scan stands
 * @mm_slot: slot being scanned, NULL between passes
 * @address: first address of it not yet visited
 * @rmap_list: link to the first item at or behind @address
 * @seqnr: number of the pass under way; its low byte ages unstable items
 */
struct ksm_scan {
	struct ksm_mm_slot *mm_slot;
	unsigned long address;
	struct ksm_rmap_item **rmap_list;
	unsigned long seqnr;
};

/**
 * struct ksm_candidate - a present anonymous page that the walk collected
 * @address: page-aligned virtual address in the scanned slot
 * @page: the page, referenced by the walk for as long as the batch lasts
 * @hash: seeded 64-bit content hash, taken outside all locks: a hint
 * @sample: ksm_sample() of the content that @hash is of
 * @sampled: only @sample was taken: the page is new or has changed, and no KSM page has that sample
 * @node: @page is a KSM page of this engine: its node; else NULL
 * @orphan: @page is a KSM page without a node (left by an unloaded engine)
 * @nid: tree the page belongs to
 * @settled: not 0: the candidate stands for so many pages from @address on, of which each is the
 *	page of the node that its item hangs on; only @address and @skip are set
 * @skip: with @settled: of which each is to be left alone, as ksm_core_may_skip() said
 * @huge: the page is a part of a huge one, mapped as such
 *
 * For KSM pages (@node or @orphan) @hash is not filled in.
 */
struct ksm_candidate {
	unsigned long address;
	struct page *page;
	u64 hash;
	u16 sample;
	bool sampled;
	struct ksm_stable_node *node;
	bool orphan;
	bool skip;
	bool huge;
	int nid;
	unsigned int settled;
};

/**
 * enum ksm_hold - what ops->hold gives along with the reference
 * @KSM_HOLD: the reference alone
 * @KSM_HOLD_LOCK: and the page lock
 */
enum ksm_hold { KSM_HOLD, KSM_HOLD_LOCK };

/**
 * enum ksm_emit - things the core reports for tracing, beside outcomes
 */
enum ksm_emit {
	KSM_EMIT_REMOVE_PAGE, /* @node: its last trace is going */
	KSM_EMIT_REMOVE_ITEM, /* @item leaves the stable tree (@node) */
	KSM_EMIT_SCAN_START, /* a pass begins */
	KSM_EMIT_SCAN_STOP, /* a pass ended */
};

/**
 * struct ksm_ops - what the core asks of its surroundings
 *
 * @ctx is ksm_core.ctx. All are called under the engine mutex.
 *
 * Errors of @merge_into and @promote_pair, and the outcome the core makes of them:
 * -EAGAIN a lock or address space was contended (RACED), -ESTALE the content
 * differs or the held page is gone (RACED), -EBUSY unaccounted references (PINNED),
 * -EFAULT no longer mapped or mergeable (GONE), -ENOMEM (NOMEM), others REFUSED.
 */
struct ksm_ops {
	/**
	 * @next: fill in the batch's next candidate, in ascending address order.
	 * False when the batch is empty. @cand is zeroed. Its @node and @orphan are
	 * read from the page in this call: the visits before it may have made the
	 * page a KSM page, and a node remembered from the walk may be freed by now.
	 */
	bool (*next)(void *ctx, struct ksm_candidate *cand);

	/**
	 * @checksum: the seeded hash of a page of @mm, as in @ksm_candidate.hash. Called
	 * for each new KSM page: what the candidate's hash was taken from may have been
	 * rewritten before it was write-protected, and the node would stay under a key
	 * that nobody looks for. NULL: the core trusts the candidate's.
	 */
	u64 (*checksum)(void *ctx, struct mm_struct *mm, struct page *page);

	/**
	 * @sample: ksm_sample() of a referenced page. NULL: contents are compared in full
	 * where a sample would do.
	 */
	u16 (*sample)(void *ctx, struct page *page);

	/** @differ: full content compare: false when all bytes are equal. */
	bool (*differ)(void *ctx, struct page *a, struct page *b);

	/**
	 * @hold: keyhole reference: the node's page if it still is its page, with
	 * a reference (and the page lock for KSM_HOLD_LOCK). ERR_PTR(-ESTALE) when
	 * the page is gone: frees nothing, the core then removes the node. With
	 * KSM_HOLD any other error means "not now" and leaves the node alone;
	 * KSM_HOLD_LOCK waits, so -ESTALE is its only error.
	 */
	struct page *(*hold)(void *ctx, struct ksm_stable_node *node, enum ksm_hold how);

	/** @release: undo @hold with the same @how; also drops @hold_item's reference. */
	void (*release)(void *ctx, struct page *page, enum ksm_hold how);

	/**
	 * @hold_item: the anonymous, non-KSM page now mapped at an unstable item's
	 * address, with a reference. ERR_PTR(-ESTALE): nothing mergeable there any
	 * more; ERR_PTR(-EAGAIN): its address space is contended.
	 */
	struct page *(*hold_item)(void *ctx, struct ksm_rmap_item *item);

	/**
	 * @maps: is @page what is mapped at the address of an unstable item? 1, 0 or -EAGAIN: its
	 * address space is contended. Splits no huge page, which @hold_item may.
	 */
	int (*maps)(void *ctx, struct ksm_rmap_item *item, struct page *page);

	/**
	 * @merge_into: replace @item's page @page (of the scanned slot) by @kpage,
	 * the page of @node, which the core holds (KSM_HOLD). Write-protects,
	 * compares all bytes, replaces the PTE, takes @item's anon_vma reference and
	 * calls ksm_core_append() while it holds @kpage's lock.
	 */
	int (*merge_into)(void *ctx, struct ksm_rmap_item *item, struct page *page,
			  struct ksm_stable_node *node, struct page *kpage);

	/**
	 * @promote_pair: make @tree_page of @tree_item (the one known longer: the
	 * surviving frame is not chosen by the newcomer) the KSM page of @node
	 * (fresh, from @alloc_node), then merge @page of @item into it. Sets
	 * @node->kpfn; calls ksm_core_append() for @tree_item, then for @item, each
	 * under the KSM page's lock. All or nothing: on failure everything is undone
	 * by unsharing, neither item is appended, and the core frees @node.
	 * @tree_item is out of the unstable tree during the call.
	 */
	int (*promote_pair)(void *ctx, struct ksm_rmap_item *item, struct page *page,
			    struct ksm_rmap_item *tree_item, struct page *tree_page,
			    struct ksm_stable_node *node);

	/**
	 * @merge_zero: replace @item's page @page (of the scanned slot) by the zero page, if
	 * it is write-protected and all zeroes. NULL: never asked for.
	 */
	int (*merge_zero)(void *ctx, struct ksm_rmap_item *item, struct page *page);

	/**
	 * @domain: the merge domain that @mm is in now, any number; KSM_DOMAIN_NONE: in none.
	 * Asked at each visit, and of both sides before two pages become one; not before
	 * ksm_core_set_domains().
	 */
	u64 (*domain)(void *ctx, struct mm_struct *mm);

	/** @page_nid: the tree that a referenced page belongs to now; NULL: always 0. */
	int (*page_nid)(void *ctx, struct page *page);

	/** @adopt: @cand->page is @node's, inherited by fork: under the page lock take
	 * @item's anon_vma reference and call ksm_core_append(). -ESTALE if it is not.
	 */
	int (*adopt)(void *ctx, struct ksm_rmap_item *item, struct page *page,
		     struct ksm_stable_node *node);

	/** @unshare: break the scanned slot's KSM mapping at @address, if there is one. */
	int (*unshare)(void *ctx, struct mm_struct *mm, unsigned long address);

	/** @put_anon_vma: drop the reference that an item took. */
	void (*put_anon_vma)(void *ctx, struct ksm_rmap_item *item);

	/** @account: add to the address space's ksm_merging_pages and ksm_rmap_items. */
	void (*account)(void *ctx, struct mm_struct *mm, long merging, long items);

	/** @alloc_item: zeroed, from what was reserved before the mutex; NULL when out. */
	struct ksm_rmap_item *(*alloc_item)(void *ctx);
	void (*free_item)(void *ctx, struct ksm_rmap_item *item);
	/** @alloc_node: zeroed, as @alloc_item. */
	struct ksm_stable_node *(*alloc_node)(void *ctx);
	void (*free_node)(void *ctx, struct ksm_stable_node *node);
	/** @alloc_huge: zeroed, as @alloc_item. NULL: huge pages are split as if they were none. */
	struct ksm_huge *(*alloc_huge)(void *ctx);
	void (*free_huge)(void *ctx, struct ksm_huge *huge);

	/** @now: milliseconds, monotonic, any origin. */
	unsigned long (*now)(void *ctx);

	/** @emit: see enum ksm_emit. @item and @node may be NULL. */
	void (*emit)(void *ctx, enum ksm_emit what, struct ksm_rmap_item *item,
		     struct ksm_stable_node *node);

	/** @outcome: the visit of @cand, of all its pages, ended. While the core is observed. */
	void (*outcome)(void *ctx, enum ksm_outcome outcome,
			const struct ksm_candidate *cand);
};

/**
 * struct ksm_counters - what the sysfs files show, and the outcomes
 *
 * The names are those of the files. Readers outside the mutex see torn pairs at
 * worst, as in-tree.
 */
struct ksm_counters {
	unsigned long pages_shared;
	unsigned long pages_sharing;
	unsigned long pages_unshared;
	unsigned long rmap_items;
	unsigned long pages_scanned;
	unsigned long pages_skipped;
	unsigned long full_scans;
	unsigned long stable_node_chains;
	unsigned long stable_node_dups;
	unsigned long domain_refused; /* pages that only their domain keeps from being merged */
	unsigned long nodes; /* struct ksm_stable_node in use, chains included */
	unsigned long huge_pages; /* struct ksm_huge in use */
	unsigned long thp_deferred; /* their parts that have a partner */
	unsigned long broken; /* invariants seen violated: worth a WARN_ON_ONCE, never a BUG */
	unsigned long outcomes[KSM_NR_OUTCOMES];
};

#define KSM_SLOTS_HASH_BITS 10
#define KSM_SAMPLE_VALUES 0x10000

/**
 * struct ksm_core - one engine
 * @ops: its surroundings
 * @ctx: handed to every op
 * @page_mask: ~(page size - 1)
 * @huge_mask: likewise of huge pages; 0 where there are none
 * @nr_nodes: number of trees of each kind
 * @stable: per-node stable trees, ordered by hash; equal hashes need not be equal contents
 * @unstable: buckets of the unstable index in use, trees ordered by hash: so many for each NUMA
 *	node, one node's behind the other's
 * @unstable_shift: 63 less the logarithm of how many for each
 * @least: one bucket for each NUMA node
 * @buckets: or more, from ksm_core_exchange_buckets(); NULL: none
 * @nr_buckets: how many are in @buckets
 * @slots: registered address spaces in scan order
 * @slots_hash: the same, by mm
 * @scan: cursor
 * @counters: what sysfs shows
 * @max_page_sharing: most rmap items on one node, >= 2
 * @prune_millisecs: chains are pruned of stale dups at most this often
 * @smart_scan: skip pages that were not merged in many passes
 * @backoff: leave a page that was written soon after it was merged alone for so many passes at
 *	most; KSM_BACKOFF_MAX at most, 0: for none
 * @use_zero_pages: merge pages of zeroes with the zero page
 * @zero_pages_only: that, and merge no others
 * @thp_min_partners: a huge page is split when so many of its parts have a partner
 * @zero_hash: hash of a page of zeroes
 * @domains: pages merge only within a domain (ops->domain)
 * @domain: of the address space of the visit under way; 0 without @domains
 * @empty_nodes: some node may have lost its last item while its page lives on
 * @observed: ops->outcome wants to be called; its owner's at any time, also before ksm_core_init()
 * @samples: a bit for each sample that a KSM page has, or had while there were others
 */
struct ksm_core {
	const struct ksm_ops *ops;
	void *ctx;
	unsigned long page_mask;
	unsigned long huge_mask;
	int nr_nodes;
	struct rb_root *stable;
	struct rb_root *unstable;
	unsigned int unstable_shift;
	struct rb_root *least;
	struct rb_root *buckets;
	unsigned long nr_buckets;
	struct list_head slots;
	DECLARE_HASHTABLE(slots_hash, KSM_SLOTS_HASH_BITS);
	struct ksm_scan scan;
	struct ksm_counters counters;
	int max_page_sharing;
	unsigned int prune_millisecs;
	unsigned int backoff;
	unsigned int thp_min_partners;
	bool smart_scan;
	bool use_zero_pages;
	bool zero_pages_only;
	u64 zero_hash;
	bool domains;
	u64 domain;
	bool empty_nodes;
	bool observed;
	u64 samples[KSM_SAMPLE_VALUES / 64];
};

/* items.c: life of items, nodes and slots */
void ksm_core_init(struct ksm_core *core, const struct ksm_ops *ops, void *ctx,
		   unsigned long page_size, struct rb_root *stable,
		   struct rb_root *unstable, int nr_nodes);
void ksm_core_add_slot(struct ksm_core *core, struct ksm_mm_slot *slot, struct mm_struct *mm);
struct ksm_mm_slot *ksm_core_find_slot(struct ksm_core *core, struct mm_struct *mm);
/* Frees all its items, moves the cursor off it; the caller frees the slot. */
void ksm_core_remove_slot(struct ksm_core *core, struct ksm_mm_slot *slot);
/* Frees the items of @slot at and above @from (a part of what the cursor has passed or not). */
void ksm_core_trim_slot(struct ksm_core *core, struct ksm_mm_slot *slot, unsigned long from);
/*
 * Hang @item on @node (sets flags, counters). Called by ops, under the page's lock. Where the
 * kernel reads linear_page_index the op sets it after this, before it releases the lock.
 */
void ksm_core_append(struct ksm_core *core, struct ksm_rmap_item *item,
		     struct ksm_stable_node *node);
/* Remove @node and all its items' links from the stable tree; frees @node. */
void ksm_core_remove_node(struct ksm_core *core, struct ksm_stable_node *node);
/* Any node of the stable trees that is not a chain, in tree order; NULL when there is none. */
struct ksm_stable_node *ksm_core_first_node(struct ksm_core *core);
/* Visit every such node; @fn may remove the node it is given. */
void ksm_core_for_each_node(struct ksm_core *core,
			    void (*fn)(struct ksm_core *core, struct ksm_stable_node *node,
				       void *arg),
			    void *arg);
/* Forget every stale node (its page gone). Returns how many nodes remain. */
unsigned long ksm_core_drop_stale_nodes(struct ksm_core *core);
/* Are there KSM pages? Stale nodes do not count, and go. */
bool ksm_core_holds_pages(struct ksm_core *core);

/**
 * struct ksm_tree_sizes - how many of what there are on one NUMA node
 * @nodes: KSM pages
 * @chains: chains
 * @dups: KSM pages that are in a chain
 * @items: rmap items on KSM pages
 * @unstable: items in the unstable tree
 */
struct ksm_tree_sizes {
	unsigned long nodes;
	unsigned long chains;
	unsigned long dups;
	unsigned long items;
	unsigned long unstable;
};

/* Count the trees of one NUMA node, from beginning to end. */
void ksm_core_tree_sizes(struct ksm_core *core, int nid, struct ksm_tree_sizes *sizes);

/* Change the number of trees: false, nothing changed, while there are nodes. */
bool ksm_core_set_nr_nodes(struct ksm_core *core, int nr_nodes);

/*
 * Merge only within the domains that ops->domain tells from now on, or regardless of them: false,
 * nothing changed, while there are nodes. Also to be called when these domains become others.
 */
bool ksm_core_set_domains(struct ksm_core *core, bool domains);

/**
 * struct ksm_probe - a search of the unstable index that a visit is going to make
 * @hash: the candidate's
 * @at: how far it has come
 * @nid: the candidate's
 */
struct ksm_probe {
	u64 hash;
	const struct rb_node *at;
	int nid;
};

/* index.c: before a batch, of the candidates of which more than a sample is known */
void ksm_core_warm(const struct ksm_core *core, struct ksm_probe *probes, unsigned int nr);
/* As many buckets for the unstable trees as these have items, between two passes */
unsigned long ksm_core_buckets_wanted(const struct ksm_core *core);
struct rb_root *ksm_core_exchange_buckets(struct ksm_core *core, struct rb_root *buckets,
					  unsigned long nr);

/* cursor.c: passes */
/* Begin a pass at the first slot if none is under way. False: there is no slot at all. */
bool ksm_core_begin_pass(struct ksm_core *core);
/*
 * The scanned slot's walk ended: trim what lies behind the cursor, go on to the next
 * slot. False when that ended the pass (full_scans is then one higher, the unstable
 * trees are empty).
 */
bool ksm_core_next_slot(struct ksm_core *core);
/* Abandon the pass under way (unmerge): cursor NULL, unstable trees emptied. */
void ksm_core_reset_scan(struct ksm_core *core);

/* policy.c: what to do with one candidate (cmp_and_merge_page) */
/* Visit what ops->next offers, for the slot under the cursor. Returns candidates visited. */
unsigned long ksm_core_scan_batch(struct ksm_core *core);
enum ksm_outcome ksm_core_visit(struct ksm_core *core, const struct ksm_candidate *cand);

/**
 * enum ksm_look - how much of a page has to be read
 * @KSM_LOOK_FULL: all of it
 * @KSM_LOOK_NEW: a sample; all of it when ksm_core_sample_known(): it may be equal to a KSM page
 * @KSM_LOOK_AGAIN: as before; and all of it when the sample is still the same: it may be equal to
 *	a page of the unstable tree
 * @KSM_LOOK_SURE: as KSM_LOOK_NEW, but while the sample is the same the hash is believed to be
 */
enum ksm_look { KSM_LOOK_FULL, KSM_LOOK_NEW, KSM_LOOK_AGAIN, KSM_LOOK_SURE };

/*
 * For the walk, before it reads a page: what the last visit knew. @at is NULL at the batch's first
 * address; addresses ascend. Changes nothing.
 */
enum ksm_look ksm_core_recall(struct ksm_core *core, struct ksm_rmap_item **at,
			      unsigned long address, u64 *hash, u16 *sample);

/* May a KSM page have this sample? Needs no lock: an answer out of date delays a merge. */
static inline bool ksm_core_sample_known(const struct ksm_core *core, u16 sample)
{
	return core->samples[sample / 64] >> sample % 64 & 1;
}

/*
 * For the walk, which meets merged pages more often than all others: the item of @address, or NULL.
 * @at is NULL at the batch's first address; addresses ascend. Changes nothing.
 */
static inline struct ksm_rmap_item *ksm_core_item_at(struct ksm_core *core,
						     struct ksm_rmap_item **at,
						     unsigned long address)
{
	struct ksm_rmap_item *item = *at ? *at : *core->scan.rmap_list;

	if (!item)
		return NULL;
	/* Stays at the last one: NULL would begin anew. */
	while (item->rmap_list && (item->address & core->page_mask) < address)
		item = item->rmap_list;
	*at = item;
	return (item->address & core->page_mask) == address ? item : NULL;
}

const char *ksm_outcome_text(enum ksm_outcome outcome);

#endif /* KSM_CORE_H */
