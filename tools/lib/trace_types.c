// SPDX-License-Identifier: GPL-2.0
#include "lib/trace_types.h"

#include <string.h>

#include "lib/util.h"

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

void ksm_event_comm(const struct ksm_event *event, char name[17])
{
	memcpy(name, &event->address, 8);
	memcpy(name + 8, &event->pfn, 8);
	name[16] = 0;
}
