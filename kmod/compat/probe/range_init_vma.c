// SPDX-License-Identifier: GPL-2.0
/* mmu_notifier_range_init() wants the area, too. */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
void probe(struct mmu_notifier_range *range, struct vm_area_struct *vma);
void probe(struct mmu_notifier_range *range, struct vm_area_struct *vma)
{
	mmu_notifier_range_init(range, MMU_NOTIFY_CLEAR, 0, vma, vma->vm_mm, 0, 0);
}
