/* SPDX-License-Identifier: GPL-2.0 */
/* Fixed-size hash tables of hlists. */
#ifndef SHIM_LINUX_HASHTABLE_H
#define SHIM_LINUX_HASHTABLE_H

#include <linux/list.h>

#define DECLARE_HASHTABLE(name, bits) struct hlist_head name[1 << (bits)]
#define SHIM_HASH_SIZE(table) (sizeof(table) / sizeof((table)[0]))

/* Multiplication spreads the key over the high bits. */
static inline unsigned long shim_bucket(unsigned long key, unsigned long size)
{
	return (key * 0x9e3779b97f4a7c15UL >> 32) & (size - 1);
}

#define hash_init(table)                                                     \
	do {                                                                 \
		for (unsigned long i_ = 0; i_ < SHIM_HASH_SIZE(table); i_++) \
			INIT_HLIST_HEAD(&(table)[i_]);                       \
	} while (0)
#define hash_add(table, entry, key) \
	hlist_add_head(entry, &(table)[shim_bucket(key, SHIM_HASH_SIZE(table))])
#define hash_for_each_possible(table, pos, member, key) \
	hlist_for_each_entry(pos, &(table)[shim_bucket(key, SHIM_HASH_SIZE(table))], member)

static inline void hash_del(struct hlist_node *entry)
{
	hlist_del(entry);
}

#endif /* SHIM_LINUX_HASHTABLE_H */
