// SPDX-License-Identifier: GPL-2.0
/*
 * Making and removing files of our own: units, state, metrics. What others have is written by io.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/util.h"

/* Room for what is put behind a path while it is being written. */
#define TEMPORARY PATH_MAX

static int full_path(const struct ksm_io *io, const char *path, char *buf)
{
	int len = snprintf(buf, PATH_MAX, "%s%s", io->root, path);

	return len < 0 || len >= PATH_MAX - 8 ? -ENAMETOOLONG : 0;
}

/* The directories above @full, made where they are missing. */
static int make_directories(char *full)
{
	for (char *c = strchr(full + 1, '/'); c; c = strchr(c + 1, '/')) {
		int ret;

		*c = '\0';
		ret = mkdir(full, 0755) && errno != EEXIST ? -errno : 0;
		*c = '/';
		if (ret)
			return ret;
	}
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int ksm_io_replace(const struct ksm_io *io, const char *path, const char *text, size_t len)
{
	char full[PATH_MAX], temporary[TEMPORARY];
	int ret = full_path(io, path, full), fd;

	if (!ret)
		ret = make_directories(full);
	if (ret)
		return ret;
	/* a name that no reader of the directory takes for one of its files */
	snprintf(temporary, sizeof(temporary), "%.*s.XXXXXX", PATH_MAX - 8, full);
	fd = mkstemp(temporary);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, len);
	if (!ret && (fchmod(fd, 0644) || fsync(fd)))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, full))
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}

int ksm_io_link(const struct ksm_io *io, const char *path, const char *target)
{
	char full[PATH_MAX];
	int ret = full_path(io, path, full);

	if (!ret)
		ret = make_directories(full);
	if (ret)
		return ret;
	if (!symlink(target, full))
		return 0;
	if (errno != EEXIST || unlink(full) || symlink(target, full))
		return -errno;
	return 0;
}

int ksm_io_remove(const struct ksm_io *io, const char *path)
{
	char full[PATH_MAX];
	int ret = full_path(io, path, full);

	if (ret)
		return ret;
	return unlink(full) ? -errno : 0;
}
