/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Can our engine be loaded into this kernel, and if not, why? Looks, and changes nothing.
 */
#ifndef KSMKIT_ENGINE_H
#define KSMKIT_ENGINE_H

#include <stdbool.h>

#include "lib/io.h"

#define KSM_ENGINE_MODULE "ksm_engine"

/* What a check found: no obstacle; worth knowing; loading would be refused; cannot be told. */
enum ksm_engine_verdict {
	KSM_ENGINE_OK,
	KSM_ENGINE_NOTE,
	KSM_ENGINE_REFUSES,
	KSM_ENGINE_UNKNOWN,
};

/**
 * struct ksm_engine_finding - what one check found
 * @name: of the check, stable, for scripts
 * @verdict: enum ksm_engine_verdict
 * @evidence: what it was judged by
 * @remedy: what to do, "" when nothing
 */
struct ksm_engine_finding {
	const char *name;
	enum ksm_engine_verdict verdict;
	char evidence[240];
	char remedy[200];
};

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
	struct ksm_engine_finding findings[KSM_ENGINE_CHECKS];
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
const char *ksm_engine_verdict_name(enum ksm_engine_verdict verdict);

#endif /* KSMKIT_ENGINE_H */
