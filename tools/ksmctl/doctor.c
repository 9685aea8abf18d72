// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl doctor - why nothing, little or too much merges
 *
 * The checks are rows of a table in doctor_checks.c.
 */
#include "ksmctl/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/log.h"

static const char *const level_names[] = {
	[KSM_FOUND_OK] = "ok",
	[KSM_FOUND_NOTE] = "note",
	[KSM_FOUND_WRONG] = "WRONG",
	[KSM_FOUND_UNKNOWN] = "?",
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.doc = "Say why nothing, little or too much merges, each with its evidence and remedy, and "
	       "what this machine cannot tell. Exit status 0: nothing is wrong, 1: something is.",
	.children = ksmctl_children,
};

static void print_text(const char *name, const struct ksm_finding *f)
{
	printf("%-5s  %-10s %s\n", level_names[f->verdict], name, f->evidence);
	if (f->remedy[0])
		printf("%17s -> %s\n", "", f->remedy);
}

static void add_json(struct json_object *list, const char *name, const struct ksm_finding *f)
{
	static const char *const words[] = { "ok", "note", "wrong", "unknown" };
	struct json_object *o = json_object_new_object();

	ksm_json_str(o, "check", name);
	ksm_json_str(o, "level", words[f->verdict]);
	ksm_json_str(o, "evidence", f->evidence);
	ksm_json_str(o, "remedy", f->remedy[0] ? f->remedy : NULL);
	json_object_array_add(list, o);
}

/* Return: exit status. */
static int examine(struct doctor *doc, bool json)
{
	struct json_object *root = json ? json_object_new_object() : NULL, *list = NULL;
	unsigned int wrong = 0;

	if (json) {
		ksm_json_str(root, "backend", doc->b ? doc->b->name : NULL);
		list = ksm_json_arr(root, "findings");
	}
	for (unsigned int i = 0; i < doctor_check_count; i++) {
		struct ksm_finding f = { .verdict = KSM_FOUND_OK };

		if (!doc->b && !(doctor_checks[i].flags & DOCTOR_ANYWHERE))
			continue;
		doctor_checks[i].func(doc, &f);
		wrong += f.verdict == KSM_FOUND_WRONG;
		if (json)
			add_json(list, doctor_checks[i].name, &f);
		else
			print_text(doctor_checks[i].name, &f);
	}
	if (json) {
		ksm_json_uint(root, "wrong", wrong);
		if (ksm_json_print(root))
			return KSM_EXIT_FAILED;
	} else {
		printf("%u thing%s wrong\n", wrong, wrong == 1 ? "" : "s");
	}
	return wrong ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

int ksmctl_doctor(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct doctor doc = { .b = &ctl->b, .io = &ctl->b.io };
	struct ksm_error err;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, ctl))
		return KSM_EXIT_USAGE;
	/* a machine without KSM is a finding, a word that is no backend is none */
	if (ksm_backend_open(&ctl->b, ctl->spec, &err)) {
		if (err.code != -ENOENT || (ctl->spec && strcmp(ctl->spec, "auto")))
			return ksm_log_fail(&err);
		if (ksm_io_init(&ctl->b.io, NULL))
			return KSM_EXIT_FAILED;
		doc.b = NULL;
	}
	status = doctor_collect(&doc, &err) ? ksm_log_fail(&err) : examine(&doc, ctl->json);
	doctor_free(&doc);
	return status;
}
