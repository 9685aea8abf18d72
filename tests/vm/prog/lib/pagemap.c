// SPDX-License-Identifier: GPL-2.0
/* Which frame is behind a page: the witness that no engine can talk to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

#define ENTRY_PRESENT (1ULL << 63)
#define ENTRY_SWAPPED (1ULL << 62)
#define ENTRY_PFN ((1ULL << 55) - 1)

bool entry_present(uint64_t entry)
{
	return entry & ENTRY_PRESENT;
}

bool entry_swapped(uint64_t entry)
{
	return entry & ENTRY_SWAPPED;
}

uint64_t entry_pfn(uint64_t entry)
{
	return entry_present(entry) ? entry & ENTRY_PFN : 0;
}

int pagemap_read(pid_t pid, uintptr_t addr, size_t nr, uint64_t *entries)
{
	char path[64];
	char *to = (char *)entries;
	size_t left = nr * sizeof(*entries);
	off_t at = addr / page_size() * sizeof(*entries);
	ssize_t got = 0;
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (; left; left -= got, at += got, to += got) {
		got = pread(fd, to, left, at);
		if (got <= 0) {
			err = got ? -errno : -ESRCH;
			break;
		}
	}
	close(fd);
	return err;
}

uint64_t own_pfn(const void *addr)
{
	static int fd = -1;
	static pid_t owner;
	uint64_t entry;

	/* /proc/self is the opener's, so a forked child opens its own. */
	if (owner != getpid()) {
		if (fd >= 0)
			close(fd);
		fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		owner = getpid();
	}
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)addr / page_size() * sizeof(entry)) !=
	    sizeof(entry))
		die("/proc/self/pagemap: %s", strerror(errno));
	if (entry_present(entry) && !entry_pfn(entry))
		die("/proc/self/pagemap shows no frames: run as root");
	return entry_pfn(entry);
}

void each_marked(pid_t pid, void (*fn)(void *arg, uintptr_t from, uintptr_t to), void *arg)
{
	unsigned long from = 0, to = 0, a, b;
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "r");
	if (!f)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			from = a;
			to = b;
		} else if (!strncmp(line, "VmFlags:", 8) && strstr(line, " mg")) {
			fn(arg, from, to);
		}
	}
	fclose(f);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void frames_count(uint64_t *entries, size_t nr, struct frames *out)
{
	size_t run;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < nr; i++) {
		out->swapped += entry_swapped(entries[i]);
		entries[i] = entry_pfn(entries[i]);
	}
	qsort(entries, nr, sizeof(*entries), by_value);
	for (size_t i = 0; i < nr; i += run) {
		for (run = 1; i + run < nr && entries[i + run] == entries[i]; run++)
			;
		if (!entries[i])
			continue;
		out->mapped += run;
		out->distinct++;
		out->sharing += run > 1 ? run : 0;
		out->largest = run > out->largest ? run : out->largest;
	}
}

uint64_t frame_flags(uint64_t pfn)
{
	uint64_t flags = 0;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &flags, sizeof(flags), pfn * sizeof(flags)) != sizeof(flags))
		die("/proc/kpageflags: %s", strerror(errno));
	close(fd);
	return flags;
}

size_t frames_flagged(uint64_t mask, uint64_t want, uint64_t *example)
{
	uint64_t flags[4096];
	size_t count = 0;
	ssize_t got;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/kpageflags: %s", strerror(errno));
	while ((got = read(fd, flags, sizeof(flags))) > 0) {
		for (size_t i = 0; i < got / sizeof(flags[0]); i++) {
			if ((flags[i] & mask) != want)
				continue;
			count++;
			if (example)
				*example = flags[i];
		}
	}
	close(fd);
	if (got < 0)
		die("/proc/kpageflags: %s", strerror(errno));
	return count;
}

long pss_kib(pid_t pid)
{
	char path[64], line[128];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "r");
	if (!f)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Pss: %ld kB", &kib) == 1)
			break;
	}
	fclose(f);
	if (kib < 0)
		die("%s has no Pss line", path);
	return kib;
}
