// SPDX-License-Identifier: GPL-2.0
/* Why memory cannot be merged: nobody marked it, or it is of a kind that KSM never takes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksmctl/doctor.h"
#include "lib/format.h"

/* Less than this in a process is not what an operator wonders about. */
#define WORTH_A_LINE (16ull << 20)

#define MARK_REMEDY "madvise(MADV_MERGEABLE) in the program, or QEMU's mem-merge=on"

static const char *name_of(const struct doctor_proc *p)
{
	return p->guest[0] ? p->guest : p->comm;
}

void doctor_mergeable(struct doctor *doc, struct ksm_finding *f)
{
	char bytes[KSM_FORMAT_MAX];
	size_t marked = 0;

	for (size_t i = 0; i < doc->memory_count; i++)
		marked += doc->memory[i].marked > 0;
	if (doc->procs_error)
		ksm_find(f, KSM_FOUND_NOTE, NULL, "/proc cannot be listed: %s",
			 strerror(-doc->procs_error));
	else if (marked || doc->procs.count)
		ksm_find(f, KSM_FOUND_OK, NULL,
			 "%s marked mergeable, %zu of %zu processes take part",
			 ksm_format_bytes(bytes, sizeof(bytes), (int64_t)doc->sum.marked),
			 marked > doc->procs.count ? marked : doc->procs.count, doc->procs.seen);
	else if (doc->procs.denied)
		ksm_find(f, KSM_FOUND_NOTE, "run as root", "%s", doc->procs.reason);
	else
		ksm_find(f, KSM_FOUND_WRONG, MARK_REMEDY ", or ksmctl attach",
			 "no process has memory marked mergeable");
}

/* The process with most of a kind of memory, guests before others; NULL when none has much. */
static const struct doctor_proc *most(const struct doctor *doc,
				      uint64_t (*of)(const struct doctor_proc *p))
{
	const struct doctor_proc *best = NULL;

	for (size_t i = 0; i < doc->memory_count; i++) {
		const struct doctor_proc *p = &doc->memory[i];

		if (of(p) < WORTH_A_LINE)
			continue;
		if (!best || (p->guest[0] && !best->guest[0]) ||
		    (!p->guest[0] == !best->guest[0] && of(p) > of(best)))
			best = p;
	}
	return best;
}

static uint64_t shared_of(const struct doctor_proc *p)
{
	return p->shared;
}

static uint64_t hugetlb_of(const struct doctor_proc *p)
{
	return p->hugetlb;
}

/*
 * A guest that has most of its memory where KSM never looks is a mistake of whoever set it up; of
 * other programs (databases) it is how they are.
 */
static void excluded(const struct doctor *doc, struct ksm_finding *f,
		     uint64_t (*of)(const struct doctor_proc *p), const char *kind,
		     const char *remedy, uint64_t all)
{
	const struct doctor_proc *p = most(doc, of);
	char bytes[KSM_FORMAT_MAX], total[KSM_FORMAT_MAX];
	bool guest;

	ksm_format_bytes(total, sizeof(total), (int64_t)all);
	if (!p) {
		ksm_find(f, KSM_FOUND_OK, NULL, "%s of %s in all processes", total, kind);
		return;
	}
	guest = p->guest[0] && of(p) > p->marked_anon + p->plain_anon;
	ksm_format_bytes(bytes, sizeof(bytes), (int64_t)of(p));
	if (guest || !doc->sum.marked)
		ksm_find(f, guest ? KSM_FOUND_WRONG : KSM_FOUND_NOTE, remedy,
			 "%s %s (pid %d) has %s of %s, which KSM never takes",
			 guest ? "guest" : "process", name_of(p), p->pid, bytes, kind);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "%s of %s in all processes, which KSM never takes",
			 total, kind);
}

void doctor_shared(struct doctor *doc, struct ksm_finding *f)
{
	excluded(
		doc, f, shared_of, "shared memory (memfd, shm, share=on)",
		"give the guest private memory: virtiofs and vhost-user need shared, so do without",
		doc->sum.shared);
}

void doctor_hugetlb(struct doctor *doc, struct ksm_finding *f)
{
	excluded(doc, f, hugetlb_of, "hugetlbfs pages",
		 "give the guest ordinary memory (no hugepages in its configuration)",
		 doc->sum.hugetlb);
}

/* Private memory of a guest that is not marked although QEMU marks it unless told not to. */
static const struct doctor_proc *unmarked_guest(const struct doctor *doc)
{
	for (size_t i = 0; i < doc->memory_count; i++) {
		const struct doctor_proc *p = &doc->memory[i];

		if (p->guest[0] && !p->marked && p->plain_anon >= WORTH_A_LINE &&
		    p->plain_anon > p->shared + p->hugetlb)
			return p;
	}
	return NULL;
}

