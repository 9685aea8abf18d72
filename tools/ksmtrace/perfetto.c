// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/perfetto.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ksmtrace/limits.h"
#include "ksmtrace/report_sample.h"
#include "lib/backend.h"
#include "lib/json.h"
#include "lib/trace_names.h"
#include "lib/trace_types.h"

#define LANE_SHIFT 24

/*
 * Nanoseconds between slices of one track, which must not overlap: readers take the microseconds of
 * the file for floating point numbers, which 10 years after boot are up to 31 ns off.
 */
#define GAP 128

/**
 * struct track - what is known of a process; a full table forgets
 * @ends: of the last slice on each lane
 * @named: lanes whose track has its name
 */
struct track {
	uint32_t tgid;
	unsigned int named;
	uint64_t ends[PERFETTO_LANES];
	char comm[17];
};

/**
 * struct perfetto - see perfetto.h
 * @open: something was written: a comma is due
 * @pass: SCAN_START of the pass that goes on, type 0 when there is none
 * @merged: pages merged in it
 * @broken: pages broken in it
 * @woken: when the batch that goes on began, 0 when there is none
 * @counters: of each engine
 * @read: when those were read of which "saved" is yet to be written, 0 when it is written
 */
struct perfetto {
	FILE *to;
	int64_t page_size;
	bool open;
	struct ksm_event pass;
	uint64_t merged;
	uint64_t broken;
	uint64_t woken;
	struct ksm_counters_snapshot counters[2];
	uint64_t read;
	struct ksm_name name;
	struct track tracks[TRACK_SLOTS];
};

/* Opens an event: what all of them have. The caller adds fields and closes the brace. */
static void begin(struct perfetto *p, const char *phase, const char *name, uint32_t pid,
		  uint32_t tid, uint64_t time)
{
	fprintf(p->to,
		"%s{\"ph\":\"%s\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64
		".%03" PRIu64,
		p->open ? ",\n" : "", phase, name, pid, tid, time / 1000, time % 1000);
	p->open = true;
}

static void put_name(struct perfetto *p, const char *what, uint32_t pid, uint32_t tid,
		     const char *name)
{
	struct json_object *args = json_object_new_object();

	ksm_json_str(args, "name", name);
	begin(p, "M", what, pid, tid, 0);
	fprintf(p->to, ",\"args\":%s}",
		json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN));
	json_object_put(args);
}

static void put_duration(struct perfetto *p, uint64_t duration)
{
	fprintf(p->to, ",\"dur\":%" PRIu64 ".%03" PRIu64, duration / 1000, duration % 1000);
}

static void put_head(struct perfetto *p, const struct ksm_trace_info *info)
{
	struct json_object *facts = json_object_new_object();

	for (size_t i = 0; i < info->env_count; i++)
		ksm_json_str(facts, info->env[i].key, info->env[i].value);
	/* No displayTimeUnit: some releases of Perfetto took "ns" for the unit of all times. */
	fprintf(p->to, "{\"otherData\":%s,\n\"traceEvents\":[\n",
		json_object_to_json_string_ext(facts, JSON_C_TO_STRING_PLAIN));
	json_object_put(facts);
	put_name(p, "process_name", PERFETTO_SCANNER, PERFETTO_SCANNER, "KSM scanner");
	put_name(p, "thread_name", PERFETTO_SCANNER, PERFETTO_SCANNER, "passes");
	put_name(p, "thread_name", PERFETTO_SCANNER, PERFETTO_SCANNER + 2, "batches");
	put_name(p, "process_name", PERFETTO_HOST, PERFETTO_HOST, "KSM host");
	put_name(p, "thread_name", PERFETTO_HOST, PERFETTO_HOST, "of no process");
}

struct perfetto *perfetto_new(const struct ksm_trace_info *info, int64_t page_size, FILE *to)
{
	struct perfetto *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->to = to;
	p->page_size = page_size;
	put_head(p, info);
	return p;
}

