// SPDX-License-Identifier: GPL-2.0
/* ksmtrace stat: what KSM did and cost meanwhile, added up in the kernel, without a recording. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksmtrace/cmd.h"
#include "ksmtrace/report_limits.h"
#include "ksmtrace/target.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/latency.h"
#include "lib/log.h"
#include "lib/trace_types.h"

#define SECOND 1e9

/**
 * struct moment - what one looks at before and after
 * @time: CLOCK_MONOTONIC ns
 * @counters: of each backend
 * @runtime: of its scanner, ns
 * @has_runtime: there is one
 */
struct moment {
	uint64_t time;
	struct ksm_counters_snapshot counters[2];
	uint64_t runtime[2];
	bool has_runtime[2];
};

/**
 * struct stat_run - one run
 * @target: what is watched
 * @json: print JSON
 * @totals: events
 * @slots: COW breaks by latency: write, unmerge
 */
struct stat_run {
	struct target target;
	bool json;
	struct moment before;
	struct moment after;
	struct ksm_totals totals;
	uint64_t slots[2][KSM_LATENCY_SLOTS];
};

static error_t parse_stat(int key, char *arg, struct argp_state *state)
{
	struct stat_run *s = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &s->target;
		return 0;
	case 'j':
		s->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &target_argp, 0, NULL, 0 }, { 0 } };

static const struct argp stat_argp = {
	.options = options,
	.parser = parse_stat,
	.children = children,
	.args_doc = "[-- COMMAND [ARGUMENT...]]",
	.doc = "Count events until COMMAND ends, or until Ctrl-C. Counters and the scanner's "
	       "time are those of the whole machine, events those of the processes watched.",
};

static int look(struct target *t, struct moment *m)
{
	struct ksm_scanner scanner;
	struct ksm_error err;

	for (unsigned int i = 0; i < t->backend_count; i++) {
		if (ksm_backend_read(&t->backends[i], &m->counters[i], &err))
			return ksm_log_fail(&err);
		m->has_runtime[i] = !ksm_scanner_read(&t->backends[i], &scanner);
		m->runtime[i] = m->has_runtime[i] ? scanner.runtime : 0;
	}
	m->time = ksm_monotonic_ns();
	return 0;
}

static bool counts(struct stat_run *s, unsigned int type)
{
	const struct ksm_hook *hook = ksm_stream_hook(s->target.stream, type);

	return hook && hook->hook;
}

static void print_count(struct stat_run *s, unsigned int type, double seconds)
{
	const struct ksm_hook *hook = ksm_stream_hook(s->target.stream, type);
	char count[KSM_FORMAT_MAX], rate[KSM_FORMAT_MAX];

	if (!hook)
		return;
	if (!hook->hook) {
		printf("%16s  %-14s  # %s\n", "not counted", ksm_event_name(type), hook->why);
		return;
	}
	printf("%16s  %-14s  # %s%s%s\n",
	       ksm_format_count(count, sizeof(count), s->totals.fired[type]), ksm_event_name(type),
	       ksm_format_rate(rate, sizeof(rate), s->totals.fired[type] / seconds),
	       hook->lacks ? "; " : "", hook->lacks ? hook->lacks : "");
}

/* Pages that are mapped to a shared frame now and were not before. */
static int64_t net_pages(const struct stat_run *s)
{
	const uint64_t *n = s->totals.fired;

	return (int64_t)(n[KSM_EVENT_MERGE] + n[KSM_EVENT_NEW_PAGE] + n[KSM_EVENT_ZERO_MERGE]) -
	       (int64_t)n[KSM_EVENT_COW_BREAK];
}

static int64_t delta(const struct stat_run *s, unsigned int backend, unsigned int id)
{
	return s->after.counters[backend].value[id] - s->before.counters[backend].value[id];
}

static bool has_counter(const struct stat_run *s, unsigned int backend, unsigned int id)
{
	return ksm_snapshot_has(&s->before.counters[backend], id) &&
	       ksm_snapshot_has(&s->after.counters[backend], id);
}

static void print_backend(const struct stat_run *s, unsigned int i, double seconds)
{
	static const unsigned int shown[] = { KSM_ABI_PAGES_SHARED, KSM_ABI_PAGES_SHARING,
					      KSM_ABI_PAGES_SCANNED, KSM_ABI_FULL_SCANS };
	uint64_t cpu = s->after.runtime[i] - s->before.runtime[i];
	char duration[KSM_FORMAT_MAX], percent[KSM_FORMAT_MAX];

	printf("\n %s:\n\n", ksm_backend_kind_name(s->target.backends[i].kind));
	for (size_t j = 0; j < KSM_ARRAY_SIZE(shown); j++)
		if (has_counter(s, i, shown[j]))
			printf("%+16" PRId64 "  %s\n", delta(s, i, shown[j]),
			       ksm_knob_by_id(shown[j])->name);
	if (s->before.has_runtime[i] && s->after.has_runtime[i])
		printf("%16s  scanner CPU     # %s of a CPU\n",
		       ksm_format_duration(duration, sizeof(duration), cpu),
		       ksm_format_percent(percent, sizeof(percent), cpu, seconds * SECOND));
}

static void print_latency(const char *name, const uint64_t *slots)
{
	static const double percents[] = { 50, 90, 99, 100 };
	char text[KSM_FORMAT_MAX];

	if (!ksm_latency_count(slots))
		return;
	printf("\n %s took", name);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(percents); i++)
		printf("%s %s (%g %%)", i ? "," : " at most",
		       ksm_format_duration(text, sizeof(text),
					   ksm_latency_percentile(slots, percents[i])),
		       percents[i]);
	printf("\n");
}

