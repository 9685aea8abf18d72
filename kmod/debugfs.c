// SPDX-License-Identifier: GPL-2.0
/*
 * ksm_engine/state in debugfs: the engine's inner state, for people who work on it. Text for the
 * eye, without any promise; root alone may read it. The seed of hashes is not in it: who knows
 * that can make contents that collide.
 */
#include "compat/kernel.h"

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "engine.h"

static struct dentry *directory;

static void show_engine(struct seq_file *m)
{
	const struct ksm_core *core = &ksme.core;
	unsigned int items, nodes;

	ksme_reserved(&items, &nodes);
	seq_printf(m, "run %lu\npass %lu\nseqnr %#lx\n", READ_ONCE(ksme.run),
		   core->counters.full_scans, core->scan.seqnr);
	seq_printf(m, "nodes %lu\nempty_nodes %d\nbroken %lu\n", core->counters.nodes,
		   core->empty_nodes, core->counters.broken);
	seq_printf(m, "huge %lu deferred %lu\n", core->counters.huge_pages,
		   core->counters.thp_deferred);
	seq_printf(m, "reserve items %u nodes %u\nbuckets %lu\n", items, nodes, core->nr_buckets);
}

static void show_cursor(struct seq_file *m)
{
	const struct ksm_scan *scan = &ksme.core.scan;

	if (scan->mm_slot)
		seq_printf(m, "cursor pid %d address %#lx\n", ksme_owner(scan->mm_slot->mm),
			   scan->address);
	else
		seq_puts(m, "cursor between passes\n");
}

static void show_trees(struct seq_file *m)
{
	struct ksm_tree_sizes sizes;
	int nid;

	for (nid = 0; nid < ksme.core.nr_nodes; nid++) {
		ksm_core_tree_sizes(&ksme.core, nid, &sizes);
		seq_printf(m, "tree %d stable %lu chains %lu dups %lu items %lu unstable %lu\n",
			   nid, sizes.nodes, sizes.chains, sizes.dups, sizes.items,
			   sizes.unstable);
		cond_resched();
	}
}

static void show_outcomes(struct seq_file *m)
{
	int i;

	for (i = 0; i < KSM_NR_OUTCOMES; i++)
		seq_printf(m, "outcome %lu %s\n", ksme.core.counters.outcomes[i],
			   ksm_outcome_text(i));
}

static void show_slots(struct seq_file *m)
{
	struct ksm_mm_slot *slot;

	list_for_each_entry(slot, &ksme.core.slots, mm_node) {
		struct mm_struct *mm = slot->mm;

		seq_printf(m, "slot pid %d items %lu merging %lu", ksme_owner(mm),
			   (unsigned long)mm->ksm_rmap_items,
			   (unsigned long)mm->ksm_merging_pages);
		if (ksme.core.domains)
			seq_printf(m, " domain %#llx", ksme_domain(NULL, mm));
		seq_puts(m, ksm_test_exit(mm) ? " exited\n" : "\n");
	}
}

/* All at one moment: the engine waits for as long as it takes to count. */
static int state_show(struct seq_file *m, void *unused)
{
	if (mutex_lock_killable(&ksme.lock))
		return -EINTR;
	show_engine(m);
	show_cursor(m);
	show_trees(m);
	show_outcomes(m);
	show_slots(m);
	mutex_unlock(&ksme.lock);
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(state);

/**
 * ksme_debugfs_create - make the file, where there is a debugfs; nothing depends on it
 */
void ksme_debugfs_create(void)
{
	directory = debugfs_create_dir(KSM_ABI_ENGINE_NAME, NULL);
	debugfs_create_file("state", 0400, directory, NULL, &state_fops);
}

/**
 * ksme_debugfs_remove - remove it; returns when no reader is inside
 */
void ksme_debugfs_remove(void)
{
	debugfs_remove(directory);
}
