// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl set - write knobs, all or none
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ksmctl/cmd.h"
#include "lib/json.h"
#include "lib/log.h"

struct set {
	struct ksmctl *ctl;
	bool dry_run;
	unsigned int count;
	struct ksm_setting settings[KSM_ABI_COUNT];
};

static const struct argp_option options[] = {
	{ "dry-run", 'n', NULL, 0, "Check everything, say what would be written, write nothing",
	  0 },
	{ 0 }
};

static void add_setting(struct set *set, const char *word)
{
	struct ksm_error err;

	if (set->count == KSM_ARRAY_SIZE(set->settings))
		ksm_error_usage(&err, "too many settings");
	else if (!ksm_setting_parse(&set->settings[set->count], word, &err)) {
		set->count++;
		return;
	}
	exit(ksm_log_fail(&err));
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct set *set = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = set->ctl;
		return 0;
	case 'n':
		set->dry_run = true;
		return 0;
	case ARGP_KEY_ARG:
		add_setting(set, arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no KNOB=VALUE given");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "KNOB=VALUE...",
	.doc = "Write knobs. All are checked before the first is written; they are written in the "
	       "order the kernel needs (run last), and when one is refused the others are put "
	       "back.",
	.children = ksmctl_children,
};

/* The file's value before, as text. */
static void old_text(const struct ksm_counters_snapshot *s, const struct ksm_knob *knob, char *buf,
		     size_t size)
{
	if (knob->kind == KSM_ABI_WORD)
		ksm_snapshot_word(s, buf, size);
	else
		snprintf(buf, size, "%" PRId64, s->value[knob->id]);
}

static void print_text(const struct set *set, const struct ksm_counters_snapshot *old)
{
	char was[KSM_WORD_MAX];

	for (unsigned int i = 0; i < set->count; i++) {
		old_text(old, set->settings[i].knob, was, sizeof(was));
		printf("%s%s: %s -> %s\n", set->dry_run ? "would set " : "",
		       set->settings[i].knob->name, was, set->settings[i].text);
	}
}

static int print_json(const struct set *set, const struct ksm_counters_snapshot *old)
{
	struct json_object *root = json_object_new_object(), *changes;

	ksm_json_str(root, "backend", set->ctl->b.name);
	ksm_json_bool(root, "dry_run", set->dry_run);
	changes = ksm_json_arr(root, "changes");
	for (unsigned int i = 0; i < set->count; i++) {
		const struct ksm_setting *s = &set->settings[i];
		struct json_object *row = json_object_new_object();
		char was[KSM_WORD_MAX];

		ksm_json_str(row, "knob", s->knob->name);
		if (s->knob->kind == KSM_ABI_WORD) {
			old_text(old, s->knob, was, sizeof(was));
			ksm_json_str(row, "from", was);
			ksm_json_str(row, "to", s->text);
		} else {
			ksm_json_int(row, "from", old->value[s->knob->id]);
			ksm_json_int(row, "to", s->value);
		}
		json_object_array_add(changes, row);
	}
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

int ksmctl_set(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct set set = { .ctl = ctl };
	struct ksm_counters_snapshot old;
	struct ksm_error err;
	int status, ret;

	if (argp_parse(&argp, argc, argv, 0, NULL, &set))
		return KSM_EXIT_USAGE;
	status = ksmctl_open(ctl);
	if (status)
		return status;
	ret = ksm_backend_read(&ctl->b, &old, &err);
	if (!ret && set.dry_run)
		ret = ksm_backend_check(&ctl->b, set.settings, set.count, &err);
	else if (!ret)
		ret = ksm_backend_apply(&ctl->b, set.settings, set.count, &err);
	if (ret)
		return ksm_log_fail(&err);
	if (ctl->json)
		return print_json(&set, &old);
	print_text(&set, &old);
	return KSM_EXIT_OK;
}
