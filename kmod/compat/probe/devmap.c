// SPDX-License-Identifier: GPL-2.0
/* Page table entries of device memory are marked: pmd_devmap(), pte_devmap(). */
#include <linux/mm.h>
int probe(pmd_t pmd, pte_t pte);
int probe(pmd_t pmd, pte_t pte)
{
	return pmd_devmap(pmd) || pte_devmap(pte);
}
