// SPDX-License-Identifier: GPL-2.0
/*
 * What an outcome is called.
 */
#include "ksm_core.h"

/**
 * ksm_outcome_text() - what an outcome means, in words
 * @outcome: an outcome
 *
 * Return: a constant string; "unknown" for a number that is no outcome.
 */
const char *ksm_outcome_text(enum ksm_outcome outcome)
{
	static const char *const texts[KSM_NR_OUTCOMES] = {
#define X(ID, text) [KSM_OUTCOME_##ID] = text,
		KSM_OUTCOMES(X)
#undef X
	};

	return (unsigned int)outcome < KSM_NR_OUTCOMES ? texts[outcome] : "unknown";
}
