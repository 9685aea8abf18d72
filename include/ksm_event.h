/* SPDX-License-Identifier: GPL-2.0 */
/*
 * THE event record: 48 bytes, written by BPF, stored in traces, read by every tool.
 *
 * One definition for the kernel module, BPF programs and userspace. Fixed-width fields only: a
 * record means the same on every machine, so a trace can be read a week later elsewhere.
 */
#ifndef KSM_EVENT_H
#define KSM_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/**
 * struct ksm_event - one thing that KSM did, or one sample of what it holds
 * @time: CLOCK_MONOTONIC, nanoseconds
 * @type: enum ksm_event_type
 * @cpu: CPU the event happened on
 * @tgid: process it happened to, 0 when none or unknown
 * @mm: id of the address space (a small number, never a kernel address), 0 when none
 * @n32: per type, see KSM_EVENT_TYPES
 * @address: user virtual address, or per type
 * @pfn: page frame number, or per type
 * @n64: per type, see KSM_EVENT_TYPES
 */
struct ksm_event {
	__u64 time;
	__u16 type;
	__u16 cpu;
	__u32 tgid;
	__u32 mm;
	__u32 n32;
	__u64 address;
	__u64 pfn;
	__u64 n64;
};

/*
 * X(ID, name, number, n32, address, pfn, n64): the last four say what a field holds in this type;
 * "" is a field that is 0. The names are those printed, filtered by (-e) and stored in a trace.
 */
#define KSM_EVENT_TYPES(X)                                                                         \
	X(SCAN_START, scan_start, 1, "seq", "", "", "rmap_items")                                  \
	X(SCAN_STOP, scan_stop, 2, "seq", "", "", "rmap_items")                                    \
	X(BATCH_SLEEP, batch_sleep, 3, "", "", "", "")                                             \
	X(BATCH_WAKE, batch_wake, 4, "", "", "", "slept_ns")                                       \
	X(MERGE, merge, 5, "", "address", "kpfn", "")                                              \
	X(NEW_PAGE, new_page, 6, "", "address", "kpfn", "")                                        \
	X(ZERO_MERGE, zero_merge, 7, "", "address", "pfn", "")                                     \
	X(MERGE_FAILED, merge_failed, 8, "errno", "address", "pfn", "")                            \
	X(COW_BREAK, cow_break, 9, "why", "address", "kpfn", "latency_ns")                         \
	X(UNMERGE_RANGE, unmerge_range, 10, "", "start", "", "bytes")                              \
	X(ENTER, enter, 11, "", "", "", "")                                                        \
	X(EXIT, exit, 12, "", "", "", "")                                                          \
	X(PAGE_REMOVED, page_removed, 13, "", "", "kpfn", "")                                      \
	X(RMAP_REMOVED, rmap_removed, 14, "stable", "address", "kpfn", "")                         \
	X(ADVISOR, advisor, 15, "cpu_percent", "pages_to_scan", "", "scan_time_ms")                \
	X(SWAPIN_COPY, swapin_copy, 16, "", "address", "kpfn", "")                                 \
	X(COMM, comm, 17, "", "comm_0_7", "comm_8_15", "cgroup_id")                                \
	X(LOST, lost, 18, "of_type", "cause", "", "count")                                         \
	X(COUNTER, counter, 19, "knob_id", "", "", "value")                                        \
	X(PROCESS, process, 20, "merging_pages", "zero_pages", "rmap_items", "mergeable_bytes")    \
	X(SCANNER, scanner, 21, "pid", "psi_mem_us", "psi_cpu_us", "runtime_ns")                   \
	X(NAME, name, 22, "part", "text_0_7", "text_8_15", "text_16_23")

/**
 * enum ksm_event_type - the values of ksm_event.type
 *
 * A number, once given, is never given to another type: traces outlive releases.
 */
enum ksm_event_type {
#define X(ID, name, number, n32, address, pfn, n64) KSM_EVENT_##ID = number,
	KSM_EVENT_TYPES(X)
#undef X
	KSM_EVENT_MAX
};

/* COW_BREAK's n32 */
#define KSM_COW_WRITE 0 /* a write fault */
#define KSM_COW_UNMERGE 1 /* MADV_UNMERGEABLE, run=2 or an engine's own unsharing */

/*
 * X(ID, name, text): LOST's address, why they did not make it. `untold` is what recordings made
 * before there were causes hold. `full`: no room in the ring buffer, or in a table of what is under
 * way. `late`: what is later had been delivered. `memory`: the reader had none left. `skipped`: the
 * kernel did not run the program, so nobody knows whether there was an event.
 */
#define KSM_LOST_CAUSES(X)                                                                         \
	X(UNTOLD, untold, "the recording does not tell why")                                       \
	X(FULL, full, "the buffer was full")                                                       \
	X(LATE, late, "too late to be sorted in")                                                  \
	X(MEMORY, memory, "no memory was left for sorting")                                        \
	X(SKIPPED, skipped, "at most, in programs that the kernel skipped")

/**
 * enum ksm_lost_cause - the values of a LOST event's address, in the order of KSM_LOST_CAUSES
 */
enum ksm_lost_cause {
#define X(ID, name, text) KSM_LOST_##ID,
	KSM_LOST_CAUSES(X)
#undef X
	KSM_LOST_MAX
};

/*
 * NAME's n32: what the text names, and in the low half which 24 bytes of it these are. The part
 * with a NUL is the last one.
 */
#define KSM_NAME_GUEST 0x10000 /* the virtual machine that the process runs */
#define KSM_NAME_CGROUP 0x20000 /* path of its cgroup, from the root of the hierarchy */

/*
 * Latencies in the kernel's memory: slots by the highest bit and the three below it, so that a slot
 * is at most an eighth of its value wide. Below eight nanoseconds a slot is none.
 */
#define KSM_LATENCY_BITS 3
#define KSM_LATENCY_SLOTS (64 << KSM_LATENCY_BITS)

/* SCANNER and COUNTER belong to no address space: their mm says which backend it is. */
#define KSM_BACKEND_KERNEL 0
#define KSM_BACKEND_ENGINE 1

#endif /* KSM_EVENT_H */
