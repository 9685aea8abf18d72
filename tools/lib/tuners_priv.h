/* SPDX-License-Identifier: GPL-2.0 */
/* What the searches of tuners.c and tuners_units.c share. */
#ifndef KSMKIT_TUNERS_PRIV_H
#define KSMKIT_TUNERS_PRIV_H

#include "lib/tuners.h"

/**
 * struct ksm_tuners - a search under way
 * @io: where
 * @found: of the caller's, KSM_TUNERS_MAX of them
 * @count: filled
 */
struct ksm_tuners {
	const struct ksm_io *io;
	struct ksm_tuner *found;
	size_t count;
};

/* One more, as long as there is room; the texts are copied, and a name is added once. */
void ksm_tuners_add(struct ksm_tuners *t, enum ksm_tuner_when when, pid_t pid, const char *name,
		    const char *remedy);

/* Units and tmpfiles.d. */
void ksm_tuners_find_units(const struct ksm_io *io, struct ksm_tuners *t);

#endif /* KSMKIT_TUNERS_PRIV_H */
