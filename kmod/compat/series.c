// SPDX-License-Identifier: GPL-2.0
/*
 * Kernels that the engine was tested on. Structures and symbols are checked at load, but
 * what their fields mean, and which lock guards them, no check can tell.
 */
#include "compat/kernel.h"

#include <linux/moduleparam.h>
#include <linux/utsname.h>

#include "check.h"

static const struct {
	unsigned int major;
	unsigned int minor;
} tested[] = {
	{ 6, 1 },
	{ 6, 12 },
	{ 7, 3 },
};

static bool untested;
module_param(untested, bool, 0444);
MODULE_PARM_DESC(untested, "merge even on a kernel series that the engine was never tested on");

static bool series_tested(unsigned int major, unsigned int minor)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tested); i++)
		if (tested[i].major == major && tested[i].minor == minor)
			return true;
	return false;
}

/**
 * ksme_series_allowed - whether the engine may merge on this kernel
 *
 * Return: false, with one line in the log, on a series never tested, unless the module
 * parameter untested says otherwise.
 */
bool ksme_series_allowed(void)
{
	const char *release = init_utsname()->release;
	unsigned int major, minor;

	if (untested)
		return true;
	if (sscanf(release, "%u.%u", &major, &minor) == 2 && series_tested(major, minor) &&
	    !ksme_falsified("series", "tested"))
		return true;
	pr_err_ratelimited("not started: never tested on kernel %s (untested=1 to try)\n", release);
	return false;
}
