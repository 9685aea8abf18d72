/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process is called beyond its comm: the virtual machine it runs and the cgroup it is in.
 * Both are longer than a record, so they are told in parts (NAME events).
 */
#ifndef KSMKIT_TRACE_NAMES_H
#define KSMKIT_TRACE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "ksm_event.h"
#include "lib/io.h"
#include "lib/stream.h"

/* Longer names are cut. */
#define KSM_NAME_MAX 512

/**
 * ksm_names_read() - find out what a process is called, and tell it as NAME events
 * @io: where /proc is
 * @comm: the COMM event of the process; its time and tgid are those of the events made
 * @fn: gets the events; a non-zero return ends the call
 * @ctx: handed to @fn
 *
 * A process that has gone has no names. Return: 0, or what @fn returned.
 */
int ksm_names_read(const struct ksm_io *io, const struct ksm_event *comm, ksm_event_fn fn,
		   void *ctx);

/**
 * ksm_name_tell() - one name as NAME events
 * @kind: KSM_NAME_GUEST or KSM_NAME_CGROUP
 * @text: the name
 *
 * The other arguments, and the return: as ksm_names_read().
 */
int ksm_name_tell(const struct ksm_event *comm, uint32_t kind, const char *text, ksm_event_fn fn,
		  void *ctx);

/**
 * struct ksm_name - a name on its way back together
 * @tgid: whose
 * @kind: KSM_NAME_GUEST or KSM_NAME_CGROUP
 * @parts: how many came
 * @text: terminated
 */
struct ksm_name {
	uint32_t tgid;
	uint32_t kind;
	uint32_t parts;
	char text[KSM_NAME_MAX + 1];
};

/**
 * ksm_name_feed() - put the next part to the others
 * @name: zeroed before first use
 * @event: a NAME event; a part that does not continue the ones before it starts anew or is dropped
 *
 * Return: true when @name is complete.
 */
bool ksm_name_feed(struct ksm_name *name, const struct ksm_event *event);

#endif /* KSMKIT_TRACE_NAMES_H */
