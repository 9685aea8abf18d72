// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/line_detail.h"

#include <string.h>

#include "lib/backend.h"
#include "lib/trace_types.h"

static const char *why_word(uint64_t value)
{
	return value == KSM_COW_UNMERGE ? "unmerge" : "write";
}

static const char *knob_word(uint64_t id)
{
	const struct ksm_knob *knob = ksm_knob_by_id(id);

	return knob ? knob->name : NULL;
}

static const char *errno_word(uint64_t error)
{
	return strerrorname_np(error);
}

static const char *type_word(uint64_t type)
{
	return ksm_event_name(type);
}

/* Labels of fields that are no plain decimal number. */
static const struct {
	const char *label;
	const char *(*word)(uint64_t value);
	bool hex;
} kinds[] = {
	{ "why", why_word, false },	{ "knob_id", knob_word, false },
	{ "errno", errno_word, false }, { "of_type", type_word, false },
	{ "cause", ksm_lost_cause_name, false },
	{ "address", NULL, true },	{ "start", NULL, true },
	{ "kpfn", NULL, true },		{ "pfn", NULL, true },
};

static void one(const struct ksm_event *event, const char *label, uint64_t value, line_detail_fn fn,
		void *ctx)
{
	struct line_detail detail = { .label = label, .value = value };
	const struct ksm_knob *knob;

	if (!*label)
		return;
	for (size_t i = 0; i < KSM_ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].label, label))
			continue;
		detail.word = kinds[i].word ? kinds[i].word(value) : NULL;
		detail.hex = kinds[i].hex;
	}
	if (event->type == KSM_EVENT_COUNTER && !strcmp(label, "value")) {
		knob = ksm_knob_by_id(event->n32);
		detail.negative = knob && knob->kind == KSM_ABI_SINT;
	}
	fn(ctx, &detail);
}

static void one_word(const char *label, const char *word, line_detail_fn fn, void *ctx)
{
	struct line_detail detail = { .label = label, .word = word };

	fn(ctx, &detail);
}

static void name_details(const struct ksm_event *event, line_detail_fn fn, void *ctx)
{
	uint32_t kind = event->n32 & ~0xffffu;
	char text[25] = "";

	one_word("kind",
		 kind == KSM_NAME_GUEST	 ? "guest" :
		 kind == KSM_NAME_CGROUP ? "cgroup" :
					   "unknown",
		 fn, ctx);
	one(event, "part", event->n32 & 0xffff, fn, ctx);
	memcpy(text, &event->address, 8);
	memcpy(text + 8, &event->pfn, 8);
	memcpy(text + 16, &event->n64, 8);
	one_word("text", text, fn, ctx);
}

void line_each_detail(const struct ksm_event *event, line_detail_fn fn, void *ctx)
{
	const struct ksm_event_desc *desc = ksm_event_desc(event->type);

	if (!desc)
		return;
	if (event->type == KSM_EVENT_NAME) {
		name_details(event, fn, ctx);
		return;
	}
	if (event->type == KSM_EVENT_COUNTER || event->type == KSM_EVENT_SCANNER)
		one_word("backend", ksm_backend_kind_name(event->mm), fn, ctx);
	one(event, desc->n32, event->n32, fn, ctx);
	/* A comm is a column of its own. */
	if (event->type != KSM_EVENT_COMM) {
		one(event, desc->address, event->address, fn, ctx);
		one(event, desc->pfn, event->pfn, fn, ctx);
	}
	one(event, desc->n64, event->n64, fn, ctx);
}
