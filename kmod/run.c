// SPDX-License-Identifier: GPL-2.0
/* The run file's meaning: stop, merge, unmerge, and who may start. */
#include "engine.h"

/**
 * ksme_owns_merging - whether the engine runs or holds KSM pages
 *
 * Context: under run_lock, under which alone the answer can become true.
 */
bool ksme_owns_merging(void)
{
	bool holds;

	if (ksme.run == KSM_RUN_MERGE)
		return true;
	mutex_lock(&ksme.lock);
	holds = ksm_core_holds_pages(&ksme.core);
	mutex_unlock(&ksme.lock);
	return holds;
}

/**
 * ksme_run_wake - let the thread look again at whether it should run
 */
void ksme_run_wake(void)
{
	wake_up_interruptible(ksme_intree.thread_wait);
	wake_up_interruptible(&ksme.iter_wait);
}

static int start(void)
{
	if (ksme_intree_owns_merging()) {
		pr_info_ratelimited("not started: unmerge in-tree KSM first (run=2, then 0)\n");
		return -EBUSY;
	}
	if (!ksme_series_allowed())
		return -EOPNOTSUPP;
	WRITE_ONCE(ksme.run, KSM_RUN_MERGE);
	return 0;
}

static int unmerge(void)
{
	int err;

	WRITE_ONCE(ksme.run, KSM_RUN_UNMERGE);
	err = ksme_unmerge_all();
	if (err)
		WRITE_ONCE(ksme.run, KSM_RUN_STOP);
	return err;
}

/**
 * ksme_run_store - change what the engine does
 * @run: KSM_RUN_STOP, _MERGE or _UNMERGE
 *
 * Returns after the batch under way; for KSM_RUN_UNMERGE after everything is unmerged.
 *
 * Return: 0; -EOPNOTSUPP on a kernel series never tested (compat/series.c); -EBUSY while
 * in-tree KSM owns merging; -EINTR, -ERESTARTSYS on a signal; -ENOMEM when unmerging ran out
 * of memory (run is 0 then).
 */
int ksme_run_store(unsigned int run)
{
	int err = 0;

	if (mutex_lock_killable(&ksme.run_lock))
		return -EINTR;
	mutex_lock(ksme_intree.thread_mutex);
	ksme_wait_while_offlining();
	if (run != ksme.run) {
		if (run == KSM_RUN_MERGE)
			err = start();
		else if (run == KSM_RUN_UNMERGE)
			err = unmerge();
		else
			WRITE_ONCE(ksme.run, KSM_RUN_STOP);
	}
	mutex_unlock(ksme_intree.thread_mutex);
	mutex_unlock(&ksme.run_lock);
	ksme_run_wake();
	return err;
}
