// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ksmctl/doctor.h"
#include "lib/format.h"

/* Slower than this and a page has to stay unchanged for too long: a merge takes two full scans. */
#define SLOW_SCAN_SECONDS 600
/* More of the tracked pages than this changing from scan to scan is work for nothing. */
#define VOLATILE_PERCENT 50

static void check_run(struct doctor *doc, struct ksm_finding *f)
{
	int64_t run = doctor_value(doc, KSM_ABI_RUN);

	if ((run & KSM_RUN_MERGE) && doctor_value(doc, KSM_ABI_ZERO_PAGES_ONLY))
		ksm_find(f, KSM_FOUND_NOTE, "ksmctl set zero_pages_only=0, for all others, too",
			 "merging runs, but zero_pages_only is 1: nothing but pages of zeroes");
	else if (run & KSM_RUN_MERGE)
		ksm_find(f, KSM_FOUND_OK, NULL, "merging runs");
	else
		ksm_find(f, KSM_FOUND_WRONG, "ksmctl start",
			 "run is %" PRId64 " (%s): nothing merges", run, ksmctl_run_name(run));
}

static void check_scanner(struct doctor *doc, struct ksm_finding *f)
{
	char total[KSM_FORMAT_MAX];
	struct ksm_scanner s;
	int ret = ksm_scanner_read(doc->b, &s);

	if (ret)
		ksm_find(f, KSM_FOUND_NOTE, "look from the host's own PID namespace",
			 "%s: its use of CPU cannot be told (%s)", doc->b->thread, strerror(-ret));
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "%s is pid %d, %s of CPU so far", doc->b->thread,
			 s.pid, ksm_format_duration(total, sizeof(total), s.runtime));
}

/* A lower bound: the scanning itself takes time on top of the sleeping. */
static void check_speed(struct doctor *doc, struct ksm_finding *f)
{
	int64_t pages = ksm_tracked_pages(&doc->s),
		batch = doctor_value(doc, KSM_ABI_PAGES_TO_SCAN);
	int64_t marked = (int64_t)doc->sum.marked / ksm_page_size();
	char text[KSM_FORMAT_MAX];
	double seconds;

	if (!batch) {
		ksm_find(f, KSM_FOUND_WRONG, "ksmctl set pages_to_scan=100",
			 "pages_to_scan is 0: nothing is ever scanned");
		return;
	}
	if (marked > pages)
		pages = marked;
	seconds = (double)pages / (double)batch *
		  (double)doctor_value(doc, KSM_ABI_SLEEP_MILLISECS) / 1e3;
	ksm_format_duration(text, sizeof(text), (uint64_t)(seconds * 1e9));
	if (seconds > SLOW_SCAN_SECONDS)
		ksm_find(f, KSM_FOUND_WRONG, "raise pages_to_scan or lower sleep_millisecs",
			 "a full scan sleeps %s alone, and a merge takes two", text);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "a full scan of %" PRId64 " pages sleeps %s", pages,
			 text);
}

static void check_profit(struct doctor *doc, struct ksm_finding *f)
{
	char saved[KSM_FORMAT_MAX], metadata[KSM_FORMAT_MAX];

	ksm_format_bytes(saved, sizeof(saved), doc->d.saved_bytes);
	ksm_format_bytes(metadata, sizeof(metadata), doc->d.metadata_bytes);
	if (doc->d.profit_bytes < 0)
		ksm_find(f, KSM_FOUND_WRONG,
			 "mark only memory that has duplicates, or ksmctl unmerge",
			 "metadata (%s) exceeds the saving (%s)", metadata, saved);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "%s saved for %s of metadata", saved, metadata);
}

/* Pages that smart scan leaves alone are in no tree, so the kernel counts them as volatile, too. */
static bool skips(struct doctor *doc)
{
	return doctor_value(doc, KSM_ABI_SMART_SCAN) && doctor_value(doc, KSM_ABI_PAGES_SKIPPED);
}

static void check_volatile(struct doctor *doc, struct ksm_finding *f)
{
	int64_t all = ksm_tracked_pages(&doc->s),
		changing = doctor_value(doc, KSM_ABI_PAGES_VOLATILE);

	if (doctor_value(doc, KSM_ABI_ZERO_PAGES_ONLY)) {
		ksm_find(f, KSM_FOUND_OK, NULL, "not told apart from pages that are no zeroes");
		return;
	}
	/* the first scan of a page always finds it volatile */
	if (doctor_value(doc, KSM_ABI_FULL_SCANS) <= 2 || changing * 100 <= all * VOLATILE_PERCENT)
		ksm_find(f, KSM_FOUND_OK, NULL, "%" PRId64 " of %" PRId64 " tracked pages changing",
			 changing, all);
	else if (skips(doc))
		ksm_find(f, KSM_FOUND_NOTE,
			 "to tell which: ksmctl set smart_scan=0, two full scans, and ask again",
			 "%" PRId64 " of %" PRId64
			 " tracked pages change from scan to scan, or smart scan skips them",
			 changing, all);
	else
		ksm_find(f, KSM_FOUND_WRONG,
			 "such memory is not worth merging; a faster scan helps a little",
			 "%" PRId64 " of %" PRId64 " tracked pages change from scan to scan",
			 changing, all);
}

