// SPDX-License-Identifier: GPL-2.0
/* The task iterator: every process with KSM state out of one read() stream. */
#include "lib/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/util.h"

#include "iter.skel.h"

struct ksm_proc_iter {
	struct iter_bpf *skel;
	struct bpf_link *link;
};

_Static_assert(sizeof(struct ksm_proc_row) == 56, "as struct proc_record of bpf/iter.bpf.c");

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

int ksm_proc_iter_open(struct ksm_proc_iter **iter, char *err, size_t err_size)
{
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	struct ksm_proc_iter *it = calloc(1, sizeof(*it));
	int ret = -ENOMEM;

	if (!it)
		goto out;
	it->skel = iter_bpf__open_and_load();
	ret = it->skel ? 0 : -errno;
	if (!ret) {
		it->link = bpf_program__attach_iter(it->skel->progs.ksm_tasks, NULL);
		ret = it->link ? 0 : -errno;
	}
out:
	libbpf_set_print(before);
	if (ret) {
		ksm_proc_iter_close(it);
		snprintf(err, err_size, "BPF task iterator: %s",
			 ret == -EPERM && geteuid() ? "needs root (CAP_BPF and CAP_PERFMON)" :
						      strerror(-ret));
		return ret;
	}
	*iter = it;
	return 0;
}

void ksm_proc_iter_close(struct ksm_proc_iter *it)
{
	if (!it)
		return;
	bpf_link__destroy(it->link);
	iter_bpf__destroy(it->skel);
	free(it);
}

int ksm_proc_iter_read(struct ksm_proc_iter *it, ksm_proc_fn fn, void *ctx)
{
	struct ksm_proc_row rows[64];
	size_t have = 0, at;
	ssize_t got;
	int fd, ret = 0;

	fd = bpf_iter_create(bpf_link__fd(it->link));
	if (fd < 0)
		return -errno;
	while (!ret) {
		got = read(fd, (char *)rows + have, sizeof(rows) - have);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			ret = -errno;
		if (got <= 0)
			break;
		have += got;
		for (at = 0; !ret && at + 1 <= have / sizeof(*rows); at++) {
			rows[at].comm[sizeof(rows[at].comm) - 1] = 0;
			ret = fn(ctx, &rows[at]);
		}
		have -= at * sizeof(*rows);
		memmove(rows, rows + at, have);
	}
	close(fd);
	return ret;
}
