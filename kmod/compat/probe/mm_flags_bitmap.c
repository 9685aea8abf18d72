// SPDX-License-Identifier: GPL-2.0
/* An address space's flags are a bitmap with functions of its own. */
#include <linux/mm.h>
void probe(struct mm_struct *mm);
void probe(struct mm_struct *mm)
{
	mm_flags_clear(MMF_VM_MERGEABLE, mm);
}
