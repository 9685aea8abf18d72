/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names, modes, limits and numbers that KSM's sysfs directory has, in one table for the engine
 * (which serves them) and the tools (which read and validate them), and the engine's one ioctl.
 *
 * Semantics follow Documentation/admin-guide/mm/ksm.rst.
 */
#ifndef KSM_ABI_H
#define KSM_ABI_H

/* The only place in the project where a path below /sys is written down. */
#define KSM_ABI_SYSFS_MM "/sys/kernel/mm"
#define KSM_ABI_KERNEL_NAME "ksm"
#define KSM_ABI_ENGINE_NAME "ksm_engine"
#define KSM_ABI_KERNEL_DIR KSM_ABI_SYSFS_MM "/" KSM_ABI_KERNEL_NAME
#define KSM_ABI_ENGINE_DIR KSM_ABI_SYSFS_MM "/" KSM_ABI_ENGINE_NAME
#define KSM_ABI_BTF "/sys/kernel/btf/vmlinux"
#define KSM_ABI_DEV "/dev/ksm_engine"
#define KSM_ABI_CGROUP "/sys/fs/cgroup"
#define KSM_ABI_THP KSM_ABI_SYSFS_MM "/transparent_hugepage"
#define KSM_ABI_NODES "/sys/devices/system/node/online"
#define KSM_ABI_MODULE_DIR "/sys/module/ksm_engine"
#define KSM_ABI_SIG_ENFORCE "/sys/module/module/parameters/sig_enforce"
#define KSM_ABI_LOCKDOWN "/sys/kernel/security/lockdown"
#define KSM_ABI_SECURE_BOOT \
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* Scanner threads, as their comm. */
#define KSM_ABI_KERNEL_THREAD "ksmd"
#define KSM_ABI_ENGINE_THREAD "ksm_engined"

/* run */
#define KSM_RUN_STOP 0
#define KSM_RUN_MERGE 1
#define KSM_RUN_UNMERGE 2
#define KSM_RUN_OFFLINE 4

#define KSM_ABI_MODE_RO 0444
#define KSM_ABI_MODE_RW 0644
#define KSM_ABI_MODE_RO_ROOT 0400 /* tells too much about others for everyone to read */

/* Kinds of a file's value. */
#define KSM_ABI_UINT 0 /* unsigned decimal */
#define KSM_ABI_SINT 1 /* signed decimal */
#define KSM_ABI_WORD 2 /* one of several words, the current one in [brackets] */

/* Flags of a file. */
#define KSM_ABI_BUSY_SHARED 1 /* a write is refused (EBUSY) while pages_shared > 0 */
#define KSM_ABI_SINCE_6_12 2 /* absent from older in-tree KSM */
#define KSM_ABI_NUMA 4 /* present with CONFIG_NUMA only */
#define KSM_ABI_BYTES 8 /* the value is bytes, not pages or a count */
#define KSM_ABI_PAGES 16 /* the value counts pages */
#define KSM_ABI_ENGINE 32 /* the engine alone has it */

/*
 * X(ID, name, id, mode, kind, min, max, default, flags). `id` is stored in traces (COUNTER events)
 * and never reused. min and max bind writers of files with mode RW.
 */
