// SPDX-License-Identifier: GPL-2.0
/* Programs made of subcommands. */
#include "lib/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/util.h"

/* argp hands its help filter the same input as the parser. */
struct top {
	const struct ksm_program *program;
	void *ctx;
	int command; /* index into argv, 0 when none was given */
};

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
	struct top *top = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		if (top->program->children)
			state->child_inputs[0] = top->ctx;
		return 0;
	case ARGP_KEY_ARG:
		/* the rest belongs to the subcommand */
		top->command = state->next - 1;
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
	const struct ksm_program *program;
	char *list = NULL;
	size_t size = 0;
	FILE *out;

	if (key != ARGP_KEY_HELP_POST_DOC || !input)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return (char *)text;
	program = ((struct top *)input)->program;
	fputs("Commands:\n", out);
	for (size_t i = 0; i < program->nr; i++)
		fprintf(out, "  %-10s %s\n", program->commands[i].name, program->commands[i].help);
	fprintf(out,
		"\n'%s COMMAND --help' tells the options of a command.\n"
		"Exit status: 0 done, 1 failed, 2 wrong usage.",
		program->name);
	fclose(out);
	return list;
}

static int unknown_command(const struct ksm_program *program, const char *name)
{
	const char *best = NULL;
	unsigned int distance = 3;

	for (size_t i = 0; i < program->nr; i++) {
		unsigned int d = ksm_edit_distance(name, program->commands[i].name);

		if (d < distance) {
			distance = d;
			best = program->commands[i].name;
		}
	}
	if (best)
		ksm_log_error("unknown command '%s'; did you mean '%s'?", name, best);
	else
		ksm_log_error("unknown command '%s'; '%s --help' lists them", name, program->name);
	return KSM_EXIT_USAGE;
}

static int dispatch(const struct top *top, int argc, char **argv)
{
	const struct ksm_program *program = top->program;
	char title[64];

	for (size_t i = 0; i < program->nr; i++) {
		if (strcmp(argv[0], program->commands[i].name))
			continue;
		snprintf(title, sizeof(title), "%s %s", program->name, argv[0]);
		argv[0] = title;
		return program->commands[i].func(top->ctx, argc, argv);
	}
	return unknown_command(program, argv[0]);
}

int ksm_program_main(const struct ksm_program *program, void *ctx, int argc, char **argv)
{
	char doc[256];
	const struct argp argp = {
		.parser = parse_top,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = doc,
		.children = program->children,
		.help_filter = help_filter,
	};
	struct top top = { .program = program, .ctx = ctx };
	int status;

	/* What follows the \v is shown behind the options: help_filter() replaces it. */
	snprintf(doc, sizeof(doc), "%s\v.", program->doc);
	argp_err_exit_status = KSM_EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &top))
		return KSM_EXIT_USAGE;
	status = dispatch(&top, argc - top.command, argv + top.command);
	if (fflush(stdout) || ferror(stdout)) {
		ksm_log_error("cannot write the output: %s", strerror(errno));
		return status ? status : KSM_EXIT_FAILED;
	}
	return status;
}
