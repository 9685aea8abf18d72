// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl detach - take back what attach did
 */
#include "ksmctl/attach.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/format.h"
#include "lib/log.h"

static const struct argp_option options_doc[] = {
	{ "force", ATTACH_OPT_FORCE, NULL, 0, "Even when the copies do not fit into free memory",
	  0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options_doc,
	.parser = attach_parse,
	.doc = "Take back what 'ksmctl attach' did: the pages that were merged because of it get "
	       "copies of their own. What the processes themselves offered to KSM stays as it is. "
	       "Refuses when the memory available is not enough for the copies.",
	.children = attach_children,
};

static void print_copied(const struct attach_row *row)
{
	char pages[KSM_FORMAT_MAX];

	printf(", %s pages copied",
	       ksm_format_count(pages, sizeof(pages), (int64_t)row->result.pages));
}

/* Of a group only those that are attached are meant. */
static size_t drop_unattached(const struct attach_options *options, struct attach_row *rows,
			      size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].code != -ENOENT || options->sel.pids)
			rows[kept++] = rows[i];
	return kept;
}

/* Will the copies fit? Return: 0, else the exit status. */
static int check_fits(const struct attach_options *options, const struct attach_row *rows,
		      size_t count)
{
	struct ksm_proc *procs = calloc(count ? count : 1, sizeof(*procs));
	struct ksm_headroom h;
	int ret = -ENOMEM;

	for (size_t i = 0; procs && i < count; i++) {
		procs[i].tgid = rows[i].pid;
		procs[i].merging_pages = rows[i].code ? 0 : rows[i].result.pages;
	}
	if (procs)
		ret = ksm_headroom_procs(&options->ctl->b.io, procs, count, &h);
	free(procs);
	return ksmctl_guard(options->ctl, "detach", &h, ret, options->force);
}

static int detach(struct attach_options *options)
{
	size_t count = options->targets.count;
	struct attach_row *rows = attach_rows(options);
	int status;

	if (!rows)
		return KSM_EXIT_FAILED;
	attach_each(options, KSM_ABI_ATTACH_QUERY, rows, count);
	count = drop_unattached(options, rows, count);
	if (!count) {
		ksm_log_error("detach: none of them is attached");
		free(rows);
		return KSM_EXIT_FAILED;
	}
	status = check_fits(options, rows, count);
	if (!status) {
		attach_each(options, KSM_ABI_DETACH, rows, count);
		status = attach_report(options, "detached", rows, count, print_copied);
	}
	free(rows);
	return status;
}

int ksmctl_detach(void *ctx, int argc, char **argv)
{
	struct attach_options options = { .ctl = ctx, .fd = -1 };
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return KSM_EXIT_USAGE;
	status = attach_open(&options);
	if (!status)
		status = detach(&options);
	attach_close(&options);
	return status;
}
