/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doubly linked lists (circular), and hlists (a head of one pointer). A removed entry's links are
 * poisoned, so that using one again faults.
 */
#ifndef SHIM_LINUX_LIST_H
#define SHIM_LINUX_LIST_H

#include <linux/types.h>

#define SHIM_LIST_POISON ((void *)0xdead000000000100UL)

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

/* Before @head: the end of a list, or in front of an entry. */
static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	entry->prev = head->prev;
	entry->next = head;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	entry->next = SHIM_LIST_POISON;
	entry->prev = SHIM_LIST_POISON;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline bool list_is_last(const struct list_head *entry, const struct list_head *head)
{
	return entry->next == head;
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_for_each_entry(pos, head, member)                                                 \
	for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head); \
	     pos = list_next_entry(pos, member))

#define INIT_HLIST_HEAD(head) ((head)->first = NULL)

static inline bool hlist_empty(const struct hlist_head *head)
{
	return !head->first;
}

static inline void hlist_add_head(struct hlist_node *entry, struct hlist_head *head)
{
	entry->next = head->first;
	entry->pprev = &head->first;
	if (head->first)
		head->first->pprev = &entry->next;
	head->first = entry;
}

static inline void hlist_del(struct hlist_node *entry)
{
	*entry->pprev = entry->next;
	if (entry->next)
		entry->next->pprev = entry->pprev;
	entry->next = SHIM_LIST_POISON;
	entry->pprev = SHIM_LIST_POISON;
}

static inline bool hlist_is_singular_node(struct hlist_node *entry, struct hlist_head *head)
{
	return head->first == entry && !entry->next;
}

#define hlist_entry(ptr, type, member) container_of(ptr, type, member)
#define hlist_entry_safe(ptr, type, member)                    \
	({                                                     \
		struct hlist_node *ptr_ = (ptr);               \
		ptr_ ? hlist_entry(ptr_, type, member) : NULL; \
	})
#define hlist_for_each_entry(pos, head, member)                                    \
	for (pos = hlist_entry_safe((head)->first, __typeof__(*pos), member); pos; \
	     pos = hlist_entry_safe(pos->member.next, __typeof__(*pos), member))
#define hlist_for_each_entry_safe(pos, following, head, member)               \
	for (pos = hlist_entry_safe((head)->first, __typeof__(*pos), member); \
	     pos && ((following) = pos->member.next, true);                   \
	     pos = hlist_entry_safe(following, __typeof__(*pos), member))

#endif /* SHIM_LINUX_LIST_H */
