// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl engine - load and unload our module, and say what stands in the way
 */
#include "lib/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>

#include "ksmctl/run.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/spawn.h"

#define MAX_PARAMETERS 8

enum verb { VERB_NONE, VERB_LOAD, VERB_UNLOAD, VERB_STATUS };

struct options {
	struct ksmctl *ctl;
	enum verb verb;
	bool force;
	unsigned int count;
	char *parameters[MAX_PARAMETERS];
};

static const struct argp_option options_doc[] = {
	{ "force", 'f', NULL, 0, "unload: even when the copies do not fit into free memory", 0 },
	{ 0 }
};

static error_t parse_word(struct options *options, char *arg, struct argp_state *state)
{
	static const char *const verbs[] = { NULL, "load", "unload", "status" };

	if (options->verb == VERB_NONE) {
		for (size_t i = VERB_LOAD; i < KSM_ARRAY_SIZE(verbs); i++)
			if (!strcmp(arg, verbs[i]))
				options->verb = (enum verb)i;
		if (options->verb == VERB_NONE)
			argp_error(state, "'%.32s' is none of: load, unload, status", arg);
		return 0;
	}
	if (options->verb != VERB_LOAD || arg[0] == '-' || !strchr(arg, '=') ||
	    options->count == MAX_PARAMETERS)
		argp_error(state, "unexpected argument '%.64s'", arg);
	options->parameters[options->count++] = arg;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options->ctl;
		return 0;
	case 'f':
		options->force = true;
		return 0;
	case ARGP_KEY_ARG:
		return parse_word(options, arg, state);
	case ARGP_KEY_END:
		if (options->verb == VERB_NONE)
			argp_error(state, "load, unload or status?");
		if (options->force && options->verb != VERB_UNLOAD)
			argp_error(state, "--force is for unload");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options_doc,
	.parser = parse,
	.args_doc = "load [PARAMETER=VALUE...]\nunload\nstatus",
	.doc = "Load or unload the module " KSM_ENGINE_MODULE
	       ", having checked everything that would refuse it; nothing is ever forced into the "
	       "kernel. status: exit status 0 when it is loaded or could be, 1 when not.",
	.children = ksmctl_children,
};

/* The engine as a backend. Return: exit status. */
static int open_engine(struct ksmctl *ctl, struct ksm_counters_snapshot *s)
{
	struct ksm_error err;

	if (ksm_backend_select(&ctl->b, KSM_BACKEND_ENGINE, &err) ||
	    ksm_backend_read(&ctl->b, s, &err))
		return ksm_log_fail(&err);
	return KSM_EXIT_OK;
}