static struct track *track_of(struct perfetto *p, uint32_t tgid)
{
	uint32_t at = sample_mix(tgid) % TRACK_SLOTS;

	for (uint32_t i = 0; i < 16; i++) {
		struct track *t = &p->tracks[(at + i) % TRACK_SLOTS];

		if (t->tgid == tgid)
			return t;
		if (!t->tgid) {
			t->tgid = tgid;
			return t;
		}
	}
	p->tracks[at] = (struct track){ .tgid = tgid };
	return &p->tracks[at];
}

/* The track of a process, with its name in the file before anything is on it. */
static uint32_t lane(struct perfetto *p, struct track *t, unsigned int number)
{
	uint32_t tid = t->tgid | number << LANE_SHIFT;

	if (!(t->named >> number & 1)) {
		t->named |= 1u << number;
		put_name(p, "thread_name", t->tgid, tid, number ? "KSM, at the same time" : "KSM");
	}
	return tid;
}

static void learn_name(struct perfetto *p, const struct ksm_event *e)
{
	struct track *t = track_of(p, e->tgid);
	char text[KSM_NAME_MAX + 32];

	if (e->type == KSM_EVENT_COMM) {
		ksm_event_comm(e, t->comm);
		put_name(p, "process_name", e->tgid, e->tgid, t->comm);
	} else if (ksm_name_feed(&p->name, e) && p->name.kind == KSM_NAME_GUEST) {
		snprintf(text, sizeof(text), "%s (%s)", p->name.text, t->comm);
		put_name(p, "process_name", e->tgid, e->tgid, text);
	}
}

static void put_page(struct perfetto *p, const struct ksm_event *e)
{
	fprintf(p->to, ",\"args\":{\"address\":\"0x%" PRIx64 "\",\"pfn\":\"0x%" PRIx64 "\"}}",
		(uint64_t)e->address, (uint64_t)e->pfn);
}

static void put_instant(struct perfetto *p, const struct ksm_event *e)
{
	uint32_t pid = e->tgid ? e->tgid : PERFETTO_HOST;
	uint32_t tid = e->tgid ? lane(p, track_of(p, e->tgid), 0) : PERFETTO_HOST;

	begin(p, "i", ksm_event_name(e->type), pid, tid, e->time);
	fputs(",\"s\":\"t\"", p->to);
	put_page(p, e);
}

/* The event is from the end of the fault. */
static void put_break(struct perfetto *p, const struct ksm_event *e)
{
	uint64_t length = e->n64 < e->time ? e->n64 : 0, start = e->time - length;
	struct track *t = e->tgid ? track_of(p, e->tgid) : NULL;
	unsigned int number = 0;

	while (t && number < PERFETTO_LANES && t->ends[number] + GAP > start)
		number++;
	if (!t || !length || number == PERFETTO_LANES) {
		put_instant(p, e);
		return;
	}
	t->ends[number] = e->time;
	begin(p, "X", e->n32 == KSM_COW_UNMERGE ? "unmerge" : "cow_break", e->tgid,
	      lane(p, t, number), start);
	put_duration(p, length);
	put_page(p, e);
}

static void end_pass(struct perfetto *p, const struct ksm_event *e)
{
	uint64_t length = e->time - p->pass.time;

	if (!p->pass.type)
		return;
	/* The next one begins where nothing tells of the end of this one. */
	if (e->type == KSM_EVENT_SCAN_START)
		length -= length > GAP ? GAP : length;
	begin(p, "X", "pass", PERFETTO_SCANNER, PERFETTO_SCANNER, p->pass.time);
	put_duration(p, length);
	fprintf(p->to,
		",\"args\":{\"seq\":%u,\"rmap_items\":%" PRIu64 ",\"merged\":%" PRIu64
		",\"broken\":%" PRIu64 "}}",
		p->pass.n32, (uint64_t)e->n64, p->merged, p->broken);
	p->pass.type = 0;
}

