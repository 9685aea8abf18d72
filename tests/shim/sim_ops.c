// SPDX-License-Identifier: GPL-2.0
/*
 * The core's ops on the simulated machine.
 */
#include <stdlib.h>
#include <string.h>
#include "huge.h"
#include "sim.h"

/* What each op may answer when it does not do what it was asked for; ends with 0. */
static const int errors[SIM_NR_OPS][8] = {
	[SIM_HOLD] = { -EAGAIN, SIM_FAIL_HARD },
	[SIM_HOLD_LOCK] = { SIM_FAIL_HARD },
	[SIM_HOLD_ITEM] = { -EAGAIN, SIM_FAIL_HARD },
	[SIM_MERGE_INTO] = { -EAGAIN, -ESTALE, -EBUSY, -EFAULT, -ENOMEM, -EIO },
	[SIM_PROMOTE] = { -EAGAIN, -ESTALE, -EBUSY, -EFAULT, -ENOMEM, -EIO, SIM_FAIL_HARD },
	[SIM_MERGE_ZERO] = { -EAGAIN, -ESTALE, -EBUSY, -EFAULT, -ENOMEM, -EIO },
	[SIM_DOMAIN] = { SIM_FAIL_HARD },
	[SIM_ADOPT] = { -ESTALE, -ENOMEM },
	[SIM_UNSHARE] = { -ENOMEM, -EFAULT },
	[SIM_ALLOC_ITEM] = { -ENOMEM },
	[SIM_ALLOC_NODE] = { -ENOMEM },
	[SIM_ALLOC_HUGE] = { -ENOMEM },
	[SIM_ALLOC_BUCKETS] = { -ENOMEM },
};

const int *sim_errors(enum sim_op op)
{
	return errors[op];
}

static int failure(struct sim *sim, enum sim_op op)
{
	int n = 0;

	sim->calls[op]++;
	if (sim->scanned && sim->meddle_chance && !sim_random(sim, sim->meddle_chance))
		sim_meddle(sim);
	if (sim->fail_nth && op == sim->fail_op && !--sim->fail_nth) {
		sim->failed++;
		return sim->fail_err;
	}
	if (!sim->fail_chance || sim_random(sim, sim->fail_chance))
		return 0;
	sim->failed++;
	while (errors[op][n])
		n++;
	return errors[op][sim_random(sim, n)];
}

static u64 mixed(u64 content)
{
	content *= 0x9e3779b97f4a7c15ULL;
	return content ^ content >> 29;
}

/* Zeroes keep their hash to themselves: nobody finds a collision with one given page. */
u64 sim_hash(struct sim *sim, u64 content)
{
	return mixed(sim->hash_mod && content ? 1 + content % sim->hash_mod : content);
}

/* Samples of all contents differ, however bad the hashes are; some samples are always the same. */
u16 sim_sample(struct sim *sim, u64 content)
{
	return sim->blind_samples ? 0 : mixed(content) >> 32;
}

static struct sim_vpage *vpage_of(struct ksm_rmap_item *item)
{
	return &item->mm->vpages[SIM_INDEX(item->address & ~(SIM_PAGE_SIZE - 1))];
}

static void check_held(struct sim *sim, const struct page *page, const char *who)
{
	if (page->refs <= 0)
		sim_violation(sim, "%s of pfn %lu without a reference", who, page->pfn);
}

static bool op_next(void *ctx, struct ksm_candidate *cand)
{
	struct sim *sim = ctx;
	struct page *page;

	if (sim->batch_pos == sim->batch_len)
		return false;
	*cand = sim->batch[sim->batch_pos++];
	if (cand->settled)
		return true;
	page = cand->page;
	cand->huge &= !!page->huge;
	/* A stale view may miss that a page became a KSM page, never show a node that is freed. */
	if (!sim->stale_next || cand->node || cand->orphan) {
		cand->node = page->ksm ? page->node : NULL;
		cand->orphan = page->ksm && !page->node;
	}
	return true;
}