#define KSM_ABI_FILES(X)                                                                           \
	X(RUN, run, 1, RW, UINT, 0, 2, 0, 0)                                                       \
	X(PAGES_TO_SCAN, pages_to_scan, 2, RW, UINT, 0, 4294967295U, 100, KSM_ABI_PAGES)           \
	X(SLEEP_MILLISECS, sleep_millisecs, 3, RW, UINT, 0, 4294967295U, 20, 0)                    \
	X(MERGE_ACROSS_NODES, merge_across_nodes, 4, RW, UINT, 0, 1, 1,                            \
	  KSM_ABI_BUSY_SHARED | KSM_ABI_NUMA)                                                      \
	X(MAX_PAGE_SHARING, max_page_sharing, 5, RW, UINT, 2, 2147483647, 256,                     \
	  KSM_ABI_BUSY_SHARED)                                                                     \
	X(PRUNE_MILLISECS, stable_node_chains_prune_millisecs, 6, RW, UINT, 0, 4294967295U, 2000,  \
	  0)                                                                                       \
	X(USE_ZERO_PAGES, use_zero_pages, 7, RW, UINT, 0, 1, 0, 0)                                 \
	X(PAGES_SHARED, pages_shared, 8, RO, UINT, 0, 0, 0, KSM_ABI_PAGES)                         \
	X(PAGES_SHARING, pages_sharing, 9, RO, UINT, 0, 0, 0, KSM_ABI_PAGES)                       \
	X(PAGES_UNSHARED, pages_unshared, 10, RO, UINT, 0, 0, 0, KSM_ABI_PAGES)                    \
	X(PAGES_VOLATILE, pages_volatile, 11, RO, UINT, 0, 0, 0, KSM_ABI_PAGES)                    \
	X(FULL_SCANS, full_scans, 12, RO, UINT, 0, 0, 0, 0)                                        \
	X(STABLE_NODE_CHAINS, stable_node_chains, 13, RO, UINT, 0, 0, 0, 0)                        \
	X(STABLE_NODE_DUPS, stable_node_dups, 14, RO, UINT, 0, 0, 0, 0)                            \
	X(GENERAL_PROFIT, general_profit, 15, RO, SINT, 0, 0, 0,                                   \
	  KSM_ABI_SINCE_6_12 | KSM_ABI_BYTES)                                                      \
	X(PAGES_SCANNED, pages_scanned, 16, RO, UINT, 0, 0, 0,                                     \
	  KSM_ABI_SINCE_6_12 | KSM_ABI_PAGES)                                                      \
	X(KSM_ZERO_PAGES, ksm_zero_pages, 17, RO, SINT, 0, 0, 0,                                   \
	  KSM_ABI_SINCE_6_12 | KSM_ABI_PAGES)                                                      \
	X(PAGES_SKIPPED, pages_skipped, 18, RO, UINT, 0, 0, 0,                                     \
	  KSM_ABI_SINCE_6_12 | KSM_ABI_PAGES)                                                      \
	X(SMART_SCAN, smart_scan, 19, RW, UINT, 0, 1, 1, KSM_ABI_SINCE_6_12)                       \
	X(ADVISOR_MODE, advisor_mode, 20, RW, WORD, 0, 0, 0, KSM_ABI_SINCE_6_12)                   \
	X(ADVISOR_MAX_CPU, advisor_max_cpu, 21, RW, UINT, 0, 100, 70, KSM_ABI_SINCE_6_12)          \
	X(ADVISOR_MIN_PAGES, advisor_min_pages_to_scan, 22, RW, UINT, 0, 4294967295U, 500,         \
	  KSM_ABI_SINCE_6_12)                                                                      \
	X(ADVISOR_MAX_PAGES, advisor_max_pages_to_scan, 23, RW, UINT, 0, 4294967295U, 30000,       \
	  KSM_ABI_SINCE_6_12)                                                                      \
	X(ADVISOR_TARGET_TIME, advisor_target_scan_time, 24, RW, UINT, 1, 4294967295U, 200,        \
	  KSM_ABI_SINCE_6_12)                                                                      \
	X(MERGE_DOMAIN, merge_domain, 25, RW, WORD, 0, 0, 0,                                       \
	  KSM_ABI_BUSY_SHARED | KSM_ABI_ENGINE)                                                    \
	X(PAGES_DOMAIN_REFUSED, pages_domain_refused, 26, RO_ROOT, UINT, 0, 0, 0,                  \
	  KSM_ABI_PAGES | KSM_ABI_ENGINE)

/**
 * enum ksm_abi_id - the files of a KSM directory, numbered as traces store them
 */
enum ksm_abi_id {
#define X(ID, name, id, mode, kind, min, max, def, flags) KSM_ABI_##ID = id,
	KSM_ABI_FILES(X)
#undef X
	KSM_ABI_COUNT
};

#endif /* KSM_ABI_H */
