// SPDX-License-Identifier: GPL-2.0
/*
 * judge pair NUMBER KERNEL LIMIT TEXT FILE: what ksm-bench measured in one guest, as a row: the
 *	engine's figure against the best of ksmd's.
 * judge failed NAME KERNEL REASON: a row that could not be measured.
 * judge table RESULTS FILE...: print all rows as a table, write them into RESULTS. Exit 1 when a
 *	limit is missed or a row was not measured.
 *
 * A run whose contents were wrong never gets here (ksm-bench fails). A run that reached less than
 * 98 % of the saving that there was, or never found a planted pair, is not measured either.
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SAVING 0.98

static double number(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_double(v) : 0;
}

static const char *text(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : "";
}

static void add(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

static void fail(const char *what, const char *name)
{
	fprintf(stderr, "judge: %s: %s\n", name, what);
	exit(1);
}

/* Call fn for each line of a file, parsed. Returns how many there were. */
static int each_line(const char *file, void (*fn)(struct json_object *o, void *arg), void *arg)
{
	FILE *f = fopen(file, "r");
	char *line = NULL;
	size_t size = 0;
	int n = 0;

	if (!f)
		fail("cannot be read", file);
	while (getline(&line, &size, f) > 0) {
		struct json_object *o = json_tokener_parse(line);

		if (!json_object_is_type(o, json_type_object))
			fail("a line is no JSON object", file);
		fn(o, arg);
		n++;
	}
	free(line);
	fclose(f);
	return n;
}

struct pair {
	struct json_object *ksmd;
	struct json_object *engine;
};

static const char *unusable(struct json_object *run)
{
	if (number(run, "saved") < LEAST_SAVING * number(run, "expected"))
		return "less than 98 % of the saving";
	if (number(run, "planted") < 0)
		return "the planted pair was not found in 5 passes";
	if (number(run, "cost") <= 0)
		return "no cost";
	return NULL;
}

static void take_run(struct json_object *run, void *arg)
{
	bool engine = !strcmp(text(run, "backend"), "engine");
	struct pair *pair = arg;
	const char *why = unusable(run);

	/* ksmd may miss something at one of its settings: then that one is not its best. */
	if (why && engine)
		fail(why, "engine");
	if (engine)
		pair->engine = run;
	else if (!why && (!pair->ksmd || number(run, "cost") < number(pair->ksmd, "cost")))
		pair->ksmd = run;
}

static int pair(char **argv)
{
	struct json_object *row = json_object_new_object();
	struct pair pair = { NULL, NULL };
	double ratio, limit = atof(argv[2]);
	char name[64];

	each_line(argv[4], take_run, &pair);
	if (!pair.ksmd || !pair.engine)
		fail("no usable run of ksmd or of the engine", argv[4]);
	ratio = number(pair.engine, "cost") / number(pair.ksmd, "cost");
	snprintf(name, sizeof(name), "%s %s", argv[0], text(pair.engine, "row"));
	add(row, "name", json_object_new_string(name));
	add(row, "kernel", json_object_new_string(argv[1]));
	add(row, "metric", json_object_new_string(argv[3]));
	add(row, "unit", json_object_new_string("instructions"));
	add(row, "baseline", json_object_new_double(number(pair.ksmd, "cost")));
	add(row, "value", json_object_new_double(number(pair.engine, "cost")));
	add(row, "ratio", json_object_new_double(ratio));
	add(row, "limit", json_object_new_double(limit));
	add(row, "met", json_object_new_boolean(ratio <= limit));
	add(row, "ksmd", pair.ksmd);
	add(row, "engine", pair.engine);
	puts(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN));
	return 0;
}

static int failed(char **argv)
{
	struct json_object *row = json_object_new_object();

	add(row, "name", json_object_new_string(argv[0]));
	add(row, "kernel", json_object_new_string(argv[1]));
	add(row, "error", json_object_new_string(*argv[2] ? argv[2] : "no reason given"));
	add(row, "met", json_object_new_boolean(false));
	puts(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN));
	return 0;
}

static void cell(struct json_object *row, const char *key, int width)
{
	struct json_object *v;
	double d;

	if (!json_object_object_get_ex(row, key, &v)) {
		printf(" %*s", width, "-");
		return;
	}
	d = json_object_get_double(v);
	printf(" %*.*f", width, d >= 1000 ? 0 : d >= 10 ? 1 : 3, d);
}

struct table {
	struct json_object *rows;
	int missed;
};

static void print_row(struct json_object *row, void *arg)
{
	struct table *table = arg;
	struct json_object *met;

	json_object_array_add(table->rows, row);
	printf("%-24s %-5s", text(row, "name"), text(row, "kernel"));
	if (*text(row, "error")) {
		printf(" NOT MEASURED: %s\n", text(row, "error"));
		table->missed++;
		return;
	}
	cell(row, "baseline", 11);
	cell(row, "value", 11);
	cell(row, "ratio", 7);
	cell(row, "limit", 7);
	/* A row that does not say that it is met is not. */
	if (!json_object_object_get_ex(row, "met", &met) || !json_object_get_boolean(met)) {
		table->missed++;
		met = NULL;
	}
	printf(" %-6s %s%s%s%s\n", met ? "met" : "MISSED", text(row, "metric"),
	       *text(row, "unit") ? " [" : "", text(row, "unit"), *text(row, "unit") ? "]" : "");
}

static int table(int n, char **argv)
{
	struct table table = { .rows = json_object_new_array() };
	int rows = 0;

	printf("%-24s %-5s %11s %11s %7s %7s %-6s %s\n", "ROW", "ON", "BASELINE", "VALUE", "RATIO",
	       "LIMIT", "", "METRIC");
	for (int i = 1; i < n; i++)
		rows += each_line(argv[i], print_row, &table);
	if (json_object_to_file_ext(argv[0], table.rows, JSON_C_TO_STRING_PRETTY))
		fail("cannot be written", argv[0]);
	printf("%d rows, %d met, %d missed or not measured\n", rows, rows - table.missed,
	       table.missed);
	json_object_put(table.rows);
	return !rows || table.missed;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "pair"))
		return pair(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "failed"))
		return failed(argv + 2);
	if (argc > 3 && !strcmp(argv[1], "table"))
		return table(argc - 2, argv + 2);
	fprintf(stderr, "usage: judge pair|failed|table ... (see the top of judge.c)\n");
	return 2;
}
