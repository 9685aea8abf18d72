// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ksmtrace/line_detail.h"
#include "ksmtrace/limits.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/trace_types.h"

/* Columns; --fields names them. DETAIL is what the type says, field by field. */
#define FIELDS(X)           \
	X(TIME, time)       \
	X(WALL, wall)       \
	X(CPU, cpu)         \
	X(TYPE, type)       \
	X(TGID, tgid)       \
	X(COMM, comm)       \
	X(MM, mm)           \
	X(N32, n32)         \
	X(ADDRESS, address) \
	X(PFN, pfn)         \
	X(N64, n64)         \
	X(DETAIL, detail)

enum field {
#define X(ID, name) FIELD_##ID,
	FIELDS(X)
#undef X
		FIELD_COUNT
};

_Static_assert(FIELD_COUNT == LINE_FIELDS, "line.h says so");

static const char *const field_names[] = {
#define X(ID, name) #name,
	FIELDS(X)
#undef X
};

static const char *const clock_names[] = {
	[LINE_RELATIVE] = "relative",
	[LINE_WALL] = "wall",
	[LINE_MONOTONIC] = "monotonic",
};

#define SECOND UINT64_C(1000000000)

/**
 * struct line - see line.h
 * @date: the second that @date_text shows
 * @names: process names seen, by tgid; a full table forgets
 */
struct line {
	struct line_opts opts;
	uint64_t start;
	int64_t wall_offset;
	time_t date;
	char date_text[32];
	struct {
		uint32_t tgid;
		char comm[17];
	} names[NAME_SLOTS];
};

static void add_field(struct line_opts *opts, enum field field)
{
	for (unsigned int i = 0; i < opts->field_count; i++)
		if (opts->fields[i] == field)
			return;
	opts->fields[opts->field_count++] = field;
}

static void parse_fields(struct line_opts *opts, char *arg, struct argp_state *state)
{
	for (char *word = strtok(arg, ","); word; word = strtok(NULL, ",")) {
		int field = 0;

		while (field < FIELD_COUNT && strcmp(field_names[field], word))
			field++;
		if (field == FIELD_COUNT)
			argp_error(state,
				   "--fields: '%.32s' is none of time, wall, cpu, type, tgid, "
				   "comm, mm, n32, address, pfn, n64, detail",
				   word);
		else
			add_field(opts, field);
	}
	if (!opts->field_count)
		argp_error(state, "--fields: no field given");
}

