/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What attach and detach share: which processes, and how it went for each.
 */
#ifndef KSMCTL_ATTACH_H
#define KSMCTL_ATTACH_H

#include "ksmctl/cmd.h"
#include "lib/attach.h"
#include "lib/select.h"

/**
 * struct attach_options - options of the two, and what they led to
 * @ctl: common ones
 * @sel: which processes
 * @list: --list (attach)
 * @force: --force (detach)
 * @targets: the processes
 * @fd: the engine's device
 */
struct attach_options {
	struct ksmctl *ctl;
	struct ksm_selection sel;
	bool list;
	bool force;
	struct ksm_selected_list targets;
	int fd;
};

/* Keys of the options; each command lists the ones it takes. */
#define ATTACH_OPT_LIST 'l'
#define ATTACH_OPT_FORCE 'f'

/* argp children: which processes, and the common options. */
extern const struct argp_child attach_children[];

error_t attach_parse(int key, char *arg, struct argp_state *state);

/**
 * attach_open() - open the backend, find the processes (not with --list), open the device
 *
 * Return: 0, else the exit status, the error being printed.
 */
int attach_open(struct attach_options *options);

/* Give back what @options holds. */
void attach_close(struct attach_options *options);

/**
 * struct attach_row - how it went for one process
 * @pid: process
 * @comm: its name
 * @code: 0 or negative errno
 * @result: the engine's answer
 */
struct attach_row {
	pid_t pid;
	char comm[16];
	int code;
	struct ksm_abi_attach result;
};

/**
 * attach_rows() - a row for each process that is selected, by PID
 *
 * Return: to be freed by the caller; NULL without memory, which was said then.
 */
struct attach_row *attach_rows(const struct attach_options *options);

/**
 * attach_each() - one operation on each row's process
 *
 * Rows with a code are left alone.
 */
void attach_each(const struct attach_options *options, unsigned int op, struct attach_row *rows,
		 size_t count);

/**
 * attach_report() - say how it went
 * @verb: "attached", "detached"
 * @line: the rest of the line for a process for which it went well
 *
 * Processes that ended meanwhile are counted, and are a failure only where they were named
 * (--pid). Return: the exit status.
 */
int attach_report(const struct attach_options *options, const char *verb,
		  const struct attach_row *rows, size_t count,
		  void (*line)(const struct attach_row *row));

#endif /* KSMCTL_ATTACH_H */
