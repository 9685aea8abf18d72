/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Live KSM events and in-kernel totals: the only user of the BPF skeletons.
 *
 * A stream is opened once; it probes which hooks this kernel offers, takes the best of them for
 * each event type and keeps the reason for every one it could not have. Nothing here needs a
 * kernel version. A stream without any privilege still opens: every hook is then unavailable and
 * says why.
 *
 * One stream belongs to one thread; no function here is safe to call on the same stream from two.
 */
#ifndef KSM_STREAM_H
#define KSM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ksm_event.h"

struct ksm_stream;

/* Which engine's hooks: a mask. */
#define KSM_STREAM_KERNEL 1u
#define KSM_STREAM_ENGINE 2u
#define KSM_STREAM_BOTH 3u

#define KSM_STREAM_BIT(type) (UINT64_C(1) << (type))
/* All types that come from a hook; snapshots (COUNTER, PROCESS, SCANNER) are injected by the user.
 */
#define KSM_STREAM_ALL \
	(KSM_STREAM_BIT(KSM_EVENT_SWAPIN_COPY + 1) - KSM_STREAM_BIT(KSM_EVENT_SCAN_START))

#define KSM_STREAM_RING_BYTES (8u << 20)

/**
 * ksm_event_fn - gets one event
 * @ctx: the pointer given with the function
 * @event: valid during the call only
 *
 * Return: 0 to go on; anything else ends the delivery and is returned by the caller.
 */
typedef int (*ksm_event_fn)(void *ctx, const struct ksm_event *event);

/**
 * struct ksm_stream_opts - what to open
 * @backend: mask of KSM_STREAM_KERNEL and KSM_STREAM_ENGINE
 * @events: mask of KSM_STREAM_BIT(type): delivered one by one through the ring
 * @totals: mask of KSM_STREAM_BIT(type): only counted in the kernel (cheap); types in @events are
 *	counted too
 * @only_watched: only processes given to ksm_stream_watch()
 * @children: and what they fork from then on, and so on
 * @cgroup: only processes in the cgroup of this id or below it (its inode in cgroupfs), 0 for all;
 *	events that belong to no process, such as the beginning of a pass, come with any filter
 * @ring_bytes: size of the ring, rounded up to a power of two of pages; 0 for the default 8 MiB
 * @fn: gets the events, may be NULL when @events is 0
 * @ctx: handed to @fn
 */
struct ksm_stream_opts {
	unsigned int backend;
	uint64_t events;
	uint64_t totals;
	bool only_watched;
	bool children;
	uint64_t cgroup;
	size_t ring_bytes;
	ksm_event_fn fn;
	void *ctx;
};

/**
 * struct ksm_hook - where the events of one type come from
 * @type: enum ksm_event_type
 * @backend: KSM_STREAM_KERNEL or KSM_STREAM_ENGINE
 * @hook: text such as "tp_btf ksm_merge_with_ksm_page", NULL when there is none
 * @why: why there is none, or why not a better one; NULL when it is the best one
 * @lacks: what this one does not see or tell, NULL when that is nothing; a part of @why
 */
struct ksm_hook {
	unsigned int type;
	unsigned int backend;
	const char *hook;
	const char *why;
	const char *lacks;
};

/**
 * struct ksm_totals - what was counted since the stream was opened
 * @fired: events of each type that happened (matching the filter)
 * @lost: of those in opts.events, how many never reached the callback, by cause
 */
struct ksm_totals {
	uint64_t fired[KSM_EVENT_MAX];
	uint64_t lost[KSM_LOST_MAX][KSM_EVENT_MAX];
};

/**
 * ksm_stream_open - probe, load and attach
 * @opts: what to open; copied
 * @stream: the new stream, for ksm_stream_close()
 * @err: set to a one-line message on failure
 * @err_size: size of @err
 *
 * Succeeds with no hook at all when BPF is not permitted: see ksm_stream_hooks().
 *
 * Return: 0, or -EINVAL or -ENOMEM with @err set.
 */
int ksm_stream_open(const struct ksm_stream_opts *opts, struct ksm_stream **stream, char *err,
		    size_t err_size);

/**
 * ksm_stream_close - detach and free
 * @stream: may be NULL
 */
void ksm_stream_close(struct ksm_stream *stream);

/**
 * ksm_stream_watch - let a process through the filter of opts.only_watched
 * @stream: open stream
 * @tgid: process; its number is forgotten when it exits
 *
 * Return: 0 (also when there are no hooks to filter) or a negative errno.
 */
