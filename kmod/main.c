// SPDX-License-Identifier: GPL-2.0
/* Load and unload: a ladder, and its exact mirror. */
#include "engine.h"

#include <linux/module.h>
#include <linux/random.h>

#include "huge.h"

struct ksm_engine ksme = {
	.lock = __MUTEX_INITIALIZER(ksme.lock),
	.run_lock = __MUTEX_INITIALIZER(ksme.run_lock),
	.run = KSM_RUN_STOP,
	.pages_to_scan = 100,
	.sleep_millisecs = 20,
	.full_hash_passes = 16,
	.merge_across_nodes = true,
	.advisor = {
		.max_cpu = 70,
		.min_pages = 500,
		.max_pages = 30000,
		.target_seconds = 200,
	},
	.iter_wait = __WAIT_QUEUE_HEAD_INITIALIZER(ksme.iter_wait),
};

/* For tests of what somebody could do who knew it: the engine never shows its seed. */
static ulong hash_seed;
module_param(hash_seed, ulong, 0);
MODULE_PARM_DESC(hash_seed, "seed of the content hash instead of a random one; for tests alone");

static struct rb_root stable_tree[MAX_NUMNODES];
static struct rb_root unstable_tree[MAX_NUMNODES];

static int __init ksme_init(void)
{
	int err;

	err = ksme_symbols_resolve();
	if (err)
		return err;
	err = ksme_layout_check();
	if (err)
		return err;

	get_random_bytes(&ksme.seed, sizeof(ksme.seed));
	if (hash_seed)
		ksme.seed = hash_seed;
	ksm_core_init(&ksme.core, &ksme_ops, &ksme, PAGE_SIZE, stable_tree, unstable_tree, 1);
	ksme_zero_init();
	ksme.core.backoff = 128;
	BUILD_BUG_ON(PMD_SIZE / PAGE_SIZE > KSM_HUGE_PARTS);
	ksme.core.huge_mask = PMD_MASK;
	ksme.core.thp_min_partners = 16;

	err = ksme_ops_init();
	if (err)
		return err;
	err = ksme_guard_install();
	if (err)
		goto undo_ops;
	err = ksme_hotplug_register();
	if (err)
		goto undo_guard;
	err = ksme_thread_start();
	if (err)
		goto undo_hotplug;
	err = ksme_sysfs_create();
	if (err)
		goto undo_thread;
	err = ksme_attach_start();
	if (err)
		goto undo_sysfs;
	ksme_debugfs_create();
	return 0;

undo_sysfs:
	ksme_sysfs_remove();
undo_thread:
	ksme_thread_stop();
undo_hotplug:
	ksme_hotplug_unregister();
undo_guard:
	ksme_guard_remove();
undo_ops:
	ksme_ops_exit();
	return err;
}

/*
 * The thread stops before anything is taken apart; in-tree KSM stays locked out until
 * the last page that refers to one of our nodes is unshared or orphaned.
 */
static void __exit ksme_exit(void)
{
	ksme_debugfs_remove();
	ksme_attach_stop();
	ksme_sysfs_remove();
	ksme_thread_stop();
	ksme_orphan_all();
	ksme_hotplug_unregister();
	ksme_guard_remove();
	ksme_ops_exit();
}

module_init(ksme_init);
module_exit(ksme_exit);

MODULE_DESCRIPTION("KSM merge engine: finds equal pages and keeps one copy");
MODULE_AUTHOR("The ksmkit developers");
MODULE_LICENSE("GPL");
