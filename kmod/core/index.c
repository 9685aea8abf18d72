// SPDX-License-Identifier: GPL-2.0
/*
 * The indexes as red-black trees keyed by content hash and, in its low bits, merge domain.
 *
 * The unstable one is cut into many small trees, each for a part of the keys, chosen by their
 * highest bits: a search of a large tree misses the caches at each of its lower levels. How many
 * there are is decided where a pass ends, for then they are all empty and nothing has to move.
 *
 * The key only leads to likely partners. Whether they are of one domain is asked where two pages
 * become one, for two domains may have the same low bits; as two contents may have one hash.
 *
 * Entries with equal keys stand side by side, a newcomer behind those already there. In order,
 * not by content: the content of an unstable page may change at any time, so an order by content
 * could not be trusted there, and in the stable tree equal hashes of different contents are too
 * rare to deserve one.
 */
#include <linux/prefetch.h>

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

/* How many buckets there are for each NUMA node, as a power of two */
static __always_inline unsigned int order_of(const struct ksm_core *core)
{
	return 63 - core->unstable_shift;
}

/* The part of the unstable index where a key is: keys of equal contents are in the same one. */
static __always_inline struct rb_root *bucket_of(const struct ksm_core *core, int nid, u64 hash)
{
	/* In two steps: by all 64 bits cannot be shifted. */
	return &core->unstable[((unsigned long)nid << order_of(core)) +
			       (hash >> 1 >> core->unstable_shift)];
}

/* The first entry whose key is not below @hash */
static __always_inline struct rb_node *find_first(const struct rb_root *root, u64 hash,
						  hash_of_fn *hash_of)
{
	struct rb_node *rb = root->rb_node;
	struct rb_node *first = NULL;

	while (rb) {
		if (hash_of(rb) < hash) {
			rb = rb->rb_right;
		} else {
			first = rb;
			rb = rb->rb_left;
		}
	}
	return first;
}

/* As find_first(); also where in the tree an entry of that key belongs if there is none yet. */
static __always_inline struct rb_node *
find_place(struct rb_root *root, u64 hash, hash_of_fn *hash_of, struct ksm_index_place *place)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *first = NULL;

	place->parent = NULL;
	while (*link) {
		place->parent = *link;
		if (hash_of(*link) < hash) {
			link = &(*link)->rb_right;
		} else {
			first = *link;
			link = &(*link)->rb_left;
		}
	}
	place->link = link;
	return first;
}

static __always_inline bool same_content(u64 key, u64 other)
{
	return (key ^ other) <= KSM_DOMAIN_MASK;
}

/* Entries of a content, seen from one of them */
enum company { ALONE, FOREIGN, OWN };

