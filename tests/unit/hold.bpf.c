// SPDX-License-Identifier: GPL-2.0
/* Programs that take their place in a stream's ring buffer; one of them keeps it for long. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "ksm_event.h"

#define LOOPS (1u << 23)

/* Those of the stream under test are put in their places. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KSM_EVENT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} fired SEC(".maps");

volatile __u32 held = 0;
volatile __u32 release = 0;

static long wait(__u32 i, void *ctx)
{
	return release != 0;
}

/* Loops are bounded; two of them, one in the other, for minutes. */
static long wait_long(__u32 i, void *ctx)
{
	bpf_loop(LOOPS, wait, NULL, 0);
	return release != 0;
}

static __always_inline int emit(__u32 type, bool hold)
{
	struct ksm_event *slot;
	__u64 *n = bpf_map_lookup_elem(&fired, &type);

	if (!n)
		return 1;
	__sync_fetch_and_add(n, 1);
	slot = bpf_ringbuf_reserve(&ring, sizeof(*slot), 0);
	if (!slot)
		return 1;
	__builtin_memset(slot, 0, sizeof(*slot));
	slot->type = type;
	slot->time = bpf_ktime_get_ns();
	if (hold) {
		held = 1;
		bpf_loop(LOOPS, wait_long, NULL, 0);
	}
	bpf_ringbuf_submit(slot, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("syscall")
int emit_late(void *ctx)
{
	return emit(KSM_EVENT_ADVISOR, true);
}

SEC("syscall")
int emit_at_once(void *ctx)
{
	return emit(KSM_EVENT_SWAPIN_COPY, false);
}

char _license[] SEC("license") = "GPL";
