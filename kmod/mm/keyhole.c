// SPDX-License-Identifier: GPL-2.0
/*
 * From a node to its page without holding the page.
 *
 * A node keeps no reference to its KSM page: reclaim must be able to free it. It knows
 * only the frame number, and peeps through the keyhole: if the page at that frame
 * still has this node as its mapping, it still is the node's page, because freeing
 * an anonymous page clears its mapping and nothing else writes our pointer there.
 */
#include "engine.h"

/**
 * ksme_page_node - the node of a KSM page
 * @page: a page for which ksme_is_ksm() holds, referenced
 *
 * Return: the node; NULL for an orphan.
 */
struct ksm_stable_node *ksme_page_node(struct page *page)
{
	unsigned long mapping = (unsigned long)READ_ONCE(page_folio(page)->mapping);

	return (struct ksm_stable_node *)(mapping & ~FOLIO_MAPPING_FLAGS);
}

/**
 * ksme_page_set_node - make a page a KSM page of @node, or an orphan for NULL
 * @page: small, locked and referenced
 * @node: its node
 */
void ksme_page_set_node(struct page *page, struct ksm_stable_node *node)
{
	WRITE_ONCE(page_folio(page)->mapping, ksme_node_mapping(node));
}

/* A reference to the node's page, or NULL when the keyhole shows something else. */
static struct page *try_hold(struct ksm_stable_node *node, unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (READ_ONCE(page->mapping) != ksme_node_mapping(node))
		return NULL;
	while (!get_page_unless_zero(page)) {
		/*
		 * Freed, or frozen: migration freezes the count of a swap-cache page for
		 * a moment, and that page still is ours.
		 */
		if (!folio_test_swapcache(page_folio(page)))
			return NULL;
		cpu_relax();
	}
	if (READ_ONCE(page->mapping) == ksme_node_mapping(node))
		return page;
	put_page(page);
	return NULL;
}

/**
 * ksme_hold - ops->hold: keyhole reference to a node's page
 * @ctx: unused
 * @node: not a chain
 * @how: with the page lock or without
 *
 * Context: under the engine lock; sleeps for KSM_HOLD_LOCK.
 *
 * Return: the page, referenced; ERR_PTR(-ESTALE) when the node has no page any more.
 */
struct page *ksme_hold(void *ctx, struct ksm_stable_node *node, enum ksm_hold how)
{
	for (;;) {
		unsigned long pfn = READ_ONCE(node->kpfn);
		struct page *page = try_hold(node, pfn);

		if (page && how == KSM_HOLD)
			return page;
		if (page) {
			lock_page(page);
			if (READ_ONCE(page->mapping) == ksme_node_mapping(node))
				return page;
			unlock_page(page);
			put_page(page);
		}
		/*
		 * Stale, unless the page has just been migrated. Pairs with the smp_wmb()
		 * in folio_migrate_ksm() between writing kpfn and clearing the old mapping.
		 */
		smp_rmb();
		if (READ_ONCE(node->kpfn) == pfn)
			return ERR_PTR(-ESTALE);
	}
}

/**
 * ksme_release - ops->release: undo ksme_hold()
 * @ctx: unused
 * @page: what was held
 * @how: as it was held
 */
void ksme_release(void *ctx, struct page *page, enum ksm_hold how)
{
	if (how == KSM_HOLD_LOCK)
		unlock_page(page);
	put_page(page);
}
