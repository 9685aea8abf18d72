// SPDX-License-Identifier: GPL-2.0
/* Huge pages are split by __split_huge_page_to_list_to_order(), behind an inline. */
#include <linux/mm.h>
#include <linux/huge_mm.h>
int probe(struct page *page);
int probe(struct page *page)
{
	return __split_huge_page_to_list_to_order(page, NULL, 0);
}
