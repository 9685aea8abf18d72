/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is found out once about a process and then remembered: its user's name, the guest, container
 * or control group it belongs to, how much it marked mergeable.
 */
#ifndef KSMTOP_WHO_H
#define KSMTOP_WHO_H

#include "lib/io.h"
#include "model.h"

struct who;

/**
 * struct who_proc - one process
 * @pid, @start: which
 * @name, @ppid, @uid, @cgroup: as last read, for who_is()'s caller to keep here
 * @comm: what it was called when @group was found; after an exec it is somebody else
 * @group: see struct ksmtop_group
 * @mergeable: bytes, when @have_mergeable
 * @looked: how often that was read
 * @breaks, @cow_ns: COW breaks of it when they were last looked up, and the time they took
 * @seen: pass in which it was last there
 */
struct who_proc {
	pid_t pid;
	uint64_t start;
	char name[16];
	pid_t ppid;
	uid_t uid;
	uint64_t cgroup;
	char comm[16];
	const struct ksmtop_group *group;
	bool have_mergeable;
	uint64_t mergeable;
	uint64_t looked;
	uint64_t breaks, cow_ns;
	uint64_t seen;
};

/* NULL when there is no memory. */
struct who *who_new(const struct ksm_io *io);

/* Accepts NULL. */
void who_free(struct who *w);

/**
 * who_pass() - a new sample begins; those that were not in the last one are forgotten some time
 */
void who_pass(struct who *w);

/**
 * who_is() - a process, remembered or new
 * @start: its start time, 0 when not known: then it is told apart by pid alone
 *
 * Return: valid until the next call; NULL when there is no memory.
 */
struct who_proc *who_is(struct who *w, pid_t pid, uint64_t start);

/**
 * who_find() - find out what a process belongs to, unless that is known or too much for this pass
 * @p: with @name and @cgroup, 0 when not known; only what is called like a monitor is asked which
 *	guest it runs
 */
void who_find(struct who *w, struct who_proc *p);

/**
 * who_group() - a group by name, the same one for the same name and kind
 *
 * Return: valid until who_free(); NULL when there is no memory.
 */
const struct ksmtop_group *who_group(struct who *w, enum ksmtop_group_kind kind, const char *name);

/* A user's name, or the number. */
const char *who_user(struct who *w, uid_t uid);

#endif /* KSMTOP_WHO_H */
