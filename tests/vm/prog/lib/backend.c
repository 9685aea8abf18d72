// SPDX-License-Identifier: GPL-2.0
/* The files of a KSM: the kernel's own, or the engine's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib.h"

const struct backend backends[2] = {
	[BACKEND_KERNEL] = { .name = "kernel", .dir = KSM_ABI_KERNEL_DIR },
	[BACKEND_ENGINE] = { .name = "engine", .dir = KSM_ABI_ENGINE_DIR },
};

const struct backend *backend_find(const char *name)
{
	for (size_t i = 0; i < 2; i++) {
		if (!strcmp(backends[i].name, name))
			return &backends[i];
	}
	return NULL;
}

long long ksm_try_read(const struct backend *b, const char *file)
{
	char path[256], text[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", b->dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	if (len < 0)
		return len;
	text[len] = '\0';
	return strtoll(text, NULL, 10);
}

long long ksm_read(const struct backend *b, const char *file)
{
	long long value = ksm_try_read(b, file);

	if (value < 0)
		die("%s/%s: %s", b->dir, file, strerror(-value));
	return value;
}

int ksm_write_text(const struct backend *b, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", b->dir, file);
	return write_file(path, text);
}

int ksm_write(const struct backend *b, const char *file, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	return ksm_write_text(b, file, text);
}

static void must_write(const struct backend *b, const char *file, long long value)
{
	int err = ksm_write(b, file, value);

	if (err)
		die("writing %lld to %s/%s: %s", value, b->dir, file, strerror(-err));
}

void ksm_full_speed(const struct backend *b)
{
	int err;

	must_write(b, "sleep_millisecs", 0);
	must_write(b, "pages_to_scan", 4096);
	/* Leaves pages out of passes, so that no number of passes would mean "at rest". */
	err = ksm_write(b, "smart_scan", 0);
	if (err && err != -ENOENT)
		die("%s/smart_scan: %s", b->dir, strerror(-err));
	/* As well: samples do not see each change in each pass. In-tree KSM takes none. */
	err = ksm_write(b, "full_hash_passes", 1);
	if (err && err != -ENOENT)
		die("%s/full_hash_passes: %s", b->dir, strerror(-err));
	err = ksm_write(b, "backoff_passes", 0);
	if (err && err != -ENOENT)
		die("%s/backoff_passes: %s", b->dir, strerror(-err));
	/* Else what there is to merge in huge pages might be too little, by design. */
	err = ksm_write(b, "thp_min_partners", 1);
	if (err && err != -ENOENT)
		die("%s/thp_min_partners: %s", b->dir, strerror(-err));
	must_write(b, "run", KSM_RUN_MERGE);
}

void ksm_clear(const struct backend *b)
{
	must_write(b, "run", KSM_RUN_UNMERGE);
	must_write(b, "run", KSM_RUN_STOP);
}

struct passes {
	const struct backend *b;
	long long until;
};

static bool passes_done(void *arg)
{
	struct passes *p = arg;

	return ksm_read(p->b, "full_scans") >= p->until;
}

void ksm_wait_passes(const struct backend *b, int n)
{
	/* The pass under way began before the caller's change: it does not count. */
	struct passes p = { .b = b, .until = ksm_read(b, "full_scans") + n + 1 };

	if (!wait_for(opt.timeout, passes_done, &p))
		die("%s: full_scans is %lld after %.0f s, %lld expected", b->name,
		    ksm_read(b, "full_scans"), opt.timeout, p.until);
}

long long ksm_items(const struct backend *b)
{
	return ksm_read(b, "pages_shared") + ksm_read(b, "pages_sharing");
}

struct items {
	const struct backend *b;
	long long want;
};

static bool items_reached(void *arg)
{
	struct items *i = arg;

	return ksm_items(i->b) == i->want;
}

void ksm_wait_items(const struct backend *b, long long want, const char *what)
{
	struct items i = { .b = b, .want = want };

	if (!wait_for(opt.timeout, items_reached, &i))
		die("%s: pages_shared + pages_sharing stays %lld, %lld pages are merged", what,
		    ksm_items(b), want);
}
