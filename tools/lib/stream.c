// SPDX-License-Identifier: GPL-2.0
#include "lib/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/stream_priv.h"
#include "lib/stream_ring.h"
#include "lib/util.h"

#define TICK_MS 20
#define TICK_NS (TICK_MS * UINT64_C(1000000))
#define WAKE_MASK 31 /* one in 32 events looks how full the ring is */
#define SMALL_RING (512u << 10)
#define LOAD_TRIES 8
#define FINISH_NS UINT64_C(1000000000)
/* Set to see what libbpf has to say. */
#define DEBUG_ENV "KSM_BPF_DEBUG"

/* The program whose loading failed, out of libbpf's own words; there is no other way to know it. */
static char failed_prog[64];

static int on_libbpf_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[256], *start, *end;
	va_list copy;

	va_copy(copy, args);
	vsnprintf(line, sizeof(line), fmt, copy);
	va_end(copy);
	start = strstr(line, "prog '");
	end = start ? strstr(start, "': failed to ") : NULL;
	if (end) {
		*end = 0;
		ksm_copy(failed_prog, sizeof(failed_prog), start + strlen("prog '"));
	}
	return getenv(DEBUG_ENV) ? vfprintf(stderr, fmt, args) : 0;
}

/* Return: 0, also for one that is too late, or -ENOMEM; what is not taken is counted. */
static int take(struct ksm_stream *s, const struct ksm_event *event)
{
	int ret = ksm_window_add(&s->window, event);

	if (ret)
		s->dropped[ret == -ETIME ? KSM_LOST_LATE : KSM_LOST_MEMORY][event->type]++;
	return ret == -ETIME ? 0 : ret;
}

static int on_ring_event(void *ctx, void *data, size_t size)
{
	struct ksm_stream *s = ctx;
	const struct ksm_event *event = data;

	if (size < sizeof(*event) || event->type >= KSM_EVENT_MAX)
		return 0;
	s->received[event->type]++;
	take(s, event);
	return 0;
}

static bool is_chosen(struct ksm_stream *s, const char *name)
{
	struct ksm_prog_state *state = ksm_prober_find(&s->prober, name);

	return state && state->chosen;
}

/* Settings that are constants once the programs are loaded. */
static void configure(struct ksm_stream *s)
{
	size_t bytes = ksm_ring_size(s->opts.events ? s->opts.ring_bytes : 1);

	s->skel->rodata->event_mask = s->opts.events;
	s->skel->rodata->count_mask = s->opts.events | s->opts.totals;
	s->skel->rodata->filter_tgids = s->opts.only_watched;
	s->skel->rodata->follow_children = s->opts.only_watched && s->opts.children;
	s->skel->rodata->filter_cgroup = s->opts.cgroup;
	s->skel->rodata->wake_bytes = ksm_ring_wake_bytes(bytes);
	/* What is not looked at must be little beside what is left of the ring. */
	s->skel->rodata->wake_mask = bytes < SMALL_RING ? 0 : WAKE_MASK;
	s->skel->rodata->backends = s->opts.backend;
	s->skel->rodata->page_removed_here = !is_chosen(s, "tp_remove_page");
	s->skel->rodata->fault_ends_seen = is_chosen(s, "fault_end");
	bpf_map__set_max_entries(s->skel->maps.ring, bytes);
	for (size_t i = 0; i < s->prober.count; i++)
		bpf_program__set_autoload(s->prober.progs[i].prog, s->prober.progs[i].chosen);
}

/* Marks a program unusable after the fact. Return: whether there was one to mark. */
static bool give_up(struct ksm_stream *s, const char *name, const char *what, int error)
{
	struct ksm_prog_state *state = ksm_prober_find(&s->prober, name);

	if (!state || state->why[0])
		return false;
	state->tried = true;
	snprintf(state->why, sizeof(state->why), "%s %s: %s", state->section, what,
		 strerror(error));
	return true;
}

static void give_up_all(struct ksm_stream *s, int error)
{
	for (size_t i = 0; i < s->prober.count; i++)
		if (s->prober.progs[i].chosen)
			give_up(s, s->prober.progs[i].name, "cannot be loaded", error);
}

static int choose(struct ksm_stream *s)
{
	ksm_hooks_free(s->hooks, s->hook_count);
	s->hooks = NULL;
	s->hook_count = 0;
	return ksm_prober_choose(&s->prober, s->opts.backend, s->opts.events | s->opts.totals,
				 &s->hooks, &s->hook_count);
}

static bool any_chosen(const struct ksm_stream *s)
{
	for (size_t i = 0; i < s->prober.count; i++)
		if (s->prober.progs[i].chosen)
			return true;
	return false;
}

