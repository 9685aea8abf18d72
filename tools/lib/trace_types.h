/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the types of events and their fields are called: KSM_EVENT_TYPES made searchable.
 */
#ifndef KSMKIT_TRACE_TYPES_H
#define KSMKIT_TRACE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "ksm_event.h"
#include "lib/util.h"

/**
 * struct ksm_event_desc - one type
 * @type: enum ksm_event_type
 * @name: as printed and stored
 * @n32: what the field holds in this type; "" for nothing; likewise the others
 */
struct ksm_event_desc {
	unsigned int type;
	const char *name;
	const char *n32;
	const char *address;
	const char *pfn;
	const char *n64;
};

extern const struct ksm_event_desc ksm_event_descs[];
extern const size_t ksm_event_desc_count;

/* NULL for a number that is no type. */
const struct ksm_event_desc *ksm_event_desc(unsigned int type);

/* NULL for a name that is no type. */
const struct ksm_event_desc *ksm_event_desc_by_name(const char *name);

/* The name, or "unknown". */
const char *ksm_event_name(unsigned int type);

/* The name of why events were lost, or "unknown"; and what a report says. */
const char *ksm_lost_cause_name(uint64_t cause);
const char *ksm_lost_cause_text(uint64_t cause);

/**
 * ksm_event_mask_parse() - types of events, as typed after -e
 * @list: names with commas between them; changed
 * @mask: bits (1 << type) are added
 * @err: the one line: which name is none, and what was meant
 *
 * Return: 0 or -EINVAL.
 */
int ksm_event_mask_parse(char *list, uint64_t *mask, struct ksm_error *err);

/**
 * ksm_event_comm() - the process name that a COMM event holds
 * @name: at least 17 bytes, terminated
 */
void ksm_event_comm(const struct ksm_event *event, char name[17]);

#endif /* KSMKIT_TRACE_TYPES_H */
