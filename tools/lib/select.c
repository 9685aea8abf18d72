// SPDX-License-Identifier: GPL-2.0
#include "lib/select.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/cgroup.h"

enum { OPT_CGROUP = 0x2000, OPT_MATCH };

static const struct argp_option options[] = {
	{ "pid", 'p', "PID,...", 0, "These processes", 5 },
	{ "cgroup", OPT_CGROUP, "PATH", 0, "The processes of this control group and those below",
	  5 },
	{ "match", OPT_MATCH, "COMM", 0,
	  "The processes whose name (comm) matches this shell pattern", 5 },
	{ "all", 'a', NULL, 0, "All processes", 5 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ksm_selection *s = state->input;

	switch (key) {
	case 'p':
		s->pids = arg;
		return 0;
	case OPT_CGROUP:
		s->cgroup = arg;
		return 0;
	case OPT_MATCH:
		s->match = arg;
		return 0;
	case 'a':
		s->all = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ksm_select_argp = { .options = options, .parser = parse };

struct search {
	const struct ksm_io *io;
	const struct ksm_selection *selection;
	char cgroup[KSM_CGROUP_PATH_MAX];
	struct ksm_selected_list *list;
};

/* Return: false when it is gone or a kernel thread, which has no memory. */
static bool read_process(const struct ksm_io *io, pid_t pid, struct ksm_selected *row)
{
	char path[64], text[4096], *line;
	uint64_t kib;

	*row = (struct ksm_selected){ .pid = pid };
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (ksm_io_read(io, path, text, sizeof(text)) < 0)
		return false;
	ksm_chomp(text);
	ksm_copy(row->comm, sizeof(row->comm), text);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (ksm_io_read(io, path, text, sizeof(text)) < 0)
		return false;
	line = strstr(text, "\nUid:");
	if (!line || sscanf(line, "\nUid: %*u %u", &row->uid) != 1)
		return false;
	line = strstr(text, "\nRssAnon:");
	if (!line || sscanf(line, "\nRssAnon: %" SCNu64, &kib) != 1)
		return false;
	row->anon_bytes = kib * 1024;
	return true;
}

static bool wanted(const struct search *s, const struct ksm_selected *row)
{
	char path[KSM_CGROUP_PATH_MAX];
	size_t len = strlen(s->cgroup);

	if (row->pid == getpid() && !s->io->root[0])
		return false;
	if (s->selection->match)
		return !fnmatch(s->selection->match, row->comm, 0);
	if (!s->selection->cgroup)
		return true;
	if (ksm_cgroup_read(s->io, row->pid, path, sizeof(path)))
		return false;
	return !strncmp(path, s->cgroup, len) && (!path[len] || path[len] == '/');
}

static int add(struct ksm_selected_list *list, const struct ksm_selected *row)
{
	size_t capacity = list->capacity ? list->capacity * 2 : 64;
	struct ksm_selected *rows;

	if (list->count == list->capacity) {
		rows = reallocarray(list->rows, capacity, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		list->rows = rows;
		list->capacity = capacity;
	}
	list->rows[list->count++] = *row;
	return 0;
}

static int look_at(pid_t pid, void *ctx)
{
	struct search *s = ctx;
	struct ksm_selected row;

	return read_process(s->io, pid, &row) && wanted(s, &row) ? add(s->list, &row) : 0;
}

static int by_user(const void *a, const void *b)
{
	const struct ksm_selected *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int add_pid(const struct search *s, const char *word, struct ksm_error *err)
{
	struct ksm_selected row;
	uint64_t pid;

	if (ksm_parse_u64(word, &pid) || !pid || pid > INT32_MAX)
		return ksm_error_usage(err, "--pid: '%.32s' is no process id", word);
	for (size_t i = 0; i < s->list->count; i++)
		if (s->list->rows[i].pid == (pid_t)pid)
			return 0;
	if (!read_process(s->io, (pid_t)pid, &row))
		return ksm_error_set(err, -ESRCH,
				     "no process %" PRIu64 " with memory of its own (ended, or a "
				     "kernel thread)",
				     pid);
	return add(s->list, &row) ? ksm_error_set(err, -ENOMEM, "out of memory") : 0;
}

static int add_pids(const struct search *s, struct ksm_error *err)
{
	char *copy = strdup(s->selection->pids), *rest = copy, *word;
	int ret = copy ? 0 : ksm_error_set(err, -ENOMEM, "out of memory");

	while (!ret && (word = strsep(&rest, ",")))
		ret = add_pid(s, word, err);
	free(copy);
	return ret;
}

/* With the mount point, with and without slashes around: one group; "/" is all of them. */
static void normalize(const char *cgroup, char *to, size_t size)
{
	size_t mount = strlen(KSM_ABI_CGROUP), len;

	if (!strncmp(cgroup, KSM_ABI_CGROUP, mount) && (!cgroup[mount] || cgroup[mount] == '/'))
		cgroup += mount;
	snprintf(to, size, "%s%s", *cgroup && *cgroup != '/' ? "/" : "", cgroup);
	for (len = strlen(to); len && to[len - 1] == '/'; len--)
		to[len - 1] = '\0';
}

static int check_asked(const struct ksm_selection *s, struct ksm_error *err)
{
	int asked = !!s->pids + !!s->cgroup + !!s->match + s->all;

	/* what a script's unset variable leaves must not mean everybody */
	if ((s->cgroup && !*s->cgroup) || (s->match && !*s->match))
		return ksm_error_usage(err, "%s is empty; everybody is --all",
				       s->cgroup ? "--cgroup" : "--match");
	if (asked == 1)
		return 0;
	return ksm_error_usage(err, "%s: name processes by one of --pid, --cgroup, --match, --all",
			       asked ? "too many choices" : "which processes");
}

int ksm_select(const struct ksm_io *io, const struct ksm_selection *selection,
	       struct ksm_selected_list *list, struct ksm_error *err)
{
	struct search s = { .io = io, .selection = selection, .list = list };
	int ret = check_asked(selection, err);

	list->count = 0;
	if (ret)
		return ret;
	if (selection->pids) {
		ret = add_pids(&s, err);
	} else {
		normalize(selection->cgroup ? selection->cgroup : "", s.cgroup, sizeof(s.cgroup));
		ret = ksm_io_each_pid(io, look_at, &s);
		if (ret)
			ret = ksm_error_set(err, ret, "/proc cannot be listed: %s", strerror(-ret));
		else if (!list->count && selection->cgroup)
			ret = ksm_error_set(err, -ESRCH, "no process in control group '%.200s'",
					    selection->cgroup);
		else if (!list->count)
			ret = ksm_error_set(err, -ESRCH, "no process %s%.64s%s",
					    selection->match ? "is called '" : "to be seen",
					    selection->match ? selection->match : "",
					    selection->match ? "'" : "");
	}
	if (!ret)
		qsort(list->rows, list->count, sizeof(*list->rows), by_user);
	return ret;
}

bool ksm_select_matches(const struct ksm_io *io, const struct ksm_selection *selection, pid_t pid)
{
	struct search s = { .io = io, .selection = selection };
	struct ksm_selected row;

	normalize(selection->cgroup ? selection->cgroup : "", s.cgroup, sizeof(s.cgroup));
	return read_process(io, pid, &row) && (selection->pids || wanted(&s, &row));
}

void ksm_selected_free(struct ksm_selected_list *list)
{
	free(list->rows);
	*list = (struct ksm_selected_list){ 0 };
}
