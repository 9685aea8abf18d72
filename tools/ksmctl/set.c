// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl set - write knobs, all or none
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ksmctl/run.h"
#include "lib/json.h"
#include "lib/log.h"

struct set {
	struct ksmctl *ctl;
	bool dry_run;
	bool unmerge_first;
	bool force;
	unsigned int count;
	struct ksm_setting settings[KSM_ABI_COUNT + 1]; /* and run */
};

static const struct argp_option options[] = {
	{ "dry-run", 'n', NULL, 0, "Check everything, say what would be written, write nothing",
	  0 },
	{ "unmerge-first", 'u', NULL, 0,
	  "When a knob cannot change while pages are merged: unmerge, set it, and run again if it "
	  "ran",
	  0 },
	{ "force", 'f', NULL, 0, "With --unmerge-first: even when the copies do not fit", 0 },
	{ 0 }
};

static void add_setting(struct set *set, const char *word)
{
	struct ksm_error err;

	if (set->count == KSM_ABI_COUNT)
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
	case 'u':
		set->unmerge_first = true;
		return 0;
	case 'f':
		set->force = true;
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
		ksm_snapshot_word(s, knob->id, buf, size);
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

/* Is there a knob among them that the kernel refuses to change while pages are merged? */
static bool has_busy(const struct set *set, const struct ksm_counters_snapshot *now)
{
	if (ksm_snapshot_get(now, KSM_ABI_PAGES_SHARED) <= 0)
		return false;
	for (unsigned int i = 0; i < set->count; i++) {
		const struct ksm_setting *s = &set->settings[i];

		if (s->knob->flags & KSM_ABI_BUSY_SHARED && ksm_snapshot_has(now, s->knob->id) &&
		    ksm_setting_changes(s, now))
			return true;
	}
	return false;
}

static bool sets_run(const struct set *set)
{
	for (unsigned int i = 0; i < set->count; i++)
		if (set->settings[i].knob->id == KSM_ABI_RUN)
			return true;
	return false;
}

/* The settings that do not need pages to be unmerged: what may be refused is, before anything. */
static int check_others(const struct set *set, struct ksm_error *err)
{
	struct ksm_setting others[KSM_ABI_COUNT + 1];
	unsigned int n = 0;

	for (unsigned int i = 0; i < set->count; i++)
		if (!(set->settings[i].knob->flags & KSM_ABI_BUSY_SHARED))
			others[n++] = set->settings[i];
	return ksm_backend_check(&set->ctl->b, others, n, err);
}

/* Return: exit status. Whatever happens, merging runs again if it ran. */
static int set_unmerged(struct set *set, const struct ksm_counters_snapshot *old)
{
	struct ksmctl *ctl = set->ctl;
	int64_t run = ksm_snapshot_get(old, KSM_ABI_RUN) & KSM_RUN_MERGE;
	struct ksm_error err, again;
	int status;
	bool own;

	if (check_others(set, &err))
		return ksm_log_fail(&err);
	status = ksmctl_guard_all(ctl, "set --unmerge-first", old, set->force);
	if (status || set->dry_run)
		return status;
	own = !sets_run(set);
	if (own)
		ksm_setting_make(&set->settings[set->count++], KSM_ABI_RUN, run);
	if (!run_unmerge(ctl, old, &err) &&
	    !ksm_backend_apply(&ctl->b, set->settings, set->count, &err)) {
		set->count -= own; /* the last in order; nobody asked for it */
		return KSM_EXIT_OK;
	}
	status = ksm_log_fail(&err);
	if (run_write(ctl, run, &again))
		ksm_log_fail(&again);
	return status;
}

static int set_plain(struct set *set)
{
	struct ksm_error err;
	int ret;

	if (set->dry_run)
		ret = ksm_backend_check(&set->ctl->b, set->settings, set->count, &err);
	else
		ret = ksm_backend_apply(&set->ctl->b, set->settings, set->count, &err);
	return ret ? ksm_log_fail(&err) : KSM_EXIT_OK;
}

int ksmctl_set(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct set set = { .ctl = ctl };
	struct ksm_counters_snapshot old;
	struct ksm_error err;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &set))
		return KSM_EXIT_USAGE;
	status = ksmctl_open(ctl);
	if (status)
		return status;
	if (ksm_backend_read(&ctl->b, &old, &err))
		return ksm_log_fail(&err);
	status = set.unmerge_first && has_busy(&set, &old) ? set_unmerged(&set, &old) :
							     set_plain(&set);
	if (status)
		return status;
	if (ctl->json)
		return print_json(&set, &old);
	print_text(&set, &old);
	return KSM_EXIT_OK;
}
