// SPDX-License-Identifier: GPL-2.0
/*
 * Which events the BPF programs can have from this kernel, by attaching them for a moment.
 */
#include <stdio.h>
#include <string.h>

#include "ksmctl/doctor.h"
#include "lib/stream.h"

static const char *type_name(unsigned int type)
{
#define X(ID, name, number, n32, address, pfn, n64) \
	if (type == number)                         \
		return #name;
	KSM_EVENT_TYPES(X)
#undef X
	return "?";
}

static void judge(const struct ksm_hook *hooks, size_t count, struct doctor_finding *f)
{
	const char *why = NULL;
	size_t missing = 0;
	char list[200] = "";

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(list);

		if (hooks[i].hook)
			continue;
		snprintf(list + len, sizeof(list) - len, "%s%s", missing++ ? ", " : "",
			 type_name(hooks[i].type));
		if (!why)
			why = hooks[i].why;
	}
	if (missing)
		doctor_find(f, DOCTOR_NOTE, "ksmtrace list tells the reason of each",
			    "%zu of %zu kinds of events not to be had: %s (%s)", missing, count,
			    list, why ? why : "no reason known");
	else
		doctor_find(f, DOCTOR_OK, NULL, "all %zu kinds of events can be had", count);
}

void doctor_hooks(struct doctor *doc, struct doctor_finding *f)
{
	struct ksm_stream_opts opts = {
		.backend =
			doc->b->kind == KSM_BACKEND_ENGINE ? KSM_STREAM_ENGINE : KSM_STREAM_KERNEL,
		.totals = KSM_STREAM_ALL,
	};
	struct ksm_stream *stream;
	const struct ksm_hook *hooks;
	char err[256] = "";
	size_t count;

	if (doc->b->fake) {
		doctor_find(f, DOCTOR_NOTE, NULL, "a machine of files has no events");
		return;
	}
	if (ksm_stream_open(&opts, &stream, err, sizeof(err))) {
		doctor_find(f, DOCTOR_NOTE, NULL, "events: %s", err);
		return;
	}
	hooks = ksm_stream_hooks(stream, &count);
	judge(hooks, count, f);
	ksm_stream_close(stream);
}
