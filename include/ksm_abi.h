/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names, modes, limits and numbers that KSM's sysfs directory has, in one table for the engine
 * (which serves them) and the tools (which read and validate them), and the engine's one ioctl.
 *
 * Semantics follow Documentation/admin-guide/mm/ksm.rst.
 */
#ifndef KSM_ABI_H
#define KSM_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The only place in the project where a path below /sys is written down. */
#define KSM_ABI_SYSFS_MM "/sys/kernel/mm"
#define KSM_ABI_KERNEL_NAME "ksm"
#define KSM_ABI_ENGINE_NAME "ksm_engine"
#define KSM_ABI_KERNEL_DIR KSM_ABI_SYSFS_MM "/" KSM_ABI_KERNEL_NAME
#define KSM_ABI_ENGINE_DIR KSM_ABI_SYSFS_MM "/" KSM_ABI_ENGINE_NAME
#define KSM_ABI_BTF "/sys/kernel/btf/vmlinux"
#define KSM_ABI_DEV "/dev/ksm_engine"
#define KSM_ABI_CGROUP "/sys/fs/cgroup"
#define KSM_ABI_CGROUP_HYBRID KSM_ABI_CGROUP "/unified" /* beside hierarchies of version 1 */
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
/* Thread that marks what attached processes map later. */
#define KSM_ABI_ATTACH_THREAD "ksm_attached"

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
	  KSM_ABI_PAGES | KSM_ABI_ENGINE)                                                          \
	X(FULL_HASH_PASSES, full_hash_passes, 27, RW, UINT, 1, 65535, 16, KSM_ABI_ENGINE)          \
	X(BACKOFF_PASSES, backoff_passes, 28, RW, UINT, 0, 255, 128, KSM_ABI_ENGINE)               \
	X(ZERO_PAGES_ONLY, zero_pages_only, 29, RW, UINT, 0, 1, 0, KSM_ABI_ENGINE)                 \
	X(THP_MIN_PARTNERS, thp_min_partners, 30, RW, UINT, 1, 65535, 16, KSM_ABI_ENGINE)          \
	X(PAGES_THP_DEFERRED, pages_thp_deferred, 31, RO, UINT, 0, 0, 0,                           \
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

/* struct ksm_abi_attach.op */
#define KSM_ABI_ATTACH 1 /* mark a process's memory as mergeable, and what it maps later */
#define KSM_ABI_DETACH 2 /* take back what KSM_ABI_ATTACH marked, with copies for merged pages */
#define KSM_ABI_ATTACH_QUERY 3 /* how much that is for one process */
#define KSM_ABI_ATTACH_LIST 4 /* all attached processes */

/* struct ksm_abi_attached.state */
#define KSM_ABI_ATTACHED_FULL 1 /* so many mappings that new ones are not marked */

/**
 * struct ksm_abi_attached - one attached process, as KSM_ABI_ATTACH_LIST tells it
 * @pid: as the caller's PID namespace knows it; 0 when it does not, or the process has gone
 *	while another one still shares its memory
 * @state: KSM_ABI_ATTACHED_*
 * @comm: its name
 * @areas: ranges of memory that were marked
 * @bytes: their size
 * @merged: pages of the process that are merged, whoever marked them
 */
struct ksm_abi_attached {
	__u32 pid;
	__u32 state;
	char comm[16];
	__u64 areas;
	__u64 bytes;
	__u64 merged;
};

/**
 * struct ksm_abi_attach - the argument of KSM_ABI_ATTACH_IOCTL
 * @op: KSM_ABI_ATTACH, ...
 * @flags: none are known: 0
 * @pidfd: the process; not for KSM_ABI_ATTACH_LIST
 * @entry: KSM_ABI_ATTACH_LIST: sizeof(struct ksm_abi_attached) as the caller knows it
 * @buffer: KSM_ABI_ATTACH_LIST: address of an array of struct ksm_abi_attached
 * @count: KSM_ABI_ATTACH_LIST: how many fit there; on return how many processes there are
 * @areas: returned: ranges that are marked (detach: were)
 * @bytes: returned: their size
 * @pages: returned by KSM_ABI_ATTACH_QUERY: merged pages in them; by KSM_ABI_DETACH, also when
 *	it fails: pages that got copies of their own
 *
 * A later version may append fields. The ioctl's number carries the caller's size; fields that
 * one side does not know have to be, and are returned as, 0.
 *
 * Needs CAP_SYS_ADMIN (else EPERM) and the right to trace the process (else EACCES). EINVAL: bad
 * op, flags or size; E2BIG: fields that this module does not know; EBADF: no pidfd; ESRCH: the
 * process has gone; EOPNOTSUPP: it is a kernel thread; ENOENT: it is not attached; ENOMEM, EINTR:
 * not or not wholly done, the process is attached still.
 */
struct ksm_abi_attach {
	__u32 op;
	__u32 flags;
	__s32 pidfd;
	__u32 entry;
	__u64 buffer;
	__u64 count;
	__u64 areas;
	__u64 bytes;
	__u64 pages;
};

#define KSM_ABI_ATTACH_SIZE_1 56 /* sizeof(struct ksm_abi_attach) in its first version */
#define KSM_ABI_ATTACH_IOCTL _IOWR('k', 0x5d, struct ksm_abi_attach)

#endif /* KSM_ABI_H */
