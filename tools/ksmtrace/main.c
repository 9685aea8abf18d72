// SPDX-License-Identifier: GPL-2.0
/*
 * ksmtrace - record what KSM does, event by event, and print it.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksmtrace/cmd.h"
#include "lib/log.h"

const char *argp_program_version = "ksmtrace " KSMKIT_VERSION;

static const struct ksmtrace_cmd commands[] = {
	{ "record", ksmtrace_record, "record events and counters into a directory" },
	{ "print", ksmtrace_print, "print a recording as text or JSON" },
	{ "list", ksmtrace_list, "the events, where they come from here, and why not better" },
};

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
	int *command = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		/* the rest belongs to the command */
		*command = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --help lists the commands from the table. */
static char *help_filter(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size = 0;
	FILE *out;

	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return (char *)text;
	fputs("Commands:\n", out);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n'ksmtrace COMMAND --help' tells the options of a command.\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage.",
	      out);
	fclose(out);
	return list;
}

static const struct argp top_argp = {
	.parser = parse_top,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "Record what KSM does, event by event, and print it.\v.",
	.help_filter = help_filter,
};

static int unknown_command(const char *name)
{
	const char *best = NULL;
	unsigned int distance = 3;

	for (size_t i = 0; i < KSM_ARRAY_SIZE(commands); i++) {
		unsigned int d = ksm_edit_distance(name, commands[i].name);

		if (d < distance) {
			distance = d;
			best = commands[i].name;
		}
	}
	ksm_log_error("unknown command '%s'%s%s%s", name, best ? "; did you mean '" : "",
		      best ? best : "", best ? "'?" : "; 'ksmtrace --help' lists them");
	return KSM_EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	char title[64];

	for (size_t i = 0; i < KSM_ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		snprintf(title, sizeof(title), "ksmtrace %s", commands[i].name);
		argv[0] = title;
		return commands[i].func(argc, argv);
	}
	return unknown_command(argv[0]);
}

int main(int argc, char **argv)
{
	int command = 0, status;

	argp_err_exit_status = KSM_EXIT_USAGE;
	if (argp_parse(&top_argp, argc, argv, ARGP_IN_ORDER, NULL, &command))
		return KSM_EXIT_USAGE;
	status = dispatch(argc - command, argv + command);
	if (fflush(stdout) || ferror(stdout)) {
		ksm_log_error("cannot write the output: %s", strerror(errno));
		return status ? status : KSM_EXIT_FAILED;
	}
	return status;
}
