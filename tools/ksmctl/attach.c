// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl attach - merging for processes that did not ask for it
 */
#include "ksmctl/attach.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/format.h"
#include "lib/json.h"
#include "lib/log.h"

static const struct argp_option options_doc[] = {
	{ "list", ATTACH_OPT_LIST, NULL, 0, "Show what is attached, attach nothing", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options_doc,
	.parser = attach_parse,
	.doc = "Offer the memory of running processes to KSM, now and what they map later, as if "
	       "they had asked for it themselves. Works with either backend; the engine's module "
	       "has to be loaded, but may be idle. An exec ends it.",
	.children = attach_children,
};

static void print_marked(const struct attach_row *row)
{
	char bytes[KSM_FORMAT_MAX];

	printf(", %s in %" PRIu64 " areas marked",
	       ksm_format_bytes(bytes, sizeof(bytes), (int64_t)row->result.bytes),
	       (uint64_t)row->result.areas);
}

static void hint(struct ksmctl *ctl)
{
	struct ksm_counters_snapshot s;

	if (!ctl->json && !ksm_backend_read(&ctl->b, &s, NULL) &&
	    ksm_snapshot_get(&s, KSM_ABI_RUN) != KSM_RUN_MERGE)
		printf("merging is stopped: 'ksmctl start' starts it\n");
}

static int attach(struct attach_options *options)
{
	size_t count = options->targets.count;
	struct attach_row *rows = attach_rows(options);
	int status;

	if (!rows)
		return KSM_EXIT_FAILED;
	attach_each(options, KSM_ABI_ATTACH, rows, count);
	status = attach_report(options, "attached", rows, count, print_marked);
	if (status == KSM_EXIT_OK)
		hint(options->ctl);
	free(rows);
	return status;
}

static int list_json(const struct ksm_abi_attached *rows, size_t count)
{
	struct json_object *root = json_object_new_object();
	struct json_object *list = ksm_json_arr(root, "attached");

	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_new_object();

		ksm_json_int(o, "pid", rows[i].pid);
		ksm_json_str(o, "comm", rows[i].comm);
		ksm_json_uint(o, "areas", rows[i].areas);
		ksm_json_uint(o, "bytes", rows[i].bytes);
		ksm_json_uint(o, "merged_pages", rows[i].merged);
		ksm_json_bool(o, "full", rows[i].state & KSM_ABI_ATTACHED_FULL);
		json_object_array_add(list, o);
	}
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

static int add_text(struct ksm_table *t, const struct ksm_abi_attached *row)
{
	char pid[KSM_FORMAT_MAX], areas[KSM_FORMAT_MAX], bytes[KSM_FORMAT_MAX];
	char merged[KSM_FORMAT_MAX], comm[KSM_FORMAT_MAX];
	const char *cells[] = { pid, areas, bytes, merged, comm };

	snprintf(pid, sizeof(pid), "%u", row->pid);
	ksm_format_count(areas, sizeof(areas), (int64_t)row->areas);
	ksm_format_bytes(bytes, sizeof(bytes), (int64_t)row->bytes);
	ksm_format_count(merged, sizeof(merged), (int64_t)row->merged);
	ksm_format_safe(comm, sizeof(comm), row->comm);
	return ksm_table_row(t, cells);
}

static int list_text(const struct ksm_abi_attached *rows, size_t count)
{
	static const struct ksm_column columns[] = { { "PID", true },
						     { "AREAS", true },
						     { "MARKED", true },
						     { "MERGED", true },
						     { "COMMAND", false } };
	struct ksm_table *t;
	int ret;

	if (!count) {
		puts("nothing is attached");
		return KSM_EXIT_OK;
	}
	t = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	ret = t ? 0 : -ENOMEM;
	for (size_t i = 0; i < count && !ret; i++)
		ret = add_text(t, &rows[i]);
	if (!ret)
		ksm_table_print(t, stdout, true);
	else
		ksm_log_error("out of memory");
	ksm_table_free(t);
	for (size_t i = 0; i < count; i++)
		if (rows[i].state & KSM_ABI_ATTACHED_FULL)
			printf("%u has so many mappings that new ones are left unmarked\n",
			       rows[i].pid);
	return ret ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

static int list(const struct attach_options *options)
{
	struct ksm_abi_attached *rows;
	char reason[128];
	size_t count;
	int ret = ksm_attach_list(options->fd, &rows, &count);

	if (ret) {
		ksm_log_error("cannot list what is attached: %s",
			      ksm_attach_reason(&options->ctl->b.io, ret, reason, sizeof(reason)));
		return KSM_EXIT_FAILED;
	}
	ret = options->ctl->json ? list_json(rows, count) : list_text(rows, count);
	free(rows);
	return ret;
}

int ksmctl_attach(void *ctx, int argc, char **argv)
{
	struct attach_options options = { .ctl = ctx, .fd = -1 };
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return KSM_EXIT_USAGE;
	if (options.list && (options.sel.pids || options.sel.cgroup || options.sel.match ||
			     options.sel.all)) {
		ksm_log_error("attach: --list shows all that is attached: name no processes");
		return KSM_EXIT_USAGE;
	}
	status = attach_open(&options);
	if (!status)
		status = options.list ? list(&options) : attach(&options);
	attach_close(&options);
	return status;
}
