// SPDX-License-Identifier: GPL-2.0
/* Reverse map by folio: folio_add_anon_rmap_ptes() and its friends. */
#include <linux/mm.h>
#include <linux/rmap.h>
void probe(struct folio *folio, struct page *page, struct vm_area_struct *vma);
void probe(struct folio *folio, struct page *page, struct vm_area_struct *vma)
{
	folio_add_anon_rmap_ptes(folio, page, 1, vma, 0, RMAP_NONE);
	folio_remove_rmap_ptes(folio, page, 1, vma);
	(void)folio_try_share_anon_rmap_pte(folio, page);
}