int ksm_stream_watch(struct ksm_stream *stream, uint32_t tgid);

/**
 * ksm_stream_faults - whether page faults need be looked at
 * @stream: open stream
 * @wanted: false while nothing is merged and nothing merges, so that there are no COW breaks
 *
 * Where the kernel's functions cannot be hooked, COW breaks are found among all page faults of the
 * machine, which costs each of them a little. A stream looks at them until it is told not to.
 */
void ksm_stream_faults(struct ksm_stream *stream, bool wanted);

/**
 * ksm_stream_known - a process that entered KSM before the stream was opened
 * @stream: open stream
 * @tgid: process
 *
 * Without, its exit is not told where the scanner had dropped its memory before.
 */
void ksm_stream_known(struct ksm_stream *stream, uint32_t tgid);

/**
 * ksm_stream_hooks - the hook in use for each type and backend that was asked for
 * @stream: open stream
 * @nr: number of entries
 *
 * Return: array owned by the stream, sorted by backend and type.
 */
const struct ksm_hook *ksm_stream_hooks(const struct ksm_stream *stream, size_t *nr);

/**
 * ksm_stream_hook - the hook in use for one type, whichever backend has it
 * @stream: open stream
 * @type: enum ksm_event_type
 *
 * Return: entry owned by the stream (one with a hook before one without), NULL when the type was
 * not asked for.
 */
const struct ksm_hook *ksm_stream_hook(const struct ksm_stream *stream, unsigned int type);

/**
 * ksm_stream_poll - consume the ring and deliver what is old enough to be sorted
 * @stream: open stream
 * @timeout_ms: how long to stay; the ring is looked at every 20 ms meanwhile. 0 looks once.
 *
 * Events are delivered in order of time, about 40 ms late. What comes later than that is counted
 * as lost. Losses are delivered as LOST events, one for each cause and type, in order too.
 *
 * Return: 0, a negative errno (-EINTR: a signal came, what was consumed is kept), or what the
 * callback returned.
 */
int ksm_stream_poll(struct ksm_stream *stream, int timeout_ms);

/**
 * ksm_stream_inject - put an event of the caller's own into the sorted delivery
 * @stream: open stream
 * @event: copied; its time must not lie before the current CLOCK_MONOTONIC by more than 20 ms, or
 * it may be lost as too late
 *
 * Return: 0 or -ENOMEM; either loss is counted.
 */
int ksm_stream_inject(struct ksm_stream *stream, const struct ksm_event *event);

/**
 * ksm_stream_finish - detach all hooks and deliver everything that is still under way
 * @stream: open stream; only totals, lost, hooks and close may follow
 *
 * Afterwards delivered + lost = fired for every type in opts.events.
 *
 * Return: as ksm_stream_poll().
 */
int ksm_stream_finish(struct ksm_stream *stream);

/**
 * ksm_stream_totals - read the counts kept in the kernel
 * @stream: open stream
 * @totals: filled
 *
 * Return: 0 or a negative errno.
 */
int ksm_stream_totals(const struct ksm_stream *stream, struct ksm_totals *totals);

/**
 * ksm_totals_lost - of all types, for all causes
 * @totals: of ksm_stream_totals()
 */
uint64_t ksm_totals_lost(const struct ksm_totals *totals);

/**
 * ksm_totals_lost_by - of all types, for one cause
 * @totals: of ksm_stream_totals()
 * @cause: enum ksm_lost_cause
 */
uint64_t ksm_totals_lost_by(const struct ksm_totals *totals, unsigned int cause);

/**
 * ksm_stream_latency - how long COW breaks took, as counted in the kernel
 * @stream: open stream with COW_BREAK in events or totals
 * @why: KSM_COW_WRITE or KSM_COW_UNMERGE
 * @slots: KSM_LATENCY_SLOTS counts, see lib/latency.h; all 0 when the hook in use cannot tell
 */
void ksm_stream_latency(const struct ksm_stream *stream, unsigned int why, uint64_t *slots);

/**
 * ksm_stream_lost - events lost so far, of all types
 * @stream: open stream
 */
uint64_t ksm_stream_lost(const struct ksm_stream *stream);

