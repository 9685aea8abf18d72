// SPDX-License-Identifier: GPL-2.0
/*
 * The engine's tracepoints (TRACE_SYSTEM ksm_engine), reached as raw tracepoints: these need no
 * BTF of the module, so the programs load before it and on any kernel.
 */
#include "points.bpf.h"

struct raw_args {
	__u64 args[0];
};

/* A struct first_half. Not static: clang would split it, and the kernel refuse the pieces' BTF. */
__u64 engine_first[FIRST_HALF_WORDS];

SEC("raw_tp/ksm_engine_start_scan")
int engine_start_scan(struct raw_args *ctx)
{
	point_scan(KSM_EVENT_SCAN_START, ctx->args[0], ctx->args[1]);
	return 0;
}

SEC("raw_tp/ksm_engine_stop_scan")
int engine_stop_scan(struct raw_args *ctx)
{
	point_scan(KSM_EVENT_SCAN_STOP, ctx->args[0], ctx->args[1]);
	return 0;
}

SEC("raw_tp/ksm_engine_merge_with_ksm_page")
int engine_merge(struct raw_args *ctx)
{
	point_merge(engine_first, (void *)ctx->args[0], ctx->args[1], (void *)ctx->args[2],
		    (void *)ctx->args[3], ctx->args[4]);
	return 0;
}

SEC("raw_tp/ksm_engine_merge_one_page")
int engine_zero_merge(struct raw_args *ctx)
{
	point_zero_merge(ctx->args[0], (void *)ctx->args[1], (void *)ctx->args[2], ctx->args[3]);
	return 0;
}

SEC("raw_tp/ksm_engine_advisor")
int engine_advisor(struct raw_args *ctx)
{
	point_advisor(ctx->args[0], ctx->args[1], ctx->args[2]);
	return 0;
}

SEC("raw_tp/ksm_engine_enter")
int engine_enter(struct raw_args *ctx)
{
	point_enter((void *)ctx->args[0]);
	return 0;
}

SEC("raw_tp/ksm_engine_exit")
int engine_exit(struct raw_args *ctx)
{
	point_exit((void *)ctx->args[0]);
	return 0;
}

SEC("raw_tp/ksm_engine_remove_ksm_page")
int engine_remove_page(struct raw_args *ctx)
{
	point_page_removed(ctx->args[0]);
	return 0;
}

SEC("raw_tp/ksm_engine_remove_rmap_item")
int engine_remove_item(struct raw_args *ctx)
{
	point_item(KSM_EVENT_RMAP_REMOVED, (void *)ctx->args[1], (void *)ctx->args[2], ctx->args[0],
		   1);
	return 0;
}
