// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that goes away takes its KSM pages along: a node of removed memory must not be
 * peeped through any more. While memory goes offline in-tree KSM sets KSM_RUN_OFFLINE in its
 * own run word, which the scanner thread takes as a request to pause (engined.c).
 */
#include "engine.h"

#include <linux/log2.h>
#include <linux/memory.h>
#include <linux/wait_bit.h>

static void forget_removed(struct ksm_core *core, struct ksm_stable_node *node, void *arg)
{
	const struct memory_notify *removed = arg;

	/* The pages are gone, so are all mappings: nobody else looks at these nodes. */
	if (node->kpfn - removed->start_pfn < removed->nr_pages)
		ksm_core_remove_node(core, node);
	cond_resched();
}

static int memory_callback(struct notifier_block *self, unsigned long action, void *arg)
{
	if (action == MEM_OFFLINE) {
		mutex_lock(&ksme.lock);
		ksm_core_for_each_node(&ksme.core, forget_removed, arg);
		mutex_unlock(&ksme.lock);
	}
	/* In-tree KSM was told before us and has taken its request to pause back. */
	if (action == MEM_OFFLINE || action == MEM_CANCEL_OFFLINE)
		ksme_run_wake();
	return NOTIFY_OK;
}

/**
 * ksme_wait_while_offlining - leave the trees alone while memory goes offline
 *
 * Context: under ksm_thread_mutex, which is dropped meanwhile.
 */
void ksme_wait_while_offlining(void)
{
	while (READ_ONCE(*ksme_intree.run) & KSM_RUN_OFFLINE) {
		mutex_unlock(ksme_intree.thread_mutex);
		wait_on_bit(ksme_intree.run, ilog2(KSM_RUN_OFFLINE), TASK_UNINTERRUPTIBLE);
		mutex_lock(ksme_intree.thread_mutex);
	}
}

static struct notifier_block memory_notifier = {
	.notifier_call = memory_callback,
};

/**
 * ksme_hotplug_register - learn of memory that goes offline
 *
 * Return: 0 or what the notifier chain said.
 */
int ksme_hotplug_register(void)
{
	return register_memory_notifier(&memory_notifier);
}

/**
 * ksme_hotplug_unregister - returns when no callback is under way
 */
void ksme_hotplug_unregister(void)
{
	unregister_memory_notifier(&memory_notifier);
}
