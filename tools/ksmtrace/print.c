// SPDX-License-Identifier: GPL-2.0
/* ksmtrace print: a recording as text or as JSON, one line per event. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksmtrace/cmd.h"
#include "lib/backend.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/trace_file.h"
#include "lib/trace_types.h"

/* Columns; -F names them. DETAIL is what the type says, field by field. */
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

static const char *const field_names[] = {
#define X(ID, name) #name,
	FIELDS(X)
#undef X
};

#define NAME_SLOTS 4096

/**
 * struct print - one pass
 * @fields: columns in order
 * @names: process names seen, by tgid; a full table forgets
 */
struct print {
	const char *dir;
	bool json;
	enum field fields[FIELD_COUNT];
	size_t field_count;
	struct ksm_trace_info info;
	struct {
		uint32_t tgid;
		char comm[17];
	} names[NAME_SLOTS];
};

static void add_field(struct print *p, enum field field)
{
	for (size_t i = 0; i < p->field_count; i++)
		if (p->fields[i] == field)
			return;
	p->fields[p->field_count++] = field;
}

static void parse_fields(struct print *p, char *arg, struct argp_state *state)
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
			add_field(p, field);
	}
	if (!p->field_count)
		argp_error(state, "--fields: no field given");
}

static error_t parse_print(int key, char *arg, struct argp_state *state)
{
	struct print *p = state->input;

	switch (key) {
	case 'j':
		p->json = true;
		return 0;
	case 'F':
		parse_fields(p, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "more than one directory given");
		p->dir = arg;
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
	{ 0 },
};

static const struct argp print_argp = {
	.options = options,
	.parser = parse_print,
	.args_doc = "[DIR]",
	.doc = "Print a recording (default " KSM_TRACE_DEFAULT ").",
};

/* The slot of a process; the table is searched from its hash on and evicts when it is full. */
static char *name_of(struct print *p, uint32_t tgid)
{
	uint32_t at = tgid * 2654435761u % NAME_SLOTS;

	for (uint32_t i = 0; i < 16; i++) {
		uint32_t slot = (at + i) % NAME_SLOTS;

		if (p->names[slot].tgid == tgid)
			return p->names[slot].comm;
		if (!p->names[slot].tgid) {
			at = slot;
			break;
		}
	}
	p->names[at].tgid = tgid;
	p->names[at].comm[0] = 0;
	return p->names[at].comm;
}

/* A field whose number stands for a word: that word, else NULL. */
static const char *word_of(const struct ksm_event *event, const char *label, uint64_t value)
{
	const struct ksm_knob *knob;

	if (!strcmp(label, "knob_id")) {
		knob = ksm_knob_by_id(value);
		return knob ? knob->name : NULL;
	}
	if (!strcmp(label, "of_type"))
		return ksm_event_name(value);
	if (!strcmp(label, "why"))
		return value == KSM_COW_UNMERGE ? "unmerge" : "write";
	if (!strcmp(label, "errno"))
		return strerrorname_np(value);
	return NULL;
}

static bool is_hex(const char *label)
{
	return !strcmp(label, "address") || !strcmp(label, "start") || !strcmp(label, "kpfn") ||
	       !strcmp(label, "pfn");
}

static bool is_signed(const struct ksm_event *event, const char *label)
{
	const struct ksm_knob *knob = ksm_knob_by_id(event->n32);

	return event->type == KSM_EVENT_COUNTER && !strcmp(label, "value") && knob &&
	       knob->kind == KSM_ABI_SINT;
}

typedef void (*detail_fn)(void *ctx, const struct ksm_event *event, const char *label,
			  uint64_t value);

/* Calls @fn for each field that the type has. */
static void each_detail(const struct ksm_event *event, detail_fn fn, void *ctx)
{
	const struct ksm_event_desc *desc = ksm_event_desc(event->type);

	if (event->type == KSM_EVENT_COUNTER || event->type == KSM_EVENT_SCANNER)
		fn(ctx, event, "backend", event->mm);
	if (*desc->n32)
		fn(ctx, event, desc->n32, event->n32);
	if (*desc->address && event->type != KSM_EVENT_COMM)
		fn(ctx, event, desc->address, event->address);
	if (*desc->pfn && event->type != KSM_EVENT_COMM)
		fn(ctx, event, desc->pfn, event->pfn);
	if (*desc->n64)
		fn(ctx, event, desc->n64, event->n64);
}

static void detail_text(void *ctx, const struct ksm_event *event, const char *label, uint64_t value)
{
	const char *word = word_of(event, label, value);

	if (!strcmp(label, "backend"))
		word = ksm_backend_kind_name(value);
	if (word)
		printf(" %s=%s", label, word);
	else if (is_signed(event, label))
		printf(" %s=%" PRId64, label, (int64_t)value);
	else
		printf(is_hex(label) ? " %s=0x%" PRIx64 : " %s=%" PRIu64, label, value);
}

static void detail_json(void *ctx, const struct ksm_event *event, const char *label, uint64_t value)
{
	const char *word = word_of(event, label, value);

	if (!strcmp(label, "backend"))
		word = ksm_backend_kind_name(value);
	if (word)
		ksm_json_str(ctx, !strcmp(label, "knob_id") ? "knob" : label, word);
	else if (is_signed(event, label))
		ksm_json_int(ctx, label, value);
	else
		ksm_json_uint(ctx, label, value);
}

static void print_field(struct print *p, const struct ksm_event *e, enum field field)
{
	int64_t wall = (int64_t)e->time + p->info.wall_offset;
	char comm[64];

	switch (field) {
	case FIELD_TIME:
		printf("%llu.%09llu", e->time / 1000000000, e->time % 1000000000);
		break;
	case FIELD_WALL:
		printf("%" PRId64 ".%09" PRId64, wall / 1000000000, wall % 1000000000);
		break;
	case FIELD_CPU:
		printf("[%03u]", e->cpu);
		break;
	case FIELD_TYPE:
		printf("%-13s", ksm_event_name(e->type));
		break;
	case FIELD_TGID:
		printf("%7u", e->tgid);
		break;
	case FIELD_COMM:
		ksm_format_safe(comm, sizeof(comm), e->tgid ? name_of(p, e->tgid) : "");
		printf("%-15s", *comm ? comm : "-");
		break;
	case FIELD_MM:
		printf("%u", e->mm);
		break;
	case FIELD_N32:
		printf("%u", e->n32);
		break;
	case FIELD_ADDRESS:
		printf("0x%" PRIx64, (uint64_t)e->address);
		break;
	case FIELD_PFN:
		printf("0x%" PRIx64, (uint64_t)e->pfn);
		break;
	case FIELD_N64:
		printf("%" PRIu64, (uint64_t)e->n64);
		break;
	default:
		each_detail(e, detail_text, NULL);
	}
}

static void json_field(struct print *p, struct json_object *to, const struct ksm_event *e,
		       enum field field)
{
	switch (field) {
	case FIELD_TIME:
		ksm_json_uint(to, "time", e->time);
		break;
	case FIELD_WALL:
		ksm_json_int(to, "wall", (int64_t)e->time + p->info.wall_offset);
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
		ksm_json_str(to, "comm", e->tgid ? name_of(p, e->tgid) : NULL);
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
		each_detail(e, detail_json, to);
	}
}

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct json_object *line;
	struct print *p = ctx;

	if (event->type == KSM_EVENT_COMM && event->tgid)
		ksm_event_comm(event, name_of(p, event->tgid));
	if (!p->json) {
		for (size_t i = 0; i < p->field_count; i++) {
			if (i)
				putchar(' ');
			print_field(p, event, p->fields[i]);
		}
		putchar('\n');
	} else {
		line = json_object_new_object();
		for (size_t i = 0; i < p->field_count; i++)
			json_field(p, line, event, p->fields[i]);
		puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
		json_object_put(line);
	}
	/* Nobody reads any more: main() says so. */
	return ferror(stdout) ? -EPIPE : 0;
}

static void default_fields(struct print *p)
{
	static const enum field fields[] = { FIELD_TIME, FIELD_CPU,  FIELD_TYPE,
					     FIELD_TGID, FIELD_COMM, FIELD_DETAIL };

	for (size_t i = 0; i < KSM_ARRAY_SIZE(fields); i++)
		add_field(p, fields[i]);
}

int ksmtrace_print(void *ctx, int argc, char **argv)
{
	struct print *p = calloc(1, sizeof(*p));
	struct ksm_error err = { 0 };
	int ret;

	if (!p)
		return KSM_EXIT_FAILED;
	p->dir = KSM_TRACE_DEFAULT;
	if (argp_parse(&print_argp, argc, argv, 0, NULL, p))
		return KSM_EXIT_USAGE;
	if (!p->field_count)
		default_fields(p);
	ret = ksm_trace_read_info(p->dir, &p->info, &err);
	if (!ret)
		ret = ksm_trace_read(p->dir, &p->info, on_event, p, &err);
	free(p);
	if (!ret)
		return KSM_EXIT_OK;
	if (ret == -EPIPE && !err.code)
		return KSM_EXIT_FAILED;
	fflush(stdout);
	return ksm_log_fail(&err);
}
