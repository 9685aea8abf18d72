/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much report, export and print remember at most. Built small, their bounds are met by a
 * handful of events: that is how they are fuzzed.
 */
#ifndef KSMTRACE_LIMITS_H
#define KSMTRACE_LIMITS_H

#ifndef KSMTRACE_SMALL
/* Processes of 192 bytes; names of guests and cgroups. */
#define PROCS_MAX (1u << 17)
#define STRINGS_MAX (1u << 16)
/* Slots of 24 bytes, for merged pages and, twice, for page frames: 48 MiB and 24 MiB each. */
#define LIVE_MAX (1u << 21)
#define FRAMES_MAX (1u << 20)
/* Slots of 16 bytes, three quarters of them used, for pairs that share pages. */
#define PAIR_SLOTS (1u << 17)
/* Processes whose tracks an export remembers. */
#define TRACK_SLOTS (1u << 16)
/* Processes whose names a print remembers. */
#define NAME_SLOTS (1u << 12)
#else
#define PROCS_MAX (1u << 5)
#define STRINGS_MAX (1u << 3)
#define LIVE_MAX (1u << 5)
#define FRAMES_MAX (1u << 4)
#define PAIR_SLOTS (1u << 4)
#define TRACK_SLOTS (1u << 4)
#define NAME_SLOTS (1u << 4)
#endif

#endif /* KSMTRACE_LIMITS_H */