/* Loads what was chosen; a program that the kernel refuses costs only the events it gives. */
static int load(struct ksm_stream *s)
{
	int ret;

	for (int try = 0; try < LOAD_TRIES; try++) {
		ret = choose(s);
		if (ret || !any_chosen(s))
			return ret;
		if (try) {
			events_bpf__destroy(s->skel);
			s->skel = events_bpf__open();
			if (!s->skel)
				return -ENOMEM;
			ksm_prober_rebind(&s->prober, s->skel->obj);
		}
		configure(s);
		failed_prog[0] = 0;
		ret = events_bpf__load(s->skel);
		if (!ret)
			return 0;
		if (!give_up(s, failed_prog, "is refused", -ret))
			give_up_all(s, -ret);
	}
	give_up_all(s, E2BIG);
	return choose(s);
}

/* Attaches one program and everything of its rung in the rung's order. */
static void attach_named(struct ksm_stream *s, const char *name)
{
	struct ksm_prog_state *state = ksm_prober_find(&s->prober, name);
	int ret;

	if (!state->chosen || state->attached || state->why[0])
		return;
	ret = ksm_attach(&s->attached, state);
	state->attached = !ret;
	if (ret)
		give_up(s, name, "cannot be attached", -ret);
}

static void detach(struct ksm_stream *s)
{
	ksm_detach(&s->attached);
	for (size_t i = 0; i < s->prober.count; i++)
		s->prober.progs[i].attached = false;
}

/* What is attached already stays as it is. */
static void attach_rungs(struct ksm_stream *s)
{
	for (size_t i = 0; i < ksm_rung_count; i++)
		for (int j = 0; j < KSM_HOOK_PROGS && ksm_rungs[i].progs[j]; j++)
			attach_named(s, ksm_rungs[i].progs[j]);
}

/* Return: 1 when a program that was counted on could not be attached. */
static int attach(struct ksm_stream *s)
{
	bool failed = false;

	ksm_misses_begin(&s->misses);
	for (size_t i = 0; i < ksm_hook_life_count; i++)
		attach_named(s, ksm_hook_life[i].name);
	attach_rungs(s);
	for (size_t i = 0; i < s->prober.count; i++)
		failed |= s->prober.progs[i].chosen && s->prober.progs[i].why[0];
	return failed;
}

void ksm_stream_faults(struct ksm_stream *s, bool wanted)
{
	if (!s->skel || wanted == !s->no_faults)
		return;
	s->no_faults = !wanted;
	ksm_detach_faults(&s->attached);
	for (size_t i = 0; i < s->prober.count; i++)
		s->prober.progs[i].attached &= !ksm_at_faults(s->prober.progs[i].name);
	if (wanted)
		attach_rungs(s);
}

static int start(struct ksm_stream *s)
{
	int ret;

	for (int try = 0; try < LOAD_TRIES; try++) {
		ret = load(s);
		if (ret || !any_chosen(s) || !attach(s))
			break;
		detach(s);
		events_bpf__destroy(s->skel);
		s->skel = events_bpf__open();
		if (!s->skel)
			return -ENOMEM;
		ksm_prober_rebind(&s->prober, s->skel->obj);
	}
	if (ret || !any_chosen(s)) {
		events_bpf__destroy(s->skel);
		s->skel = NULL;
		return ret;
	}
	s->ring = ksm_ring_open(s->skel->maps.ring, on_ring_event, s);
	return s->ring ? 0 : -ENOMEM;
}

static int check_opts(const struct ksm_stream_opts *opts, char *err, size_t err_size)
{
	if (!opts->backend || opts->backend & ~KSM_STREAM_BOTH) {
		snprintf(err, err_size, "no engine chosen to watch: kernel, engine or both");
		return -EINVAL;
	}
	if (opts->events && !opts->fn) {
		snprintf(err, err_size, "events are wanted but nothing takes them");
		return -EINVAL;
	}
	return 0;
}

int ksm_stream_open(const struct ksm_stream_opts *opts, struct ksm_stream **stream, char *err,
		    size_t err_size)
{
	struct ksm_stream *s;
	int ret = check_opts(opts, err, err_size);

	if (ret)
		return ret;
	libbpf_set_print(on_libbpf_print);
	s = calloc(1, sizeof(*s));
	if (!s)
		goto nomem;
	s->opts = *opts;
	s->window.watermark = ksm_monotonic_ns();
	if (opts->events)
		s->opts.events |= KSM_STREAM_BIT(KSM_EVENT_COMM);
	s->cpus = libbpf_num_possible_cpus();
	s->values = calloc(s->cpus > 0 ? s->cpus : 1, sizeof(*s->values));
	s->skel = events_bpf__open();
	if (!s->values || !s->skel || ksm_prober_init(&s->prober, s->skel->obj))
		goto nomem;
	if (start(s))
		goto nomem;
	s->ticks[0] = s->ticks[1] = ksm_monotonic_ns();
	*stream = s;
	return 0;
nomem:
	ksm_stream_close(s);
	snprintf(err, err_size, "no memory for the event stream");
	return -ENOMEM;
}