/*
 * In-tree smart scan counts for each page apart how many scans to skip it. Two equal pages that
 * were first seen some scans apart (13, 15, 16, 22, 24, 25 and more) may from then on be looked at
 * in different scans, and what is not looked at in the same one never meets. The engine skips by
 * the number of the scan: kmod/core/policy.c.
 */
static void check_smart(struct doctor *doc, struct ksm_finding *f)
{
	int64_t alone = doctor_value(doc, KSM_ABI_PAGES_UNSHARED) +
			doctor_value(doc, KSM_ABI_PAGES_VOLATILE);

	if (!skips(doc))
		ksm_find(f, KSM_FOUND_OK, NULL, "smart scan skips nothing");
	else if (doc->b->kind == KSM_BACKEND_KERNEL && alone * 2 > ksm_tracked_pages(&doc->s))
		ksm_find(f, KSM_FOUND_NOTE,
			 "ksmctl set smart_scan=0 until merging has settled, or the engine",
			 "smart scan may keep equal pages from ever meeting that were first "
			 "seen in different scans; %" PRId64 " pages stand alone",
			 alone);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "smart scan has skipped %" PRId64 " visits",
			 doctor_value(doc, KSM_ABI_PAGES_SKIPPED));
}

/* Chains are pages kept several times because max_page_sharing mappings share one. */
static void check_sharing(struct doctor *doc, struct ksm_finding *f)
{
	int64_t dups = doctor_value(doc, KSM_ABI_STABLE_NODE_DUPS);
	int64_t shared = doctor_value(doc, KSM_ABI_PAGES_SHARED);

	if (dups * 10 > shared && shared)
		ksm_find(f, KSM_FOUND_NOTE, "raise max_page_sharing (after ksmctl unmerge)",
			 "max_page_sharing %" PRId64 " makes %" PRId64 " of %" PRId64
			 " KSM pages copies of one another",
			 doctor_value(doc, KSM_ABI_MAX_PAGE_SHARING), dups, shared);
	else
		ksm_find(f, KSM_FOUND_OK, NULL,
			 "max_page_sharing %" PRId64 " costs %" PRId64 " copies of KSM pages",
			 doctor_value(doc, KSM_ABI_MAX_PAGE_SHARING), dups);
}

static void check_files(struct doctor *doc, struct ksm_finding *f)
{
	char list[240] = "";
	unsigned int missing = 0, there = 0;

	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		size_t len = strlen(list);

		there += ksm_snapshot_has(&doc->s, ksm_knobs[i].id);
		if (ksm_snapshot_has(&doc->s, ksm_knobs[i].id) ||
		    !ksm_backend_may_have(doc->b->kind, &ksm_knobs[i]))
			continue;
		snprintf(list + len, sizeof(list) - len, "%s%s", missing++ ? ", " : "",
			 ksm_knobs[i].name);
	}
	if (missing)
		ksm_find(f, KSM_FOUND_NOTE,
			 "a newer kernel, or our engine, which has them on every one",
			 "%u files not there: %s", missing, list);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "all %u files are there", there);
}

static void check_processes(struct doctor *doc, struct ksm_finding *f)
{
	if (doc->procs.reason[0])
		ksm_find(f, KSM_FOUND_NOTE, NULL, "%s", doc->procs.reason);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "every process tells its merged pages");
}

const struct doctor_check doctor_checks[] = {
	{ "kernel", doctor_kernel, DOCTOR_ANYWHERE },
	{ "engine", doctor_engine, DOCTOR_ANYWHERE },
	{ "run", check_run, 0 },
	{ "scanner", check_scanner, 0 },
	{ "mergeable", doctor_mergeable, DOCTOR_ANYWHERE },
	{ "shared", doctor_shared, DOCTOR_ANYWHERE },
	{ "hugetlb", doctor_hugetlb, DOCTOR_ANYWHERE },
	{ "guests", doctor_guests, DOCTOR_ANYWHERE },
	{ "seccomp", doctor_seccomp, DOCTOR_ANYWHERE },
	{ "thp", doctor_thp, 0 },
	{ "khugepaged", doctor_khugepaged, 0 },
	{ "speed", check_speed, DOCTOR_STATUS },
	{ "profit", check_profit, DOCTOR_STATUS },
	{ "volatile", check_volatile, DOCTOR_STATUS },
	{ "smart", check_smart, 0 },
	{ "sharing", check_sharing, 0 },
	{ "numa", doctor_numa, 0 },
	{ "domains", doctor_domains, 0 },
	{ "cow", doctor_cow, 0 },
	{ "swap", doctor_swap, DOCTOR_STATUS },
	{ "memory", doctor_memory, 0 },
	{ "tuner", doctor_tuner, DOCTOR_ANYWHERE | DOCTOR_STATUS },
	{ "shadow", doctor_shadow, DOCTOR_ANYWHERE },
	{ "files", check_files, 0 },
	{ "processes", check_processes, 0 },
	{ "hooks", doctor_hooks, 0 },
};

const unsigned int doctor_check_count = KSM_ARRAY_SIZE(doctor_checks);
