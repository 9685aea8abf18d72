// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only, and absent from the module that is installed: one check at a time is made to
 * fail. falsify=list writes down which there are and lets the load go on.
 */
#include "compat/kernel.h"

#include <linux/moduleparam.h>

#include "check.h"

static char *falsify = "";
module_param(falsify, charp, 0444);
MODULE_PARM_DESC(falsify, "KIND:NAME of the check that is to fail, or list");

bool ksme_falsified(const char *kind, const char *name)
{
	size_t len = strlen(kind);

	if (!strcmp(falsify, "list"))
		pr_info("check %s:%s\n", kind, name);
	return !strncmp(falsify, kind, len) && falsify[len] == ':' &&
	       !strcmp(falsify + len + 1, name);
}