static void print_text(struct stat_run *s, double seconds)
{
	char net[KSM_FORMAT_MAX], bytes[KSM_FORMAT_MAX];

	printf("\n Events%s%s:\n\n", s->target.argv ? " while running " : "",
	       s->target.argv ? s->target.argv[0] : "");
	for (unsigned int type = 1; type <= KSM_EVENT_SWAPIN_COPY; type++)
		print_count(s, type, seconds);
	if (counts(s, KSM_EVENT_MERGE) && counts(s, KSM_EVENT_COW_BREAK))
		printf("%16s  merged minus broken pages (%s)\n",
		       ksm_format_count(net, sizeof(net), net_pages(s)),
		       ksm_format_pages(bytes, sizeof(bytes), net_pages(s)));
	for (unsigned int i = 0; i < s->target.backend_count; i++)
		print_backend(s, i, seconds);
	print_latency("COW breaks by writes", s->slots[KSM_COW_WRITE]);
	print_latency("COW breaks by unmerging", s->slots[KSM_COW_UNMERGE]);
	printf("\n%16.6f  seconds elapsed\n\n", seconds);
}

static void json_latency(struct json_object *to, const char *name, const uint64_t *slots)
{
	struct json_object *one;

	/* Also when the hook in use cannot tell. */
	if (!ksm_latency_count(slots))
		return;
	one = ksm_json_obj(to, name);
	ksm_json_uint(one, "count", ksm_latency_count(slots));
	ksm_json_uint(one, "p50_ns", ksm_latency_percentile(slots, 50));
	ksm_json_uint(one, "p90_ns", ksm_latency_percentile(slots, 90));
	ksm_json_uint(one, "p99_ns", ksm_latency_percentile(slots, 99));
	ksm_json_uint(one, "max_ns", ksm_latency_percentile(slots, 100));
}

static void json_backend(struct json_object *to, const struct stat_run *s, unsigned int i)
{
	struct json_object *one =
		ksm_json_obj(to, ksm_backend_kind_name(s->target.backends[i].kind));

	for (unsigned int id = 1; id < KSM_ABI_COUNT; id++)
		if (has_counter(s, i, id) && ksm_knob_by_id(id)->mode == KSM_ABI_MODE_RO)
			ksm_json_int(one, ksm_knob_by_id(id)->name, delta(s, i, id));
	if (s->before.has_runtime[i] && s->after.has_runtime[i])
		ksm_json_uint(one, "scanner_ns", s->after.runtime[i] - s->before.runtime[i]);
}

/* Events that are not counted, or not all of them: as report has them. */
static void json_limits(struct json_object *to, const struct stat_run *s)
{
	const struct ksm_hook *hooks;
	size_t count;

	to = ksm_json_arr(to, "limits");
	hooks = ksm_stream_hooks(s->target.stream, &count);
	for (size_t i = 0; i < count; i++) {
		const struct ksm_hook *h = &hooks[i];
		struct report_limit limit = {
			.backend = h->backend == KSM_STREAM_ENGINE ? "engine" : "kernel",
			.type = h->type,
			.seen = h->hook ? REPORT_SEEN_PARTLY : REPORT_SEEN_NOT,
			.why = h->hook ? h->lacks : h->why,
		};

		if (!h->hook || h->lacks)
			report_put_limit(to, &limit);
	}
}

static int print_json(struct stat_run *s, double seconds)
{
	struct json_object *root = json_object_new_object(), *events, *backends;

	ksm_json_uint(root, "elapsed_ns", seconds * SECOND);
	events = ksm_json_obj(root, "events");
	for (unsigned int type = 1; type <= KSM_EVENT_SWAPIN_COPY; type++)
		if (counts(s, type))
			ksm_json_uint(events, ksm_event_name(type), s->totals.fired[type]);
	json_limits(root, s);
	if (counts(s, KSM_EVENT_MERGE) && counts(s, KSM_EVENT_COW_BREAK))
		ksm_json_int(root, "net_pages", net_pages(s));
	json_latency(root, "write_breaks", s->slots[KSM_COW_WRITE]);
	json_latency(root, "unmerge_breaks", s->slots[KSM_COW_UNMERGE]);
	backends = ksm_json_obj(root, "backends");
	for (unsigned int i = 0; i < s->target.backend_count; i++)
		json_backend(backends, s, i);
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

static int run(struct stat_run *s)
{
	struct target *t = &s->target;
	int status = look(t, &s->before), ret;
	double seconds;

	if (!status)
		status = target_start(t);
	if (status)
		return status;
	while (!target_over(t)) {
		ret = ksm_stream_poll(t->stream, 50);
		if (ret && ret != -EINTR)
			break;
	}
	ksm_stream_totals(t->stream, &s->totals);
	status = look(t, &s->after);
	ksm_stream_latency(t->stream, KSM_COW_WRITE, s->slots[KSM_COW_WRITE]);
	ksm_stream_latency(t->stream, KSM_COW_UNMERGE, s->slots[KSM_COW_UNMERGE]);
	seconds = (s->after.time - s->before.time) / SECOND;
	if (!status && s->json)
		status = print_json(s, seconds);
	else if (!status)
		print_text(s, seconds);
	return status ? status : t->command.status;
}

int ksmtrace_stat(void *ctx, int argc, char **argv)
{
	struct stat_run *s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return KSM_EXIT_FAILED;
	if (argp_parse(&stat_argp, argc, argv, ARGP_IN_ORDER, NULL, s))
		return KSM_EXIT_USAGE;
	status = target_open(&s->target, NULL, NULL);
	if (!status)
		status = run(s);
	target_close(&s->target);
	free(s);
	return status;
}
