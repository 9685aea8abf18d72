// SPDX-License-Identifier: GPL-2.0
/* The table's runner. */
#include <stdio.h>
#include <string.h>

#include "trials.h"

static const struct trial *table;
static const char *only;
static const char *absent = "";

static const struct argp_option options[] = {
	{ "only", 'o', "NAME", 0, "only this trial (default: all)", 0 },
	{ "absent", 'a', "NAMES", 0, "trials that this kernel has nothing for (default: none)", 0 },
	{ 0 },
};

static bool known(const char *name)
{
	for (const struct trial *t = table; t->name; t++) {
		if (!strcmp(t->name, name))
			return true;
	}
	return false;
}

static bool is_absent(const char *name)
{
	size_t len = strlen(name);

	for (const char *at = absent; (at = strstr(at, name)); at += len) {
		if ((at == absent || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	}
	return false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'o':
		if (!known(arg))
			argp_error(state, "no trial '%s'", arg);
		only = arg;
		return 0;
	case 'a':
		absent = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Neither may a kernel lack what it should have, nor a trial be left out that could be made. */
static void run(const struct trial *t)
{
	double start = now_seconds();
	const char *lacks = t->act();

	if (!lacks != !is_absent(t->name))
		die("%s: %s%s", t->name, lacks ? "not here: " : "expected to be absent, but is not",
		    lacks ?: "");
	if (lacks)
		say("%s: not here: %s", t->name, lacks);
	else
		say("%s: right, %.1f s", t->name, now_seconds() - start);
}

int trials_main(int argc, char **argv, const struct trial *trials, const char *doc)
{
	const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		.options = options, .parser = parse, .children = children, .doc = doc
	};
	int ran = 0;

	table = trials;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	for (const struct trial *t = trials; t->name; t++) {
		if (only && strcmp(only, t->name))
			continue;
		if ((t->needs & NEEDS_ENGINE) && opt.backend != &backends[BACKEND_ENGINE])
			continue;
		run(t);
		ran++;
	}
	if (!ran)
		die("trial %s does not exist for backend %s", only, opt.backend->name);
	say("ok: %d trials with the %s", ran, opt.backend->name);
	return 0;
}
