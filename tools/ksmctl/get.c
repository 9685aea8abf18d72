// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl get - print knobs and counters
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksmctl/cmd.h"
#include "lib/json.h"
#include "lib/log.h"

struct get {
	struct ksmctl *ctl;
	bool writable;
	unsigned int count;
	const struct ksm_knob *knobs[KSM_ABI_COUNT];
};

static const struct argp_option options[] = {
	{ "writable", 'w', NULL, 0, "Only knobs that can be set, as ksmctl set takes them", 0 },
	{ 0 }
};

static void add_knob(struct get *get, const char *name)
{
	struct ksm_error err;
	const struct ksm_knob *knob = ksm_knob_find(name, &err);

	if (!knob)
		exit(ksm_log_fail(&err));
	for (unsigned int i = 0; i < get->count; i++)
		if (get->knobs[i] == knob)
			return;
	get->knobs[get->count++] = knob;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct get *get = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = get->ctl;
		return 0;
	case 'w':
		get->writable = true;
		return 0;
	case ARGP_KEY_ARG:
		add_knob(get, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[KNOB...]",
	.doc = "Print knobs and counters, all that the backend has when none is named. One KNOB "
	       "prints its value alone; several print KNOB=VALUE.",
	.children = ksmctl_children,
};

static void print_text(const struct get *get, const struct ksm_counters_snapshot *s, bool names)
{
	char word[KSM_WORD_MAX];

	for (unsigned int i = 0; i < get->count; i++) {
		const struct ksm_knob *knob = get->knobs[i];

		if (names)
			printf("%s=", knob->name);
		if (knob->kind == KSM_ABI_WORD) {
			ksm_snapshot_word(s, knob->id, word, sizeof(word));
			puts(word);
		} else {
			printf("%" PRId64 "\n", s->value[knob->id]);
		}
	}
}

static int print_json(const struct get *get, const struct ksm_counters_snapshot *s)
{
	struct json_object *root = json_object_new_object(), *knobs;
	char word[KSM_WORD_MAX];

	ksm_json_str(root, "backend", get->ctl->b.name);
	knobs = ksm_json_obj(root, "knobs");
	for (unsigned int i = 0; i < get->count; i++) {
		const struct ksm_knob *knob = get->knobs[i];

		if (knob->kind == KSM_ABI_WORD) {
			ksm_snapshot_word(s, knob->id, word, sizeof(word));
			ksm_json_str(knobs, knob->name, word);
		} else {
			ksm_json_int(knobs, knob->name, s->value[knob->id]);
		}
	}
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

/* pages_to_scan is the advisor's while that is on: the kernel refuses to have it set. */
static bool settable(const struct ksm_counters_snapshot *s, const struct ksm_knob *knob)
{
	char advisor[KSM_WORD_MAX];

	ksm_snapshot_word(s, KSM_ABI_ADVISOR_MODE, advisor, sizeof(advisor));
	if (knob->id == KSM_ABI_PAGES_TO_SCAN && !strcmp(advisor, "scan-time"))
		return false;
	return ksm_knob_writable(knob);
}

/* Named knobs have to be there; without names, those that are there are meant. */
static int select_knobs(struct get *get, const struct ksm_counters_snapshot *s)
{
	for (unsigned int i = 0; i < get->count; i++) {
		const struct ksm_knob *knob = get->knobs[i];

		if (ksm_snapshot_has(s, knob->id))
			continue;
		if (s->denied >> knob->id & 1)
			ksm_log_error("%s cannot be read: run as root", knob->name);
		else
			ksm_log_error("%s: %s has no such file%s", knob->name,
				      ksm_backend_title(get->ctl->b.kind), ksm_knob_since(knob));
		return KSM_EXIT_FAILED;
	}
	if (get->count)
		return KSM_EXIT_OK;
	for (unsigned int i = 0; i < ksm_knob_count; i++)
		if (ksm_snapshot_has(s, ksm_knobs[i].id) &&
		    (!get->writable || settable(s, &ksm_knobs[i])))
			get->knobs[get->count++] = &ksm_knobs[i];
	return KSM_EXIT_OK;
}

int ksmctl_get(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct get get = { .ctl = ctl };
	struct ksm_counters_snapshot s;
	struct ksm_error err;
	bool alone;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &get))
		return KSM_EXIT_USAGE;
	status = ksmctl_open(ctl);
	if (status)
		return status;
	if (ksm_backend_read(&ctl->b, &s, &err))
		return ksm_log_fail(&err);
	alone = get.count == 1;
	status = select_knobs(&get, &s);
	if (status)
		return status;
	if (ctl->json)
		return print_json(&get, &s);
	print_text(&get, &s, !alone);
	return KSM_EXIT_OK;
}
