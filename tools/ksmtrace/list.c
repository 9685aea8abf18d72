// SPDX-License-Identifier: GPL-2.0
/* ksmtrace list: which events this machine can tell of, and how. */
#include <argp.h>
#include <stdio.h>

#include "ksmtrace/cmd.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/trace_types.h"

static error_t parse_list(int key, char *arg, struct argp_state *state)
{
	bool *json = state->input;

	switch (key) {
	case 'j':
		*json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return ARGP_ERR_UNKNOWN;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *backend_name(unsigned int backend)
{
	return backend == KSM_STREAM_KERNEL ? "kernel" : "engine";
}

static int list_text(const struct ksm_hook *hooks, size_t count)
{
	static const struct ksm_column columns[] = {
		{ "EVENT", false }, { "ENGINE", false }, { "HOOK", false }, { "WHY", false }
	};
	struct ksm_table *table = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));

	if (!table)
		return KSM_EXIT_FAILED;
	for (size_t i = 0; i < count; i++) {
		const char *const cells[] = {
			ksm_event_name(hooks[i].type),
			backend_name(hooks[i].backend),
			hooks[i].hook ? hooks[i].hook : "unavailable",
			hooks[i].why ? hooks[i].why : "",
		};

		ksm_table_row(table, cells);
	}
	ksm_table_print(table, stdout, true);
	ksm_table_free(table);
	return KSM_EXIT_OK;
}

static int list_json(const struct ksm_hook *hooks, size_t count)
{
	struct json_object *root = json_object_new_object();
	struct json_object *events = ksm_json_arr(root, "events");

	for (size_t i = 0; i < count; i++) {
		struct json_object *one = json_object_new_object();

		ksm_json_str(one, "event", ksm_event_name(hooks[i].type));
		ksm_json_str(one, "engine", backend_name(hooks[i].backend));
		ksm_json_str(one, "hook", hooks[i].hook);
		ksm_json_str(one, "why", hooks[i].why);
		json_object_array_add(events, one);
	}
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

int ksmtrace_list(void *ctx, int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "Print JSON", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_list,
		.doc = "List the events, the hook that gives each of them on this machine, and why "
		       "there is none or no better one.",
	};
	struct ksm_stream_opts opts = { .backend = KSM_STREAM_BOTH, .totals = KSM_STREAM_ALL };
	const struct ksm_hook *hooks;
	struct ksm_stream *stream;
	bool json = false;
	char err[256];
	size_t count;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &json))
		return KSM_EXIT_USAGE;
	if (ksm_stream_open(&opts, &stream, err, sizeof(err))) {
		ksm_log_error("%s", err);
		return KSM_EXIT_FAILED;
	}
	hooks = ksm_stream_hooks(stream, &count);
	status = json ? list_json(hooks, count) : list_text(hooks, count);
	ksm_stream_close(stream);
	return status;
}
