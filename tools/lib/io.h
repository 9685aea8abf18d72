/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only code that opens files of sysfs and /proc.
 *
 * Everything above it says which file it wants as an absolute path; a root put before the path
 * turns a directory tree into a machine, which is how the tools are tested.
 */
#ifndef KSMKIT_IO_H
#define KSMKIT_IO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Environment variable with a root for all of a tool's reads and writes. */
#define KSM_IO_ROOT_ENV "KSMKIT_ROOT"

/**
 * struct ksm_io - where files are found, and how they are written
 * @root: put before every path, "" for the machine itself
 * @write: replaces the plain write when not NULL (the fake backend, tests); same contract as
 *	ksm_io_write()
 * @ctx: for @write
 */
struct ksm_io {
	char root[PATH_MAX];
	int (*write)(const struct ksm_io *io, const char *path, const char *text);
	void *ctx;
};

/**
 * ksm_io_init() - choose the root
 * @io: to fill
 * @root: a directory, or NULL for $KSMKIT_ROOT, which defaults to the machine
 *
 * Return: 0, -ENAMETOOLONG.
 */
int ksm_io_init(struct ksm_io *io, const char *root);

/**
 * ksm_io_read() - read a whole small file
 * @io: where
 * @path: absolute path below the root
 * @buf: receives the contents, always terminated
 * @size: of @buf
 *
 * Return: bytes read; negative errno; -EFBIG when the file does not fit into @size - 1 bytes.
 */
ssize_t ksm_io_read(const struct ksm_io *io, const char *path, char *buf, size_t size);

/**
 * ksm_io_write() - replace the contents of an existing file by one write(2)
 * @io: where
 * @path: absolute path below the root
 * @text: the new contents; a newline is added
 *
 * Never creates a file. Return: 0, or negative errno as the kernel answered.
 */
int ksm_io_write(const struct ksm_io *io, const char *path, const char *text);

/**
 * ksm_io_write_plain() - ksm_io_write() ignoring io->write, for those who replace it
 */
int ksm_io_write_plain(const struct ksm_io *io, const char *path, const char *text);

/**
 * ksm_io_exists() - is there such a file or directory?
 */
bool ksm_io_exists(const struct ksm_io *io, const char *path);

/**
 * ksm_io_writable() - may we open it for writing?
 *
 * Return: 0, or negative errno (-EACCES, -EROFS, -ENOENT).
 */
int ksm_io_writable(const struct ksm_io *io, const char *path);

/**
 * ksm_io_open() - for files that are read piece by piece (a page map)
 * @flags: of open(2)
 *
 * Return: a file descriptor, which the caller closes; negative errno.
 */
int ksm_io_open(const struct ksm_io *io, const char *path, int flags);

/**
 * ksm_io_each_line() - call a function for every line of a file of any length
 * @fn: gets the line without newline; a non-zero return ends the walk
 *
 * Lines longer than the buffer of 4 KiB arrive in pieces. Return: 0, what @fn returned, or
 * negative errno.
 */
int ksm_io_each_line(const struct ksm_io *io, const char *path,
		     int (*fn)(const char *line, void *ctx), void *ctx);

/**
 * ksm_io_each_pid() - call a function for every process in /proc
 * @fn: a non-zero return ends the walk
 *
 * Return: 0, what @fn returned, or negative errno when /proc cannot be listed.
 */
int ksm_io_each_pid(const struct ksm_io *io, int (*fn)(pid_t pid, void *ctx), void *ctx);

/**
 * ksm_io_replace() - put a whole file in place at once: a reader sees the old one or the new one
 * @io: where
 * @path: absolute path below the root; missing directories are made
 * @text: the contents, as they are
 * @len: bytes of it
 *
 * Mode 0644. Return: 0 or negative errno, the old file being untouched.
 */
int ksm_io_replace(const struct ksm_io *io, const char *path, const char *text, size_t len);

/**
 * ksm_io_link() - make or replace a symbolic link
 * @target: as it is written into the link
 */
int ksm_io_link(const struct ksm_io *io, const char *path, const char *target);

/**
 * ksm_io_remove() - remove a file
 *
 * Return: 0; -ENOENT when there was none; negative errno.
 */
int ksm_io_remove(const struct ksm_io *io, const char *path);

#endif /* KSMKIT_IO_H */
