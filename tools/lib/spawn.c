// SPDX-License-Identifier: GPL-2.0
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"

extern char **environ;

static int start(char *const argv[], int to, pid_t *pid)
{
	static const char *const places[] = { "", "/usr/sbin/", "/sbin/" };
	posix_spawn_file_actions_t actions;
	char path[PATH_MAX];
	int ret = ENOENT;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, to, STDERR_FILENO);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(places) && ret == ENOENT; i++) {
		snprintf(path, sizeof(path), "%s%s", places[i], argv[0]);
		ret = posix_spawnp(pid, path, &actions, NULL, argv, environ);
	}
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* All of it, also what does not fit: a full pipe would stop the program. */
static void drain(int fd, char *out, size_t size)
{
	size_t len = 0;
	char chunk[512];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR))
		for (ssize_t i = 0; i < n && len + 1 < size; i++)
			out[len++] = chunk[i];
	if (size)
		out[len] = '\0';
	ksm_chomp(out);
}

int ksm_spawn(char *const argv[], char *out, size_t size)
{
	int pipe_fds[2], ret, status;
	pid_t pid;

	out[0] = '\0';
	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	ret = start(argv, pipe_fds[1], &pid);
	close(pipe_fds[1]);
	if (!ret)
		drain(pipe_fds[0], out, size);
	close(pipe_fds[0]);
	if (ret)
		return ret;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
