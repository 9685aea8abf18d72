// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/trace_types.h"

int report_view_make(struct report_view *v)
{
	/* Events and pages have tables of their own; pairs are then those of processes. */
	bool grouped = v->by == REPORT_BY_CGROUP || v->by == REPORT_BY_GUEST;
	int ret;

	v->rows_by = grouped ? v->by : REPORT_BY_PROCESS;
	ret = report_rows_make(v->r, v->rows_by, &v->rows);
	if (!ret)
		ret = sharing_make(v->r, &v->rows, &v->sharing);
	if (ret)
		return ret;
	v->frames = calloc(v->top, sizeof(*v->frames));
	if (!v->frames)
		return -ENOMEM;
	v->frame_count = report_frames(v->r, v->frames, v->top);
	return 0;
}

void report_view_free(struct report_view *v)
{
	report_rows_free(&v->rows);
	sharing_free(&v->sharing);
	free(v->frames);
	v->frames = NULL;
}

const char *report_hook(const struct report_view *v, unsigned int type)
{
	static const char *const backends[] = { "kernel", "engine" };
	const char *value, *found = NULL;
	char key[48];

	for (size_t i = 0; i < KSM_ARRAY_SIZE(backends); i++) {
		snprintf(key, sizeof(key), "hook_%s_%s", backends[i], ksm_event_name(type));
		value = ksm_trace_env_get(v->info, key);
		if (value && (!found || !strncmp(found, "unavailable", 11)))
			found = value;
	}
	return found;
}
