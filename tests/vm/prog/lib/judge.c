// SPDX-License-Identifier: GPL-2.0
/* What must hold when all is over, and the module's coming and going. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "trials.h"

long long sets_on_ksm(const struct sets *s)
{
	long long count = 0;

	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 0; i < s->p[k].nr; i++)
			count += !!(page_flags(page_at(&s->p[k], i)) & PAGE_KSM);
	}
	return count;
}

static bool no_ksm_frames(void *arg)
{
	/* Pages that sit in some CPU's list of what is to go onto the LRU come off it. */
	write_file("/proc/sys/vm/compact_memory", "1");
	return !frames_flagged(PAGE_KSM);
}

void expect_no_ksm_frames(const char *when)
{
	if (!wait_for(opt.timeout, no_ksm_frames, NULL))
		die("%s: nothing is merged, and %zu frames are KSM pages still", when,
		    frames_flagged(PAGE_KSM));
}

void expect_items(long long want, const char *when)
{
	if (ksm_items(opt.backend) != want)
		die("%s: pages_shared + pages_sharing is %lld, %lld pages are merged", when,
		    ksm_items(opt.backend), want);
}

int module_load(void)
{
	struct utsname name;
	char path[160];
	int fd, err;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/ksm_engine.ko", name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

int module_unload(void)
{
	return syscall(SYS_delete_module, "ksm_engine", O_NONBLOCK) ? -errno : 0;
}
