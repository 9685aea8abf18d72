/* SPDX-License-Identifier: GPL-2.0 */
/* One of the two processes of a scene. */
#ifndef VM_PROG_ACTOR_H
#define VM_PROG_ACTOR_H

#include "lib.h"

/**
 * struct actor - the process's own view
 * @pages: its memory
 * @first: first page still mapped
 * @rnd: of its choices
 * @cgroup: group to join before touching memory, or NULL
 * @child: forked and waiting, 0 when none
 * @wake: written to, to let @child go on
 */
struct actor {
	struct pages pages;
	size_t first;
	uint64_t rnd;
	const char *cgroup;
	pid_t child;
	int wake;
};

/*
 * Commands, with their argument:
 * f N   join the cgroup, map and fill N pages, mark them mergeable; answers the address
 * v     compare every page; answers how many are wrong
 * w N   write N times at random        u N  MADV_UNMERGEABLE on the first N
 * d N   munmap the first N             z N  MADV_DONTNEED on the first N
 * r N   refill the first N             x    mremap to another address; answers it
 * l     mlock all                      p    mprotect to read-only and back
 * k N   fork; both sides write N times and compare
 * K     fork a child that waits        j N  it writes N times, compares, ends
 */
long actor_serve(void *ctx, int cmd, long arg);

#endif /* VM_PROG_ACTOR_H */
