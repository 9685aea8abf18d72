// SPDX-License-Identifier: GPL-2.0
/*
 * Exactly one engine owns merging at a time.
 *
 * In-tree ksmd takes every KSM page for its own: with both at work, its items would land
 * on our nodes. So its `run` file is replaced by one of ours, which refuses to start
 * ksmd while the engine runs or holds pages and passes everything else on. Removing a
 * sysfs file waits for writers that are inside, so none slips by during the swap; both
 * run files are serialised by run_lock.
 */
#include "engine.h"

#include <linux/sysfs.h>

static ssize_t guard_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct kobj_attribute *original = ksme_intree.run_attr;

	return original->show(kobj, original, buf);
}

static ssize_t guard_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t count)
{
	struct kobj_attribute *original = ksme_intree.run_attr;
	unsigned int flags;
	ssize_t ret;

	/* What is not a number is the original's to refuse. */
	if (kstrtouint(buf, 10, &flags))
		return original->store(kobj, original, buf, count);

	if (mutex_lock_killable(&ksme.run_lock))
		return -EINTR;
	if (flags == KSM_RUN_MERGE && ksme_owns_merging()) {
		pr_info_ratelimited("in-tree KSM not started: unmerge the engine first\n");
		ret = -EBUSY;
	} else {
		if (flags == KSM_RUN_MERGE)
			ksme_slots_distrust();
		ret = original->store(kobj, original, buf, count);
	}
	mutex_unlock(&ksme.run_lock);
	ksme_run_wake();
	return ret;
}

static struct kobj_attribute guard_attr = __ATTR(run, 0644, guard_show, guard_store);

static int swap_attr(struct attribute *from, struct attribute *to)
{
	struct kobject *mm_kobj = *ksme_intree.mm_kobj;

	sysfs_remove_file_from_group(mm_kobj, from, KSM_ABI_KERNEL_NAME);
	return sysfs_add_file_to_group(mm_kobj, to, KSM_ABI_KERNEL_NAME);
}

/**
 * ksme_guard_install - take in-tree KSM's run file over
 *
 * Return: 0 or what sysfs said, the original file back in place.
 */
int ksme_guard_install(void)
{
	int err = swap_attr(&ksme_intree.run_attr->attr, &guard_attr.attr);

	if (err) {
		pr_err("cannot replace in-tree KSM's run file (%d): cannot load\n", err);
		if (swap_attr(&guard_attr.attr, &ksme_intree.run_attr->attr))
			pr_err("in-tree KSM's run file is lost until the next boot\n");
	}
	return err;
}

/**
 * ksme_guard_remove - give in-tree KSM its run file back
 */
void ksme_guard_remove(void)
{
	if (swap_attr(&guard_attr.attr, &ksme_intree.run_attr->attr))
		pr_err("in-tree KSM's run file is lost until the next boot\n");
}

/**
 * ksme_intree_owns_merging - whether in-tree KSM runs or has nodes
 *
 * Its nodes and not its counters are asked: a page that only a fork maps is counted by
 * nobody, yet its mapping is an in-tree node.
 *
 * Context: under run_lock and ksm_thread_mutex.
 */
bool ksme_intree_owns_merging(void)
{
	int trees = ksme_intree.nr_trees ? *ksme_intree.nr_trees : 1;
	int nid;

	if (*ksme_intree.run & (KSM_RUN_MERGE | KSM_RUN_UNMERGE))
		return true;
	for (nid = 0; nid < trees; nid++)
		if (!RB_EMPTY_ROOT(&(*ksme_intree.stable_tree)[nid]))
			return true;
	return !list_empty(ksme_intree.migrate_nodes);
}
