// SPDX-License-Identifier: GPL-2.0
/*
 * judge pair NUMBER KERNEL METRIC LIMIT TEXT FILE: what ksm-bench measured in one guest, as a row:
 *	the engine's figure against the best of ksmd's, at which both are taken that cost least.
 *	METRIC: cost (instructions of the whole machine, but for what it costs idle), breaks (COW
 *	breaks), splits (huge pages split): per what the row says; metadata: bytes of kernel memory
 *	per page.
 * judge failed NAME KERNEL REASON: a row that could not be measured.
 * judge check RESULTS FILE: is what ksm-bench measured of the engine what RESULTS says of the same
 *	row? Exit 1 when it differs by more than 5 % on the same kernel; on another one it says so.
 * judge series RESULTS ROW: how the saving of a row of ksm-bench grew with the scanner's cost:
 *	lines of instructions and pages; ksmd's, two empty lines, the engine's.
 * judge table RESULTS FILE...: print all rows as a table, write them into RESULTS. Exit 1 when a
 *	limit is missed or a row was not measured.
 *
 * A run whose contents were wrong never gets here (ksm-bench fails). A run that reached less than
 * 98 % of the saving that there was, or never found a planted pair, is not measured either. For
 * splits it is 90 %, and the row says what was saved: giving up a little is what is measured.
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SAVING 0.98
#define LEAST_SAVING_SPLITS 0.90

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
	double least;
};

static double cost(struct json_object *run)
{
	return number(run, "machine_cost");
}

static const char *unusable(struct json_object *run, double least)
{
	if (number(run, "saved") < least * number(run, "expected"))
		return "too little of the saving that there is";
	if (number(run, "planted") < 0)
		return "the planted pair was not found in 5 passes";
	if (cost(run) <= 0)
		return "no cost";
	return NULL;
}

static void take_run(struct json_object *run, void *arg)
{
	bool engine = !strcmp(text(run, "backend"), "engine");
	struct pair *pair = arg;
	const char *why = unusable(run, pair->least);

	/* ksmd may miss something at one of its settings: then that one is not its best. */
	if (why && engine)
		fail(why, "engine");
	if (engine)
		pair->engine = run;
	else if (!why && (!pair->ksmd || cost(run) < cost(pair->ksmd)))
		pair->ksmd = run;
}

static const struct metric {
	const char *name;
	const char *unit;
	const char *key; /* in a run */
	const char *per; /* what to divide by; NULL: it is divided already */
	double least; /* part of the saving that has to be reached */
} metrics[] = {
	{ "cost", "instructions", "machine_cost", NULL, LEAST_SAVING },
	{ "breaks", "COW breaks", "breaks", "per", LEAST_SAVING },
	{ "splits", "huge pages", "splits", "per", LEAST_SAVING_SPLITS },
	{ "metadata", "bytes", "metadata", "pages", LEAST_SAVING },
};

static const struct metric *metric_find(const char *name)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		if (!strcmp(metrics[i].name, name))
			return &metrics[i];
	fail("no such metric", name);
	return NULL;
}

static double figure(struct json_object *run, const struct metric *metric)
{
	return number(run, metric->key) / (metric->per ? number(run, metric->per) : 1);
}

/* Who gave up how much */
static void say_saving(char *what, size_t size, const struct pair *pair)
{
	size_t used = strlen(what);

	snprintf(what + used, size - used, "; of %.0f pages ksmd saved %.0f, the engine %.0f",
		 number(pair->engine, "expected"), number(pair->ksmd, "saved"),
		 number(pair->engine, "saved"));
}

