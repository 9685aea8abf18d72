// SPDX-License-Identifier: GPL-2.0
/*
 * ksm_engined: the scanner thread, and the pacing of one batch.
 *
 * A batch holds ksm_thread_mutex, so in-tree KSM stands still for it. Pages are collected
 * under mmap_lock, hashed without any lock, and merged under mmap_lock and the engine
 * lock again. What changed in between, the merge notices.
 */
#include "compat/kernel.h"

#include <linux/freezer.h>
#include <linux/kthread.h>

#include "engine.h"
#include "trace.h"

/*
 * Besides registered address spaces those that have gone are work, too: our slots of them
 * keep counters up until a pass drops them.
 */
static bool should_run(void)
{
	return READ_ONCE(ksme.run) == KSM_RUN_MERGE && !READ_ONCE(*ksme_intree.run) &&
	       (!list_empty(&ksme_intree.mm_head->slot.mm_node) ||
		!list_empty(&ksme.core.slots));
}

/*
 * Lock-free: hash what is not yet a KSM page. The reference to what was hashed is kept for the
 * visit, which saves another walk of the page tables; other pages are looked up again then. Parts
 * of a huge page share their count, and none could be split while another is held.
 */
static void hash_spots(struct ksme_batch *batch)
{
	unsigned int i;

	cond_resched();
	for (i = 0; i < batch->nr; i++) {
		struct ksme_spot *spot = &batch->spots[i];

		if (spot->settled)
			continue;
		if (!ksme_is_ksm(spot->page)) {
			ksme_hash_spot(spot);
			if (!PageCompound(spot->page))
				continue;
		}
		put_page(spot->page);
		spot->page = NULL;
	}
}

/* Both false when the address space is exiting; mmap_lock is not held then. */
static bool collect(struct ksme_batch *batch)
{
	mmap_read_lock(batch->mm);
	if (ksm_test_exit(batch->mm)) {
		mmap_read_unlock(batch->mm);
		return false;
	}
	mutex_lock(&ksme.lock);
	ksme_collect(batch, ksme.core.scan.address);
	mutex_unlock(&ksme.lock);
	mmap_read_unlock(batch->mm);
	return true;
}

static bool merge(struct ksme_batch *batch)
{
	mmap_read_lock(batch->mm);
	if (ksm_test_exit(batch->mm)) {
		mmap_read_unlock(batch->mm);
		return false;
	}
	mutex_lock(&ksme.lock);
	ksme_warm_index(batch);
	ksm_core_scan_batch(&ksme.core);
	WARN_ON_ONCE(ksme.core.counters.broken);
	ksme.core.scan.address = batch->next;
	mutex_unlock(&ksme.lock);
	mmap_read_unlock(batch->mm);
	return true;
}

/* False at the end of a pass, or when there is nothing to scan. */
static bool begin_pass(void)
{
	bool fresh = !ksme.core.scan.mm_slot;
	bool begun;

	if (fresh)
		lru_add_drain_all();
	mutex_lock(&ksme.lock);
	if (fresh)
		ksme_slots_register();
	begun = ksm_core_begin_pass(&ksme.core);
	mutex_unlock(&ksme.lock);
	if (begun && fresh) {
		ksme.batch.zero_pages = 0;
		ksme_advisor_pass_begins();
	}
	return begun;
}

static void end_pass(void)
{
	atomic_long_set(&ksme.zero_pages, ksme.batch.zero_pages);
	ksme_advisor_pass_ends();
	ksme_fit_index();
}

static bool finish_slot(struct ksme_slot *slot, bool exited)
{
	bool more;

	mutex_lock(&ksme.lock);
	more = ksm_core_next_slot(&ksme.core);
	if (exited)
		ksme_slot_drop(slot);
	mutex_unlock(&ksme.lock);
	if (!more)
		end_pass();
	return more;
}

/* One chunk of one address space. False: the pass is over. */
static bool scan_chunk(unsigned int limit)
{
	struct ksme_batch *batch = &ksme.batch;
	struct ksme_slot *slot;
	bool alive;

	if (!begin_pass())
		return false;
	slot = ksme_slot_of(ksme.core.scan.mm_slot);
	batch->mm = slot->slot.mm;
	batch->limit = limit;
	batch->nr = 0;

	alive = ksme_slot_borrow(slot);
	if (alive) {
		alive = collect(batch);
		hash_spots(batch);
		ksme_reserve();
		alive = alive && merge(batch);
		ksme_batch_end(batch);
		ksme_slot_return(slot);
	}
	if (!alive || batch->done)
		return finish_slot(slot, !alive);
	return true;
}

/* ksm_do_scan */
static void do_batch(void)
{
	const struct ksm_counters *counters = &ksme.core.counters;
	unsigned int left = READ_ONCE(ksme.pages_to_scan);
	unsigned long scanned, skipped;

	mutex_lock(ksme_intree.thread_mutex);
	scanned = counters->pages_scanned;
	skipped = counters->pages_skipped;
	trace_ksm_engine_start_batch(left);
	/* What smart scan skips does not count; the end of the pass ends the batch anyway. */
	while (left && should_run() && !freezing(current)) {
		unsigned long before = counters->pages_scanned;

		if (!scan_chunk(min_t(unsigned int, left, KSME_CHUNK_PAGES)))
			break;
		left -= min_t(unsigned long, left, counters->pages_scanned - before);
		cond_resched();
	}
	trace_ksm_engine_stop_batch(counters->pages_scanned - scanned,
				    counters->pages_skipped - skipped);
	mutex_unlock(ksme_intree.thread_mutex);
}

static void sleep_between_batches(void)
{
	unsigned int millisecs = READ_ONCE(ksme.sleep_millisecs);

	if (!should_run()) {
		wait_event_freezable(*ksme_intree.thread_wait,
				     should_run() || kthread_should_stop());
	} else if (millisecs) {
		wait_event_freezable_timeout(ksme.iter_wait,
					     millisecs != READ_ONCE(ksme.sleep_millisecs) ||
						     !should_run() || kthread_should_stop(),
					     msecs_to_jiffies(millisecs));
	} else {
		cond_resched();
	}
}

static int engined(void *unused)
{
	set_freezable();
	set_user_nice(current, 5);

	while (!kthread_should_stop()) {
		if (should_run())
			do_batch();
		try_to_freeze();
		sleep_between_batches();
	}
	return 0;
}

/**
 * ksme_thread_start - create ksm_engined
 *
 * Return: 0 or what kthread_run() said.
 */
int ksme_thread_start(void)
{
	struct task_struct *thread = kthread_run(engined, NULL, KSM_ABI_ENGINE_THREAD);

	if (IS_ERR(thread)) {
		pr_err("cannot create the scanner thread (%ld)\n", PTR_ERR(thread));
		return PTR_ERR(thread);
	}
	ksme.thread = thread;
	return 0;
}

/**
 * ksme_thread_stop - end ksm_engined; returns when it is gone
 */
void ksme_thread_stop(void)
{
	WRITE_ONCE(ksme.run, KSM_RUN_STOP);
	kthread_stop(ksme.thread);
}
