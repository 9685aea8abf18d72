// SPDX-License-Identifier: GPL-2.0
#include "lib/attach.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* A hexadecimal or decimal number of /proc/self/status, 0 when there is none. */
static uint64_t own_status(const struct ksm_io *io, const char *key, int base)
{
	char text[4096];
	const char *line;

	if (ksm_io_read(io, "/proc/self/status", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, key);
	return line ? strtoull(line + strlen(key), NULL, base) : 0;
}

bool ksm_seccomp_filtered(const struct ksm_io *io)
{
	return own_status(io, "\nSeccomp:", 10) == 2;
}

bool ksm_has_capability(const struct ksm_io *io, unsigned int number)
{
	return own_status(io, "\nCapEff:", 16) >> number & 1;
}

int ksm_attach_open(const struct ksm_io *io, struct ksm_error *err)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s" KSM_ABI_DEV, io->root) >= (int)sizeof(path))
		return ksm_error_set(err, -ENAMETOOLONG, "%.64s...: name too long", io->root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return ksm_error_set(err, -errno,
				     "the engine is not loaded (no " KSM_ABI_DEV
				     "): modprobe ksm_engine; it may stay idle");
	case EPERM:
	case ENOSYS:
		if (ksm_seccomp_filtered(io))
			return ksm_error_set(err, -errno,
					     KSM_ABI_DEV ": refused by this session's seccomp "
					     "filter: run it outside of the sandbox");
		/* fall through */
	case EACCES:
		return ksm_error_set(err, -errno, KSM_ABI_DEV ": %s: run as root", strerror(errno));
	default:
		return ksm_error_set(err, -errno, KSM_ABI_DEV ": %s", strerror(errno));
	}
}

int ksm_attach_pidfd(const struct ksm_io *io, const struct ksm_selection *selection, pid_t pid)
{
	int fd = pidfd_open(pid, 0);

	if (fd < 0 && errno == EINVAL)
		/* A thread, or a process that is just being reaped. */
		return kill(pid, 0) && errno == ESRCH ? -ESRCH : -ENXIO;
	if (fd < 0)
		return -errno;
	/* If the process lives after it was looked at, it was the one that was looked at. */
	if (!ksm_select_matches(io, selection, pid) ||
	    (pidfd_send_signal(fd, 0, NULL, 0) && errno == ESRCH)) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}

int ksm_attach_call(int fd, unsigned int op, int pidfd, struct ksm_abi_attach *result)
{
	*result = (struct ksm_abi_attach){ .op = op, .pidfd = pidfd };
	return ioctl(fd, KSM_ABI_ATTACH_IOCTL, result) ? -errno : 0;
}

int ksm_attach_list(int fd, struct ksm_abi_attached **rows, size_t *count)
{
	struct ksm_abi_attach arg = { 0 };
	uint64_t room = 64;

	*rows = NULL;
	*count = 0;
	for (;;) {
		struct ksm_abi_attached *more = reallocarray(*rows, room, sizeof(**rows));

		if (!more)
			break;
		*rows = more;
		arg = (struct ksm_abi_attach){ .op = KSM_ABI_ATTACH_LIST,
					       .entry = sizeof(**rows),
					       .buffer = (uintptr_t)*rows,
					       .count = room };
		if (ioctl(fd, KSM_ABI_ATTACH_IOCTL, &arg))
			break;
		if (arg.count <= room) {
			*count = arg.count;
			return 0;
		}
		room = arg.count + 64;
		errno = ENOMEM;
	}
	free(*rows);
	*rows = NULL;
	return -errno;
}

char *ksm_attach_reason(const struct ksm_io *io, int code, char *buf, size_t size)
{
	const char *text = strerror(-code);

	switch (-code) {
	case EPERM:
	case ENOSYS:
		if (!ksm_has_capability(io, CAP_SYS_ADMIN))
			text = "needs CAP_SYS_ADMIN: run as root";
		else if (ksm_seccomp_filtered(io))
			text = "refused by this session's seccomp filter: run it outside of the "
			       "sandbox";
		break;
	case EACCES:
		text = "may not be traced by you (CAP_SYS_PTRACE, Yama or a security module)";
		break;
	case ESRCH:
		text = "has ended";
		break;
	case ENXIO:
		text = "is a thread: name its process";
		break;
	case EOPNOTSUPP:
		text = "is a kernel thread, which has no memory to merge";
		break;
	case ENOENT:
		text = "is not attached";
		break;
	case ENOTTY:
	case EINVAL:
	case E2BIG:
		text = "the loaded engine is of another version: load the one that belongs to "
		       "this program";
		break;
	case ENOMEM:
		text = "out of memory";
		break;
	case EINTR:
		text = "interrupted";
		break;
	}
	snprintf(buf, size, "%s", text);
	return buf;
}
