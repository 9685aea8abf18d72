// SPDX-License-Identifier: GPL-2.0
#include "lib/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"

int ksm_io_init(struct ksm_io *io, const char *root)
{
	size_t len;

	memset(io, 0, sizeof(*io));
	if (!root)
		root = getenv(KSM_IO_ROOT_ENV);
	if (!root)
		return 0;
	if (!ksm_copy(io->root, sizeof(io->root), root))
		return -ENAMETOOLONG;
	/* "/tree/" + "/proc": one slash is enough, and "/" is the machine itself */
	for (len = strlen(io->root); len && io->root[len - 1] == '/'; len--)
		io->root[len - 1] = '\0';
	return 0;
}

static int full_path(const struct ksm_io *io, const char *path, char *buf)
{
	int len = snprintf(buf, PATH_MAX, "%s%s", io->root, path);

	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int ksm_io_open(const struct ksm_io *io, const char *path, int flags)
{
	char full[PATH_MAX];
	int fd, ret = full_path(io, path, full);

	if (ret)
		return ret;
	do {
		fd = open(full, flags | O_CLOEXEC | O_NOCTTY);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

ssize_t ksm_io_read(const struct ksm_io *io, const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n = 0;
	int fd = ksm_io_open(io, path, O_RDONLY);

	buf[0] = '\0';
	if (fd < 0)
		return fd;
	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
	}
	n = n < 0 ? -errno : 0;
	close(fd);
	if (!n && len == size)
		n = -EFBIG;
	buf[n ? 0 : len] = '\0';
	return n ? n : (ssize_t)len;
}

int ksm_io_write_plain(const struct ksm_io *io, const char *path, const char *text)
{
	char line[256];
	int len = snprintf(line, sizeof(line), "%s\n", text);
	int fd, ret = 0;
	ssize_t n;

	if (len < 0 || (size_t)len >= sizeof(line))
		return -EFBIG;
	fd = ksm_io_open(io, path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return fd;
	/* One write: sysfs takes each write as a whole value. A signal is reported, not retried:
	 * a long unmerge has to be stoppable.
	 */
	n = write(fd, line, len);
	if (n != len)
		ret = n < 0 ? -errno : -EIO;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int ksm_io_write(const struct ksm_io *io, const char *path, const char *text)
{
	return io->write ? io->write(io, path, text) : ksm_io_write_plain(io, path, text);
}

bool ksm_io_exists(const struct ksm_io *io, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	return !full_path(io, path, full) && !stat(full, &st);
}

int ksm_io_writable(const struct ksm_io *io, const char *path)
{
	char full[PATH_MAX];
	int ret = full_path(io, path, full);

	if (ret)
		return ret;
	return faccessat(AT_FDCWD, full, W_OK, AT_EACCESS) ? -errno : 0;
}

int ksm_io_each_line(const struct ksm_io *io, const char *path,
		     int (*fn)(const char *line, void *ctx), void *ctx)
{
	char line[4096];
	int ret = 0, fd = ksm_io_open(io, path, O_RDONLY);
	FILE *file;

	if (fd < 0)
		return fd;
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	errno = 0;
	while (!ret && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		ret = fn(line, ctx);
	}
	if (!ret && ferror(file))
		ret = errno ? -errno : -EIO;
	fclose(file);
	return ret;
}

int ksm_io_each_pid(const struct ksm_io *io, int (*fn)(pid_t pid, void *ctx), void *ctx)
{
	int ret = 0, fd = ksm_io_open(io, "/proc", O_RDONLY | O_DIRECTORY);
	struct dirent *entry;
	uint64_t pid;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!ret) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			ret = -errno;
			break;
		}
		if (!ksm_parse_u64(entry->d_name, &pid) && pid && pid <= INT32_MAX)
			ret = fn((pid_t)pid, ctx);
	}
	closedir(dir);
	return ret;
}
