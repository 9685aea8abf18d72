// SPDX-License-Identifier: GPL-2.0
/* A program's options as a table: for argp, and for where the values go. */
#include <stdio.h>

#include "lib.h"

static const struct arg *find(const struct arg *args, int key)
{
	for (; args && args->name; args++)
		if (args->key == key)
			return args;
	return NULL;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	const struct arg *arg = find(state->input, key);
	char name[32];

	if (!arg)
		return ARGP_ERR_UNKNOWN;
	snprintf(name, sizeof(name), "--%s", arg->name);
	if (arg->number)
		*arg->number = arg_number(state, name, value, arg->min, arg->max);
	else if (arg->word)
		*arg->word = value;
	else
		*arg->flag = true;
	return 0;
}

void args_parse(int argc, char **argv, const struct arg *args, const char *doc)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	struct argp_option options[ARGS_MAX + 1] = { 0 };
	struct argp argp = { options, parse, NULL, doc, children, NULL, NULL };

	for (size_t i = 0; args && args[i].name; i++) {
		if (i == ARGS_MAX)
			die("more than %d options: raise ARGS_MAX", ARGS_MAX);
		options[i] = (struct argp_option){ args[i].name, args[i].key,
						   args[i].unit, 0,
						   args[i].doc,	 0 };
	}
	argp_parse(&argp, argc, argv, 0, NULL, (void *)args);
}
