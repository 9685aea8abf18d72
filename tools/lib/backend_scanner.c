// SPDX-License-Identifier: GPL-2.0
/*
 * The scanner's kernel thread: which it is and how much CPU it used.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/backend.h"

/* Parent of every kernel thread: a program of the same name is not taken for the scanner. */
#define KTHREADD_PID 2

static bool is_scanner(const struct ksm_backend *b, pid_t pid)
{
	char path[64], text[512], *open, *close;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (ksm_io_read(&b->io, path, text, sizeof(text)) < 0)
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')'); /* a comm may hold brackets itself */
	if (!open || !close || close < open)
		return false;
	*close = '\0';
	return !strcmp(open + 1, b->thread) && sscanf(close + 1, " %*c %d", &parent) == 1 &&
	       parent == KTHREADD_PID;
}

static int try_pid(pid_t pid, void *ctx)
{
	struct ksm_backend *b = ctx;

	if (!is_scanner(b, pid))
		return 0;
	b->scanner_pid = pid;
	return 1;
}

static int find_scanner(struct ksm_backend *b)
{
	int ret;

	if (b->scanner_pid && is_scanner(b, b->scanner_pid))
		return 0;
	b->scanner_pid = 0;
	ret = ksm_io_each_pid(&b->io, try_pid, b);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ESRCH;
}

int ksm_scanner_read(struct ksm_backend *b, struct ksm_scanner *s)
{
	char path[64], text[128];
	ssize_t len;
	int ret;

	memset(s, 0, sizeof(*s));
	ret = find_scanner(b);
	if (ret)
		return ret;
	s->pid = b->scanner_pid;
	s->time = ksm_monotonic_ns();
	snprintf(path, sizeof(path), "/proc/%d/schedstat", s->pid);
	len = ksm_io_read(&b->io, path, text, sizeof(text));
	if (len < 0)
		return (int)len;
	if (sscanf(text, "%" SCNu64 " %" SCNu64, &s->runtime, &s->waited) != 2)
		return -EPROTO;
	return 0;
}