static error_t parse_line(int key, char *arg, struct argp_state *state)
{
	struct line_opts *opts = state->input;
	int clock = 0;

	switch (key) {
	case 'j':
		opts->json = true;
		return 0;
	case 'F':
		parse_fields(opts, arg, state);
		return 0;
	case 't':
		while (clock < LINE_CLOCKS && strcmp(clock_names[clock], arg))
			clock++;
		if (clock == LINE_CLOCKS)
			argp_error(state, "--time: '%.32s' is none of relative, wall, monotonic",
				   arg);
		opts->clock = clock;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print one JSON object per line", 0 },
	{ "fields", 'F', "LIST", 0,
	  "Only these, in this order: time, wall, cpu, type, tgid, comm, "
	  "mm, n32, address, pfn, n64, detail",
	  0 },
	{ "time", 't', "CLOCK", 0,
	  "Times are relative to the start (the default), wall (local time) or monotonic", 0 },
	{ 0 },
};

const struct argp line_argp = { .options = options, .parser = parse_line };

/* The slot of a process; the table is searched from its hash on and evicts when it is full. */
static char *name_of(struct line *l, uint32_t tgid)
{
	uint32_t at = tgid * 2654435761u % NAME_SLOTS;

	for (uint32_t i = 0; i < 16; i++) {
		uint32_t slot = (at + i) % NAME_SLOTS;

		if (l->names[slot].tgid == tgid)
			return l->names[slot].comm;
		if (!l->names[slot].tgid) {
			at = slot;
			break;
		}
	}
	l->names[at].tgid = tgid;
	l->names[at].comm[0] = 0;
	return l->names[at].comm;
}

static const char *date_of(struct line *l, time_t second)
{
	struct tm tm;

	if (second == l->date && *l->date_text)
		return l->date_text;
	l->date = second;
	if (!localtime_r(&second, &tm) ||
	    !strftime(l->date_text, sizeof(l->date_text), "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(l->date_text, sizeof(l->date_text), "@%" PRId64, (int64_t)second);
	return l->date_text;
}

static uint64_t wall_of(const struct line *l, const struct ksm_event *e)
{
	return e->time + (uint64_t)l->wall_offset;
}

static uint64_t since_start(const struct line *l, const struct ksm_event *e)
{
	return e->time > l->start ? e->time - l->start : 0;
}

static void print_seconds(uint64_t ns, FILE *to)
{
	fprintf(to, "%" PRIu64 ".%09" PRIu64, ns / SECOND, ns % SECOND);
}

static void print_time(struct line *l, const struct ksm_event *e, FILE *to)
{
	uint64_t wall = wall_of(l, e);

	if (l->opts.clock == LINE_WALL)
		fprintf(to, "%s.%09" PRIu64, date_of(l, wall / SECOND), wall % SECOND);
	else
		print_seconds(l->opts.clock == LINE_RELATIVE ? since_start(l, e) : e->time, to);
}

static void print_detail(void *ctx, const struct line_detail *d)
{
	char safe[64];

	if (d->word)
		fprintf(ctx, " %s=%s", d->label, ksm_format_safe(safe, sizeof(safe), d->word));
	else if (d->negative)
		fprintf(ctx, " %s=%" PRId64, d->label, (int64_t)d->value);
	else
		fprintf(ctx, d->hex ? " %s=0x%" PRIx64 : " %s=%" PRIu64, d->label, d->value);
}

static void print_field(struct line *l, const struct ksm_event *e, enum field field, FILE *to)
{
	char comm[64];

	switch (field) {
	case FIELD_TIME:
		print_time(l, e, to);
		break;
	case FIELD_WALL:
		print_seconds(wall_of(l, e), to);
		break;
	case FIELD_CPU:
		fprintf(to, "[%03u]", e->cpu);
		break;
	case FIELD_TYPE:
		fprintf(to, "%-13s", ksm_event_name(e->type));
		break;
	case FIELD_TGID:
		fprintf(to, "%7u", e->tgid);
		break;
	case FIELD_COMM:
		ksm_format_safe(comm, sizeof(comm), e->tgid ? name_of(l, e->tgid) : "");
		fprintf(to, "%-15s", *comm ? comm : "-");
		break;
	case FIELD_MM:
		fprintf(to, "%u", e->mm);
		break;
	case FIELD_N32:
		fprintf(to, "%u", e->n32);
		break;
	case FIELD_ADDRESS:
		fprintf(to, "0x%" PRIx64, (uint64_t)e->address);
		break;
	case FIELD_PFN:
		fprintf(to, "0x%" PRIx64, (uint64_t)e->pfn);
		break;
	case FIELD_N64:
		fprintf(to, "%" PRIu64, (uint64_t)e->n64);
		break;
	default:
		line_each_detail(e, print_detail, to);
	}
}

static void json_detail(void *ctx, const struct line_detail *d)
{
	if (d->word)
		ksm_json_str(ctx, !strcmp(d->label, "knob_id") ? "knob" : d->label, d->word);
	else if (d->negative)
		ksm_json_int(ctx, d->label, d->value);
	else
		ksm_json_uint(ctx, d->label, d->value);
}

static void json_time(struct line *l, struct json_object *to, const struct ksm_event *e)
{
	switch (l->opts.clock) {
	case LINE_RELATIVE:
		ksm_json_uint(to, "time", since_start(l, e));
		break;
	case LINE_WALL:
		ksm_json_uint(to, "time", wall_of(l, e));
		break;
	default:
		ksm_json_uint(to, "time", e->time);
	}
}

static void json_field(struct line *l, struct json_object *to, const struct ksm_event *e,
		       enum field field)
{
	switch (field) {
	case FIELD_TIME:
		json_time(l, to, e);
		break;
	case FIELD_WALL:
		ksm_json_uint(to, "wall", wall_of(l, e));
		break;
	case FIELD_CPU:
		ksm_json_uint(to, "cpu", e->cpu);
		break;
	case FIELD_TYPE:
		ksm_json_str(to, "type", ksm_event_name(e->type));
		break;
	case FIELD_TGID:
		ksm_json_uint(to, "tgid", e->tgid);
		break;
	case FIELD_COMM:
		ksm_json_str(to, "comm", e->tgid ? name_of(l, e->tgid) : "");
		break;
	case FIELD_MM:
		ksm_json_uint(to, "mm", e->mm);
		break;
	case FIELD_N32:
		ksm_json_uint(to, "n32", e->n32);
		break;
	case FIELD_ADDRESS:
		ksm_json_uint(to, "address", e->address);
		break;
	case FIELD_PFN:
		ksm_json_uint(to, "pfn", e->pfn);
		break;
	case FIELD_N64:
		ksm_json_uint(to, "n64", e->n64);
		break;
	default:
		line_each_detail(e, json_detail, to);
	}
}

struct line *line_new(const struct line_opts *opts, uint64_t start, int64_t wall_offset)
{
	static const enum field fields[] = { FIELD_TIME, FIELD_CPU,  FIELD_TYPE,
					     FIELD_TGID, FIELD_COMM, FIELD_DETAIL };
	struct line *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->opts = *opts;
	l->start = start;
	l->wall_offset = wall_offset;
	for (size_t i = 0; !opts->field_count && i < KSM_ARRAY_SIZE(fields); i++)
		add_field(&l->opts, fields[i]);
	return l;
}

void line_free(struct line *line)
{
	free(line);
}

void line_learn(struct line *l, const struct ksm_event *event)
{
	if (event->type == KSM_EVENT_COMM && event->tgid)
		ksm_event_comm(event, name_of(l, event->tgid));
}

static void print_text(struct line *l, const struct ksm_event *event, FILE *to)
{
	for (unsigned int i = 0; i < l->opts.field_count; i++) {
		if (i)
			putc(' ', to);
		print_field(l, event, l->opts.fields[i], to);
	}
	putc('\n', to);
}

static void print_json(struct line *l, const struct ksm_event *event, FILE *to)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < l->opts.field_count; i++)
		json_field(l, o, event, l->opts.fields[i]);
	fputs(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							JSON_C_TO_STRING_NOSLASHESCAPE),
	      to);
	putc('\n', to);
	json_object_put(o);
}

int line_print(struct line *l, const struct ksm_event *event, FILE *to)
{
	line_learn(l, event);
	if (l->opts.json)
		print_json(l, event, to);
	else
		print_text(l, event, to);
	return ferror(to) ? -EPIPE : 0;
}