static u64 op_checksum(void *ctx, struct mm_struct *mm, struct page *page)
{
	check_held(ctx, page, "checksum");
	return sim_hash(ctx, page->content);
}

static u16 op_sample(void *ctx, struct page *page)
{
	check_held(ctx, page, "sample");
	return sim_sample(ctx, page->content);
}

static bool op_differ(void *ctx, struct page *a, struct page *b)
{
	check_held(ctx, a, "differ");
	check_held(ctx, b, "differ");
	return a->content != b->content;
}

static struct page *page_of(struct sim *sim, struct ksm_stable_node *node)
{
	struct page *page = node->kpfn < sim->nr_frames ? sim->frames[node->kpfn] : NULL;

	return page && page->ksm && page->node == node ? page : NULL;
}

/* All mappings go, as far as the page can be spared. */
static void vanish(struct sim *sim, struct page *page)
{
	sim_get(page);
	for (int m = 0; m < sim->nr_mms; m++)
		for (int i = 0; i < sim->mms[m]->nr; i++)
			if (sim->mms[m]->vpages[i].page == page)
				sim_zap(sim, sim->mms[m], i);
	sim_put(sim, page);
}

static struct page *op_hold(void *ctx, struct ksm_stable_node *node, enum ksm_hold how)
{
	struct sim *sim = ctx;
	int err = failure(sim, how == KSM_HOLD_LOCK ? SIM_HOLD_LOCK : SIM_HOLD);
	struct page *page = page_of(sim, node);

	if (err == SIM_FAIL_HARD && page) {
		vanish(sim, page);
		page = page_of(sim, node);
	} else if (err && err != SIM_FAIL_HARD) {
		return ERR_PTR(err);
	}
	if (!page)
		return ERR_PTR(-ESTALE);
	if (how == KSM_HOLD_LOCK) {
		if (page->locked)
			sim_violation(sim, "deadlock: pfn %lu is locked", page->pfn);
		page->locked = true;
	}
	sim_get(page);
	return page;
}

static void op_release(void *ctx, struct page *page, enum ksm_hold how)
{
	if (page->locked != (how == KSM_HOLD_LOCK))
		sim_violation(ctx, "pfn %lu released in the wrong way", page->pfn);
	page->locked = false;
	sim_put(ctx, page);
}

static struct page *op_hold_item(void *ctx, struct ksm_rmap_item *item)
{
	struct sim *sim = ctx;
	int err = failure(sim, SIM_HOLD_ITEM);
	struct sim_vpage *vpage = vpage_of(item);

	if (!(item->address & UNSTABLE_FLAG))
		sim_violation(sim, "hold_item of an item that is not unstable");
	if (err == SIM_FAIL_HARD)
		sim_zap(sim, item->mm, SIM_INDEX(item->address));
	else if (err)
		return ERR_PTR(err);
	if (item->mm->contended && item->mm != sim->scanned)
		return ERR_PTR(-EAGAIN);
	if (!vpage->page || !vpage->mergeable || vpage->page->ksm || vpage->page == sim->zero)
		return ERR_PTR(-ESTALE);
	sim_get(vpage->page);
	return vpage->page;
}

static int op_maps(void *ctx, struct ksm_rmap_item *item, struct page *page)
{
	struct sim *sim = ctx;

	if (!(item->address & UNSTABLE_FLAG))
		sim_violation(sim, "asked what an item maps that is not unstable");
	if (item->mm->contended && item->mm != sim->scanned)
		return -EAGAIN;
	return vpage_of(item)->page == page;
}

/* What the reverse map needs of an item on a node. All bits high: no age, no number of skips. */
unsigned long sim_linear_index(const struct ksm_rmap_item *item)
{
	return ~(item->address >> SIM_PAGE_SHIFT);
}

