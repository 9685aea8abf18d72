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

static int64_t value(const struct doctor *doc, unsigned int id)
{
	return ksm_snapshot_get(&doc->s, id);
}

/* Pages KSM has an item for. */
static int64_t tracked(const struct doctor *doc)
{
	return value(doc, KSM_ABI_PAGES_SHARED) + value(doc, KSM_ABI_PAGES_SHARING) +
	       value(doc, KSM_ABI_PAGES_UNSHARED) + value(doc, KSM_ABI_PAGES_VOLATILE);
}

static void check_backend(struct doctor *doc, struct doctor_finding *f)
{
	unsigned int other =
		doc->b->kind == KSM_BACKEND_KERNEL ? KSM_BACKEND_ENGINE : KSM_BACKEND_KERNEL;

	doctor_find(f, DOCTOR_OK, NULL, "%s; %s is %s", ksm_backend_title(doc->b->kind),
		    ksm_backend_title(other),
		    ksm_backend_exists(&doc->b->io, other) ? "there, too" : "not loaded");
}

static void check_run(struct doctor *doc, struct doctor_finding *f)
{
	int64_t run = value(doc, KSM_ABI_RUN);

	if (run & KSM_RUN_MERGE)
		doctor_find(f, DOCTOR_OK, NULL, "merging runs");
	else
		doctor_find(f, DOCTOR_WRONG, "ksmctl start",
			    "run is %" PRId64 " (%s): nothing merges", run, ksmctl_run_name(run));
}

static void check_scanner(struct doctor *doc, struct doctor_finding *f)
{
	char total[KSM_FORMAT_MAX];
	struct ksm_scanner s;
	int ret = ksm_scanner_read(doc->b, &s);

	if (ret)
		doctor_find(f, DOCTOR_NOTE, "look from the host's own PID namespace",
			    "%s: its use of CPU cannot be told (%s)", doc->b->thread,
			    strerror(-ret));
	else
		doctor_find(f, DOCTOR_OK, NULL, "%s is pid %d, %s of CPU so far", doc->b->thread,
			    s.pid, ksm_format_duration(total, sizeof(total), s.runtime));
}

static void check_mergeable(struct doctor *doc, struct doctor_finding *f)
{
	char bytes[KSM_FORMAT_MAX];

	if (doc->procs_error)
		doctor_find(f, DOCTOR_NOTE, NULL, "/proc cannot be listed: %s",
			    strerror(-doc->procs_error));
	else if (doc->mergeable || doc->procs.count)
		doctor_find(f, DOCTOR_OK, NULL,
			    "%s marked mergeable, %zu of %zu processes take part",
			    ksm_format_bytes(bytes, sizeof(bytes), (int64_t)doc->mergeable),
			    doc->procs.count, doc->procs.seen);
	else if (doc->procs.denied)
		doctor_find(f, DOCTOR_NOTE, "run as root", "%s", doc->procs.reason);
	else
		doctor_find(f, DOCTOR_WRONG,
			    "madvise(MADV_MERGEABLE) in the program, or QEMU's mem-merge=on",
			    "no process has memory marked mergeable");
}

/* A lower bound: the scanning itself takes time on top of the sleeping. */
static void check_speed(struct doctor *doc, struct doctor_finding *f)
{
	int64_t pages = tracked(doc), batch = value(doc, KSM_ABI_PAGES_TO_SCAN);
	int64_t marked = (int64_t)doc->mergeable / ksm_page_size();
	char text[KSM_FORMAT_MAX];
	double seconds;

	if (!batch) {
		doctor_find(f, DOCTOR_WRONG, "ksmctl set pages_to_scan=100",
			    "pages_to_scan is 0: nothing is ever scanned");
		return;
	}
	if (marked > pages)
		pages = marked;
	seconds = (double)pages / (double)batch * (double)value(doc, KSM_ABI_SLEEP_MILLISECS) / 1e3;
	ksm_format_duration(text, sizeof(text), (uint64_t)(seconds * 1e9));
	if (seconds > SLOW_SCAN_SECONDS)
		doctor_find(f, DOCTOR_WRONG, "raise pages_to_scan or lower sleep_millisecs",
			    "a full scan sleeps %s alone, and a merge takes two", text);
	else
		doctor_find(f, DOCTOR_OK, NULL, "a full scan of %" PRId64 " pages sleeps %s", pages,
			    text);
}