/**
 * ksm_stream_proc_breaks - COW breaks of one process since the stream was opened
 * @stream: open stream with COW_BREAK in events or totals
 * @tgid: process
 * @ns: time that they took, 0 where the hook cannot tell; may be NULL
 *
 * Return: the count; 0 for a process that had none, or that has gone.
 */
uint64_t ksm_stream_proc_breaks(const struct ksm_stream *stream, uint32_t tgid, uint64_t *ns);

/* ksm_proc_row.mm_flags */
#define KSM_MM_MERGEABLE (UINT64_C(1) << 16) /* KSM knows the address space */

/**
 * struct ksm_proc_row - one process as the task iterator sees it
 * @tgid: process id in the root pid namespace
 * @ppid: its parent's
 * @uid: real user id in the root user namespace
 * @named: @ppid, @uid, @cgroup_id and @comm were read; see ksm_proc_iter_names()
 * @start_ns: start time, CLOCK_MONOTONIC nanoseconds; with @tgid it names a process for ever
 * @merging_pages: its pages that are merged
 * @rmap_items: its pages that are tracked
 * @zero_pages: its pages that map the zero page through KSM; 0 where the kernel has no such count
 * @mm_flags: the first 64 flags of its address space; see also ksm_proc_iter_merge_any()
 * @cgroup_id: of its cgroup (version 2)
 * @comm: name, NUL-terminated
 */
struct ksm_proc_row {
	uint32_t tgid;
	uint32_t ppid;
	uint32_t uid;
	uint32_t named;
	uint64_t start_ns;
	uint64_t merging_pages;
	uint64_t rmap_items;
	uint64_t zero_pages;
	uint64_t mm_flags;
	uint64_t cgroup_id;
	char comm[16];
};

typedef int (*ksm_proc_fn)(void *ctx, const struct ksm_proc_row *row);

struct ksm_proc_iter;

/**
 * ksm_proc_iter_open - load the task iterator
 * @iter: the new iterator, for ksm_proc_iter_close()
 * @err: set to the one-line reason on failure
 * @err_size: size of @err
 *
 * Return: 0 or a negative errno (-EPERM, -ENOTSUP: the caller reads /proc instead).
 */
int ksm_proc_iter_open(struct ksm_proc_iter **iter, char *err, size_t err_size);

/**
 * ksm_proc_iter_read - one pass over all processes that have KSM state
 * @iter: open iterator
 * @fn: called per process that has merged, zero or tracked pages; non-zero ends the pass
 * @ctx: handed to @fn
 *
 * Return: 0, a negative errno, or what @fn returned.
 */
int ksm_proc_iter_read(struct ksm_proc_iter *iter, ksm_proc_fn fn, void *ctx);

/**
 * ksm_proc_iter_all - also processes that KSM knows nothing of, from the next pass on
 */
void ksm_proc_iter_all(struct ksm_proc_iter *iter, bool all);

/**
 * ksm_proc_iter_names - read names less often
 * @every: each process's once in so many passes, a power of two; new processes' always
 *
 * For who keeps them: of 2,000 processes they are half of the work. Only passes over all processes
 * leave any out, and the first of these does not.
 */
void ksm_proc_iter_names(struct ksm_proc_iter *iter, unsigned int every);

/**
 * ksm_proc_iter_merge_any - the flag of an address space that PR_SET_MEMORY_MERGE sets
 *
 * Its place differs between kernels and is not in BTF, so a child sets it and is looked at, once.
 *
 * Return: a mask for ksm_proc_row.mm_flags; 0 when this kernel has no such prctl.
 */
uint64_t ksm_proc_iter_merge_any(struct ksm_proc_iter *iter);

/**
 * ksm_proc_iter_mergeable - how much memory one process has marked mergeable
 * @tgid: process
 * @bytes: size of its mappings with VM_MERGEABLE
 *
 * Return: 0; -ENOTSUP when the kernel has no such iterator; negative errno.
 */
int ksm_proc_iter_mergeable(struct ksm_proc_iter *iter, uint32_t tgid, uint64_t *bytes);

/**
 * ksm_proc_iter_run_ns - CPU time that the iterator's programs took so far
 *
 * Return: 0 unless kernel.bpf_stats_enabled is set.
 */
uint64_t ksm_proc_iter_run_ns(const struct ksm_proc_iter *iter);

/**
 * ksm_proc_iter_close - unload
 * @iter: may be NULL
 */
void ksm_proc_iter_close(struct ksm_proc_iter *iter);

#endif /* KSM_STREAM_H */
