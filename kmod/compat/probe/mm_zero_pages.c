// SPDX-License-Identifier: GPL-2.0
/* The kernel counts KSM's zero pages per address space, and down again at a fault. */
#include <linux/mm.h>
#include <linux/ksm.h>
void probe(struct mm_struct *mm);
void probe(struct mm_struct *mm)
{
	atomic_long_inc(&mm->ksm_zero_pages);
}