static int pair(char **argv)
{
	const struct metric *metric = metric_find(argv[2]);
	struct json_object *row = json_object_new_object();
	double ratio, ksmd, engine, limit = atof(argv[3]);
	struct pair pair = { .least = metric->least };
	char name[64], what[512];

	each_line(argv[5], take_run, &pair);
	if (!pair.ksmd || !pair.engine)
		fail("no usable run of ksmd or of the engine", argv[5]);
	ksmd = figure(pair.ksmd, metric);
	engine = figure(pair.engine, metric);
	if (ksmd <= 0)
		fail("ksmd's figure is zero", metric->name);
	ratio = engine / ksmd;
	snprintf(name, sizeof(name), "%s %s", argv[0], text(pair.engine, "row"));
	add(row, "name", json_object_new_string(name));
	add(row, "kernel", json_object_new_string(argv[1]));
	snprintf(what, sizeof(what), "%s", argv[4]);
	if (metric->least < LEAST_SAVING)
		say_saving(what, sizeof(what), &pair);
	add(row, "metric", json_object_new_string(what));
	add(row, "unit", json_object_new_string(metric->unit));
	add(row, "baseline", json_object_new_double(ksmd));
	add(row, "value", json_object_new_double(engine));
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

#define MOST_DIFFERENCE 0.05

struct check {
	struct json_object *rows;
	int wrong;
};

static struct json_object *run_before(struct json_object *rows, struct json_object *run)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i), *before;

		if (json_object_object_get_ex(row, "engine", &before) &&
		    !strcmp(text(before, "row"), text(run, "row")))
			return before;
	}
	return NULL;
}

static void check_run(struct json_object *run, void *arg)
{
	struct check *check = arg;
	struct json_object *before = run_before(check->rows, run);
	const char *why = unusable(run, LEAST_SAVING);
	double change;
	bool same;

	if (why || !before)
		fail(why ? why : "the results have no such row", text(run, "row"));
	change = cost(run) / cost(before) - 1;
	same = !strcmp(text(run, "release"), text(before, "release"));
	printf("%s: %.1f instructions, %.1f before (%+.1f %%)%s%s\n", text(run, "row"), cost(run),
	       cost(before), change * 100, same ? "" : ", on ",
	       same ? "" : text(before, "release"));
	if (same && (change > MOST_DIFFERENCE || change < -MOST_DIFFERENCE))
		check->wrong++;
}

static int check(char **argv)
{
	struct check check = { .rows = json_object_from_file(argv[0]) };

	if (!json_object_is_type(check.rows, json_type_array))
		fail("no results", argv[0]);
	if (!each_line(argv[1], check_run, &check))
		fail("nothing was measured", argv[1]);
	if (check.wrong)
		printf("%d differ by more than 5 %%: slower, or the results are to be "
		       "measured anew\n",
		       check.wrong);
	json_object_put(check.rows);
	return check.wrong > 0;
}

static void print_series(struct json_object *run)
{
	struct json_object *points, *point;

	if (!json_object_object_get_ex(run, "series", &points))
		return;
	for (size_t i = 0; i < json_object_array_length(points); i++) {
		point = json_object_array_get_idx(points, i);
		printf("%.0f %.0f\n", json_object_get_double(json_object_array_get_idx(point, 0)),
		       json_object_get_double(json_object_array_get_idx(point, 1)));
	}
}

static int series(char **argv)
{
	struct json_object *rows = json_object_from_file(argv[0]), *ksmd, *engine;

	if (!json_object_is_type(rows, json_type_array))
		fail("no results", argv[0]);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (!json_object_object_get_ex(row, "ksmd", &ksmd) ||
		    !json_object_object_get_ex(row, "engine", &engine) ||
		    strcmp(text(engine, "row"), argv[1]))
			continue;
		print_series(ksmd);
		printf("\n\n");
		print_series(engine);
		return 0;
	}
	fail("the results have no such row", argv[1]);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 8 && !strcmp(argv[1], "pair"))
		return pair(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "failed"))
		return failed(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "series"))
		return series(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "check"))
		return check(argv + 2);
	if (argc > 3 && !strcmp(argv[1], "table"))
		return table(argc - 2, argv + 2);
	fprintf(stderr,
		"usage: judge pair|failed|check|series|table ... (see the top of judge.c)\n");
	return 2;
}
