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

/* Append "NAME (WHY)", as many as fit. */
static void list_hook(char *list, size_t size, const struct ksm_hook *hook, const char *seen)
{
	size_t len = strlen(list);

	/* one reason, like a kernel without fentry, may hold for many */
	if (hook->why && strcmp(hook->why, seen))
		snprintf(list + len, size - len, "%s%s (%s)", len ? ", " : "",
			 type_name(hook->type), hook->why);
	else
		snprintf(list + len, size - len, "%s%s", len ? ", " : "", type_name(hook->type));
	if (strlen(list) == size - 1)
		strcpy(list + size - 4, "...");
}

void doctor_judge_hooks(const struct ksm_hook *hooks, size_t count, struct ksm_finding *f)
{
	size_t missing = 0, second = 0;
	char none[400] = "", other[400] = "";
	const char *why_none = "", *why_other = "";

	for (size_t i = 0; i < count; i++) {
		if (!hooks[i].hook) {
			list_hook(none, sizeof(none), &hooks[i], why_none);
			why_none = hooks[i].why ? hooks[i].why : "";
			missing++;
		} else if (hooks[i].why) {
			list_hook(other, sizeof(other), &hooks[i], why_other);
			why_other = hooks[i].why;
			second++;
		}
	}
	if (missing || second)
		ksm_find(f, missing ? KSM_FOUND_NOTE : KSM_FOUND_OK,
			 "ksmtrace list tells all of each", "%zu of %zu kinds of events%s%s%s%s",
			 count - missing, count, missing ? "; none for: " : "", none,
			 second ? "; not by the best hook: " : "", other);
	else
		ksm_find(f, KSM_FOUND_OK, NULL,
			 "all %zu kinds of events can be had, by the best hook", count);
}

void doctor_hooks(struct doctor *doc, struct ksm_finding *f)
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
		ksm_find(f, KSM_FOUND_NOTE, NULL, "a machine of files has no events");
		return;
	}
	if (ksm_stream_open(&opts, &stream, err, sizeof(err))) {
		ksm_find(f, KSM_FOUND_NOTE, NULL, "events: %s", err);
		return;
	}
	hooks = ksm_stream_hooks(stream, &count);
	doctor_judge_hooks(hooks, count, f);
	ksm_stream_close(stream);
}
