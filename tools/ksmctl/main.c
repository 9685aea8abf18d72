// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl - see and drive KSM, the in-tree one or our engine.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksmctl/cmd.h"
#include "lib/log.h"

const char *argp_program_version = "ksmctl " KSMKIT_VERSION;

static const struct ksmctl_cmd commands[] = {
	{ "status", ksmctl_status, "what KSM does, saves and costs, and for whom" },
	{ "get", ksmctl_get, "print knobs and counters" },
	{ "set", ksmctl_set, "write knobs, all or none" },
	{ "start", ksmctl_start, "start merging" },
	{ "stop", ksmctl_stop, "stop merging, keep what is merged" },
	{ "unmerge", ksmctl_unmerge, "stop merging and give every page back its own copy" },
	{ "doctor", ksmctl_doctor, "why nothing, little or too much merges" },
};

enum { OPT_JSON = 'j', OPT_BACKEND = 'b' };

static const struct argp_option global_options[] = {
	{ "backend", OPT_BACKEND, "NAME", 0,
	  KSM_BACKEND_SPECS " (default auto: whichever runs or holds merged pages, else kernel)",
	  10 },
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 10 },
	{ 0 }
};

static error_t parse_global(int key, char *arg, struct argp_state *state)
{
	struct ksmctl *ctl = state->input;

	switch (key) {
	case OPT_BACKEND:
		ctl->spec = arg;
		return 0;
	case OPT_JSON:
		ctl->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp global_argp = { .options = global_options, .parser = parse_global };
const struct argp_child ksmctl_children[] = { { &global_argp, 0, NULL, 0 }, { 0 } };

struct top {
	struct ksmctl *ctl;
	int command; /* index into argv, 0 when none was given */
};

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
	struct top *top = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = top->ctl;
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
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n'ksmctl COMMAND --help' tells the options of a command.\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage.",
	      out);
	fclose(out);
	return list;
}

static const struct argp top_argp = {
	.parser = parse_top,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "See and drive KSM, the kernel's merging of identical pages.\v.",
	.children = ksmctl_children,
	.help_filter = help_filter,
};

int ksmctl_open(struct ksmctl *ctl)
{
	struct ksm_error err;

	return ksm_backend_open(&ctl->b, ctl->spec, &err) ? ksm_log_fail(&err) : 0;
}

unsigned int ksmctl_parse_seconds(struct argp_state *state, const char *option, const char *arg)
{
	const uint64_t max = 365 * 24 * 3600;
	uint64_t value = 0;

	if (ksm_parse_u64(arg, &value) || !value || value > max)
		argp_error(state, "--%s: '%.32s' is no number of seconds from 1 to %u", option, arg,
			   (unsigned int)max);
	return (unsigned int)value;
}

const char *ksmctl_run_name(int64_t run)
{
	if (run & KSM_RUN_OFFLINE)
		return "waits while memory goes offline";
	switch (run) {
	case KSM_RUN_STOP:
		return "stopped";
	case KSM_RUN_MERGE:
		return "running";
	case KSM_RUN_UNMERGE:
		return "stopped and unmerged";
	default:
		return "unknown";
	}
}

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
		      best ? best : "", best ? "'?" : "; 'ksmctl --help' lists them");
	return KSM_EXIT_USAGE;
}

static int dispatch(struct ksmctl *ctl, int argc, char **argv)
{
	char title[64];

	for (size_t i = 0; i < KSM_ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		snprintf(title, sizeof(title), "ksmctl %s", commands[i].name);
		argv[0] = title;
		return commands[i].func(ctl, argc, argv);
	}
	return unknown_command(argv[0]);
}

int main(int argc, char **argv)
{
	struct ksmctl ctl = { 0 };
	struct top top = { .ctl = &ctl };
	int status;

	argp_err_exit_status = KSM_EXIT_USAGE;
	if (argp_parse(&top_argp, argc, argv, ARGP_IN_ORDER, NULL, &top))
		return KSM_EXIT_USAGE;
	status = dispatch(&ctl, argc - top.command, argv + top.command);
	if (fflush(stdout) || ferror(stdout)) {
		ksm_log_error("cannot write the output: %s", strerror(errno));
		return KSM_EXIT_FAILED;
	}
	return status;
}
