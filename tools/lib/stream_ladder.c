// SPDX-License-Identifier: GPL-2.0
/*
 * The ladder: for each event and engine, ways to get it, best first. Each was checked against
 * the kernel's own counters; docs/trace-format.md says what an event means.
 */
#include "lib/stream_hooks.h"
#include "lib/util.h"

#define K KSM_STREAM_KERNEL
#define E KSM_STREAM_ENGINE
#define KE KSM_STREAM_BOTH
#define EV(id) KSM_EVENT_##id

const struct ksm_rung ksm_rungs[] = {
	{ EV(SCAN_START), K, { "tp_start_scan" }, NULL, NULL },
	{ EV(SCAN_START), K, { "find_scan", "drain_all" }, NULL, NULL },
	{ EV(SCAN_START), K, { "drain_all" }, "number and size of the pass are not known", NULL },
	{ EV(SCAN_STOP), K, { "tp_stop_scan" }, NULL, NULL },
	{ EV(SCAN_STOP), K, { "find_scan", "pass_end" }, "told when the scanner rests next", NULL },
	{ EV(BATCH_SLEEP), KE, { "sched_switch" }, NULL, NULL },
	{ EV(BATCH_WAKE), KE, { "sched_switch" }, NULL, NULL },
	{ EV(MERGE), K, { "tp_merge" }, NULL, NULL },
	{ EV(MERGE), K, { "tree_append" }, NULL, NULL },
	{ EV(NEW_PAGE), K, { "tp_merge" }, NULL, NULL },
	{ EV(NEW_PAGE), K, { "tree_append" }, NULL, NULL },
	{ EV(ZERO_MERGE), K, { "tp_zero_merge" }, NULL, NULL },
	{ EV(ZERO_MERGE),
	  K,
	  { "find_pages", "merge_entry", "one_exit", "merge_left" },
	  NULL,
	  NULL },
	{ EV(MERGE_FAILED), K, { "tp_merge", "tp_zero_merge" }, NULL, NULL },
	{ EV(MERGE_FAILED),
	  K,
	  { "merge_exit", "merge_entry", "one_exit", "merge_left" },
	  NULL,
	  NULL },
	{ EV(MERGE_FAILED),
	  K,
	  { "merge_exit" },
	  "failed merges with the zero page are not seen",
	  NULL },
	{ EV(COW_BREAK), KE, { "find_pages", "wp_exit", "wp_entry" }, NULL, NULL },
	{ EV(COW_BREAK),
	  KE,
	  { "find_tables", "fault_end", "fault_user", "fault_kernel" },
	  "only breaks by page faults: not unmerging, not writes by other processes",
	  NULL },
	{ EV(COW_BREAK),
	  KE,
	  { "find_tables", "fault_user", "fault_kernel" },
	  "only breaks by page faults, and not how long they take",
	  NULL },
	{ EV(UNMERGE_RANGE), KE, { "madvise_exit", "disable_exit" }, NULL, NULL },
	{ EV(UNMERGE_RANGE), KE, { "madvise_exit" }, NULL, NULL },
	{ EV(UNMERGE_RANGE), KE, { "unmerge_call" }, NULL, "slows every system call a little" },
	{ EV(ENTER), K, { "tp_enter" }, NULL, NULL },
	{ EV(ENTER), K, { "enter_exit" }, NULL, NULL },
	{ EV(EXIT), K, { "tp_exit" }, NULL, NULL },
	{ EV(EXIT), K, { "exit_entry" }, NULL, NULL },
	{ EV(PAGE_REMOVED), K, { "tp_remove_page" }, NULL, NULL },
	{ EV(PAGE_REMOVED), K, { "remove_node" }, NULL, NULL },
	{ EV(RMAP_REMOVED), K, { "remove_item", "remove_node" }, NULL, NULL },
	{ EV(RMAP_REMOVED),
	  K,
	  { "tp_remove_item" },
	  "only items that go together with their page",
	  NULL },
	{ EV(ADVISOR), K, { "tp_advisor" }, NULL, NULL },
	{ EV(SWAPIN_COPY), KE, { "find_pages", "swapin_exit" }, NULL, NULL },
	{ EV(SWAPIN_COPY), KE, { "swapin_exit" }, "without the frame", NULL },
	{ EV(SWAPIN_COPY), KE, { NULL }, "/proc/vmstat counts them: ksm_swpin_copy", NULL },

	{ EV(SCAN_START), E, { "engine_start_scan" }, NULL, NULL },
	{ EV(SCAN_STOP), E, { "engine_stop_scan" }, NULL, NULL },
	{ EV(MERGE), E, { "engine_merge" }, NULL, NULL },
	{ EV(NEW_PAGE), E, { "engine_merge" }, NULL, NULL },
	{ EV(ZERO_MERGE), E, { "engine_zero_merge" }, NULL, NULL },
	{ EV(MERGE_FAILED), E, { "engine_merge", "engine_zero_merge" }, NULL, NULL },
	{ EV(MERGE_FAILED),
	  E,
	  { "engine_merge" },
	  "failed merges with the zero page are not seen",
	  NULL },
	{ EV(ADVISOR), E, { "engine_advisor" }, NULL, NULL },
	{ EV(ENTER), E, { "engine_enter" }, NULL, NULL },
	{ EV(EXIT), E, { "engine_exit" }, NULL, NULL },
	{ EV(PAGE_REMOVED), E, { "engine_remove_page" }, NULL, NULL },
	{ EV(RMAP_REMOVED), E, { "engine_remove_item" }, NULL, NULL },
};

const size_t ksm_rung_count = KSM_ARRAY_SIZE(ksm_rungs);

/* A fork tells of an address space that joined with its parent's; an exec of another name. */
const struct ksm_life_prog ksm_hook_life[] = {
	{ "process_fork", EV(ENTER) },
	{ "process_exec", EV(COMM) },
	{ "process_exit", EV(EXIT) },
};

const size_t ksm_hook_life_count = KSM_ARRAY_SIZE(ksm_hook_life);
