/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of a KSM directory as a table: KSM_ABI_FILES made searchable.
 *
 * A "knob" is any of those files, read-only counters included.
 */
#ifndef KSMKIT_KNOBS_H
#define KSMKIT_KNOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "ksm_abi.h"
#include "lib/util.h"

/**
 * struct ksm_knob - one file of a KSM directory
 * @id: enum ksm_abi_id, as traces store it
 * @name: file name
 * @mode: KSM_ABI_MODE_RO, KSM_ABI_MODE_RW or KSM_ABI_MODE_RO_ROOT
 * @kind: KSM_ABI_UINT, KSM_ABI_SINT or KSM_ABI_WORD
 * @min: smallest value that may be written
 * @max: greatest value that may be written
 * @def: what a kernel starts with
 * @flags: KSM_ABI_BUSY_SHARED, KSM_ABI_SINCE_6_12, KSM_ABI_NUMA, KSM_ABI_BYTES, KSM_ABI_PAGES,
 *	KSM_ABI_ENGINE
 */
struct ksm_knob {
	unsigned int id;
	const char *name;
	unsigned int mode;
	unsigned int kind;
	int64_t min;
	int64_t max;
	int64_t def;
	unsigned int flags;
};

extern const struct ksm_knob ksm_knobs[];
extern const unsigned int ksm_knob_count;

/* NULL when there is none. */
const struct ksm_knob *ksm_knob_by_id(unsigned int id);
const struct ksm_knob *ksm_knob_by_name(const char *name);

/**
 * ksm_knob_suggest() - the knob a mistyped name most likely meant
 *
 * Return: a name, NULL when nothing is near.
 */
const char *ksm_knob_suggest(const char *name);

/**
 * ksm_knob_find() - ksm_knob_by_name() with a usage error that suggests a name
 */
const struct ksm_knob *ksm_knob_find(const char *name, struct ksm_error *err);

/**
 * ksm_knob_since() - why a kernel may lack the file: " (6.12 has it)" or the like, or ""
 */
const char *ksm_knob_since(const struct ksm_knob *knob);

static inline bool ksm_knob_writable(const struct ksm_knob *knob)
{
	return knob->mode == KSM_ABI_MODE_RW;
}

/**
 * ksm_knob_check() - would the kernel's documented rules take this text?
 * @knob: a file
 * @text: what is to be written
 * @value: the number it stands for, 0 for words
 * @err: the one line, naming the range; a usage error
 *
 * Words are checked against the file's own list by ksm_backend_apply(). Return: 0 or negative
 * errno.
 */
int ksm_knob_check(const struct ksm_knob *knob, const char *text, int64_t *value,
		   struct ksm_error *err);

#endif /* KSMKIT_KNOBS_H */
