// SPDX-License-Identifier: GPL-2.0
/*
 * Every process with KSM state: rows that one program fills in one go, or, where the kernel has no
 * such walk or there are too many, the task iterator's read() stream.
 */
#include "lib/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/util.h"

#include "iter.skel.h"

/**
 * struct ksm_proc_iter - see stream.h
 * @link: attached for passes over all processes
 * @vmas: the program for one process's mappings is loaded
 * @rows: what a walk fills, NULL where there is none; @rows_size bytes
 * @no_walk: passes that the iterator makes, there being too many processes for a walk
 * @names_every: passes in which each process's names are read once
 * @turn: counts them
 * @last_pass: when it began, 0 before the first
 * @merge_any: what ksm_proc_iter_merge_any() found out, when @merge_any_known
 */
struct ksm_proc_iter {
	struct iter_bpf *skel;
	struct bpf_link *link;
	bool vmas;
	const struct ksm_proc_row *rows;
	size_t rows_size;
	unsigned int no_walk;
	uint32_t names_every, turn;
	uint64_t last_pass;
	bool merge_any_known;
	uint64_t merge_any;
};

_Static_assert(sizeof(struct ksm_proc_row) == 80, "as struct proc_record of bpf/iter.bpf.c");

/* As much as the kernel gives in one go. */
#define READ_ROWS 512
/* As in bpf/iter.bpf.c. */
#define WALK_ROWS 8192
#define NO_WALK 64 /* passes until another one is tried */
/* A process may have been on its way for so long before it was to be seen. */
#define STARTING_NS UINT64_C(1000000000)

/* Of the namespace that has all processes, on every kernel. */
#define ROOT_PIDS_INO 0xeffffffc

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/*
 * A walk sees the processes of all namespaces, the iterator those of the reader's only. Whether the
 * kernel has it is found out by loading it: a look into its types would cost as much.
 */
static bool may_walk(void)
{
	struct stat pids;

	return !stat("/proc/self/ns/pid", &pids) && pids.st_ino == ROOT_PIDS_INO;
}

/* A kernel that does not take the other programs still has the first. */
static int load(struct ksm_proc_iter *it, bool vmas, bool walk)
{
	int ret;

	it->vmas = vmas;
	it->skel = iter_bpf__open();
	if (!it->skel)
		return -errno;
	bpf_program__set_autoload(it->skel->progs.ksm_vmas, vmas);
	bpf_program__set_autoload(it->skel->progs.ksm_walk, walk);
	bpf_map__set_autocreate(it->skel->maps.walk, walk);
	ret = iter_bpf__load(it->skel);
	if (!ret)
		return 0;
	iter_bpf__destroy(it->skel);
	it->skel = NULL;
	return ret;
}

/* Without the rows there is no walk: nothing to complain about. */
static void map_rows(struct ksm_proc_iter *it)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (WALK_ROWS * sizeof(*it->rows) + page - 1) / page * page;
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(it->skel->maps.walk), 0);

	if (at == MAP_FAILED)
		return;
	it->rows = at;
	it->rows_size = size;
}

int ksm_proc_iter_open(struct ksm_proc_iter **iter, char *err, size_t err_size)
{
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	struct ksm_proc_iter *it = calloc(1, sizeof(*it));
	int ret = -ENOMEM;

	if (!it)
		goto out;
	ret = may_walk() ? load(it, true, true) : -ENOTSUP;
	if (!ret)
		map_rows(it);
	if (ret && ret != -EPERM)
		ret = load(it, true, false);
	if (ret && ret != -EPERM)
		ret = load(it, false, false);
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
	if (it->rows)
		munmap((void *)it->rows, it->rows_size);
	bpf_link__destroy(it->link);
	iter_bpf__destroy(it->skel);
	free(it);
}

/* Return: false when it cannot, or did not get to the last of them. */
static bool walk(struct ksm_proc_iter *it, ksm_proc_fn fn, void *ctx, int *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	uint32_t count;

	if (!it->rows || (it->no_walk && it->no_walk--))
		return false;
	*ret = bpf_prog_test_run_opts(bpf_program__fd(it->skel->progs.ksm_walk), &run);
	count = it->skel->bss->walk_count;
	if (*ret || run.retval || count == WALK_ROWS) {
		it->no_walk = NO_WALK;
		return false;
	}
	for (uint32_t i = 0; !*ret && i < count; i++)
		*ret = fn(ctx, &it->rows[i]);
	return true;
}

