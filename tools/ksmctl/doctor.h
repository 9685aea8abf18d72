/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSMCTL_DOCTOR_H
#define KSMCTL_DOCTOR_H

#include "ksmctl/cmd.h"
#include "lib/finding.h"
#include "lib/guest.h"
#include "lib/procs.h"

/**
 * struct doctor_proc - the memory of a process, as far as KSM is concerned
 * @pid: process
 * @comm: its name
 * @guest: the virtual machine it runs, "" for none
 * @marked: bytes of its mappings marked mergeable
 * @marked_anon: anonymous memory in RAM in these
 * @marked_huge: of this, in huge pages
 * @plain_anon: anonymous memory in RAM that is not marked
 * @shared: memory in RAM of mappings that may be shared, which KSM never takes
 * @hugetlb: of hugetlbfs, which it never takes either
 * @seccomp: a filter decides which system calls it may do
 * @no_merge: a guest told not to mark its memory (mem-merge=off)
 */
struct doctor_proc {
	pid_t pid;
	char comm[16];
	char guest[KSM_GUEST_NAME_MAX];
	uint64_t marked;
	uint64_t marked_anon;
	uint64_t marked_huge;
	uint64_t plain_anon;
	uint64_t shared;
	uint64_t hugetlb;
	bool seccomp;
	bool no_merge;
};

/**
 * struct doctor - what the checks look at, read once
 * @b: backend, NULL when the machine has none
 * @io: where
 * @s: its files
 * @d: savings
 * @procs: processes with merged or tracked pages
 * @procs_error: negative errno when /proc cannot be listed
 * @memory: processes with memory of their own
 * @memory_count: how many
 * @memory_capacity: allocated
 * @sum: all of @memory added up
 * @cow_rate: merged pages copied in a second because of writes, negative when not measured
 * @swapin_rate: merged pages that came back from swap as copies in a second, likewise
 */
struct doctor {
	struct ksm_backend *b;
	struct ksm_io *io;
	struct ksm_counters_snapshot s;
	struct ksm_derived d;
	struct ksm_procs procs;
	int procs_error;
	struct doctor_proc *memory;
	size_t memory_count;
	size_t memory_capacity;
	struct doctor_proc sum;
	double cow_rate;
	double swapin_rate;
};

/**
 * struct doctor_check - one question
 * @name: stable, for scripts
 * @func: fills the finding, which arrives as KSM_FOUND_OK with empty texts
 * @flags: DOCTOR_ANYWHERE, DOCTOR_STATUS
 */
struct doctor_check {
	const char *name;
	void (*func)(struct doctor *doc, struct ksm_finding *f);
	unsigned int flags;
};

extern const struct doctor_check doctor_checks[];
extern const unsigned int doctor_check_count;

/* Without a backend only these checks are done: the others have nothing to look at. */
#define DOCTOR_ANYWHERE 1u
/* Needs the backend's files and the machine's alone: status does these, too. */
#define DOCTOR_STATUS 2u

/* doctor_memory.c: what there is to merge */
void doctor_mergeable(struct doctor *doc, struct ksm_finding *f);
void doctor_shared(struct doctor *doc, struct ksm_finding *f);
void doctor_hugetlb(struct doctor *doc, struct ksm_finding *f);
void doctor_guests(struct doctor *doc, struct ksm_finding *f);
void doctor_seccomp(struct doctor *doc, struct ksm_finding *f);
void doctor_thp(struct doctor *doc, struct ksm_finding *f);
void doctor_khugepaged(struct doctor *doc, struct ksm_finding *f);

/* doctor_host.c: what else is going on */
void doctor_kernel(struct doctor *doc, struct ksm_finding *f);
void doctor_engine(struct doctor *doc, struct ksm_finding *f);
void doctor_numa(struct doctor *doc, struct ksm_finding *f);
void doctor_domains(struct doctor *doc, struct ksm_finding *f);
void doctor_cow(struct doctor *doc, struct ksm_finding *f);
void doctor_swap(struct doctor *doc, struct ksm_finding *f);
void doctor_memory(struct doctor *doc, struct ksm_finding *f);
void doctor_tuner(struct doctor *doc, struct ksm_finding *f);
void doctor_shadow(struct doctor *doc, struct ksm_finding *f);

/* Which events can be had from this kernel (doctor_hooks.c). */
void doctor_hooks(struct doctor *doc, struct ksm_finding *f);
struct ksm_hook;
void doctor_judge_hooks(const struct ksm_hook *hooks, size_t count, struct ksm_finding *f);

/**
 * doctor_collect() - read what the checks look at
 * @doc: @b (may be NULL) and @io set; released by doctor_free()
 *
 * Return: 0 or negative errno with @err set.
 */
int doctor_collect(struct doctor *doc, struct ksm_error *err);
void doctor_free(struct doctor *doc);

/* The number behind a key of /proc/vmstat or /proc/meminfo, 0 when there is none. */
uint64_t doctor_number(const struct doctor *doc, const char *path, const char *key);

/* A counter of the backend, 0 where it has none. */
static inline int64_t doctor_value(const struct doctor *doc, unsigned int id)
{
	return ksm_snapshot_get(&doc->s, id);
}

#endif /* KSMCTL_DOCTOR_H */
