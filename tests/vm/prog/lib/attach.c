// SPDX-License-Identifier: GPL-2.0
/* The engine's device, raw: the tests' own way to it, not the tools' library. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib.h"

int attach_device(void)
{
	int fd = open(KSM_ABI_DEV, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", KSM_ABI_DEV, strerror(errno));
	return fd;
}

int attach_raw(int device, struct ksm_abi_attach *arg)
{
	return ioctl(device, KSM_ABI_ATTACH_IOCTL, arg) ? -errno : 0;
}

int attach_call(int device, unsigned int op, int pidfd, struct ksm_abi_attach *result)
{
	struct ksm_abi_attach mine;

	if (!result)
		result = &mine;
	*result = (struct ksm_abi_attach){ .op = op, .pidfd = pidfd };
	return attach_raw(device, result);
}

int attach_pid(int device, unsigned int op, pid_t pid, struct ksm_abi_attach *result)
{
	int pidfd = pidfd_open(pid, 0), err;

	if (pidfd < 0) {
		/* EINVAL is what the number of a process that is just being reaped gives, too. */
		err = -errno;
		return err == -EINVAL && kill(pid, 0) && errno == ESRCH ? -ESRCH : err;
	}
	err = attach_call(device, op, pidfd, result);
	close(pidfd);
	return err;
}

int attach_find(int device, pid_t pid, struct ksm_abi_attached *entry)
{
	struct ksm_abi_attached all[64];
	struct ksm_abi_attach arg = { .op = KSM_ABI_ATTACH_LIST,
				      .entry = sizeof(all[0]),
				      .buffer = (uintptr_t)all,
				      .count = 64 };

	if (attach_raw(device, &arg))
		die("listing what is attached: %s", strerror(errno));
	for (size_t i = 0; i < arg.count && i < 64; i++) {
		if ((pid_t)all[i].pid != pid)
			continue;
		if (entry)
			*entry = all[i];
		return 1;
	}
	return 0;
}
