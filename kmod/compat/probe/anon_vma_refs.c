// SPDX-License-Identifier: GPL-2.0
/* References to an anon_vma are in a public header. */
#include <linux/mm.h>
#include <linux/rmap.h>
void probe(struct anon_vma *anon_vma);
void probe(struct anon_vma *anon_vma)
{
	get_anon_vma(anon_vma);
	put_anon_vma(anon_vma);
}