static void append(struct sim *sim, struct ksm_rmap_item *item, struct ksm_stable_node *node,
		   struct page *kpage)
{
	if (kpage->locked)
		sim_violation(sim, "deadlock: pfn %lu is locked", kpage->pfn);
	kpage->locked = true;
	item->anon_vma = malloc(1);
	sim->anon_vmas++;
	ksm_core_append(&sim->core, item, node);
	item->linear_page_index = sim_linear_index(item);
	kpage->locked = false;
}

/* One page for two address spaces, @mm and that of @node: may they? */
static void check_domain(struct sim *sim, const struct mm_struct *mm,
			 const struct ksm_stable_node *node)
{
	u64 domain = ksm_stable_node_domain(node);

	if (domain != (sim->core.domains ? mm->domain : 0))
		sim_violation(sim, "mm %d of domain %llu gets a page of domain %llu", mm->id,
			      mm->domain, domain);
}

static void check_loose(struct sim *sim, const struct ksm_rmap_item *item)
{
	if (item->address & (STABLE_FLAG | UNSTABLE_FLAG))
		sim_violation(sim, "an item to be merged is still in a tree");
}

static int op_merge_into(void *ctx, struct ksm_rmap_item *item, struct page *page,
			 struct ksm_stable_node *node, struct page *kpage)
{
	struct sim *sim = ctx;
	int err = failure(sim, SIM_MERGE_INTO);
	struct sim_vpage *vpage = vpage_of(item);

	check_held(sim, page, "merge");
	check_held(sim, kpage, "merge into");
	check_loose(sim, item);
	check_domain(sim, item->mm, node);
	if (kpage->node != node || item->mm != sim->scanned)
		sim_violation(sim, "merge_into with a wrong node or item");
	if (!node->rmap_hlist_len || node->rmap_hlist_len >= sim->core.max_page_sharing)
		sim_violation(sim, "merge_into a node with %d of %d items", node->rmap_hlist_len,
			      sim->core.max_page_sharing);
	if (err)
		return err;
	if (vpage->page != page || !vpage->mergeable)
		return -EFAULT;
	if (page->pinned)
		return -EBUSY;
	if (page == kpage)
		return -EAGAIN;
	sim_split(sim, page);
	if (page->content != kpage->content)
		return -ESTALE;
	append(sim, item, node, kpage);
	sim_remap(sim, vpage, kpage);
	return 0;
}

/* Both owners happen to write the same in the last moment: equal still, but not what was hashed. */
static void rewrite_pair(struct sim *sim, struct ksm_rmap_item *item,
			 struct ksm_rmap_item *tree_item)
{
	u64 content = 1 + sim_random(sim, 6);

	if (vpage_of(item)->page && vpage_of(tree_item)->page) {
		sim_write(sim, item->mm, SIM_INDEX(item->address), content);
		sim_write(sim, tree_item->mm, SIM_INDEX(tree_item->address), content);
	}
}

static int op_promote_pair(void *ctx, struct ksm_rmap_item *item, struct page *page,
			   struct ksm_rmap_item *tree_item, struct page *tree_page,
			   struct ksm_stable_node *node)
{
	struct sim *sim = ctx;
	int err = failure(sim, SIM_PROMOTE);
	struct sim_vpage *vpage = vpage_of(item), *tree_vpage = vpage_of(tree_item);

	if (sim->meddle_chance && !sim_random(sim, 4))
		rewrite_pair(sim, item, tree_item);
	check_held(sim, page, "promote");
	check_held(sim, tree_page, "promote");
	check_loose(sim, item);
	check_loose(sim, tree_item);
	check_domain(sim, item->mm, node);
	check_domain(sim, tree_item->mm, node);
	if (page == tree_page || item->mm != sim->scanned || node->rmap_hlist_len)
		sim_violation(sim, "promote_pair with wrong arguments");
	if (err && err != SIM_FAIL_HARD)
		return err;
	if (tree_item->mm->contended && tree_item->mm != sim->scanned)
		return -EAGAIN;
	if (vpage->page != page || tree_vpage->page != tree_page || !vpage->mergeable ||
	    !tree_vpage->mergeable)
		return -EFAULT;
	if (page->pinned || tree_page->pinned)
		return -EBUSY;
	if (page->ksm || tree_page->ksm)
		return -EAGAIN;
	sim_split(sim, tree_page);
	sim_split(sim, page);
	if (page->content != tree_page->content)
		return -ESTALE;
	tree_page->ksm = true;
	if (err) {
		/* Undone: other mappings since a fork keep a KSM page without a node. */
		sim_unshare_vpage(sim, tree_item->mm, SIM_INDEX(tree_item->address));
		return -ESTALE;
	}
	tree_page->node = node;
	node->kpfn = tree_page->pfn;
	append(sim, tree_item, node, tree_page);
	append(sim, item, node, tree_page);
	sim_remap(sim, vpage, tree_page);
	return 0;
}

