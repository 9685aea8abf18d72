// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_limits.h"

#include <string.h>

#include "lib/json.h"
#include "lib/trace_types.h"

#define UNAVAILABLE "unavailable"

/* What a report adds up. */
static const unsigned int needed[] = {
	KSM_EVENT_SCAN_START,	KSM_EVENT_SCAN_STOP,  KSM_EVENT_MERGE,
	KSM_EVENT_NEW_PAGE,	KSM_EVENT_ZERO_MERGE, KSM_EVENT_COW_BREAK,
	KSM_EVENT_RMAP_REMOVED, KSM_EVENT_EXIT,	      KSM_EVENT_SWAPIN_COPY,
};

static const char *const backends[] = { "kernel", "engine" };

static const char *hook_of(const struct ksm_trace_info *info, const char *backend,
			   unsigned int type)
{
	char key[48];

	snprintf(key, sizeof(key), "hook_%s_%s", backend, ksm_event_name(type));
	return ksm_trace_env_get(info, key);
}

static bool has_hooks(const struct ksm_trace_info *info, const char *backend)
{
	for (unsigned int type = 1; type < KSM_EVENT_MAX; type++)
		if (hook_of(info, backend, type))
			return true;
	return false;
}

/* "HOOK[: why not a better one][; what this one lacks]" or "unavailable: why". Return: is one. */
static bool limit_of(const char *hook, struct report_limit *limit)
{
	const char *lacks;

	limit->why = NULL;
	limit->seen = REPORT_SEEN_UNASKED;
	if (!hook)
		return true;
	limit->seen = REPORT_SEEN_NOT;
	if (!strncmp(hook, UNAVAILABLE, strlen(UNAVAILABLE))) {
		limit->why = strchr(hook, ':') ? strchr(hook, ':') + 2 : NULL;
		return true;
	}
	limit->seen = REPORT_SEEN_PARTLY;
	lacks = strstr(hook, "; ");
	limit->why = lacks ? lacks + 2 : NULL;
	return lacks;
}

void report_each_limit(const struct ksm_trace_info *info, report_limit_fn fn, void *ctx)
{
	for (size_t i = 0; i < KSM_ARRAY_SIZE(backends); i++) {
		struct report_limit limit = { .backend = backends[i] };

		if (!has_hooks(info, backends[i]))
			continue;
		for (size_t j = 0; j < KSM_ARRAY_SIZE(needed); j++) {
			limit.type = needed[j];
			if (limit_of(hook_of(info, backends[i], needed[j]), &limit))
				fn(ctx, &limit);
		}
	}
}

/**
 * struct names - the types of one kind, joined
 * @wanted: that kind
 */
struct names {
	enum report_seen wanted;
	bool both;
	char text[400];
	size_t used;
};

static void add_name(void *ctx, const struct report_limit *limit)
{
	struct names *n = ctx;

	if (limit->seen != n->wanted || n->used >= sizeof(n->text))
		return;
	n->used += snprintf(n->text + n->used, sizeof(n->text) - n->used, "%s%s%s%s",
			    n->used ? ", " : "", n->both ? limit->backend : "", n->both ? " " : "",
			    ksm_event_name(limit->type));
}

struct partly {
	FILE *to;
	bool both;
};

static void print_partly(void *ctx, const struct report_limit *limit)
{
	struct partly *p = ctx;

	if (limit->seen == REPORT_SEEN_PARTLY)
		fprintf(p->to, "%-12s%s%s%s: %s\n", "in part", p->both ? limit->backend : "",
			p->both ? " " : "", ksm_event_name(limit->type), limit->why);
}

void report_print_limits(const struct ksm_trace_info *info, FILE *to)
{
	bool both = has_hooks(info, backends[0]) && has_hooks(info, backends[1]);
	struct names not = { .wanted = REPORT_SEEN_NOT, .both = both };
	struct names unasked = { .wanted = REPORT_SEEN_UNASKED, .both = both };
	struct partly partly = { .to = to, .both = both };

	report_each_limit(info, add_name, &not );
	report_each_limit(info, add_name, &unasked);
	if (not .used)
		fprintf(to, "%-12s%s: no hook there (--by event says why)\n", "not seen",
			not .text);
	if (unasked.used)
		fprintf(to, "%-12s%s: not recorded (--event)\n", "left out", unasked.text);
	report_each_limit(info, print_partly, &partly);
}

void report_put_limit(struct json_object *to, const struct report_limit *limit)
{
	static const char *const seen[] = {
		[REPORT_SEEN_PARTLY] = "partly",
		[REPORT_SEEN_NOT] = "not",
		[REPORT_SEEN_UNASKED] = "unasked",
	};
	struct json_object *one = json_object_new_object();

	ksm_json_str(one, "backend", limit->backend);
	ksm_json_str(one, "event", ksm_event_name(limit->type));
	ksm_json_str(one, "seen", seen[limit->seen]);
	ksm_json_str(one, "why", limit->why);
	json_object_array_add(to, one);
}

static void put_limit(void *ctx, const struct report_limit *limit)
{
	report_put_limit(ctx, limit);
}

void report_put_limits(const struct ksm_trace_info *info, struct json_object *to)
{
	report_each_limit(info, put_limit, ksm_json_arr(to, "limits"));
}
