// SPDX-License-Identifier: GPL-2.0
/* pte_offset_map_lock() is a function, and no macro. */
#include <linux/mm.h>
#ifdef pte_offset_map_lock
#error a macro
#endif
void *probe(void);
void *probe(void)
{
	return pte_offset_map_lock;
}
