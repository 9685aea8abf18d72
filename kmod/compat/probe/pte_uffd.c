// SPDX-License-Identifier: GPL-2.0
/* userfaultfd's bit in a page table entry: pte_uffd(), no longer pte_uffd_wp(). */
#include <linux/mm.h>
int probe(pte_t pte);
int probe(pte_t pte)
{
	return pte_uffd(pte_mkuffd(pte));
}
