// SPDX-License-Identifier: GPL-2.0
/* ksmtrace export: a recording in the format of another tool. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksmtrace/cmd.h"
#include "ksmtrace/perfetto.h"
#include "lib/log.h"
#include "lib/trace_file.h"

struct export
{
	const char *dir;
	const char *output;
	bool perfetto;
};

static error_t parse_export(int key, char *arg, struct argp_state *state)
{
	struct export *x = state->input;

	switch (key) {
	case 'p':
		x->perfetto = true;
		return 0;
	case 'o':
		if (!*arg)
			argp_error(state, "--output: no file given");
		x->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "more than one directory given");
		x->dir = arg;
		return 0;
	case ARGP_KEY_END:
		if (!x->perfetto)
			argp_error(state, "no format given: --perfetto");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "perfetto", 'p', NULL, 0, "JSON that ui.perfetto.dev and chrome://tracing open", 0 },
	{ "output", 'o', "FILE", 0, "Where to (default: standard output)", 0 },
	{ 0 },
};

static const struct argp export_argp = {
	.options = options,
	.parser = parse_export,
	.args_doc = "[DIR]",
	.doc = "Write a recording (default " KSM_TRACE_DEFAULT ") in the format of another tool.",
};

/* Addresses are nobody else's business, as in the recording itself. */
static FILE *open_output(const char *path)
{
	FILE *to;
	int fd;

	if (!path || !strcmp(path, "-")) {
		if (!isatty(STDOUT_FILENO))
			return stdout;
		ksm_log_error("this is nothing to read on a terminal: give a file with -o");
		return NULL;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!to)
		ksm_log_error("%s: %s: choose a writable place with -o", path, strerror(errno));
	return to;
}

static int write_out(const struct export *x, const struct ksm_trace_info *info, FILE *to)
{
	struct perfetto *p = perfetto_new(info, ksm_trace_page_size(info), to);
	struct ksm_error err = { 0 };
	int ret, written;

	if (!p) {
		ksm_log_error("no memory");
		return KSM_EXIT_FAILED;
	}
	ret = ksm_trace_read(x->dir, info, perfetto_event, p, &err);
	written = perfetto_finish(p);
	if (to != stdout && fclose(to))
		written = -errno;
	/* Of standard output main() tells. */
	if (written && to != stdout)
		ksm_log_error("%s cannot be written: choose another place with -o", x->output);
	if (written)
		return KSM_EXIT_FAILED;
	return ksm_trace_verdict(ret, &err);
}

int ksmtrace_export(void *ctx, int argc, char **argv)
{
	struct export x = { .dir = KSM_TRACE_DEFAULT };
	struct ksm_trace_info *info;
	struct ksm_error err;
	int status;
	FILE *to;

	if (argp_parse(&export_argp, argc, argv, 0, NULL, &x))
		return KSM_EXIT_USAGE;
	info = calloc(1, sizeof(*info));
	if (!info)
		return KSM_EXIT_FAILED;
	/* What cannot be read shall not cost a file that is there. */
	if (ksm_trace_read_info(x.dir, info, &err)) {
		status = ksm_log_fail(&err);
	} else {
		to = open_output(x.output);
		status = to ? write_out(&x, info, to) : KSM_EXIT_FAILED;
	}
	free(info);
	return status;
}
