// SPDX-License-Identifier: GPL-2.0
/* /sys/kernel/mm/ksm_engine: the files of in-tree KSM, with the same meaning, and merge domains. */
#include "engine.h"

#include <linux/sysfs.h>

#define KSME_SHOW(name, format, value)                                                     \
	static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr,      \
				   char *buf)                                              \
	{                                                                                  \
		return sysfs_emit(buf, format "\n", value);                                \
	}

#define KSME_ATTR_RO(name, format, value)                                                  \
	KSME_SHOW(name, format, value)                                                     \
	static struct kobj_attribute name##_attr = __ATTR_RO(name)

#define KSME_ATTR_RW(name, format, value)                                                  \
	KSME_SHOW(name, format, value)                                                     \
	static ssize_t name##_store(struct kobject *kobj, struct kobj_attribute *attr,     \
				    const char *buf, size_t count);                        \
	static struct kobj_attribute name##_attr = __ATTR_RW(name);                        \
	static ssize_t name##_store(struct kobject *kobj, struct kobj_attribute *attr,     \
				    const char *buf, size_t count)

/* As in-tree, the pause while memory goes offline is to be seen, too. */
KSME_ATTR_RW(run, "%lu", READ_ONCE(ksme.run) | (READ_ONCE(*ksme_intree.run) & KSM_RUN_OFFLINE))
{
	unsigned int run;
	int err;

	if (kstrtouint(buf, 10, &run) || run > KSM_RUN_UNMERGE)
		return -EINVAL;
	err = ksme_run_store(run);
	return err ? err : count;
}

KSME_ATTR_RW(pages_to_scan, "%u", ksme.pages_to_scan)
{
	unsigned int pages;

	if (READ_ONCE(ksme.advisor.on) || kstrtouint(buf, 10, &pages))
		return -EINVAL;
	WRITE_ONCE(ksme.pages_to_scan, pages);
	return count;
}

KSME_ATTR_RW(sleep_millisecs, "%u", ksme.sleep_millisecs)
{
	unsigned int millisecs;

	if (kstrtouint(buf, 10, &millisecs))
		return -EINVAL;
	WRITE_ONCE(ksme.sleep_millisecs, millisecs);
	wake_up_interruptible(&ksme.iter_wait);
	return count;
}

KSME_ATTR_RW(max_page_sharing, "%d", ksme.core.max_page_sharing)
{
	int pages;
	int err;

	/* Alone among the knobs this one tells ERANGE from EINVAL, as in-tree. */
	err = kstrtoint(buf, 10, &pages);
	if (err)
		return err;
	/* 1 would mean that no page is shared, and chains could not be pruned. */
	if (pages < 2)
		return -EINVAL;
	mutex_lock(ksme_intree.thread_mutex);
	ksme_wait_while_offlining();
	mutex_lock(&ksme.lock);
	if (pages != ksme.core.max_page_sharing) {
		if (ksm_core_holds_pages(&ksme.core))
			err = -EBUSY;
		else
			ksme.core.max_page_sharing = pages;
	}
	mutex_unlock(&ksme.lock);
	mutex_unlock(ksme_intree.thread_mutex);
	return err ? err : count;
}

KSME_ATTR_RW(stable_node_chains_prune_millisecs, "%u", ksme.core.prune_millisecs)
{
	unsigned int millisecs;

	if (kstrtouint(buf, 10, &millisecs))
		return -EINVAL;
	WRITE_ONCE(ksme.core.prune_millisecs, millisecs);
	return count;
}

#ifdef CONFIG_NUMA
KSME_ATTR_RW(merge_across_nodes, "%u", ksme.merge_across_nodes)
{
	unsigned long on;
	int err;

	err = kstrtoul(buf, 10, &on);
	if (err)
		return err;
	if (on > 1)
		return -EINVAL;
	mutex_lock(ksme_intree.thread_mutex);
	ksme_wait_while_offlining();
	mutex_lock(&ksme.lock);
	if (on != ksme.merge_across_nodes) {
		if (ksm_core_set_nr_nodes(&ksme.core, on ? 1 : nr_node_ids))
			ksme.merge_across_nodes = on;
		else
			err = -EBUSY;
	}
	mutex_unlock(&ksme.lock);
	mutex_unlock(ksme_intree.thread_mutex);
	return err ? err : count;
}
#endif

