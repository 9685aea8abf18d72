/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What there is one of for each page: nodes of merged pages, and items of tracked ones.
 *
 * The kernel's reverse map, migration and memory failure read them as if they were in-tree KSM's:
 * what these use is where in-tree has it, all else where the kernel does not look. Both are 64
 * bytes, as in-tree's, for nearly all of the engine's memory goes into them.
 */
#ifndef KSM_CORE_RMAP_H
#define KSM_CORE_RMAP_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/rbtree.h>

struct mm_struct;
struct anon_vma;

/* Low bits of ksm_rmap_item.address */
#define SEQNR_MASK 0x0ff /* low bits of the pass that put it into the unstable tree, or merged it */
#define UNSTABLE_FLAG 0x100 /* is a node of the unstable tree */
#define STABLE_FLAG 0x200 /* hangs on a stable node */
#define FOREIGN_FLAG 0x400 /* unstable, and has an equal page in another domain alone */
#define SURE_FLAG 0x800 /* unstable, and read in full twice with the same result */

/* Where counting stops: smart_scan_step() and back_off() of more are the same */
#define KSM_AGE_MAX 9
#define KSM_FLIPS_MAX 4

/* ksm_stable_node.rmap_hlist_len of a chain */
#define STABLE_NODE_CHAIN (-1024)

/*
 * ksm_stable_node.head of a dup. In a tree the same word is the rb node's parent and colour, which
 * never is 2: parents are aligned and only bit 0 is colour.
 */
#define KSM_STABLE_DUP_HEAD ((struct list_head *)2UL)

/* In bytes: a line of the cache. An item on a node uses the bits free in a pointer to the node. */
#define KSM_NODE_ALIGN 64

/**
 * struct ksm_stable_node - one KSM page, or a chain of equal ones
 * @node: in the stable tree (a lone node or a chain)
 * @head: KSM_STABLE_DUP_HEAD when a dup of a chain
 * @hlist_dup: link into the chain's @hlist, when a dup
 * @hash: the key in the tree (ksm_index_key()). The content of a KSM page never changes, so
 *	neither does this.
 * @domain: merge domain of all its items, but for those whose address space moved since; a dup has
 *	its chain's. See ksm_stable_node_domain()
 * @chain: of a dup: the chain it is in
 * @hlist: a page's rmap items; a chain's dups
 * @kpfn: page frame; the kernel's migration code writes it under the page lock
 * @chain_prune_time: of a chain: when its dups were last checked, ops->now units
 * @rmap_hlist_len: number of rmap items, or STABLE_NODE_CHAIN
 * @sample: ksm_sample() of its page
 * @nid: tree the node is in
 * @zero: its page was seen to be all zeroes when it could not change any more; for ops
 *
 * rmap_walk_ksm() and folio_migrate_ksm() of the running kernel expect @hlist and @kpfn behind
 * page->mapping, where in-tree KSM has them; the loader verifies the layout against BTF. @hlist,
 * @kpfn and the page's mapping change only under the page lock: the kernel reads them there. All
 * else is the engine's own: @hash to @chain are where in-tree has a list that the engine does not
 * need, @sample to @zero where it has a wider nid.
 */
struct ksm_stable_node {
	union {
		struct rb_node node;
		struct {
			struct list_head *head;
			struct hlist_node hlist_dup;
		};
	};
	u64 hash;
	union {
		u64 domain;
		struct ksm_stable_node *chain;
	};
	struct hlist_head hlist;
	union {
		unsigned long kpfn;
		unsigned long chain_prune_time;
	};
	int rmap_hlist_len;
	u16 sample;
	u16 nid : 15;
	u16 zero : 1;
} __aligned(KSM_NODE_ALIGN);
_Static_assert(sizeof(struct ksm_stable_node) == 64, "as in-tree's");

static inline bool is_stable_node_chain(const struct ksm_stable_node *node)
{
	return node->rmap_hlist_len == STABLE_NODE_CHAIN;
}

static inline bool is_stable_node_dup(const struct ksm_stable_node *node)
{
	return node->head == KSM_STABLE_DUP_HEAD;
}

/* The merge domain of a node, which may be a dup. */
static inline u64 ksm_stable_node_domain(const struct ksm_stable_node *node)
{
	return is_stable_node_dup(node) ? node->chain->domain : node->domain;
}

/**
 * struct ksm_rmap_item - one virtual page that the engine tracks
 * @rmap_list: next item of the same address space, by ascending address
 * @anon_vma: referenced while on a stable node, for the kernel's reverse map
 * @hash: on no node: the content hash at the last look, or 0 when only a sample was taken; in the
 *	unstable tree, the key. Where domains are kept apart the lowest bits of a key are not the
 *	content's. Its high half is what in-tree KSM has as oldchecksum: see oldchecksum()
 * @mm: the address space
 * @address: virtual address, page aligned, with the flags above in the low bits
 * @nid: unstable tree the item is in
 * @sample: ksm_sample() at the last look
 * @age: visits since creation, stops at KSM_AGE_MAX
 * @flips: how often in a row its page was written soon after it was merged, stops at KSM_FLIPS_MAX
 * @remaining_skips: so many passes leave it alone for that. (In-tree smart scan's; this one goes by
 *	the number of the pass)
 * @linear_page_index: on a stable node: @address as the anon_vma's areas are indexed, which
 *	later kernels' reverse map reads
 * @node: in the unstable tree
 * @head: on a stable node: the node, and what outlives the stay there; see ksm_item_node()
 * @hlist: link into the node's hlist
 *
 * The kernel reads items on nodes: @anon_vma, @mm, @address, @hlist and @linear_page_index, where
 * in-tree KSM has them; the loader verifies it as for struct ksm_stable_node. What an item on no
 * node has in the place of the first and the last is away on a node, where it is not needed: hash
 * and sample of the content are the node's, and no pass skips a merged page. Only @age and @flips
 * are kept, by put_on_node() and take_off_node().
 */
struct ksm_rmap_item {
	struct ksm_rmap_item *rmap_list;
	union {
		struct anon_vma *anon_vma;
		u64 hash;
	};
	struct mm_struct *mm;
	unsigned long address;
	union {
		struct {
			u16 nid;
			u16 sample;
			u8 age;
			u8 flips;
			u8 remaining_skips;
		};
		unsigned long linear_page_index;
	};
	union {
		struct rb_node node;
		struct {
			unsigned long head;
			struct hlist_node hlist;
		};
	};
};
_Static_assert(sizeof(struct ksm_rmap_item) == 64, "as in-tree's");

/* The stable node that an item with STABLE_FLAG hangs on */
static inline struct ksm_stable_node *ksm_item_node(const struct ksm_rmap_item *item)
{
	return (struct ksm_stable_node *)(item->head & ~(KSM_NODE_ALIGN - 1UL));
}

/* In-tree's checksum of the content of an item on no node; 0: not known */
static inline unsigned int oldchecksum(const struct ksm_rmap_item *item)
{
	return item->hash >> 32;
}

#endif /* KSM_CORE_RMAP_H */
