// SPDX-License-Identifier: GPL-2.0
/* Anonymous pages have a page offset of their own, and KSM's items carry it. */
#include <linux/mm.h>
#include <linux/pagemap.h>
unsigned long probe(struct vm_area_struct *vma);
unsigned long probe(struct vm_area_struct *vma)
{
	return linear_anon_page_index(vma, 0);
}