/* Is there another entry with the key of @rb, or if not, one of the same content? */
static __always_inline enum company company_of(const struct rb_node *rb, hash_of_fn *hash_of)
{
	const struct rb_node *beside[] = { rb_prev(rb), rb_next(rb) };
	u64 key = hash_of(rb);
	enum company company = ALONE;

	for (int i = 0; i < 2; i++) {
		if (!beside[i])
			continue;
		if (hash_of(beside[i]) == key)
			return OWN;
		if (same_content(hash_of(beside[i]), key))
			company = FOREIGN;
	}
	return company;
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
 * ksm_index_key() - under which key a content is kept
 * @core: the engine
 * @hash: content hash
 * @domain: merge domain
 *
 * The domain's part depends on the content, too: nobody can find two domains that go by the same
 * bits everywhere.
 */
u64 ksm_index_key(const struct ksm_core *core, u64 hash, u64 domain)
{
	u64 mixed = (domain ^ hash >> KSM_DOMAIN_BITS) * 0x9e3779b97f4a7c15ULL;

	if (!core->domains)
		return hash;
	mixed = (mixed ^ mixed >> 32) * 0xbf58476d1ce4e5b9ULL;
	return (hash & ~KSM_DOMAIN_MASK) | mixed >> (64 - KSM_DOMAIN_BITS);
}

/**
 * ksm_index_only_foreign() - is there an equal page in other domains, and none in the item's own?
 * @core: the engine, keeping domains apart
 * @item: in the unstable tree
 *
 * Equal by key: nothing is compared. A few ways through a tree, however many domains there are.
 */
bool ksm_index_only_foreign(const struct ksm_core *core, const struct ksm_rmap_item *item)
{
	const struct rb_root *stable = &core->stable[item->nid];
	const struct rb_node *found = find_first(stable, item->hash, node_hash);
	enum company company = company_of(&item->node, item_hash);

	if (company == OWN || (found && node_hash(found) == item->hash))
		return false;
	found = find_first(stable, item->hash & ~KSM_DOMAIN_MASK, node_hash);
	return company == FOREIGN || (found && same_content(node_hash(found), item->hash));
}

/**
 * ksm_index_find_unstable() - the items of one key
 * @core: the engine
 * @nid: NUMA node whose tree to search
 * @hash: the key
 * @run: filled with the items, oldest first
 * @place: where to insert one, if there is none
 *
 * Return: how many there are; those beyond KSM_INDEX_RUN are not found.
 */
int ksm_index_find_unstable(struct ksm_core *core, int nid, u64 hash,
			    struct ksm_rmap_item *run[KSM_INDEX_RUN], struct ksm_index_place *place)
{
	struct rb_node *rb = find_place(bucket_of(core, nid, hash), hash, item_hash, place);
	int n = 0;

	for (; rb && n < KSM_INDEX_RUN && item_hash(rb) == hash; rb = rb_next(rb))
		run[n++] = rb_entry(rb, struct ksm_rmap_item, node);
	return n;
}

/**
 * ksm_core_warm() - have what searches are going to read in the caches
 * @core: the engine
 * @probes: the searches; ksm_probe.at is used up
 * @nr: how many
 *
 * Changes nothing. One search waits for memory at each level; many waits side by side take hardly
 * longer than one.
 */
void ksm_core_warm(const struct ksm_core *core, struct ksm_probe *probes, unsigned int nr)
{
	unsigned int left = 0;

	/* Nothing in these loops waits for the round before: a processor does several at a time. */
	for (unsigned int i = 0; i < nr; i++) {
		probes[i].at = bucket_of(core, probes[i].nid, probes[i].hash)->rb_node;
		prefetch(probes[i].at);
	}
	for (; nr; nr = left) {
		left = 0;
		for (unsigned int i = 0; i < nr; i++) {
			const struct rb_node *rb = probes[i].at;
			u64 hash = probes[i].hash;

			if (!rb)
				continue;
			rb = item_hash(rb) < hash ? rb->rb_right : rb->rb_left;
			prefetch(rb);
			probes[left].hash = hash;
			probes[left++].at = rb;
		}
	}
}

/**
 * ksm_index_insert_unstable() - add an item under its hash and nid
 * @core: the engine
 * @item: not in any tree
 * @place: what ksm_index_find_unstable() said for that hash and nid, when it found none and the
 *	index has not changed since; else NULL
 */
void ksm_index_insert_unstable(struct ksm_core *core, struct ksm_rmap_item *item,
			       const struct ksm_index_place *place)
{
	struct rb_root *root = bucket_of(core, item->nid, item->hash);

	if (!place) {
		insert(root, &item->node, item_hash);
		return;
	}
	rb_link_node(&item->node, place->parent, place->link);
	rb_insert_color(&item->node, root);
}

/**
 * ksm_index_remove_unstable() - take an item out
 * @core: the engine
 * @item: inserted since the last ksm_index_reset_unstable()
 */
void ksm_index_remove_unstable(struct ksm_core *core, struct ksm_rmap_item *item)
{
	rb_erase(&item->node, bucket_of(core, item->nid, item->hash));
}

/**
 * ksm_index_reset_unstable() - forget all items at once, without touching them
 * @core: the engine
 */
void ksm_index_reset_unstable(struct ksm_core *core)
{
	for (unsigned long i = 0; i < (unsigned long)core->nr_nodes << order_of(core); i++)
		core->unstable[i] = RB_ROOT;
}

/**
 * ksm_index_spread_unstable() - use as many buckets as there are
 * @core: the engine, whose unstable index is empty, or is to be
 *
 * As many for each NUMA node.
 */
void ksm_index_spread_unstable(struct ksm_core *core)
{
	unsigned int order = 0;

	core->unstable = core->least;
	if (core->nr_buckets >= (unsigned long)core->nr_nodes) {
		core->unstable = core->buckets;
		while ((unsigned long)core->nr_nodes << (order + 1) <= core->nr_buckets)
			order++;
	}
	core->unstable_shift = 63 - order;
	ksm_index_reset_unstable(core);
}

/**
 * ksm_core_buckets_wanted() - into how many buckets the items of the unstable index belong
 * @core: the engine, between two passes
 *
 * By the items of the pass that ended. Small differences do not count.
 *
 * Return: how many, a power of two; 0: none, those that ksm_core_init() was given will do; or as
 * many as there are.
 */
unsigned long ksm_core_buckets_wanted(const struct ksm_core *core)
{
	unsigned long most = core->counters.pages_unshared / KSM_BUCKET_ITEMS;
	unsigned long wanted = KSM_BUCKETS_MIN;

	while (wanted <= most / 2 && wanted < KSM_BUCKETS_MAX)
		wanted *= 2;
	if (wanted > most)
		wanted = 0;
	if (wanted < core->nr_buckets && wanted >= core->nr_buckets / 2)
		return core->nr_buckets;
	return wanted;
}

/**
 * ksm_core_exchange_buckets() - have another number of buckets
 * @core: the engine
 * @buckets: room for @nr of them; the core's until it is given back by another call
 * @nr: ksm_core_buckets_wanted(); 0, with @buckets NULL: none
 *
 * Return: what the core does not use any more: what it had, or NULL; @buckets itself while a pass
 * is under way.
 */
struct rb_root *ksm_core_exchange_buckets(struct ksm_core *core, struct rb_root *buckets,
					  unsigned long nr)
{
	struct rb_root *old = core->buckets;

	if (core->scan.mm_slot)
		return buckets;
	core->buckets = buckets;
	core->nr_buckets = nr;
	ksm_index_spread_unstable(core);
	return old;
}

/**
 * ksm_index_count_unstable() - how many items there are, counted one by one
 * @core: the engine
 * @nid: NUMA node whose tree to count
 */
unsigned long ksm_index_count_unstable(const struct ksm_core *core, int nid)
{
	unsigned int order = order_of(core);
	unsigned long first = (unsigned long)nid << order;
	const struct rb_node *rb;
	unsigned long n = 0;

	for (unsigned long i = first; i < first + (1UL << order); i++)
		for (rb = rb_first(&core->unstable[i]); rb; rb = rb_next(rb))
			n++;
	return n;
}

/**
 * ksm_index_find_stable() - the lone nodes and chains of one key
 * @core: the engine
 * @nid: NUMA node whose tree to search
 * @hash: the key
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
 * ksm_index_has_stable() - is there a lone node or chain of one key?
 * @core: the engine
 * @nid: NUMA node whose tree to search
 * @hash: the key
 */
bool ksm_index_has_stable(const struct ksm_core *core, int nid, u64 hash)
{
	const struct rb_node *rb = find_first(&core->stable[nid], hash, node_hash);

	return rb && node_hash(rb) == hash;
}

/**
 * ksm_index_insert_stable() - add a lone node or a chain under its hash and nid
 * @core: the engine
 * @entry: not in any tree
 */
void ksm_index_insert_stable(struct ksm_core *core, struct ksm_stable_node *entry)
{
	insert(&core->stable[entry->nid], &entry->node, node_hash);
	if (core->domains && company_of(&entry->node, node_hash) == FOREIGN)
		core->counters.domain_refused++;
}

/**
 * ksm_index_remove_stable() - take a lone node or a chain out
 * @core: the engine
 * @entry: in the index
 */
void ksm_index_remove_stable(struct ksm_core *core, struct ksm_stable_node *entry)
{
	if (core->domains && company_of(&entry->node, node_hash) == FOREIGN)
		core->counters.domain_refused--;
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
