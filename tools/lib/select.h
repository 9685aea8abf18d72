/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which processes a command is about: -p PID,...  --cgroup PATH  --match COMM  -a
 */
#ifndef KSMKIT_SELECT_H
#define KSMKIT_SELECT_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/io.h"
#include "lib/util.h"

/**
 * struct ksm_selection - what was asked for; exactly one of them
 * @pids: list of process ids
 * @cgroup: control group, with or without the mount point before it; those below it belong to it
 * @match: shell pattern for the process's name (comm)
 * @all: every process with memory of its own
 */
struct ksm_selection {
	const char *pids;
	const char *cgroup;
	const char *match;
	bool all;
};

/* Options for a command's struct argp, as a child whose input is a struct ksm_selection. */
extern const struct argp ksm_select_argp;

/**
 * struct ksm_selected - one process
 * @pid: process
 * @uid: its effective user
 * @comm: its name
 * @anon_bytes: anonymous memory that it has in RAM
 */
struct ksm_selected {
	pid_t pid;
	uid_t uid;
	char comm[16];
	uint64_t anon_bytes;
};

/**
 * struct ksm_selected_list - the processes, sorted by user, then pid
 */
struct ksm_selected_list {
	struct ksm_selected *rows;
	size_t count;
	size_t capacity;
};

/**
 * ksm_select() - find the processes
 * @io: where
 * @selection: which
 * @list: zeroed before first use; released by ksm_selected_free()
 * @err: nothing or several things selected, a word that is no pid (usage errors); a pid that does
 *	not exist or is a kernel thread; nobody in the group, nobody of that name
 *
 * Kernel threads and processes that have ended are left out, and this process unless it is named.
 * Return: 0 or negative errno.
 */
int ksm_select(const struct ksm_io *io, const struct ksm_selection *selection,
	       struct ksm_selected_list *list, struct ksm_error *err);

/**
 * ksm_select_matches() - is this process one of them?
 * @selection: as for ksm_select(), valid
 *
 * For those who took hold of a process (a pidfd) after it was found: its number may have been
 * reused in between.
 */
bool ksm_select_matches(const struct ksm_io *io, const struct ksm_selection *selection, pid_t pid);

void ksm_selected_free(struct ksm_selected_list *list);

#endif /* KSMKIT_SELECT_H */
