// SPDX-License-Identifier: GPL-2.0
#include "ksmctl/cmd.h"

const char *ksmctl_run_name(int64_t run)
{
	if (run & KSM_RUN_OFFLINE)
		return "waits while memory goes offline";
	switch (run) {
	case KSM_RUN_STOP:
		return "stopped";
	case KSM_RUN_MERGE:
		return "running";
	case KSM_RUN_UNMERGE:
		return "stopped and unmerged";
	default:
		return "unknown";
	}
}
