// SPDX-License-Identifier: GPL-2.0
#include "ksmctl/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/format.h"
#include "lib/json.h"
#include "lib/log.h"

const struct argp_child attach_children[] = { { &ksm_select_argp, 0, NULL, 0 },
					      { &ksmctl_argp, 0, NULL, 0 },
					      { 0 } };

error_t attach_parse(int key, char *arg, struct argp_state *state)
{
	struct attach_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->sel;
		state->child_inputs[1] = options->ctl;
		return 0;
	case ATTACH_OPT_LIST:
		options->list = true;
		return 0;
	case ATTACH_OPT_FORCE:
		options->force = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int attach_open(struct attach_options *options)
{
	struct ksm_error err;
	int status = ksmctl_open(options->ctl);

	if (status)
		return status;
	if (!options->list &&
	    ksm_select(&options->ctl->b.io, &options->sel, &options->targets, &err))
		return ksm_log_fail(&err);
	options->fd = ksm_attach_open(&options->ctl->b.io, &err);
	return options->fd < 0 ? ksm_log_fail(&err) : 0;
}

void attach_close(struct attach_options *options)
{
	ksm_selected_free(&options->targets);
	if (options->fd >= 0)
		close(options->fd);
}

static int by_pid(const void *a, const void *b)
{
	const struct attach_row *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

struct attach_row *attach_rows(const struct attach_options *options)
{
	size_t count = options->targets.count;
	struct attach_row *rows = calloc(count, sizeof(*rows));

	if (!rows) {
		ksm_log_error("out of memory");
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		rows[i].pid = options->targets.rows[i].pid;
		ksm_copy(rows[i].comm, sizeof(rows[i].comm), options->targets.rows[i].comm);
	}
	qsort(rows, count, sizeof(*rows), by_pid);
	return rows;
}

void attach_each(const struct attach_options *options, unsigned int op, struct attach_row *rows,
		 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct attach_row *row = &rows[i];
		int pidfd;

		if (row->code)
			continue;
		pidfd = ksm_attach_pidfd(&options->ctl->b.io, &options->sel, row->pid);
		if (pidfd < 0) {
			row->code = pidfd;
			continue;
		}
		row->code = ksm_attach_call(options->fd, op, pidfd, &row->result);
		close(pidfd);
	}
}

static bool is_failure(const struct attach_options *options, const struct attach_row *row)
{
	return row->code && (row->code != -ESRCH || options->sel.pids);
}

static void explain(const struct attach_options *options, const struct attach_row *row)
{
	char comm[KSM_FORMAT_MAX], reason[128];

	ksm_attach_reason(&options->ctl->b.io, row->code, reason, sizeof(reason));
	ksm_log_error("process %d (%s): %s", row->pid,
		      ksm_format_safe(comm, sizeof(comm), row->comm), reason);
}

static void add_json(const struct attach_options *options, struct json_object *list,
		     const struct attach_row *row)
{
	struct json_object *o = json_object_new_object();
	char reason[128];

	ksm_json_int(o, "pid", row->pid);
	ksm_json_str(o, "comm", row->comm);
	if (row->code) {
		ksm_attach_reason(&options->ctl->b.io, row->code, reason, sizeof(reason));
		ksm_json_int(o, "errno", -row->code);
		ksm_json_str(o, "reason", reason);
	}
	ksm_json_uint(o, "areas", row->result.areas);
	ksm_json_uint(o, "bytes", row->result.bytes);
	ksm_json_uint(o, "copied_pages", row->result.pages);
	json_object_array_add(list, o);
}

static int report_json(const struct attach_options *options, const char *verb,
		       const struct attach_row *rows, size_t count)
{
	struct json_object *root = json_object_new_object();
	struct json_object *done = ksm_json_arr(root, verb);
	struct json_object *failed = ksm_json_arr(root, "failed");
	uint64_t ended = 0;

	for (size_t i = 0; i < count; i++) {
		bool failure = is_failure(options, &rows[i]);

		if (!rows[i].code || failure)
			add_json(options, failure ? failed : done, &rows[i]);
		else
			ended++;
	}
	ksm_json_uint(root, "ended", ended);
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

static void report_text(const struct attach_options *options, const char *verb,
			const struct attach_row *rows, size_t count,
			void (*line)(const struct attach_row *row))
{
	char comm[KSM_FORMAT_MAX];
	size_t ended = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_failure(options, &rows[i]))
			continue;
		if (rows[i].code) {
			ended++;
			continue;
		}
		printf("%d (%s): %s", rows[i].pid,
		       ksm_format_safe(comm, sizeof(comm), rows[i].comm), verb);
		line(&rows[i]);
		putchar('\n');
	}
	if (ended)
		printf("%zu ended meanwhile\n", ended);
}

int attach_report(const struct attach_options *options, const char *verb,
		  const struct attach_row *rows, size_t count,
		  void (*line)(const struct attach_row *row))
{
	int status = KSM_EXIT_OK;

	if (options->ctl->json)
		status = report_json(options, verb, rows, count);
	else
		report_text(options, verb, rows, count, line);
	for (size_t i = 0; i < count; i++) {
		if (!is_failure(options, &rows[i]))
			continue;
		explain(options, &rows[i]);
		status = KSM_EXIT_FAILED;
	}
	return status;
}
