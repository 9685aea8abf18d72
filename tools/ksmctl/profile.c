// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl profile - named sets of knobs
 */
#include "ksmctl/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "lib/json.h"
#include "lib/log.h"

enum verb { VERB_NONE, VERB_LIST, VERB_SHOW, VERB_APPLY, VERB_FORGET };

static const struct {
	const char *word;
	enum verb verb;
	bool named;
} verbs[] = {
	{ "list", VERB_LIST, false },
	{ "show", VERB_SHOW, true },
	{ "apply", VERB_APPLY, true },
	{ "forget", VERB_FORGET, false },
};

struct options {
	struct ksmctl *ctl;
	enum verb verb;
	bool named;
	const char *name;
	bool persist;
	bool dry_run;
};

static const struct argp_option options_doc[] = {
	{ "persist", 'p', NULL, 0,
	  "apply: at every boot, too, through a systemd unit, which is shown", 0 },
	{ "dry-run", 'n', NULL, 0, "apply: check everything, write nothing", 0 },
	{ 0 }
};

static error_t parse_word(struct options *options, char *arg, struct argp_state *state)
{
	if (options->verb == VERB_NONE) {
		for (size_t i = 0; i < KSM_ARRAY_SIZE(verbs); i++) {
			if (strcmp(arg, verbs[i].word))
				continue;
			options->verb = verbs[i].verb;
			options->named = verbs[i].named;
			return 0;
		}
		argp_error(state, "'%.32s' is none of: list, show, apply, forget", arg);
	}
	if (!options->named || options->name)
		argp_error(state, "unexpected argument '%.64s'", arg);
	options->name = arg;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options->ctl;
		return 0;
	case 'p':
		options->persist = true;
		return 0;
	case 'n':
		options->dry_run = true;
		return 0;
	case ARGP_KEY_ARG:
		return parse_word(options, arg, state);
	case ARGP_KEY_END:
		if (options->verb == VERB_NONE)
			argp_error(state, "list, show, apply or forget?");
		if (options->named && !options->name)
			argp_error(state, "which profile? 'ksmctl profile list' lists them");
		if ((options->persist || options->dry_run) && options->verb != VERB_APPLY)
			argp_error(state, "--persist and --dry-run are for apply");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options_doc,
	.parser = parse,
	.args_doc = "list\nshow NAME\napply NAME\nforget",
	.doc = "Named sets of knobs, those built in and those in " KSM_PROFILE_DIR
	       "/NAME.conf. Where a profile has a range, the point within it is chosen from this "
	       "host's mergeable memory and cores, and explained.",
	.children = ksmctl_children,
};

static char *range_text(const struct ksm_profile *p, unsigned int id, char *buf, size_t size)
{
	snprintf(buf, size, "-");
	for (unsigned int i = 0; i < p->count; i++) {
		const struct ksm_profile_item *item = &p->items[i];

		if (item->id != id)
			continue;
		if (ksm_knob_by_id(id)->kind == KSM_ABI_WORD)
			snprintf(buf, size, "%s", item->word);
		else if (item->lo == item->hi)
			snprintf(buf, size, "%" PRId64, item->lo);
		else
			snprintf(buf, size, "%" PRId64 "-%" PRId64, item->lo, item->hi);
	}
	return buf;
}

struct listing {
	struct ksm_table *table;
	struct json_object *rows;
	unsigned int bad;
};

static void list_one(const struct ksm_profile *p, const struct ksm_error *bad, void *ctx)
{
	char pages[48], sleep[48], name[KSM_PROFILE_NAME], summary[sizeof(p->summary)];
	struct listing *list = ctx;

	if (bad) {
		ksm_log_fail(bad);
		list->bad++;
		return;
	}
	range_text(p, KSM_ABI_PAGES_TO_SCAN, pages, sizeof(pages));
	range_text(p, KSM_ABI_SLEEP_MILLISECS, sleep, sizeof(sleep));
	if (list->rows) {
		struct json_object *row = json_object_new_object();

		ksm_json_str(row, "name", p->name);
		ksm_json_bool(row, "own", p->own);
		ksm_json_str(row, "pages_to_scan", pages);
		ksm_json_str(row, "sleep_millisecs", sleep);
		ksm_json_str(row, "summary", p->summary);
		json_object_array_add(list->rows, row);
		return;
	}
	ksm_table_row(list->table, (const char *const[]){
					   ksm_format_safe(name, sizeof(name), p->name), pages,
					   sleep, p->own ? "own" : "built in",
					   ksm_format_safe(summary, sizeof(summary), p->summary) });
}

