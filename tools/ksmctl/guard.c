// SPDX-License-Identifier: GPL-2.0
/*
 * Never an OOM by us: what every command asks that gives merged pages back their own copies.
 */
#include <stdio.h>
#include <string.h>

#include "ksmctl/cmd.h"
#include "lib/log.h"

int ksmctl_guard(const struct ksmctl *ctl, const char *what, const struct ksm_headroom *h, int code,
		 bool force)
{
	char text[KSM_HEADROOM_TEXT];

	if (code && force)
		return KSM_EXIT_OK;
	if (code) {
		ksm_log_error("cannot tell how much memory is available (/proc/meminfo: %s); "
			      "--force does it all the same",
			      strerror(-code));
		return KSM_EXIT_FAILED;
	}
	ksm_headroom_text(text, sizeof(text), h);
	if (!force && !ksm_headroom_fits(h)) {
		ksm_log_error("%s %s: free memory first, or use --force", what, text);
		return KSM_EXIT_FAILED;
	}
	if (!ctl->json) {
		puts(text);
		fflush(stdout);
	}
	return KSM_EXIT_OK;
}

int ksmctl_guard_all(const struct ksmctl *ctl, const char *what,
		     const struct ksm_counters_snapshot *s, bool force)
{
	struct ksm_headroom h;
	int code = ksm_headroom_all(&ctl->b.io, s, &h);

	return ksmctl_guard(ctl, what, &h, code, force);
}
