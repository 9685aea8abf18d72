// SPDX-License-Identifier: GPL-2.0
/*
 * One row of the benchmark with one KSM at one setting: build memory, let the scanner work on it,
 * say what that cost.
 *
 * Costs are run times of the scanner's thread and of the whole machine (minus what the machine
 * costs when the scanner does not run); under the lab's --icount they are instructions. Every row
 * ends with a check of all contents and of the saving by frame numbers; rows that measure a scanner
 * at rest end with a pair of equal pages planted into memory that was static until then: a scanner
 * that saves work by not looking must find it within five passes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench/bench.h"

static struct config {
	const struct bench_row *row;
	unsigned long mib;
	bool smart;
	bool zero;
	unsigned long full;
	unsigned long partners;
} config = { .smart = true };

static const struct argp_option options[] = {
	{ "row", 'r', "NAME", 0, "what to measure (--list names them)", 0 },
	{ "list", 'l', NULL, 0, "print the rows", 0 },
	{ "mib", 'm', "MIB", 0, "memory of each process (default: the row's)", 0 },
	{ "smart", 'S', "0|1", 0, "smart_scan (default: 1, as the kernel's)", 0 },
	{ "zero", 'Z', "0|1", 0, "use_zero_pages (default: 0, as the kernel's)", 0 },
	{ "full", 'F', "PASSES", 0, "full_hash_passes of the engine (default: its own)", 0 },
	{ "partners", 'P', "PAGES", 0, "thp_min_partners of the engine (default: its own)", 0 },
	{ 0 },
};

static void list_rows(void)
{
	for (const struct bench_row *r = bench_rows; r->name; r++)
		say("%-10s %lu x %3lu MiB  %s", r->name, r->processes, r->mib, r->text);
	exit(0);
}

static const struct bench_row *row_find(const char *name)
{
	const struct bench_row *r = bench_rows;

	while (r->name && strcmp(r->name, name))
		r++;
	return r->name ? r : NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'r':
		config.row = row_find(arg);
		if (!config.row)
			argp_error(state, "no row '%s': --list names them", arg);
		return 0;
	case 'l':
		list_rows();
		return 0;
	case 'm':
		config.mib = arg_number(state, "--mib", arg, 1, 65536);
		return 0;
	case 'S':
		config.smart = arg_number(state, "--smart", arg, 0, 1);
		return 0;
	case 'Z':
		config.zero = arg_number(state, "--zero", arg, 0, 1);
		return 0;
	case 'F':
		config.full = arg_number(state, "--full", arg, 1, 65535);
		return 0;
	case 'P':
		config.partners = arg_number(state, "--partners", arg, 1, 65535);
		return 0;
	case ARGP_KEY_END:
		if (!config.row)
			argp_error(state, "which --row? --list names them");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Measure one row of the benchmark.",
};

/* A file that the kernel's own KSM does not have on every kernel may be missing there. */
static void set_knob(const char *file, long long value)
{
	int err = ksm_write(opt.backend, file, value);

	if (err && !(err == -ENOENT && value == 0))
		die("writing %lld to %s/%s: %s", value, opt.backend->dir, file, strerror(-err));
}

static void configure(void)
{
	set_knob("run", 2);
	set_knob("run", 0);
	set_knob("smart_scan", config.smart);
	set_knob("use_zero_pages", config.zero);
	if (config.full)
		set_knob("full_hash_passes", config.full);
	if (config.partners)
		set_knob("thp_min_partners", config.partners);
	set_knob("sleep_millisecs", bench.row->sleep_millisecs);
	set_knob("pages_to_scan", bench.row->pages_to_scan);
}

static const char *series_text(void)
{
	static char text[BENCH_SERIES * 40];
	size_t used = 0;

	for (unsigned int i = 0; i < bench.result.points; i++)
		used += snprintf(text + used, sizeof(text) - used, "%s[%.0f, %lld]", i ? ", " : "",
				 bench.result.series[i].thread, bench.result.series[i].saved);
	return text;
}

/* One JSON object a line: tests/bench reads it. */
static void report(void)
{
	struct utsname host;

	uname(&host);
	say("{ \"row\": \"%s\", \"release\": \"%s\", \"backend\": \"%s\", \"smart_scan\": %d, "
	    "\"use_zero_pages\": %d, "
	    "\"pages\": %lu, \"thread\": %.0f, \"machine\": %.0f, \"seconds\": %.3f, "
	    "\"passes\": %lld, \"per\": %.0f, \"saved\": %ld, "
	    "\"expected\": %ld, \"planted\": %ld, \"breaks\": %lld, \"splits\": %lld, "
	    "\"deferred\": %lld, "
	    "\"metadata\": %lld, "
	    "\"cost\": %.2f, \"machine_cost\": %.2f, \"series\": [%s] }",
	    config.row->name, host.release, opt.backend->name, config.smart, config.zero,
	    bench.pages * config.row->processes, bench.result.thread, bench.result.machine,
	    bench.result.seconds, bench.result.passes, bench.result.per, bench.result.saved,
	    bench.result.expected, bench.result.planted, bench.result.breaks, bench.result.splits,
	    bench.result.deferred, bench.result.metadata, bench.result.thread / bench.result.per,
	    bench.result.machine / bench.result.per, series_text());
}

int main(int argc, char **argv)
{
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	bench.row = config.row;
	bench.pages = ((config.mib ?: config.row->mib) << 20) / page_size();
	bench.zero_pages = config.zero;
	bench.thread =
		thread_find(opt.backend == &backends[BACKEND_KERNEL] ? "ksmd" : "ksm_engined");
	configure();
	bench_start();
	bench_quiet();
	config.row->measure();
	bench_stop();
	set_knob("run", 2);
	set_knob("run", 0);
	report();
	return 0;
}
