// SPDX-License-Identifier: GPL-2.0
/*
 * Merge domains: who may share pages with whom.
 *
 * An address space is in the domain of its owner (mm->owner: the thread group's leader, or
 * whom the kernel chose when that one had gone) as the owner is at the moment of a visit. It
 * moves by setuid() or into another control group at any time; what was merged before is
 * unshared when the scan comes by, and what was not merged yet meets the new neighbours.
 */
#include "compat/kernel.h"

#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/memcontrol.h>

#include "engine.h"

static const char *const words[] = {
	[KSME_DOMAIN_ALL] = "all",
	[KSME_DOMAIN_UID] = "uid",
	[KSME_DOMAIN_CGROUP] = "cgroup",
};

#ifdef CONFIG_MEMCG
/*
 * Both user ids, as the kernel knows them, not as a user namespace shows them: a program that
 * runs with the rights of another user shares neither with the one nor with the other.
 */
static u64 uid_domain(struct task_struct *owner)
{
	const struct cred *cred = __task_cred(owner);

	return (u64)__kuid_val(cred->uid) << 32 | __kuid_val(cred->euid);
}

/* The id of a control group is not used again, unlike that of its memory controller's part. */
static u64 cgroup_domain(struct task_struct *owner)
{
	struct mem_cgroup *memcg = mem_cgroup_from_task(owner);

	return memcg ? cgroup_id(memcg->css.cgroup) : KSM_DOMAIN_NONE;
}

/**
 * ksme_domain - ops->domain: the merge domain of an address space
 * @ctx: unused
 * @mm: mm_count held
 *
 * Return: KSM_DOMAIN_NONE when nobody owns it: it is exiting.
 */
u64 ksme_domain(void *ctx, struct mm_struct *mm)
{
	u64 domain = KSM_DOMAIN_NONE;
	struct task_struct *owner;

	rcu_read_lock();
	owner = rcu_dereference(mm->owner);
	if (owner && ksme.domains == KSME_DOMAIN_UID)
		domain = uid_domain(owner);
	else if (owner)
		domain = cgroup_domain(owner);
	rcu_read_unlock();
	return domain;
}

/**
 * ksme_owner - pid of an address space's owner, 0 when it has none
 * @mm: mm_count held
 */
pid_t ksme_owner(struct mm_struct *mm)
{
	struct task_struct *owner;
	pid_t pid;

	rcu_read_lock();
	owner = rcu_dereference(mm->owner);
	pid = owner ? task_tgid_nr(owner) : 0;
	rcu_read_unlock();
	return pid;
}

static bool can_tell(int domains)
{
	return domains != KSME_DOMAIN_CGROUP || !mem_cgroup_disabled();
}
#else
/* Without memory control groups an address space does not know its owner. */
u64 ksme_domain(void *ctx, struct mm_struct *mm)
{
	return KSM_DOMAIN_NONE;
}

pid_t ksme_owner(struct mm_struct *mm)
{
	return 0;
}

static bool can_tell(int domains)
{
	return domains == KSME_DOMAIN_ALL;
}
#endif

/**
 * ksme_domains_show - the words of merge_domain, the chosen one in brackets
 * @buf: a sysfs buffer
 *
 * Return: bytes written.
 */
ssize_t ksme_domains_show(char *buf)
{
	int domains = READ_ONCE(ksme.domains);
	ssize_t len = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		len += sysfs_emit_at(buf, len, i == domains ? "%s[%s]" : "%s%s", i ? " " : "",
				     words[i]);
	return len + sysfs_emit_at(buf, len, "\n");
}

/**
 * ksme_domains_store - choose what keeps pages apart
 * @word: one of merge_domain's
 *
 * Return: 0; -EINVAL for another word; -EOPNOTSUPP where the kernel does not know (no memory
 * control groups); -EBUSY while pages are merged.
 */
int ksme_domains_store(const char *word)
{
	int domains = sysfs_match_string(words, word);
	int err = 0;

	if (domains < 0)
		return domains;
	if (!can_tell(domains))
		return -EOPNOTSUPP;
	mutex_lock(ksme_intree.thread_mutex);
	mutex_lock(&ksme.lock);
	if (domains != ksme.domains) {
		if (ksm_core_set_domains(&ksme.core, domains != KSME_DOMAIN_ALL))
			WRITE_ONCE(ksme.domains, domains);
		else
			err = -EBUSY;
	}
	mutex_unlock(&ksme.lock);
	mutex_unlock(ksme_intree.thread_mutex);
	return err;
}
