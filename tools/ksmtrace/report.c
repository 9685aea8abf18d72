// SPDX-License-Identifier: GPL-2.0
/* ksmtrace report: what a recording says, added up. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ksmtrace/cmd.h"
#include "ksmtrace/report_view.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/trace_file.h"

#define TOP_DEFAULT 10
#define TOP_MAX 100000
#define COLUMNS_DEFAULT 80

struct options {
	struct report_view view;
	bool json;
};

static void parse_by(struct report_view *v, const char *arg, struct argp_state *state)
{
	int by = 0;

	while (by < REPORT_BYS && strcmp(report_by_names[by], arg))
		by++;
	if (by == REPORT_BYS)
		argp_error(state, "--by: '%.32s' is none of process, cgroup, guest, event, page",
			   arg);
	v->by = by;
	v->parts |= REPORT_BY;
}

static error_t parse_report(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	uint64_t top;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case 'b':
		parse_by(&o->view, arg, state);
		return 0;
	case 'n':
		if (ksm_parse_u64(arg, &top) || !top || top > TOP_MAX)
			argp_error(state, "--top: '%.32s' is no number from 1 to %d", arg, TOP_MAX);
		o->view.top = top;
		return 0;
	case 'l':
		o->view.parts |= REPORT_LATENCY;
		return 0;
	case 'c':
		o->view.parts |= REPORT_CHURN;
		return 0;
	case 's':
		o->view.parts |= REPORT_SHARING;
		return 0;
	case 'P':
		o->view.parts |= REPORT_PASSES;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "more than one directory given");
		o->view.dir = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "by", 'b', "WHAT", 0,
	  "The figures by process, cgroup, guest (QEMU's -name), event or "
	  "page (frame)",
	  0 },
	{ "top", 'n', "N", 0, "Rows of each table (default 10)", 0 },
	{ "latency", 'l', NULL, 0, "How long writes to merged pages took: a histogram", 0 },
	{ "churn", 'c', NULL, 0, "Pages merged and broken again, how long they stayed merged", 0 },
	{ "sharing", 's', NULL, 0, "Who shares pages with whom (with --by: which cgroups, guests)",
	  0 },
	{ "passes", 'P', NULL, 0, "Passes of the scanner: duration, pages, merged, efficiency", 0 },
	{ "json", 'j', NULL, 0, "Print JSON: all of the above", 0 },
	{ 0 },
};

static const struct argp report_argp = {
	.options = options,
	.parser = parse_report,
	.args_doc = "[DIR]",
	.doc = "Add up a recording (default " KSM_TRACE_DEFAULT
	       "): a summary, or the parts that are asked for.",
};

static unsigned int terminal_columns(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return COLUMNS_DEFAULT;
}

static int show(struct options *o)
{
	struct report_view *v = &o->view;

	report_finish(v->r);
	if (report_view_make(v)) {
		ksm_log_error("no memory");
		return KSM_EXIT_FAILED;
	}
	if (o->json)
		return ksm_json_print(report_to_json(v)) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
	report_print_text(v, stdout);
	return KSM_EXIT_OK;
}

static int report(struct options *o, struct ksm_trace_info *info)
{
	struct report_view *v = &o->view;
	struct ksm_error err = { 0 };
	int ret = ksm_trace_read_info(v->dir, info, &err), status;

	if (ret)
		return ksm_log_fail(&err);
	v->info = info;
	v->page_size = ksm_trace_page_size(info);
	v->r = report_new(info->start);
	if (!v->r) {
		ksm_log_error("no memory");
		return KSM_EXIT_FAILED;
	}
	ret = ksm_trace_read(v->dir, info, report_feed, v->r, &err);
	v->cut = ret ? err.text : NULL;
	/* Up to a damage everything is good, and worth seeing. */
	status = show(o);
	fflush(stdout);
	ret = ksm_trace_verdict(ret, &err);
	report_view_free(v);
	report_free(v->r);
	return ret ? ret : status;
}

int ksmtrace_report(void *ctx, int argc, char **argv)
{
	struct options o = { .view = { .dir = KSM_TRACE_DEFAULT, .top = TOP_DEFAULT } };
	struct ksm_trace_info *info;
	int status;

	setlocale(LC_CTYPE, "");
	if (argp_parse(&report_argp, argc, argv, 0, NULL, &o))
		return KSM_EXIT_USAGE;
	if (!o.view.parts)
		o.view.parts = REPORT_SUMMARY;
	o.view.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	o.view.columns = terminal_columns();
	info = calloc(1, sizeof(*info));
	if (!info)
		return KSM_EXIT_FAILED;
	status = report(&o, info);
	free(info);
	return status;
}
