// SPDX-License-Identifier: GPL-2.0
/* An area's flags are changed through functions, which lock the area, too. */
#include <linux/mm.h>
void probe(struct vm_area_struct *vma);
void probe(struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_MERGEABLE);
	vm_flags_clear(vma, VM_MERGEABLE);
}