static int op_merge_zero(void *ctx, struct ksm_rmap_item *item, struct page *page)
{
	struct sim *sim = ctx;
	int err = failure(sim, SIM_MERGE_ZERO);
	struct sim_vpage *vpage = vpage_of(item);

	check_held(sim, page, "replace by zeroes");
	check_loose(sim, item);
	if (item->mm != sim->scanned ||
	    (!sim->core.use_zero_pages && !sim->core.zero_pages_only))
		sim_violation(sim, "merge_zero of a wrong item, or not wanted");
	if (err)
		return err;
	if (vpage->page != page || !vpage->mergeable)
		return -EFAULT;
	if (page->pinned)
		return -EBUSY;
	if (page->ksm)
		return -EAGAIN;
	sim_split(sim, page);
	if (page->content)
		return -ESTALE;
	sim_remap(sim, vpage, sim->zero);
	return 0;
}

static u64 op_domain(void *ctx, struct mm_struct *mm)
{
	struct sim *sim = ctx;

	if (!sim->core.domains)
		sim_violation(sim, "asked for a domain that nobody wants to know");
	/* Its owner has just gone. */
	return failure(sim, SIM_DOMAIN) ? KSM_DOMAIN_NONE : mm->domain;
}

static int op_page_nid(void *ctx, struct page *page)
{
	struct sim *sim = ctx;

	check_held(sim, page, "nid");
	return sim->core.nr_nodes > 1 ? page->nid : 0;
}

static int op_adopt(void *ctx, struct ksm_rmap_item *item, struct page *page,
		    struct ksm_stable_node *node)
{
	struct sim *sim = ctx;
	int err = failure(sim, SIM_ADOPT);
	struct sim_vpage *vpage = vpage_of(item);

	check_held(sim, page, "adopt");
	check_loose(sim, item);
	check_domain(sim, item->mm, node);
	if (err)
		return err;
	if (vpage->page != page || page->node != node || !vpage->mergeable)
		return -ESTALE;
	append(sim, item, node, page);
	return 0;
}

static int op_unshare(void *ctx, struct mm_struct *mm, unsigned long address)
{
	struct sim *sim = ctx;
	int err = failure(sim, SIM_UNSHARE);

	if (mm != sim->scanned)
		sim_violation(sim, "unshare in another address space");
	if (!err)
		sim_unshare_vpage(sim, mm, SIM_INDEX(address));
	return err;
}

static void op_put_anon_vma(void *ctx, struct ksm_rmap_item *item)
{
	struct sim *sim = ctx;

	free(item->anon_vma);
	sim->anon_vmas--;
}

static void op_account(void *ctx, struct mm_struct *mm, long merging, long items)
{
	mm->merging += merging;
	mm->items += items;
}

static struct ksm_rmap_item *op_alloc_item(void *ctx)
{
	struct sim *sim = ctx;

	if (failure(sim, SIM_ALLOC_ITEM))
		return NULL;
	sim->items++;
	return calloc(1, sizeof(struct ksm_rmap_item));
}

static void op_free_item(void *ctx, struct ksm_rmap_item *item)
{
	check_loose(ctx, item);
	((struct sim *)ctx)->items--;
	free(item);
}

static struct ksm_stable_node *op_alloc_node(void *ctx)
{
	struct ksm_stable_node *node;
	struct sim *sim = ctx;

