// SPDX-License-Identifier: GPL-2.0
/*
 * ksm-insmod FILE [PARAMETER...]: ask the kernel once to load a module, and print the word for its
 * answer: "loaded", or an error's name such as EINVAL. busybox asks twice, in two ways.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lib.h"

int main(int argc, char **argv)
{
	char parameters[256] = "";
	size_t len = 0;
	int fd;

	if (argc < 2)
		die("usage: ksm-insmod FILE [PARAMETER...]");
	for (int i = 2; i < argc && len < sizeof(parameters); i++)
		len += snprintf(parameters + len, sizeof(parameters) - len, "%s ", argv[i]);
	if (len >= sizeof(parameters))
		die("too many parameters");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", argv[1], strerror(errno));
	say("%s", syscall(SYS_finit_module, fd, parameters, 0) ? strerrorname_np(errno) : "loaded");
	return 0;
}
