// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl - see and drive KSM, the in-tree one or our engine.
 */
#include "ksmctl/cmd.h"
#include "lib/command.h"
#include "lib/log.h"

const char *argp_program_version = "ksmctl " KSMKIT_VERSION;

static const struct ksm_command commands[] = {
	{ "status", ksmctl_status, "what KSM does, saves and costs, and for whom" },
	{ "get", ksmctl_get, "print knobs and counters" },
	{ "set", ksmctl_set, "write knobs, all or none" },
	{ "start", ksmctl_start, "start merging" },
	{ "stop", ksmctl_stop, "stop merging, keep what is merged" },
	{ "unmerge", ksmctl_unmerge, "stop merging and give every page back its own copy" },
	{ "profile", ksmctl_profile, "named sets of knobs, ours and yours" },
	{ "engine", ksmctl_engine, "load or unload our module, and what stands in the way" },
	{ "tune", ksmctl_tune, "keep the pace right, all the time" },
	{ "metrics", ksmctl_metrics, "figures for Prometheus" },
	{ "attach", ksmctl_attach, "merging for running processes that did not ask for it" },
	{ "detach", ksmctl_detach, "take back what attach did" },
	{ "exec", ksmctl_exec, "run a command with its memory offered to KSM" },
	{ "doctor", ksmctl_doctor, "why nothing, little or too much merges" },
	{ "estimate", ksmctl_estimate, "what merging would save, before anything is switched on" },
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
	case ARGP_KEY_ARG:
		/* Asked after the subcommand: it would have taken this one if it took any. */
		argp_error(state, "unexpected argument '%.64s'", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ksmctl_argp = { .options = global_options, .parser = parse_global };
const struct argp_child ksmctl_children[] = { { &ksmctl_argp, 0, NULL, 0 }, { 0 } };

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

int main(int argc, char **argv)
{
	static const struct ksm_program program = {
		.name = "ksmctl",
		.doc = "See and drive KSM, the kernel's merging of identical pages.",
		.commands = commands,
		.nr = KSM_ARRAY_SIZE(commands),
		.children = ksmctl_children,
	};
	struct ksmctl ctl = { 0 };

	return ksm_program_main(&program, &ctl, argc, argv);
}