	if (failure(sim, SIM_ALLOC_NODE))
		return NULL;
	sim->nodes++;
	node = aligned_alloc(KSM_NODE_ALIGN, sizeof(*node));
	return memset(node, 0, sizeof(*node));
}

static void op_free_node(void *ctx, struct ksm_stable_node *node)
{
	struct sim *sim = ctx;

	if (node->hlist.first)
		sim_violation(sim, "a node was freed with items or dups on it");
	sim->nodes--;
	free(node);
}

static struct ksm_huge *op_alloc_huge(void *ctx)
{
	struct sim *sim = ctx;

	if (failure(sim, SIM_ALLOC_HUGE))
		return NULL;
	sim->huges++;
	return calloc(1, sizeof(struct ksm_huge));
}

static void op_free_huge(void *ctx, struct ksm_huge *huge)
{
	((struct sim *)ctx)->huges--;
	free(huge);
}

/* As ksme_fit_index(): where a pass ended, and wherever else that comes into somebody's mind. */
void sim_fit_index(struct sim *sim)
{
	unsigned long nr = sim->buckets;
	struct rb_root *buckets = NULL, *old;

	if (sim->buckets < 0)
		nr = ksm_core_buckets_wanted(&sim->core);
	if (nr == sim->core.nr_buckets)
		return;
	if (nr) {
		if (failure(sim, SIM_ALLOC_BUCKETS))
			return;
		buckets = malloc(nr * sizeof(*buckets));
		/* The core must not need zeroed memory. */
		memset(buckets, 0xaa, nr * sizeof(*buckets));
	}
	old = ksm_core_exchange_buckets(&sim->core, buckets, nr);
	if (buckets && (old == buckets) != !!sim->core.scan.mm_slot)
		sim_violation(sim, "buckets exchanged while they may be in use, or not at all");
	if (!sim->core.scan.mm_slot)
		sim->exchanges++;
	free(old);
}

static unsigned long op_now(void *ctx)
{
	return ((struct sim *)ctx)->now++;
}

static void op_emit(void *ctx, enum ksm_emit what, struct ksm_rmap_item *item,
		    struct ksm_stable_node *node)
{
	struct sim *sim = ctx;

	sim->emitted[what]++;
	if (what == KSM_EMIT_REMOVE_ITEM &&
	    (!(item->address & STABLE_FLAG) || ksm_item_node(item) != node))
		sim_violation(sim, "an item was reported to leave a node it is not on");
}

static void op_outcome(void *ctx, enum ksm_outcome outcome, const struct ksm_candidate *cand)
{
	((struct sim *)ctx)->outcomes += cand->settled ? cand->settled : 1;
}

const struct ksm_ops sim_ops = {
	.next = op_next,
	.checksum = op_checksum,
	.sample = op_sample,
	.differ = op_differ,
	.hold = op_hold,
	.release = op_release,
	.hold_item = op_hold_item,
	.maps = op_maps,
	.merge_into = op_merge_into,
	.promote_pair = op_promote_pair,
	.merge_zero = op_merge_zero,
	.domain = op_domain,
	.page_nid = op_page_nid,
	.adopt = op_adopt,
	.unshare = op_unshare,
	.put_anon_vma = op_put_anon_vma,
	.account = op_account,
	.alloc_item = op_alloc_item,
	.free_item = op_free_item,
	.alloc_node = op_alloc_node,
	.free_node = op_free_node,
	.alloc_huge = op_alloc_huge,
	.free_huge = op_free_huge,
	.now = op_now,
	.emit = op_emit,
	.outcome = op_outcome,
};

/* As rmmod: what is still mapped stays, as orphans. */
void sim_unload(struct sim *sim)
{
	struct ksm_stable_node *node;

	while ((node = ksm_core_first_node(&sim->core))) {
		struct page *page = page_of(sim, node);

		if (page)
			page->node = NULL;
		ksm_core_remove_node(&sim->core, node);
	}
}