void ksm_stream_close(struct ksm_stream *s)
{
	if (!s)
		return;
	detach(s);
	ksm_ring_close(s->ring);
	events_bpf__destroy(s->skel);
	ksm_hooks_free(s->hooks, s->hook_count);
	ksm_prober_free(&s->prober);
	ksm_window_free(&s->window);
	free(s->values);
	free(s);
}

const struct ksm_hook *ksm_stream_hooks(const struct ksm_stream *s, size_t *nr)
{
	*nr = s->hook_count;
	return s->hooks;
}

const struct ksm_hook *ksm_stream_hook(const struct ksm_stream *s, unsigned int type)
{
	const struct ksm_hook *found = NULL;

	for (size_t i = 0; i < s->hook_count; i++) {
		if (s->hooks[i].type != type)
			continue;
		if (s->hooks[i].hook)
			return &s->hooks[i];
		if (!found)
			found = &s->hooks[i];
	}
	return found;
}

int ksm_stream_watch(struct ksm_stream *s, uint32_t tgid)
{
	uint32_t one = 1;

	if (!s->skel)
		return 0;
	return bpf_map_update_elem(bpf_map__fd(s->skel->maps.watched), &tgid, &one, BPF_ANY) ?
		       -errno :
		       0;
}

void ksm_stream_known(struct ksm_stream *s, uint32_t tgid)
{
	/* A struct tgid_state of bpf/emit.bpf.h: nothing is known of it but that it is. */
	const uint64_t state[2] = { 0 };

	if (s->skel)
		bpf_map_update_elem(bpf_map__fd(s->skel->maps.tgids), &tgid, state, BPF_NOEXIST);
}

int ksm_stream_inject(struct ksm_stream *s, const struct ksm_event *event)
{
	return take(s, event);
}

static int flush(struct ksm_stream *s, uint64_t until)
{
	int ret = ksm_window_flush(&s->window, until, s->opts.fn, s->opts.ctx);

	return ret || !ksm_stream_lost_more(s) ? ret : ksm_stream_tell_losses(s);
}

/*
 * Empties the ring; every TICK_NS, what is two ticks old is delivered. While somebody's unfinished
 * event keeps what is behind it from us no time passes: nothing of it comes too late.
 */
static int tick(struct ksm_stream *s)
{
	uint64_t now = ksm_monotonic_ns(), until;

	if (!ksm_ring_drain(s->ring) || now - s->ticks[0] < TICK_NS)
		return 0;
	until = s->ticks[1];
	s->ticks[1] = s->ticks[0];
	s->ticks[0] = now;
	return flush(s, until);
}

int ksm_stream_poll(struct ksm_stream *s, int timeout_ms)
{
	uint64_t end = ksm_monotonic_ns() + timeout_ms * UINT64_C(1000000), now;
	int ret, wait;

	for (;;) {
		ret = tick(s);
		now = ksm_monotonic_ns();
		if (ret || now >= end)
			return ret;
		wait = (end - now + 999999) / 1000000;
		ret = ksm_ring_wait(s->ring, wait < TICK_MS ? wait : TICK_MS);
		if (ret)
			return ret;
	}
}

/* Of each type what has happened but has not come; returns the sum. */
static uint64_t find_missing(const struct ksm_stream *s, uint64_t missing[KSM_EVENT_MAX])
{
	struct ksm_totals totals;
	uint64_t sum = 0;

	ksm_stream_totals(s, &totals);
	for (int type = 0; type < KSM_EVENT_MAX; type++) {
		missing[type] = 0;
		if (s->opts.events & KSM_STREAM_BIT(type))
			missing[type] = totals.fired[type] - s->received[type] -
					totals.lost[KSM_LOST_FULL][type] -
					totals.lost[KSM_LOST_SKIPPED][type];
		sum += missing[type];
	}
	return sum;
}

/* Programs that were running when they were detached may still be about to submit. */
static void wait_settled(struct ksm_stream *s)
{
	uint64_t end = ksm_monotonic_ns() + FINISH_NS;
	uint64_t missing[KSM_EVENT_MAX];

	for (;;) {
		ksm_ring_drain(s->ring);
		if (!find_missing(s, missing))
			return;
		if (ksm_monotonic_ns() >= end)
			break;
		usleep(1000);
	}
	for (int type = 1; type < KSM_EVENT_MAX; type++)
		s->dropped[KSM_LOST_LATE][type] += missing[type];
}

int ksm_stream_finish(struct ksm_stream *s)
{
	ksm_misses_end(&s->misses);
	detach(s);
	if (s->ring)
		wait_settled(s);
	s->looked = 0;
	return flush(s, ksm_monotonic_ns());
}
