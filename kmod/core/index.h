/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where contents are looked up: all of the core that knows how the two kinds of tree are built.
 *
 * An index maps a content hash to its few entries. Stable entries are lone nodes and chains,
 * unstable ones are rmap items; each is kept per NUMA node. Another structure than a tree fits
 * behind the same functions. All run under the engine mutex and never sleep.
 */
#ifndef KSM_CORE_INDEX_H
#define KSM_CORE_INDEX_H

#include "ksm_core.h"

/*
 * Entries of one hash that a lookup considers. Different contents with equal 64-bit hashes do not
 * happen by chance; this bounds what happens when someone makes them.
 */
#define KSM_INDEX_RUN 8

/*
 * Where domains are kept apart, so many low bits of a key are the domain's: equal contents stand
 * side by side, each domain's for itself.
 */
#define KSM_DOMAIN_BITS 16
#define KSM_DOMAIN_MASK ((1ULL << KSM_DOMAIN_BITS) - 1)

/*
 * The unstable index has a bucket, 8 bytes, for so many items of the last pass, or up to twice as
 * many; where there have been more, down to half as many. Least and most buckets. No more, for all
 * are emptied at once at the end of a pass: 4 MiB.
 */
#define KSM_BUCKET_ITEMS 32
#define KSM_BUCKETS_MIN 64UL
#define KSM_BUCKETS_MAX (1UL << 19)

u64 ksm_index_key(const struct ksm_core *core, u64 hash, u64 domain);
bool ksm_index_only_foreign(const struct ksm_core *core, const struct ksm_rmap_item *item);

/* Where a search that found nothing ended */
struct ksm_index_place {
	struct rb_node *parent;
	struct rb_node **link;
};

/* The unstable index */
int ksm_index_find_unstable(struct ksm_core *core, int nid, u64 hash,
			    struct ksm_rmap_item *run[KSM_INDEX_RUN],
			    struct ksm_index_place *place);
void ksm_index_insert_unstable(struct ksm_core *core, struct ksm_rmap_item *item,
			       const struct ksm_index_place *place);
void ksm_index_remove_unstable(struct ksm_core *core, struct ksm_rmap_item *item);
void ksm_index_reset_unstable(struct ksm_core *core);
void ksm_index_spread_unstable(struct ksm_core *core);
unsigned long ksm_index_count_unstable(const struct ksm_core *core, int nid);

/* The stable index */
int ksm_index_find_stable(struct ksm_core *core, int nid, u64 hash,
			  struct ksm_stable_node *run[KSM_INDEX_RUN]);
bool ksm_index_has_stable(const struct ksm_core *core, int nid, u64 hash);
void ksm_index_insert_stable(struct ksm_core *core, struct ksm_stable_node *entry);
void ksm_index_remove_stable(struct ksm_core *core, struct ksm_stable_node *entry);
void ksm_index_replace_stable(struct ksm_core *core, struct ksm_stable_node *old,
			      struct ksm_stable_node *entry);
struct ksm_stable_node *ksm_index_next_stable(struct ksm_core *core, struct ksm_stable_node *entry);

#endif /* KSM_CORE_INDEX_H */
