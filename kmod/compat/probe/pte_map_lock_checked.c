// SPDX-License-Identifier: GPL-2.0
/* pte_offset_map_lock() is out of line and may find that the table is gone. */
#include <linux/mm.h>
void *probe(void);
void *probe(void)
{
	return __pte_offset_map_lock;
}
