/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSMCTL_PROFILE_H
#define KSMCTL_PROFILE_H

#include "ksmctl/cmd.h"
#include "lib/profiles.h"

/**
 * profile_unit() - the systemd unit that sets these knobs at boot
 * @ctl: its backend is part of the unit
 * @name: the profile
 * @point: the values
 * @text: receives the unit
 *
 * Return: 0 or -EFBIG.
 */
int profile_unit(const struct ksmctl *ctl, const char *name, const struct ksm_profile_point *point,
		 char *text, size_t size);

/* Where the unit is. */
const char *profile_unit_path(void);

/**
 * profile_persist() - install and enable a unit
 *
 * Return: 0 or negative errno, @err being set.
 */
int profile_persist(const struct ksmctl *ctl, const char *text, struct ksm_error *err);

/**
 * profile_forget() - disable and remove the unit
 *
 * Return: 0; 1 when there was none; negative errno.
 */
int profile_forget(const struct ksm_io *io, struct ksm_error *err);

#endif /* KSMCTL_PROFILE_H */
