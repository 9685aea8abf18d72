/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mappings of a process, and who shares page frames with whom: out of /proc, on demand.
 */
#ifndef KSMTOP_MAPS_H
#define KSMTOP_MAPS_H

#include "lib/io.h"
#include "sharing.h"

/**
 * maps_detail() - fill a struct ksmtop_detail; what is missing is said in @d->why
 */
void maps_detail(const struct ksm_io *io, pid_t pid, struct ksmtop_detail *d);

/**
 * join_run() - who shares with whom
 * @pids: processes with merged pages
 * @n: how many
 * @out: filled; what is missing is said in @out->why
 *
 * A frame counts when it is mapped more than once in memory marked mergeable, and the kernel calls
 * it a KSM page (6.12 calls every anonymous page so). Memory is bounded: of too many frames a part
 * is taken, chosen by a hash of their number, and counts are scaled up.
 */
void join_run(const struct ksm_io *io, const pid_t *pids, size_t n, struct ksmtop_sharing *out);

#endif /* KSMTOP_MAPS_H */
