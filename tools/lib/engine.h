/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Can our engine be loaded into this kernel, and if not, why? Looks, and changes nothing.
 */
#ifndef KSMKIT_ENGINE_H
#define KSMKIT_ENGINE_H

#include <stdbool.h>

#include "lib/finding.h"
#include "lib/io.h"

#define KSM_ENGINE_MODULE "ksm_engine"

/* How many checks there are. */
#define KSM_ENGINE_CHECKS 7

/**
 * struct ksm_engine - everything about the engine as a module
 * @loaded: it is in the kernel
 * @path: the module file for this kernel below the root, "" when there is none
 * @signer: who signed it, "" when nobody (or when modinfo does not tell)
 * @findings: one for each check, in the order in which a load would meet them
 * @refusing: index of the first that refuses, -1 when none does
 */
struct ksm_engine {
	bool loaded;
	char path[PATH_MAX];
	char signer[128];
	struct ksm_finding findings[KSM_ENGINE_CHECKS];
	int refusing;
};

/**
 * ksm_engine_check() - run every check
 * @io: where
 * @e: filled
 */
void ksm_engine_check(const struct ksm_io *io, struct ksm_engine *e);

/**
 * ksm_engine_verdict_name() - "ok", "note", "refuses", "unknown"
 */
const char *ksm_engine_verdict_name(enum ksm_verdict verdict);

#endif /* KSMKIT_ENGINE_H */