static int say(const struct options *options, const char *text, bool changed)
{
	struct json_object *root;

	if (!options->ctl->json) {
		puts(text);
		return KSM_EXIT_OK;
	}
	root = json_object_new_object();
	ksm_json_str(root, "engine", text);
	ksm_json_bool(root, "changed", changed);
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

/* The module's own last word, "" when the log does not have it or may not be read. */
static void last_word(char *buf, size_t size)
{
	static char log[1 << 16];
	int len = klogctl(3 /* read all */, log, sizeof(log) - 1);
	char *line = NULL, *save = NULL;

	buf[0] = '\0';
	if (len <= 0)
		return;
	log[len] = '\0';
	for (line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *ours = strstr(line, KSM_ENGINE_MODULE ": ");

		if (ours)
			ksm_copy(buf, size, ours);
	}
}

static int load_failed(int status, const char *out)
{
	char word[200], first[200];

	if (status == -ENOENT) {
		ksm_log_error("modprobe is not installed: install the package kmod");
		return KSM_EXIT_FAILED;
	}
	last_word(word, sizeof(word));
	ksm_copy(first, sizeof(first), out);
	first[strcspn(first, "\n")] = '\0';
	ksm_log_error("the kernel refused the module: %s%s%s%s",
		      first[0] ? first : "modprobe failed", word[0] ? " (" : "", word,
		      word[0] ? ")" : "");
	return KSM_EXIT_FAILED;
}

static int load(const struct options *options)
{
	char *argv[MAX_PARAMETERS + 3] = { "modprobe", KSM_ENGINE_MODULE };
	const struct ksm_finding *f;
	static struct ksm_engine e;
	char out[512];
	int status;

	ksm_engine_check(&options->ctl->b.io, &e);
	if (e.loaded)
		return say(options, "the engine is loaded already", false);
	if (e.refusing >= 0) {
		f = &e.findings[e.refusing];
		ksm_log_error("not loaded: %s; remedy: %s", f->evidence, f->remedy);
		return KSM_EXIT_FAILED;
	}
	if (options->ctl->b.fake) {
		ksm_log_error("a machine of files has no kernel to load a module into");
		return KSM_EXIT_FAILED;
	}
	for (unsigned int i = 0; i < options->count; i++)
		argv[2 + i] = options->parameters[i];
	status = ksm_spawn(argv, out, sizeof(out));
	if (status)
		return load_failed(status, out);
	for (int i = 0; i < KSM_ENGINE_CHECKS; i++)
		if (e.findings[i].verdict == KSM_FOUND_NOTE)
			ksm_log_warn("%s; %s", e.findings[i].evidence, e.findings[i].remedy);
	return say(options, "the engine is loaded", true);
}

/* Give the pages back while errors can still be told; rmmod has no way to. */
static int release_pages(const struct options *options, int64_t *run)
{
	struct ksm_counters_snapshot s;
	struct ksm_error err;
	struct ksm_derived d;
	int status = open_engine(options->ctl, &s);

	if (status)
		return status;
	*run = ksm_snapshot_get(&s, KSM_ABI_RUN) & KSM_RUN_MERGE;
	ksm_derive(&s, &d);
	if (d.saved_pages <= 0)
		return KSM_EXIT_OK;
	status = ksmctl_guard_all(options->ctl, "engine unload", &s, options->force);
	if (status)
		return status;
	if (run_unmerge(options->ctl, &s, &err))
		return ksm_log_fail(&err);
	return KSM_EXIT_OK;
}

static int unload(const struct options *options)
{
	char *argv[] = { "rmmod", KSM_ENGINE_MODULE, NULL };
	const struct ksm_io *io = &options->ctl->b.io;
	struct ksm_error err;
	char out[512];
	int64_t run;
	int status;

	if (!ksm_backend_exists(io, KSM_BACKEND_ENGINE))
		return say(options, "the engine is not loaded", false);
	status = release_pages(options, &run);
	if (status)
		return status;
	if (options->ctl->b.fake) {
		ksm_log_error("a machine of files has no kernel to unload a module from");
		return KSM_EXIT_FAILED;
	}
	status = ksm_spawn(argv, out, sizeof(out));
	if (!status)
		return say(options, "the engine is unloaded", true);
	out[strcspn(out, "\n")] = '\0';
	if (run_write(options->ctl, run, &err)) /* as it was */
		ksm_log_fail(&err);
	ksm_log_error("not unloaded: %s; is " KSM_ABI_DEV " open somewhere (ksmctl attach, fuser)?",
		      status == -ENOENT ? "rmmod is not installed (package kmod)" : out);
	return KSM_EXIT_FAILED;
}

static void status_text(const struct ksmctl *ctl, const struct ksm_engine *e,
			const struct ksm_counters_snapshot *s)
{
	char bytes[KSM_FORMAT_MAX];
	struct ksm_derived d;

	if (e->loaded) {
		ksm_derive(s, &d);
		printf("loaded: %s, %s saved\n", ksmctl_run_name(ksm_snapshot_get(s, KSM_ABI_RUN)),
		       ksm_format_bytes(bytes, sizeof(bytes), d.saved_bytes));
	} else {
		puts(e->refusing < 0 ? "not loaded; 'ksmctl engine load' loads it" :
				       "not loaded, and it cannot be");
	}
	for (int i = 0; i < KSM_ENGINE_CHECKS; i++) {
		const struct ksm_finding *f = &e->findings[i];

		printf("%-8s %-10s %s\n", ksm_engine_verdict_name(f->verdict), f->name,
		       f->evidence);
		if (f->remedy[0])
			printf("%19s -> %s\n", "", f->remedy);
	}
}

static int status_json(const struct ksm_engine *e, const struct ksm_counters_snapshot *s)
{
	struct json_object *root = json_object_new_object(), *checks;
	struct ksm_derived d;

	ksm_derive(s, &d);
	ksm_json_bool(root, "loaded", e->loaded);
	ksm_json_bool(root, "loadable", e->refusing < 0);
	ksm_json_str(root, "file", e->path[0] ? e->path : NULL);
	ksm_json_str(root, "signer", e->signer[0] ? e->signer : NULL);
	if (e->loaded) {
		ksm_json_int(root, "run", ksm_snapshot_get(s, KSM_ABI_RUN));
		ksm_json_int(root, "saved_bytes", d.saved_bytes);
	}
	checks = ksm_json_arr(root, "checks");
	for (int i = 0; i < KSM_ENGINE_CHECKS; i++) {
		const struct ksm_finding *f = &e->findings[i];
		struct json_object *row = json_object_new_object();

		ksm_json_str(row, "check", f->name);
		ksm_json_str(row, "verdict", ksm_engine_verdict_name(f->verdict));
		ksm_json_str(row, "evidence", f->evidence);
		ksm_json_str(row, "remedy", f->remedy[0] ? f->remedy : NULL);
		json_object_array_add(checks, row);
	}
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

static int show(const struct options *options)
{
	struct ksm_counters_snapshot s = { 0 };
	static struct ksm_engine e;
	int status = KSM_EXIT_OK;

	ksm_engine_check(&options->ctl->b.io, &e);
	if (e.loaded)
		status = open_engine(options->ctl, &s);
	if (status)
		return status;
	if (options->ctl->json)
		status = status_json(&e, &s);
	else
		status_text(options->ctl, &e, &s);
	return status || (!e.loaded && e.refusing >= 0) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

int ksmctl_engine(void *ctx, int argc, char **argv)
{
	struct options options = { .ctl = ctx };
	struct ksm_error err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return KSM_EXIT_USAGE;
	if (ksm_backend_locate(&options.ctl->b, options.ctl->spec, &err))
		return ksm_log_fail(&err);
	switch (options.verb) {
	case VERB_LOAD:
		return load(&options);
	case VERB_UNLOAD:
		return unload(&options);
	default:
		return show(&options);
	}
}