/* A word such as y will do, in-tree and here. */
#define KSME_ATTR_BOOL(name)                                 \
	KSME_ATTR_RW(name, "%u", ksme.core.name)             \
	{                                                    \
		bool on;                                     \
							     \
		if (kstrtobool(buf, &on))                    \
			return -EINVAL;                      \
		WRITE_ONCE(ksme.core.name, on);              \
		return count;                                \
	}

KSME_ATTR_BOOL(use_zero_pages)
KSME_ATTR_BOOL(zero_pages_only)
KSME_ATTR_BOOL(smart_scan)

KSME_ATTR_RW(full_hash_passes, "%u", ksme.full_hash_passes)
{
	u16 passes;

	if (kstrtou16(buf, 10, &passes) || !passes)
		return -EINVAL;
	WRITE_ONCE(ksme.full_hash_passes, passes);
	return count;
}

KSME_ATTR_RW(backoff_passes, "%u", ksme.core.backoff)
{
	unsigned int passes;

	if (kstrtouint(buf, 10, &passes) || passes > KSM_BACKOFF_MAX)
		return -EINVAL;
	WRITE_ONCE(ksme.core.backoff, passes);
	return count;
}

KSME_ATTR_RW(thp_min_partners, "%u", ksme.core.thp_min_partners)
{
	u16 parts;

	if (kstrtou16(buf, 10, &parts) || !parts)
		return -EINVAL;
	WRITE_ONCE(ksme.core.thp_min_partners, parts);
	return count;
}

static ssize_t merge_domain_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return ksme_domains_show(buf);
}

static ssize_t merge_domain_store(struct kobject *kobj, struct kobj_attribute *attr,
				  const char *buf, size_t count)
{
	int err = ksme_domains_store(buf);

	return err ? err : count;
}

static struct kobj_attribute merge_domain_attr = __ATTR_RW(merge_domain);

static const char *advisor_mode(void)
{
	return READ_ONCE(ksme.advisor.on) ? "none [scan-time]" : "[none] scan-time";
}

KSME_ATTR_RW(advisor_mode, "%s", advisor_mode())
{
	bool on = sysfs_streq("scan-time", buf);

	if (!on && !sysfs_streq("none", buf))
		return -EINVAL;
	mutex_lock(ksme_intree.thread_mutex);
	ksme_advisor_set(on);
	mutex_unlock(ksme_intree.thread_mutex);
	return count;
}

/* max_cpu keeps the low half of what is written, in-tree and here: both accept any number. */
#define KSME_ATTR_ADVISOR(name, member, least)                                             \
	KSME_ATTR_RW(name, "%lu", (unsigned long)ksme.advisor.member)                      \
	{                                                                                  \
		unsigned long value;                                                       \
											   \
		if (kstrtoul(buf, 10, &value) || value < (least))                          \
			return -EINVAL;                                                    \
		WRITE_ONCE(ksme.advisor.member, (typeof(ksme.advisor.member))value);       \
		return count;                                                              \
	}

KSME_ATTR_ADVISOR(advisor_max_cpu, max_cpu, 0)
KSME_ATTR_ADVISOR(advisor_min_pages_to_scan, min_pages, 0)
KSME_ATTR_ADVISOR(advisor_max_pages_to_scan, max_pages, 0)
KSME_ATTR_ADVISOR(advisor_target_scan_time, target_seconds, 1)

static unsigned long pages_volatile(void)
{
	const struct ksm_counters *c = &ksme.core.counters;
	long pages = c->rmap_items - c->pages_shared - c->pages_sharing - c->pages_unshared;

	/* Each is read at its own moment. */
	return max(pages, 0L);
}