static void check_profit(struct doctor *doc, struct doctor_finding *f)
{
	char saved[KSM_FORMAT_MAX], metadata[KSM_FORMAT_MAX];

	ksm_format_bytes(saved, sizeof(saved), doc->d.saved_bytes);
	ksm_format_bytes(metadata, sizeof(metadata), doc->d.metadata_bytes);
	if (doc->d.profit_bytes < 0)
		doctor_find(f, DOCTOR_WRONG,
			    "mark only memory that has duplicates, or ksmctl unmerge",
			    "metadata (%s) exceeds the saving (%s)", metadata, saved);
	else
		doctor_find(f, DOCTOR_OK, NULL, "%s saved for %s of metadata", saved, metadata);
}

static void check_volatile(struct doctor *doc, struct doctor_finding *f)
{
	int64_t all = tracked(doc), changing = value(doc, KSM_ABI_PAGES_VOLATILE);

	/* the first scan of a page always finds it volatile */
	if (value(doc, KSM_ABI_FULL_SCANS) > 2 && changing * 100 > all * VOLATILE_PERCENT)
		doctor_find(f, DOCTOR_WRONG,
			    "such memory is not worth merging; a faster scan helps a little",
			    "%" PRId64 " of %" PRId64 " tracked pages change from scan to scan",
			    changing, all);
	else
		doctor_find(f, DOCTOR_OK, NULL, "%" PRId64 " of %" PRId64 " tracked pages changing",
			    changing, all);
}

/* Chains are pages kept several times because max_page_sharing mappings share one. */
static void check_sharing(struct doctor *doc, struct doctor_finding *f)
{
	int64_t dups = value(doc, KSM_ABI_STABLE_NODE_DUPS);
	int64_t shared = value(doc, KSM_ABI_PAGES_SHARED);

	if (dups * 10 > shared && shared)
		doctor_find(f, DOCTOR_NOTE, "raise max_page_sharing (after ksmctl unmerge)",
			    "max_page_sharing %" PRId64 " makes %" PRId64 " of %" PRId64
			    " KSM pages copies of one another",
			    value(doc, KSM_ABI_MAX_PAGE_SHARING), dups, shared);
	else
		doctor_find(f, DOCTOR_OK, NULL,
			    "max_page_sharing %" PRId64 " costs %" PRId64 " copies of KSM pages",
			    value(doc, KSM_ABI_MAX_PAGE_SHARING), dups);
}

/* Programs known to write the same knobs. */
static int find_tuner(pid_t pid, void *ctx)
{
	static const char *const known[] = { "ksmtuned", "uksmd", "ksm-throttler", "momd" };
	struct doctor *doc = ctx;
	char path[64], comm[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (ksm_io_read(&doc->b->io, path, comm, sizeof(comm)) < 0)
		return 0;
	ksm_chomp(comm);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(known); i++)
		if (!strcmp(comm, known[i]))
			return pid;
	return 0;
}

static void check_tuner(struct doctor *doc, struct doctor_finding *f)
{
	int pid = ksm_io_each_pid(&doc->b->io, find_tuner, doc);
	char mode[KSM_WORD_MAX];

	ksm_snapshot_word(&doc->s, KSM_ABI_ADVISOR_MODE, mode, sizeof(mode));
	if (pid > 0)
		doctor_find(f, DOCTOR_NOTE, "stop it before setting knobs by hand",
			    "pid %d tunes KSM, too", pid);
	else if (!strcmp(mode, "scan-time"))
		doctor_find(f, DOCTOR_NOTE, "ksmctl set advisor_mode=none, to set it by hand",
			    "the kernel's advisor sets pages_to_scan");
	else
		doctor_find(f, DOCTOR_OK, NULL, "nobody else was seen tuning");
}

static void check_files(struct doctor *doc, struct doctor_finding *f)
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
		doctor_find(f, DOCTOR_NOTE, NULL, "%u files not there: %s", missing, list);
	else
		doctor_find(f, DOCTOR_OK, NULL, "all %u files are there", there);
}

static void check_processes(struct doctor *doc, struct doctor_finding *f)
{
	if (doc->procs.reason[0])
		doctor_find(f, DOCTOR_NOTE, NULL, "%s", doc->procs.reason);
	else
		doctor_find(f, DOCTOR_OK, NULL, "every process tells its merged pages");
}

const struct doctor_check doctor_checks[] = {
	{ "engine", check_backend },	  { "run", check_run },
	{ "scanner", check_scanner },	  { "mergeable", check_mergeable },
	{ "speed", check_speed },	  { "profit", check_profit },
	{ "volatile", check_volatile },	  { "sharing", check_sharing },
	{ "tuner", check_tuner },	  { "files", check_files },
	{ "processes", check_processes }, { "hooks", doctor_hooks },
};

const unsigned int doctor_check_count = KSM_ARRAY_SIZE(doctor_checks);