static int read_all(struct ksm_proc_iter *it, ksm_proc_fn fn, void *ctx)
{
	struct ksm_proc_row rows[READ_ROWS];
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
		for (at = 0; !ret && at + 1 <= have / sizeof(*rows); at++)
			ret = fn(ctx, &rows[at]);
		have -= at * sizeof(*rows);
		memmove(rows, rows + at, have);
	}
	close(fd);
	return ret;
}

static void choose_names(struct ksm_proc_iter *it)
{
	uint32_t mask = it->names_every ? it->names_every - 1 : 0;
	struct iter_bpf__bss *bss = it->skel->bss;

	bss->named_mask = bss->want_all ? mask : 0;
	bss->named_turn = it->turn++ & bss->named_mask;
	bss->named_since = it->last_pass > STARTING_NS ? it->last_pass - STARTING_NS : 0;
	it->last_pass = ksm_monotonic_ns();
}

int ksm_proc_iter_read(struct ksm_proc_iter *it, ksm_proc_fn fn, void *ctx)
{
	int ret;

	choose_names(it);
	return walk(it, fn, ctx, &ret) ? ret : read_all(it, fn, ctx);
}

void ksm_proc_iter_all(struct ksm_proc_iter *it, bool all)
{
	if (it->skel->bss->want_all != all)
		it->last_pass = 0;
	it->skel->bss->want_all = all;
}

void ksm_proc_iter_names(struct ksm_proc_iter *it, unsigned int every)
{
	it->names_every = every;
}

struct find_flags {
	uint32_t tgid;
	uint64_t flags;
	bool found;
};

static int on_find(void *ctx, const struct ksm_proc_row *row)
{
	struct find_flags *find = ctx;

	if (row->tgid != find->tgid)
		return 0;
	find->flags = row->mm_flags;
	find->found = true;
	return 1;
}

/* The flags of a child's address space; it lives as long as we look. */
static bool child_flags(struct ksm_proc_iter *it, bool merge_any, uint64_t *flags)
{
	struct find_flags find = { 0 };
	bool all = it->skel->bss->want_all;
	int ready[2], go[2];
	char c = 0;
	pid_t pid;

	if (pipe(ready))
		return false;
	if (pipe(go)) {
		close(ready[0]);
		close(ready[1]);
		return false;
	}
	pid = fork();
	if (!pid) {
		close(go[1]);
		c = !merge_any || !prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
		if (write(ready[1], &c, 1) == 1 && read(go[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	close(go[0]);
	if (pid > 0 && read(ready[0], &c, 1) == 1 && c) {
		find.tgid = pid;
		ksm_proc_iter_all(it, true);
		ksm_proc_iter_read(it, on_find, &find);
		ksm_proc_iter_all(it, all);
	}
	close(go[1]);
	close(ready[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	*flags = find.flags;
	return find.found;
}

uint64_t ksm_proc_iter_merge_any(struct ksm_proc_iter *it)
{
	uint64_t without, with;

	if (it->merge_any_known)
		return it->merge_any;
	it->merge_any_known = true;
	if (child_flags(it, false, &without) && child_flags(it, true, &with))
		it->merge_any = with & ~without & ~KSM_MM_MERGEABLE;
	return it->merge_any;
}

int ksm_proc_iter_mergeable(struct ksm_proc_iter *it, uint32_t tgid, uint64_t *bytes)
{
	union bpf_iter_link_info info = { .task.tid = tgid };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link;
	char nothing[64];
	ssize_t got;
	int fd;

	if (!it->vmas)
		return -ENOTSUP;
	link = bpf_program__attach_iter(it->skel->progs.ksm_vmas, &opts);
	if (!link)
		return -errno;
	it->skel->bss->mergeable_bytes = 0;
	fd = bpf_iter_create(bpf_link__fd(link));
	got = fd < 0 ? -1 : 0;
	while (fd >= 0) {
		got = read(fd, nothing, sizeof(nothing));
		if (!got || (got < 0 && errno != EINTR && errno != EAGAIN))
			break;
	}
	got = got < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	*bytes = it->skel->bss->mergeable_bytes;
	return (int)got;
}

static uint64_t run_ns(const struct bpf_program *prog)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_program__fd(prog) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size))
		return 0;
	return info.run_time_ns;
}

uint64_t ksm_proc_iter_run_ns(const struct ksm_proc_iter *it)
{
	return run_ns(it->skel->progs.ksm_tasks) + run_ns(it->skel->progs.ksm_walk) +
	       run_ns(it->skel->progs.ksm_vmas);
}
