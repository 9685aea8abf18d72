// SPDX-License-Identifier: GPL-2.0
#include "lib/trace_types.h"

#include <string.h>

const struct ksm_event_desc ksm_event_descs[] = {
#define X(ID, name, number, n32, address, pfn, n64) { number, #name, n32, address, pfn, n64 },
	KSM_EVENT_TYPES(X)
#undef X
};

const size_t ksm_event_desc_count = KSM_ARRAY_SIZE(ksm_event_descs);

const struct ksm_event_desc *ksm_event_desc(unsigned int type)
{
	for (size_t i = 0; i < ksm_event_desc_count; i++)
		if (ksm_event_descs[i].type == type)
			return &ksm_event_descs[i];
	return NULL;
}

const struct ksm_event_desc *ksm_event_desc_by_name(const char *name)
{
	for (size_t i = 0; i < ksm_event_desc_count; i++)
		if (!strcmp(ksm_event_descs[i].name, name))
			return &ksm_event_descs[i];
	return NULL;
}

const char *ksm_event_name(unsigned int type)
{
	const struct ksm_event_desc *desc = ksm_event_desc(type);

	return desc ? desc->name : "unknown";
}

static const struct {
	const char *name;
	const char *text;
} causes[] = {
#define X(ID, name, text) { #name, text },
	KSM_LOST_CAUSES(X)
#undef X
};

const char *ksm_lost_cause_name(uint64_t cause)
{
	return cause < KSM_LOST_MAX ? causes[cause].name : "unknown";
}

const char *ksm_lost_cause_text(uint64_t cause)
{
	return cause < KSM_LOST_MAX ? causes[cause].text : "of an unknown cause";
}

static int no_such_type(const char *word, struct ksm_error *err)
{
	unsigned int best = 4, distance;
	const char *meant = NULL;

	for (size_t i = 0; i < ksm_event_desc_count; i++) {
		distance = ksm_edit_distance(word, ksm_event_descs[i].name);
		if (distance < best) {
			best = distance;
			meant = ksm_event_descs[i].name;
		}
	}
	if (meant)
		return ksm_error_usage(err, "there is no event '%.32s': did you mean %s?", word,
				       meant);
	return ksm_error_usage(err, "there is no event '%.32s': see ksmtrace list", word);
}

int ksm_event_mask_parse(char *list, uint64_t *mask, struct ksm_error *err)
{
	const struct ksm_event_desc *desc;
	char *save = NULL, *word = strtok_r(list, ",", &save);

	if (!word)
		return ksm_error_usage(err, "no event given");
	for (; word; word = strtok_r(NULL, ",", &save)) {
		desc = ksm_event_desc_by_name(word);
		if (!desc)
			return no_such_type(word, err);
		*mask |= UINT64_C(1) << desc->type;
	}
	return 0;
}

void ksm_event_comm(const struct ksm_event *event, char name[17])
{
	memcpy(name, &event->address, 8);
	memcpy(name + 8, &event->pfn, 8);
	name[16] = 0;
}
