// SPDX-License-Identifier: GPL-2.0
/* What was counted while a stream is open: in the kernel, and of what did not get through. */
#include <string.h>

#include <bpf/bpf.h>

#include "lib/stream_priv.h"

#define SECOND_NS UINT64_C(1000000000)

static uint64_t read_count(const struct ksm_stream *s, const struct bpf_map *map, uint32_t type)
{
	uint64_t sum = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(map), &type, s->values))
		return 0;
	for (int cpu = 0; cpu < s->cpus; cpu++)
		sum += s->values[cpu];
	return sum;
}

/*
 * Runs that the kernel skipped: it does not start a program on a CPU where a preempted task is
 * inside the same program. Whether the skipped run would have told of an event is not known, but of
 * breaks the kernel knows how many there were.
 */
static void add_misses(const struct ksm_stream *s, struct ksm_totals *totals)
{
	uint64_t skipped[KSM_EVENT_MAX] = { 0 };
	uint64_t *breaks = &skipped[KSM_EVENT_COW_BREAK];

	for (size_t i = 0; i < s->prober.count; i++) {
		const struct ksm_prog_state *state = &s->prober.progs[i];
		unsigned int type = ksm_prog_type(state->name);
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);

		if (!state->chosen || !type ||
		    !((s->opts.events | s->opts.totals) & KSM_STREAM_BIT(type)))
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(state->prog), &info, &size))
			continue;
		skipped[type] += info.recursion_misses;
	}
	*breaks = ksm_misses_bound(&s->misses, *breaks, totals->fired[KSM_EVENT_COW_BREAK]);
	for (int type = 1; type < KSM_EVENT_MAX; type++) {
		totals->fired[type] += skipped[type];
		totals->lost[KSM_LOST_SKIPPED][type] = skipped[type];
	}
}

int ksm_stream_totals(const struct ksm_stream *s, struct ksm_totals *totals)
{
	memset(totals->fired, 0, sizeof(totals->fired));
	memcpy(totals->lost, s->dropped, sizeof(totals->lost));
	if (!s->skel)
		return 0;
	for (uint32_t type = 1; type < KSM_EVENT_MAX; type++) {
		totals->fired[type] = read_count(s, s->skel->maps.fired, type);
		totals->lost[KSM_LOST_FULL][type] = read_count(s, s->skel->maps.lost, type);
	}
	add_misses(s, totals);
	return 0;
}

uint64_t ksm_totals_lost_by(const struct ksm_totals *totals, unsigned int cause)
{
	uint64_t sum = 0;

	for (int type = 1; type < KSM_EVENT_MAX; type++)
		sum += totals->lost[cause][type];
	return sum;
}

uint64_t ksm_totals_lost(const struct ksm_totals *totals)
{
	uint64_t sum = 0;

	for (int cause = 0; cause < KSM_LOST_MAX; cause++)
		sum += ksm_totals_lost_by(totals, cause);
	return sum;
}

uint64_t ksm_stream_lost(const struct ksm_stream *s)
{
	struct ksm_totals totals;

	ksm_stream_totals(s, &totals);
	return ksm_totals_lost(&totals);
}

uint64_t ksm_stream_proc_breaks(const struct ksm_stream *s, uint32_t tgid, uint64_t *ns)
{
	struct {
		uint64_t count;
		uint64_t ns;
	} state = { 0 };

	if (s->skel && bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.breaks), &tgid, &state))
		state.count = state.ns = 0;
	if (ns)
		*ns = state.ns;
	return state.count;
}

void ksm_stream_latency(const struct ksm_stream *s, unsigned int why, uint64_t *slots)
{
	uint32_t base = why == KSM_COW_UNMERGE ? KSM_LATENCY_SLOTS : 0;

	for (uint32_t i = 0; i < KSM_LATENCY_SLOTS; i++)
		slots[i] = s->skel ? read_count(s, s->skel->maps.latency, base + i) : 0;
}

/* Delivers one number of losses; a bound may turn out to have been too high. */
static int tell_loss(struct ksm_stream *s, int cause, int type, uint64_t lost)
{
	struct ksm_event event = {
		.time = s->window.watermark,
		.type = KSM_EVENT_LOST,
		.n32 = type,
		.address = cause,
		.n64 = lost - s->told[cause][type],
	};

	if (lost <= s->told[cause][type])
		return 0;
	s->told[cause][type] = lost;
	return s->opts.fn ? s->opts.fn(s->opts.ctx, &event) : 0;
}

int ksm_stream_tell_losses(struct ksm_stream *s)
{
	struct ksm_totals totals;
	int ret = 0;

	ksm_stream_totals(s, &totals);
	for (int cause = 0; cause < KSM_LOST_MAX; cause++)
		for (int type = 1; type < KSM_EVENT_MAX && !ret; type++)
			ret = tell_loss(s, cause, type, totals.lost[cause][type]);
	return ret;
}

bool ksm_stream_lost_more(struct ksm_stream *s)
{
	uint64_t lost = s->skel ? read_count(s, s->skel->maps.lost, 0) : 0;

	for (int type = 1; type < KSM_EVENT_MAX; type++)
		lost += s->dropped[KSM_LOST_LATE][type] + s->dropped[KSM_LOST_MEMORY][type];
	if (s->ticks[0] - s->looked >= SECOND_NS) {
		s->looked = s->ticks[0];
		return true;
	}
	if (lost == s->ring_lost)
		return false;
	s->ring_lost = lost;
	return true;
}
