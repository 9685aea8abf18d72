// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl estimate - what merging would save, before anything is switched on
 */
#include "ksmctl/estimate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/log.h"
#include "lib/progress.h"

enum { OPT_SAMPLE = 0x1000, OPT_SEED };

struct options {
	struct ksmctl *ctl;
	struct ksm_io io;
	struct ksm_selection selection;
	double sample;
	uint64_t seed;
};

static const struct argp_option options_doc[] = {
	{ "sample", OPT_SAMPLE, "PERCENT", 0,
	  "Keep only contents whose hash falls into this part of the hash space (default 100): "
	  "less memory, and a result with an interval",
	  1 },
	{ "seed", OPT_SEED, "N", 0, "Seed of the hash, to take the same sample again", 1 },
	{ 0 }
};

static void parse_sample(struct options *options, struct argp_state *state, const char *arg)
{
	char *end;
	double percent = strtod(arg, &end);

	if (end == arg || *end || !(percent >= 0.01 && percent <= 100))
		argp_error(state, "--sample: '%.32s' is no percentage from 0.01 to 100", arg);
	options->sample = percent / 100;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options->ctl;
		state->child_inputs[1] = &options->selection;
		return 0;
	case OPT_SAMPLE:
		parse_sample(options, state, arg);
		return 0;
	case OPT_SEED:
		if (ksm_parse_u64(arg, &options->seed))
			argp_error(state, "--seed: '%.32s' is no number", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	stopped = 1;
}

struct watch {
	struct ksm_progress bar;
	uint64_t total;
};

static int watch_pages(uint64_t pages, void *ctx)
{
	struct watch *w = ctx;

	ksm_progress_update(&w->bar, pages * (uint64_t)ksm_page_size(), w->total);
	return stopped ? -EINTR : 0;
}

/* The settings to expect; without a KSM, those that a kernel starts with. */
static void read_backend(struct ksmctl *ctl, struct estimate_report *report, uint64_t *runtime)
{
	struct ksm_scanner scanner;

	if (ksm_backend_open(&ctl->b, ctl->spec, NULL) ||
	    ksm_backend_read(&ctl->b, &report->s, NULL)) {
		memset(&report->s, 0, sizeof(report->s));
		return;
	}
	report->b = &ctl->b;
	if (!ksm_scanner_read(&ctl->b, &scanner))
		*runtime = scanner.runtime;
}

static int64_t setting(const struct estimate_report *report, unsigned int id)
{
	return ksm_snapshot_has(&report->s, id) ? report->s.value[id] : ksm_knob_by_id(id)->def;
}

static int scan(struct estimate_report *report, struct ksm_estimate *e, struct estimate_source *src,
		const struct ksm_selected_list *list)
{
	struct sigaction act = { .sa_handler = on_signal }, old;
	uint64_t start = ksm_monotonic_ns();
	struct watch w = { 0 };
	int ret;

	for (size_t i = 0; i < list->count; i++)
		w.total += list->rows[i].anon_bytes;
	sigaction(SIGINT, &act, &old);
	ksm_progress_start(&w.bar, "reading");
	ret = ksm_estimate_run(e, estimate_source_pages(src), watch_pages, &w);
	ksm_progress_end(&w.bar);
	sigaction(SIGINT, &old, NULL);
	report->elapsed_ns = ksm_monotonic_ns() - start;
	report->interrupted = ret == -EINTR;
	if (ret && !report->interrupted)
		return ret;
	return ksm_estimate_finish(e, &report->r);
}

static int refuse(const struct estimate_stats *stats, size_t count)
{
	if (stats->denied == count)
		ksm_log_error("%s not readable (%s): run as root (CAP_SYS_PTRACE)",
			      count == 1 ? "the process is" : "none of the processes is",
			      strerror(-stats->denied_code));
	else
		ksm_log_error("no anonymous page to read: the processes ended, or have none");
	return KSM_EXIT_FAILED;
}

static int estimate(struct options *options, const struct ksm_selected_list *list)
{
	struct estimate_report report = { .sample = options->sample };
	struct ksm_estimate_options o = {
		.page_size = (size_t)ksm_page_size(),
		.seed = options->seed,
		.sample = options->sample,
	};
	struct estimate_source *src = estimate_source_new(&options->io, list);
	struct ksm_estimate *e;
	uint64_t runtime = 0;
	int status;

	read_backend(options->ctl, &report, &runtime);
	o.max_page_sharing = setting(&report, KSM_ABI_MAX_PAGE_SHARING);
	o.use_zero_pages = setting(&report, KSM_ABI_USE_ZERO_PAGES) == 1;
	e = ksm_estimate_new(&o);
	if (!src || !e || scan(&report, e, src, list)) {
		ksm_log_error("out of memory");
		status = KSM_EXIT_FAILED;
		goto out;
	}
	report.stats = estimate_source_stats(src);
	if (!report.r.scopes[KSM_SCOPE_ALL].pages) {
		status = refuse(report.stats, list->count);
		goto out;
	}
	estimate_judge(&report, runtime);
	status = options->ctl->json ? estimate_json(&report) : estimate_text(&report);
	if (report.interrupted && !status) {
		ksm_log_error("interrupted: the figures are of what was read until then");
		status = KSM_EXIT_FAILED;
	}
out:
	ksm_estimate_free(e);
	estimate_source_free(src);
	return status;
}

int ksmctl_estimate(void *ctx, int argc, char **argv)
{
	const struct argp_child children[] = {
		ksmctl_children[0],
		{ &ksm_select_argp, 0, "Which processes, one of:", 5 },
		{ 0 },
	};
	const struct argp argp = {
		.options = options_doc,
		.parser = parse,
		.doc = "Say what merging would save: read the anonymous memory of processes "
		       "without stopping or changing them, and count equal pages.",
		.children = children,
	};
	struct options options = { .ctl = ctx, .sample = 1.0 };
	struct ksm_selected_list list = { 0 };
	struct ksm_error err;
	int status;

	/* unless it is to be repeated, nobody can know which contents fall into the sample */
	if (getrandom(&options.seed, sizeof(options.seed), 0) != sizeof(options.seed))
		options.seed = ksm_monotonic_ns();
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return KSM_EXIT_USAGE;
	/* the memory is this machine's always; a fake backend gives settings only */
	ksm_io_init(&options.io, "");
	status = ksm_select(&options.io, &options.selection, &list, &err) ?
			 ksm_log_fail(&err) :
			 estimate(&options, &list);
	ksm_selected_free(&list);
	return status;
}
