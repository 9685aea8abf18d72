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

/* 6.12 calls every anonymous page a KSM page in /proc/kpageflags. */
static bool ksm_flag_tells(void)
{
	struct pages p;
	bool tells;

	pages_map(&p, 1, opt.seed);
	page_fill(&p, 0, 1);
	tells = !(page_flags(p.mem) & PAGE_KSM);
	pages_unmap(&p);
	return tells;
}

long long sets_on_ksm(struct sets *s)
{
	long long count = 0;

	if (!ksm_flag_tells()) {
		sets_look(s);
		return s->last.sharing;
	}
	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 0; i < s->p[k].nr; i++)
			count += !!(page_flags(page_at(&s->p[k], i)) & PAGE_KSM);
	}
	return count;
}

/*
 * Anonymous memory that nobody maps and that is not in the swap cache: nobody will free it. A frame
 * that was taken out of use keeps its flags.
 */
static size_t frames_lost(uint64_t *example)
{
	return frames_flagged(PAGE_ANON | PAGE_SWAPBACKED | PAGE_MMAP | PAGE_SWAPCACHE | PAGE_SLAB |
				      PAGE_HWPOISON,
			      PAGE_ANON | PAGE_SWAPBACKED, example);
}

static bool none_lost(void *arg)
{
	/* Pages that sit in some CPU's list of what is to go onto the LRU come off it. */
	write_file("/proc/sys/vm/compact_memory", "1");
	return !frames_lost(NULL);
}

void expect_none_lost(const char *when)
{
	uint64_t flags = 0;
	size_t lost;

	if (wait_for(opt.timeout, none_lost, NULL))
		return;
	lost = frames_lost(&flags);
	die("%s: %zu anonymous pages (flags %#llx) are neither mapped nor in the swap cache, "
	    "nor free",
	    when, lost, (unsigned long long)flags);
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

void load_and_merge(struct sets *s, size_t want, const char *when)
{
	int err = module_load();

	if (err)
		die("%s: loading the module: %s", when, strerror(-err));
	ksm_full_speed(opt.backend);
	sets_wait(s, want, when);
	/* Two orphans in common look merged until the scanner gets there. */
	ksm_wait_items(opt.backend, s->nr * want, when);
}
