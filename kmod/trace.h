/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine's tracepoints: fields and order of arguments as in-tree KSM's, so that one
 * BPF program serves both. The names differ ("ksm_engine_" for "ksm_") because raw
 * tracepoints are found by name alone, in the kernel before any module.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ksm_engine

#if !defined(KSME_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KSME_TRACE_H

#include <linux/tracepoint.h>

#include "core/outcome.h"

int ksme_visits_traced(void);
void ksme_visits_untraced(void);

DECLARE_EVENT_CLASS(ksm_engine_scan,
	TP_PROTO(int seq, u32 rmap_entries),
	TP_ARGS(seq, rmap_entries),
	TP_STRUCT__entry(
		__field(int, seq)
		__field(u32, rmap_entries)
	),
	TP_fast_assign(
		__entry->seq = seq;
		__entry->rmap_entries = rmap_entries;
	),
	TP_printk("seq %d rmap size %u", __entry->seq, __entry->rmap_entries)
);

DEFINE_EVENT(ksm_engine_scan, ksm_engine_start_scan,
	TP_PROTO(int seq, u32 rmap_entries),
	TP_ARGS(seq, rmap_entries)
);

DEFINE_EVENT(ksm_engine_scan, ksm_engine_stop_scan,
	TP_PROTO(int seq, u32 rmap_entries),
	TP_ARGS(seq, rmap_entries)
);

DECLARE_EVENT_CLASS(ksm_engine_mm,
	TP_PROTO(void *mm),
	TP_ARGS(mm),
	TP_STRUCT__entry(
		__field(void *, mm)
	),
	TP_fast_assign(
		__entry->mm = mm;
	),
	TP_printk("mm %p", __entry->mm)
);

DEFINE_EVENT(ksm_engine_mm, ksm_engine_enter,
	TP_PROTO(void *mm),
	TP_ARGS(mm)
);

DEFINE_EVENT(ksm_engine_mm, ksm_engine_exit,
	TP_PROTO(void *mm),
	TP_ARGS(mm)
);

TRACE_EVENT(ksm_engine_merge_one_page,
	TP_PROTO(unsigned long pfn, void *rmap_item, void *mm, int err),
	TP_ARGS(pfn, rmap_item, mm, err),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(void *, rmap_item)
		__field(void *, mm)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->rmap_item = rmap_item;
		__entry->mm = mm;
		__entry->err = err;
	),
	TP_printk("pfn %lu rmap_item %p mm %p error %d", __entry->pfn, __entry->rmap_item,
		  __entry->mm, __entry->err)
);

TRACE_EVENT(ksm_engine_advisor,
	TP_PROTO(s64 scan_time, unsigned long pages_to_scan, unsigned int cpu_percent),
	TP_ARGS(scan_time, pages_to_scan, cpu_percent),
	TP_STRUCT__entry(
		__field(s64, scan_time)
		__field(unsigned long, pages_to_scan)
		__field(unsigned int, cpu_percent)
	),
	TP_fast_assign(
		__entry->scan_time = scan_time;
		__entry->pages_to_scan = pages_to_scan;
		__entry->cpu_percent = cpu_percent;
	),
	TP_printk("ksm scan time %lld pages_to_scan %lu cpu percent %u", __entry->scan_time,
		  __entry->pages_to_scan, __entry->cpu_percent)
);

TRACE_EVENT(ksm_engine_merge_with_ksm_page,
	TP_PROTO(void *ksm_page, unsigned long pfn, void *rmap_item, void *mm, int err),
	TP_ARGS(ksm_page, pfn, rmap_item, mm, err),
	TP_STRUCT__entry(
		__field(void *, ksm_page)
		__field(unsigned long, pfn)
		__field(void *, rmap_item)
		__field(void *, mm)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->ksm_page = ksm_page;
		__entry->pfn = pfn;
		__entry->rmap_item = rmap_item;
		__entry->mm = mm;
		__entry->err = err;
	),
	TP_printk("%spfn %lu rmap_item %p mm %p error %d",
		  __entry->ksm_page ? "" : "new ", __entry->pfn, __entry->rmap_item,
		  __entry->mm, __entry->err)
);

TRACE_EVENT(ksm_engine_remove_ksm_page,
	TP_PROTO(unsigned long pfn),
	TP_ARGS(pfn),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->pfn = pfn;
	),
	TP_printk("pfn %lu", __entry->pfn)
);

TRACE_EVENT(ksm_engine_remove_rmap_item,
	TP_PROTO(unsigned long pfn, void *rmap_item, void *mm),
	TP_ARGS(pfn, rmap_item, mm),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(void *, rmap_item)
		__field(void *, mm)
	),
	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->rmap_item = rmap_item;
		__entry->mm = mm;
	),
	TP_printk("pfn %lu rmap_item %p mm %p", __entry->pfn, __entry->rmap_item,
		  __entry->mm)
);

/*
 * What in-tree KSM has no tracepoints for: what became of each page that was visited, and the
 * batches that visits come in.
 */
#define X(ID, text) TRACE_DEFINE_ENUM(KSM_OUTCOME_##ID);
KSM_OUTCOMES(X)
#undef X

#define KSME_OUTCOME_SYMBOL(ID, text) { KSM_OUTCOME_##ID, text },

TRACE_EVENT_FN(ksm_engine_visit,
	TP_PROTO(void *mm, unsigned long address, unsigned int pages, unsigned int outcome),
	TP_ARGS(mm, address, pages, outcome),
	TP_STRUCT__entry(
		__field(void *, mm)
		__field(unsigned long, address)
		__field(unsigned int, pages)
		__field(unsigned int, outcome)
	),
	TP_fast_assign(
		__entry->mm = mm;
		__entry->address = address;
		__entry->pages = pages;
		__entry->outcome = outcome;
	),
	TP_printk("mm %p address %#lx pages %u %s", __entry->mm, __entry->address, __entry->pages,
		  __print_symbolic(__entry->outcome,
				   KSM_OUTCOMES(KSME_OUTCOME_SYMBOL) { KSM_NR_OUTCOMES, "" })),
	ksme_visits_traced, ksme_visits_untraced
);

TRACE_EVENT(ksm_engine_start_batch,
	TP_PROTO(unsigned int pages_to_scan),
	TP_ARGS(pages_to_scan),
	TP_STRUCT__entry(
		__field(unsigned int, pages_to_scan)
	),
	TP_fast_assign(
		__entry->pages_to_scan = pages_to_scan;
	),
	TP_printk("pages_to_scan %u", __entry->pages_to_scan)
);

TRACE_EVENT(ksm_engine_stop_batch,
	TP_PROTO(unsigned long scanned, unsigned long skipped),
	TP_ARGS(scanned, skipped),
	TP_STRUCT__entry(
		__field(unsigned long, scanned)
		__field(unsigned long, skipped)
	),
	TP_fast_assign(
		__entry->scanned = scanned;
		__entry->skipped = skipped;
	),
	TP_printk("scanned %lu skipped %lu", __entry->scanned, __entry->skipped)
);

#endif /* KSME_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
