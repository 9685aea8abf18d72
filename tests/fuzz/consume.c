// SPDX-License-Identifier: GPL-2.0
#include "fuzz/consume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "ksmtrace/line.h"
#include "ksmtrace/perfetto.h"
#include "ksmtrace/report_view.h"
#include "lib/trace_file.h"

struct consumer {
	bool with_json;
	FILE *null;
	struct line *text;
	struct line *json;
	struct perfetto *perfetto;
	struct report *report;
	uint64_t events;
};

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct consumer *c = ctx;

	c->events++;
	if (line_print(c->text, event, c->null) ||
	    (c->with_json && line_print(c->json, event, c->null)) ||
	    perfetto_event(c->perfetto, event) || report_feed(c->report, event))
		abort();
	return 0;
}

static void show(const struct consumer *c, const struct ksm_trace_info *info)
{
	struct report_view v = {
		.dir = "x",
		.info = info,
		.r = c->report,
		.by = c->events % REPORT_BYS,
		.parts = ~0u,
		.top = 3,
		.page_size = ksm_trace_page_size(info),
		.utf8 = c->events & 1,
		.columns = 80,
	};
	struct json_object *json;

	if (report_view_make(&v))
		abort();
	report_print_text(&v, c->null);
	if (c->with_json) {
		json = report_to_json(&v);
		fputs(json_object_to_json_string(json), c->null);
		json_object_put(json);
	}
	report_view_free(&v);
}

int consume_stream(const char *dir, const struct ksm_trace_info *info, bool with_json,
		   uint64_t *events, struct ksm_error *err)
{
	static const struct line_opts text = { .clock = LINE_WALL }, json = { .json = true };
	struct consumer consumer = { .with_json = with_json, .null = fopen("/dev/null", "w") };
	struct consumer *c = &consumer;
	int ret;

	if (!c->null)
		abort();
	c->text = line_new(&text, info->start, info->wall_offset);
	c->json = line_new(&json, info->start, info->wall_offset);
	c->perfetto = perfetto_new(info, ksm_trace_page_size(info), c->null);
	c->report = report_new(info->start);
	if (!c->text || !c->json || !c->perfetto || !c->report)
		abort();
	ret = ksm_trace_read(dir, info, on_event, c, err);
	report_finish(c->report);
	show(c, info);
	line_free(c->text);
	line_free(c->json);
	perfetto_finish(c->perfetto);
	report_free(c->report);
	fclose(c->null);
	*events = c->events;
	return ret;
}

int consume(const char *dir, bool json, uint64_t *events, struct ksm_error *err)
{
	struct ksm_trace_info *info = calloc(1, sizeof(*info));
	int ret;

	if (!info)
		abort();
	*events = 0;
	ret = ksm_trace_read_info(dir, info, err);
	if (!ret)
		ret = consume_stream(dir, info, json, events, err);
	free(info);
	return ret;
}