static long general_profit(void)
{
	const struct ksm_counters *c = &ksme.core.counters;

	return ((long)c->pages_sharing + ksme_zero_pages()) * (long)PAGE_SIZE -
	       (long)(c->rmap_items * sizeof(struct ksm_rmap_item)) -
	       (long)(c->nodes * sizeof(struct ksm_stable_node));
}

KSME_ATTR_RO(pages_shared, "%lu", ksme.core.counters.pages_shared);
KSME_ATTR_RO(pages_sharing, "%lu", ksme.core.counters.pages_sharing);
KSME_ATTR_RO(pages_unshared, "%lu", ksme.core.counters.pages_unshared);
KSME_ATTR_RO(pages_volatile, "%lu", pages_volatile());
KSME_ATTR_RO(pages_scanned, "%lu", ksme.core.counters.pages_scanned);
KSME_ATTR_RO(pages_skipped, "%lu", ksme.core.counters.pages_skipped);
KSME_ATTR_RO(ksm_zero_pages, "%ld", ksme_zero_pages());
KSME_ATTR_RO(full_scans, "%lu", ksme.core.counters.full_scans);
KSME_ATTR_RO(stable_node_chains, "%lu", ksme.core.counters.stable_node_chains);
KSME_ATTR_RO(stable_node_dups, "%lu", ksme.core.counters.stable_node_dups);
KSME_ATTR_RO(pages_thp_deferred, "%lu", ksme.core.counters.thp_deferred);
KSME_ATTR_RO(general_profit, "%ld", general_profit());

/*
 * Not for everyone to read: who makes pages and sees whether this rises would learn what other
 * domains hold.
 */
KSME_SHOW(pages_domain_refused, "%lu", ksme.core.counters.domain_refused)
static struct kobj_attribute pages_domain_refused_attr =
	__ATTR(pages_domain_refused, KSM_ABI_MODE_RO_ROOT, pages_domain_refused_show, NULL);

static struct attribute *ksme_attrs[] = {
	&run_attr.attr,
	&pages_to_scan_attr.attr,
	&sleep_millisecs_attr.attr,
#ifdef CONFIG_NUMA
	&merge_across_nodes_attr.attr,
#endif
	&max_page_sharing_attr.attr,
	&stable_node_chains_prune_millisecs_attr.attr,
	&use_zero_pages_attr.attr,
	&smart_scan_attr.attr,
	&full_hash_passes_attr.attr,
	&backoff_passes_attr.attr,
	&zero_pages_only_attr.attr,
	&thp_min_partners_attr.attr,
	&pages_thp_deferred_attr.attr,
	&merge_domain_attr.attr,
	&pages_domain_refused_attr.attr,
	&advisor_mode_attr.attr,
	&advisor_max_cpu_attr.attr,
	&advisor_min_pages_to_scan_attr.attr,
	&advisor_max_pages_to_scan_attr.attr,
	&advisor_target_scan_time_attr.attr,
	&pages_shared_attr.attr,
	&pages_sharing_attr.attr,
	&pages_unshared_attr.attr,
	&pages_volatile_attr.attr,
	&pages_scanned_attr.attr,
	&pages_skipped_attr.attr,
	&ksm_zero_pages_attr.attr,
	&full_scans_attr.attr,
	&stable_node_chains_attr.attr,
	&stable_node_dups_attr.attr,
	&general_profit_attr.attr,
	NULL,
};

static const struct attribute_group ksme_group = {
	.name = KSM_ABI_ENGINE_NAME,
	.attrs = ksme_attrs,
};

/**
 * ksme_sysfs_create - make the directory beside in-tree KSM's
 *
 * Return: 0 or what sysfs said.
 */
int ksme_sysfs_create(void)
{
	int err = sysfs_create_group(*ksme_intree.mm_kobj, &ksme_group);

	if (err)
		pr_err("cannot create " KSM_ABI_ENGINE_DIR " (%d)\n", err);
	return err;
}

/**
 * ksme_sysfs_remove - remove the directory; returns when no reader or writer is inside
 */
void ksme_sysfs_remove(void)
{
	sysfs_remove_group(*ksme_intree.mm_kobj, &ksme_group);
}