static void scanner(struct perfetto *p, const struct ksm_event *e)
{
	switch (e->type) {
	case KSM_EVENT_SCAN_START:
		end_pass(p, e);
		p->pass = *e;
		p->merged = p->broken = 0;
		break;
	case KSM_EVENT_SCAN_STOP:
		end_pass(p, e);
		break;
	case KSM_EVENT_BATCH_WAKE:
		p->woken = e->time;
		break;
	default:
		if (p->woken) {
			begin(p, "X", "batch", PERFETTO_SCANNER, PERFETTO_SCANNER + 2, p->woken);
			put_duration(p, e->time - p->woken);
			fputc('}', p->to);
		}
		p->woken = 0;
	}
}

/* Counters read at once have one time, and so has what is computed of several of them. */
static void put_saved(struct perfetto *p)
{
	struct ksm_derived kernel, engine;
	int64_t saved;

	if (!p->read)
		return;
	ksm_derive(&p->counters[0], &kernel);
	ksm_derive(&p->counters[1], &engine);
	saved = kernel.saved_pages + engine.saved_pages;
	begin(p, "C", "saved", PERFETTO_HOST, PERFETTO_HOST, p->read);
	fprintf(p->to, ",\"args\":{\"MiB\":%.3f}}", (double)saved * p->page_size / (1 << 20));
	p->read = 0;
}

static void counter(struct perfetto *p, const struct ksm_event *e)
{
	if (e->mm > 1 || !e->n32 || e->n32 >= KSM_ABI_COUNT || e->n64 >> 48)
		return;
	p->counters[e->mm].value[e->n32] = e->n64;
	p->counters[e->mm].present |= UINT64_C(1) << e->n32;
	if (e->n32 == KSM_ABI_PAGES_SHARED) {
		begin(p, "C", "pages_shared", PERFETTO_HOST, PERFETTO_HOST, e->time);
		fprintf(p->to, ",\"args\":{\"pages\":%" PRIu64 "}}", (uint64_t)e->n64);
	}
	if (e->n32 == KSM_ABI_PAGES_SHARING || e->n32 == KSM_ABI_KSM_ZERO_PAGES)
		p->read = e->time;
}

static void put_lost(struct perfetto *p, const struct ksm_event *e)
{
	begin(p, "i", "lost", PERFETTO_HOST, PERFETTO_HOST, e->time);
	fprintf(p->to,
		",\"s\":\"g\",\"args\":{\"event\":\"%s\",\"cause\":\"%s\",\"count\":%" PRIu64 "}}",
		ksm_event_name(e->n32), ksm_lost_cause_name(e->address), (uint64_t)e->n64);
}

int perfetto_event(void *ctx, const struct ksm_event *e)
{
	struct perfetto *p = ctx;

	if (e->time != p->read)
		put_saved(p);
	switch (e->type) {
	case KSM_EVENT_SCAN_START:
	case KSM_EVENT_SCAN_STOP:
	case KSM_EVENT_BATCH_SLEEP:
	case KSM_EVENT_BATCH_WAKE:
		scanner(p, e);
		break;
	case KSM_EVENT_COW_BREAK:
		p->broken++;
		put_break(p, e);
		break;
	case KSM_EVENT_COMM:
	case KSM_EVENT_NAME:
		if (e->tgid)
			learn_name(p, e);
		break;
	case KSM_EVENT_COUNTER:
		counter(p, e);
		break;
	case KSM_EVENT_LOST:
		put_lost(p, e);
		break;
	case KSM_EVENT_PROCESS:
	case KSM_EVENT_SCANNER:
		break;
	default:
		p->merged += e->type == KSM_EVENT_MERGE || e->type == KSM_EVENT_NEW_PAGE ||
			     e->type == KSM_EVENT_ZERO_MERGE;
		put_instant(p, e);
	}
	return ferror(p->to) ? -EPIPE : 0;
}

int perfetto_finish(struct perfetto *p)
{
	int ret;

	put_saved(p);
	fputs("\n]}\n", p->to);
	ret = fflush(p->to) || ferror(p->to) ? -EPIPE : 0;
	free(p);
	return ret;
}
