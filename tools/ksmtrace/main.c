// SPDX-License-Identifier: GPL-2.0
/*
 * ksmtrace - record what KSM does, event by event, and answer from it.
 */
#include "ksmtrace/cmd.h"
#include "lib/command.h"
#include "lib/util.h"

const char *argp_program_version = "ksmtrace " KSMKIT_VERSION;

static const struct ksm_command commands[] = {
	{ "record", ksmtrace_record, "record events and counters into a directory" },
	{ "report", ksmtrace_report, "what a recording says: who merged what, and what it cost" },
	{ "trace", ksmtrace_trace, "print events as they happen" },
	{ "stat", ksmtrace_stat, "count events while a command runs, or for a while" },
	{ "print", ksmtrace_print, "print a recording as text or JSON" },
	{ "export", ksmtrace_export, "a recording for ui.perfetto.dev" },
	{ "list", ksmtrace_list, "the events, where they come from here, and why not better" },
};

int main(int argc, char **argv)
{
	static const struct ksm_program program = {
		.name = "ksmtrace",
		.doc = "Record what KSM does, event by event, and say what it did to whom.",
		.commands = commands,
		.nr = KSM_ARRAY_SIZE(commands),
	};

	return ksm_program_main(&program, NULL, argc, argv);
}