static int list(const struct options *options)
{
	static const struct ksm_column columns[] = {
		{ "NAME", false }, { "PAGES", true },	  { "SLEEP ms", true },
		{ "FROM", false }, { "WHAT FOR", false },
	};
	struct json_object *root = options->ctl->json ? json_object_new_object() : NULL;
	struct listing l = { 0 };
	int ret;

	if (root)
		l.rows = ksm_json_arr(root, "profiles");
	else
		l.table = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	ret = ksm_profile_each(&options->ctl->b.io, list_one, &l);
	if (ret)
		ksm_log_error(KSM_PROFILE_DIR " cannot be listed: %s", strerror(-ret));
	if (l.table)
		ksm_table_print(l.table, stdout, true);
	ksm_table_free(l.table);
	if (root && ksm_json_print(root))
		return KSM_EXIT_FAILED;
	return ret || l.bad ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

static const char *why_of(const struct ksm_profile_point *point, unsigned int id)
{
	if (id == KSM_ABI_SLEEP_MILLISECS)
		return point->why_sleep;
	return id == KSM_ABI_PAGES_TO_SCAN ? point->why_pages : "";
}

/* What a profile is here: its values, and where they come from. */
static void show_text(const struct ksm_profile *p, const struct ksm_profile_point *point)
{
	char summary[sizeof(p->summary)];

	printf("%s%s%s\n", p->name, p->summary[0] ? ": " : "",
	       ksm_format_safe(summary, sizeof(summary), p->summary));
	for (unsigned int i = 0; i < point->count; i++) {
		const struct ksm_setting *s = &point->set[i];
		const char *why = why_of(point, s->knob->id);

		printf("  %s=%s%s%s\n", s->knob->name, s->text, *why ? "   " : "", why);
	}
	if (point->left_out[0])
		printf("  left out, for this kernel has no such file: %s\n", point->left_out);
	if (point->caveat[0])
		printf("  note: %s\n", point->caveat);
}

static void show_json(const struct ksm_profile *p, const struct ksm_profile_point *point,
		      struct json_object *root)
{
	struct json_object *knobs;

	ksm_json_str(root, "profile", p->name);
	ksm_json_str(root, "summary", p->summary);
	knobs = ksm_json_arr(root, "knobs");
	for (unsigned int i = 0; i < point->count; i++) {
		const struct ksm_setting *s = &point->set[i];
		struct json_object *row = json_object_new_object();
		const char *why = why_of(point, s->knob->id);
		char range[48];

		ksm_json_str(row, "knob", s->knob->name);
		if (s->knob->kind == KSM_ABI_WORD)
			ksm_json_str(row, "value", s->text);
		else
			ksm_json_int(row, "value", s->value);
		ksm_json_str(row, "range", range_text(p, s->knob->id, range, sizeof(range)));
		ksm_json_str(row, "why", *why ? why : NULL);
		json_object_array_add(knobs, row);
	}
	ksm_json_str(root, "left_out", point->left_out[0] ? point->left_out : NULL);
	ksm_json_str(root, "caveat", point->caveat[0] ? point->caveat : NULL);
}

/* Return: 0 or negative errno. */
static int apply(const struct options *options, const struct ksm_profile *p,
		 struct ksm_profile_point *point, char *unit, size_t size, struct ksm_error *err)
{
	struct ksmctl *ctl = options->ctl;
	int ret;

	if (options->dry_run)
		ret = ksm_backend_check(&ctl->b, point->set, point->count, err);
	else
		ret = ksm_backend_apply(&ctl->b, point->set, point->count, err);
	if (ret || !options->persist)
		return ret;
	ret = profile_unit(ctl, p->name, point, unit, size);
	if (ret)
		return ksm_error_set(err, ret, "the unit does not fit into %zu bytes", size);
	return options->dry_run ? 0 : profile_persist(ctl, unit, err);
}

static int say(const struct options *options, const struct ksm_profile *p,
	       const struct ksm_profile_point *point, const char *unit)
{
	struct json_object *root;

	if (options->ctl->json) {
		root = json_object_new_object();
		ksm_json_str(root, "backend", options->ctl->b.name);
		show_json(p, point, root);
		ksm_json_bool(root, "applied", options->verb == VERB_APPLY && !options->dry_run);
		ksm_json_str(root, "unit_path", unit[0] ? profile_unit_path() : NULL);
		ksm_json_str(root, "unit", unit[0] ? unit : NULL);
		return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
	}
	show_text(p, point);
	if (options->verb == VERB_APPLY)
		puts(options->dry_run ? "would be applied" : "applied");
	if (unit[0])
		printf("%s %s:\n%s", options->dry_run ? "would write" : "wrote",
		       profile_unit_path(), unit);
	return KSM_EXIT_OK;
}

static int show_or_apply(const struct options *options)
{
	struct ksmctl *ctl = options->ctl;
	struct ksm_counters_snapshot s;
	struct ksm_profile_point point;
	struct ksm_profile p;
	struct ksm_host host;
	struct ksm_error err;
	char unit[2048] = "";
	int ret;

	ret = ksm_profile_find(&ctl->b.io, options->name, &p, &err);
	if (!ret)
		ret = ksm_backend_read(&ctl->b, &s, &err);
	if (ret)
		return ksm_log_fail(&err);
	ksm_host_read(&ctl->b.io, &s, &host);
	ksm_profile_choose(&p, &host, &s, &point);
	if (options->verb == VERB_APPLY)
		ret = apply(options, &p, &point, unit, sizeof(unit), &err);
	return ret ? ksm_log_fail(&err) : say(options, &p, &point, unit);
}

static int forget(const struct options *options)
{
	struct ksm_error err;
	int ret = profile_forget(&options->ctl->b.io, &err);
	struct json_object *root;

	if (ret < 0)
		return ksm_log_fail(&err);
	if (options->ctl->json) {
		root = json_object_new_object();
		ksm_json_str(root, "removed", ret ? NULL : profile_unit_path());
		return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
	}
	if (ret)
		puts("no profile is set at boot");
	else
		printf("removed %s; the knobs stay as they are until the next boot\n",
		       profile_unit_path());
	return KSM_EXIT_OK;
}

int ksmctl_profile(void *ctx, int argc, char **argv)
{
	struct options options = { .ctl = ctx };
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return KSM_EXIT_USAGE;
	status = ksmctl_open(options.ctl);
	if (status)
		return status;
	switch (options.verb) {
	case VERB_LIST:
		return list(&options);
	case VERB_FORGET:
		return forget(&options);
	default:
		return show_or_apply(&options);
	}
}