void doctor_guests(struct doctor *doc, struct ksm_finding *f)
{
	const struct doctor_proc *p = unmarked_guest(doc);
	char bytes[KSM_FORMAT_MAX];
	size_t guests = 0;

	for (size_t i = 0; i < doc->memory_count; i++)
		guests += doc->memory[i].guest[0] != 0;
	if (p)
		ksm_find(f, KSM_FOUND_WRONG,
			 p->no_merge ? "start it with -machine mem-merge=on (libvirt: no "
				       "<nosharepages/>)" :
				       "-machine mem-merge=on, or ksmctl attach",
			 "guest %s (pid %d) has %s of private memory, none of it marked "
			 "mergeable%s",
			 p->guest, p->pid,
			 ksm_format_bytes(bytes, sizeof(bytes), (int64_t)p->plain_anon),
			 p->no_merge ? " (mem-merge=off)" : "");
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "%zu virtual machines, none with unmarked memory",
			 guests);
}

/*
 * Nobody can see that a filter refused madvise(). What can be seen is a guest that was not told
 * to leave its memory alone, did not mark it, and has a filter.
 */
void doctor_seccomp(struct doctor *doc, struct ksm_finding *f)
{
	const struct doctor_proc *p = unmarked_guest(doc);

	if (p && p->seccomp && !p->no_merge)
		ksm_find(f, KSM_FOUND_WRONG,
			 "allow madvise in the filter (it fails with EPERM), or ksmctl attach",
			 "%s (pid %d) marked nothing, and runs under a seccomp filter", p->guest,
			 p->pid);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "no sign of a filter that refuses madvise()");
}

static bool thp_is(const struct doctor *doc, const char *word)
{
	char text[80], want[20];

	snprintf(want, sizeof(want), "[%s]", word);
	return ksm_io_read(doc->io, KSM_ABI_THP "/enabled", text, sizeof(text)) > 0 &&
	       strstr(text, want);
}

/* The engine knows what it leaves unmerged lest it split huge pages for too little. */
static bool thp_deferred(struct doctor *doc, struct ksm_finding *f)
{
	int64_t deferred = doctor_value(doc, KSM_ABI_PAGES_THP_DEFERRED);
	int64_t bytes = deferred * ksm_page_size();
	char text[KSM_FORMAT_MAX];

	if (bytes < (int64_t)WORTH_A_LINE || deferred * 10 <= doc->d.saved_pages)
		return false;
	ksm_format_bytes(text, sizeof(text), bytes);
	ksm_find(f, KSM_FOUND_NOTE,
		 "ksmctl set thp_min_partners=1, if memory is worth more than huge pages",
		 "%s in huge pages have equals and stay, for each has fewer than "
		 "%" PRId64 " (thp_min_partners)",
		 text, doctor_value(doc, KSM_ABI_THP_MIN_PARTNERS));
	return true;
}

/* Huge pages are equal only as a whole to the eye; KSM has to split each before it merges parts. */
void doctor_thp(struct doctor *doc, struct ksm_finding *f)
{
	uint64_t saved = doc->d.saved_bytes > 0 ? (uint64_t)doc->d.saved_bytes : 0;
	uint64_t huge = doc->sum.marked_huge, all = doc->sum.marked_anon;
	char text[KSM_FORMAT_MAX];

	if (thp_deferred(doc, f))
		return;
	ksm_format_bytes(text, sizeof(text), (int64_t)huge);
	if (huge >= WORTH_A_LINE && huge * 2 > all && saved * 10 < huge)
		ksm_find(f, KSM_FOUND_WRONG,
			 "echo madvise > " KSM_ABI_THP "/enabled, or MADV_NOHUGEPAGE for "
			 "memory with duplicates",
			 "%s of the mergeable memory are huge pages, which hide duplicates%s", text,
			 thp_is(doc, "always") ? " (transparent_hugepage is always)" : "");
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "%s of the mergeable memory in huge pages", text);
}

static int64_t read_number(const struct doctor *doc, const char *path)
{
	char text[32];
	int64_t value;

	if (ksm_io_read(doc->io, path, text, sizeof(text)) <= 0)
		return -1;
	ksm_chomp(text);
	return ksm_parse_s64(text, &value) ? -1 : value;
}

/* khugepaged copies a range into a huge page when at most max_ptes_shared of its pages are shared.
 */
void doctor_khugepaged(struct doctor *doc, struct ksm_finding *f)
{
	int64_t shared = read_number(doc, KSM_ABI_THP "/khugepaged/max_ptes_shared");
	int64_t collapsed = read_number(doc, KSM_ABI_THP "/khugepaged/pages_collapsed");
	bool works = thp_is(doc, "always");

	if (works && shared > 0 && collapsed > 0 && doc->sum.marked_anon)
		ksm_find(f, KSM_FOUND_NOTE, "echo 0 > " KSM_ABI_THP "/khugepaged/max_ptes_shared",
			 "khugepaged copies merged pages apart in ranges of 2 MiB with at most "
			 "%" PRId64 " shared ones; %" PRId64 " ranges collapsed so far",
			 shared, collapsed);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "khugepaged %s",
			 collapsed < 0 ? "is not there" :
			 !works	       ? "works on request only" :
			 !shared       ? "leaves ranges with merged pages alone" :
					 "has not collapsed anything mergeable");
}
