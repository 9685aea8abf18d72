// SPDX-License-Identifier: GPL-2.0
/* mm_trace_rss_stat() is told the new count. */
#include <linux/mm.h>
void probe(struct mm_struct *mm);
void probe(struct mm_struct *mm)
{
	mm_trace_rss_stat(mm, MM_ANONPAGES, 0);
}
