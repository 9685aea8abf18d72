// SPDX-License-Identifier: GPL-2.0
/* What the machine does besides: another engine, other tuners, COW, swap, plenty of memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ksmctl/doctor.h"
#include "lib/engine.h"
#include "lib/format.h"
#include "lib/tuners.h"

/* More breaks (or copies) in a second than this are a storm when they also undo the saving in a
 * minute. */
#define STORM_PER_SECOND 100
/* With more of the memory available than this, and less than this saved, KSM is work for nothing.
 */
#define AMPLE_PERCENT 70
#define SAVED_PERCENT 1

void doctor_kernel(struct doctor *doc, struct ksm_finding *f)
{
	unsigned int other;

	if (!doc->b) {
		ksm_find(f, KSM_FOUND_WRONG, "a kernel built with CONFIG_KSM=y",
			 "this kernel has no KSM: no " KSM_ABI_KERNEL_DIR);
		return;
	}
	other = doc->b->kind == KSM_BACKEND_KERNEL ? KSM_BACKEND_ENGINE : KSM_BACKEND_KERNEL;
	ksm_find(f, KSM_FOUND_OK, NULL, "%s; %s is %s", ksm_backend_title(doc->b->kind),
		 ksm_backend_title(other),
		 ksm_backend_exists(doc->io, other) ? "there, too" : "not loaded");
}

/* Only an engine that somebody installed and that cannot be loaded is worth a word. */
void doctor_engine(struct doctor *doc, struct ksm_finding *f)
{
	const struct ksm_finding *why = NULL;
	struct ksm_engine e;

	ksm_engine_check(doc->io, &e);
	if (e.loaded) {
		ksm_find(f, KSM_FOUND_OK, NULL, KSM_ENGINE_MODULE " is loaded");
		return;
	}
	for (int i = 0; i < KSM_ENGINE_CHECKS; i++)
		if (e.findings[i].verdict == KSM_FOUND_WRONG &&
		    strcmp(e.findings[i].name, "file")) {
			why = &e.findings[i];
			break;
		}
	if (why && e.path[0])
		ksm_find(f, KSM_FOUND_NOTE, why->remedy, KSM_ENGINE_MODULE " cannot be loaded: %s",
			 why->evidence);
	else if (!e.path[0])
		ksm_find(f, KSM_FOUND_OK, NULL, KSM_ENGINE_MODULE " is not installed%s%s",
			 why ? ", and could not be loaded: " : "", why ? why->evidence : "");
	else
		ksm_find(f, KSM_FOUND_OK, NULL, KSM_ENGINE_MODULE " could be loaded");
}

/* "0-1,4": how many nodes */
static unsigned int count_nodes(const char *list)
{
	unsigned int count = 0, from, to;

	while (*list) {
		int fields = sscanf(list, "%u-%u", &from, &to);

		if (fields < 1)
			break;
		count += fields == 2 && to >= from ? to - from + 1 : 1;
		list += strcspn(list, ",");
		list += *list == ',';
	}
	return count;
}

void doctor_numa(struct doctor *doc, struct ksm_finding *f)
{
	char text[64] = "";
	unsigned int nodes;

	ksm_io_read(doc->io, KSM_ABI_NODES, text, sizeof(text));
	nodes = count_nodes(text);
	if (nodes > 1 && ksm_snapshot_has(&doc->s, KSM_ABI_MERGE_ACROSS_NODES) &&
	    !doctor_value(doc, KSM_ABI_MERGE_ACROSS_NODES))
		ksm_find(f, KSM_FOUND_NOTE,
			 "ksmctl set merge_across_nodes=1 (after ksmctl unmerge), if remote "
			 "memory is cheap enough",
			 "merge_across_nodes is 0: equal pages stay up to %u times, once on each "
			 "node",
			 nodes);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "%u NUMA node%s, pages merge across %s",
			 nodes ? nodes : 1, nodes > 1 ? "s" : "", nodes > 1 ? "them" : "it");
}

/* Keeping users or groups apart is a choice: what it costs is worth knowing, not wrong. */
void doctor_domains(struct doctor *doc, struct ksm_finding *f)
{
	int64_t refused = doctor_value(doc, KSM_ABI_PAGES_DOMAIN_REFUSED);
	char mode[KSM_WORD_MAX] = "all", text[KSM_FORMAT_MAX];

	if (ksm_snapshot_has(&doc->s, KSM_ABI_MERGE_DOMAIN))
		ksm_snapshot_word(&doc->s, KSM_ABI_MERGE_DOMAIN, mode, sizeof(mode));
	ksm_format_pages(text, sizeof(text), refused);
	if (strcmp(mode, "all") && refused * 10 > doc->d.saved_pages)
		ksm_find(f, KSM_FOUND_NOTE,
			 "ksmctl set merge_domain=all (after ksmctl unmerge), if they may learn "
			 "about each other",
			 "merge_domain is %s: %s have equals in other domains and stay", mode,
			 text);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "pages merge %s",
			 strcmp(mode, "all") ? "inside their domain, at hardly a loss" :
					       "with those of everybody");
}

void doctor_cow(struct doctor *doc, struct ksm_finding *f)
{
	if (doc->cow_rate > STORM_PER_SECOND && doc->cow_rate * 60 > (double)doc->d.saved_pages)
		ksm_find(f, KSM_FOUND_WRONG,
			 "ksmtop shows whose pages break: do not mark that memory, or stop",
			 "%.0f merged pages are written to and copied in a second; %" PRId64
			 " are saved",
			 doc->cow_rate, doc->d.saved_pages);
	else if (doc->cow_rate < 0)
		ksm_find(f, KSM_FOUND_OK, NULL, "copies of merged pages are not measured: %s",
			 doctor_value(doc, KSM_ABI_RUN) & KSM_RUN_MERGE ?
				 "no cow_ksm in /proc/vmstat" :
				 "merging does not run");
	else
		ksm_find(f, KSM_FOUND_OK, NULL,
			 "%.0f merged pages are copied in a second because of writes",
			 doc->cow_rate);
}

/* The total is of weeks, and says that it happens; the rate says that it happens too much. */
void doctor_swap(struct doctor *doc, struct ksm_finding *f)
{
	uint64_t copies = doctor_number(doc, "/proc/vmstat", "ksm_swpin_copy ");
	uint64_t total = doctor_number(doc, "/proc/meminfo", "SwapTotal:");
	uint64_t used = total - doctor_number(doc, "/proc/meminfo", "SwapFree:");
	bool storm = doc->swapin_rate > STORM_PER_SECOND &&
		     doc->swapin_rate * 60 > (double)doc->d.saved_pages;
	char text[KSM_FORMAT_MAX];

	ksm_format_bytes(text, sizeof(text), (int64_t)used * 1024);
	if (storm || (used && copies > (uint64_t)doc->d.saved_pages))
		ksm_find(f, storm ? KSM_FOUND_WRONG : KSM_FOUND_NOTE,
			 "less swapping: more memory, a lower vm.swappiness, memory.swap.max=0 "
			 "for the guests",
			 "%" PRIu64 " merged pages came back from swap as copies, %.0f a second "
			 "now; %" PRId64 " are saved, %s of swap is used",
			 copies, doc->swapin_rate > 0 ? doc->swapin_rate : 0, doc->d.saved_pages,
			 text);
	else
		ksm_find(f, KSM_FOUND_OK, NULL,
			 "%s of swap is used, %" PRIu64 " merged pages came back as copies", text,
			 copies);
}

void doctor_memory(struct doctor *doc, struct ksm_finding *f)
{
	uint64_t total = doctor_number(doc, "/proc/meminfo", "MemTotal:") * 1024;
	uint64_t available = doctor_number(doc, "/proc/meminfo", "MemAvailable:") * 1024;
	char have[KSM_FORMAT_MAX], all[KSM_FORMAT_MAX];
	bool runs = doctor_value(doc, KSM_ABI_RUN) & KSM_RUN_MERGE;

	ksm_format_bytes(have, sizeof(have), (int64_t)available);
	ksm_format_bytes(all, sizeof(all), (int64_t)total);
	if (runs && doctor_value(doc, KSM_ABI_FULL_SCANS) > 2 &&
	    available / 100 > total / 10000 * AMPLE_PERCENT &&
	    doc->d.saved_bytes * 100 < (int64_t)total * SAVED_PERCENT)
		ksm_find(f, KSM_FOUND_NOTE, "ksmctl stop, or a profile that scans less",
			 "%s of %s are available, and merging saves less than %d %%: the scanner "
			 "works for little",
			 have, all, SAVED_PERCENT);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, total ? "%s of %s are available" : "not known",
			 have, all);
}

void doctor_tuner(struct doctor *doc, struct ksm_finding *f)
{
	static const char *const when[] = {
		[KSM_TUNER_NOW] = "",
		[KSM_TUNER_AT_START] = " (at the next start)",
		[KSM_TUNER_WHEN_ASKED] = " (when asked to)",
	};
	size_t n, count[KSM_ARRAY_SIZE(when)] = { 0 }, first = 0;
	struct ksm_tuner found[KSM_TUNERS_MAX];
	char list[400] = "";

	n = ksm_tuners_find(doc->io, doc->b ? &doc->s : NULL, found);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list);

		if (found[i].when < found[first].when)
			first = i;
		count[found[i].when]++;
		snprintf(list + len, sizeof(list) - len, "%s%s%s", len ? ", " : "", found[i].name,
			 when[found[i].when]);
	}
	if (count[KSM_TUNER_NOW] > 1)
		ksm_find(f, KSM_FOUND_WRONG, found[first].remedy,
			 "several set KSM and undo each other's work: %s", list);
	else if (count[KSM_TUNER_NOW] + count[KSM_TUNER_AT_START])
		ksm_find(f, KSM_FOUND_NOTE, found[first].remedy,
			 "somebody else sets KSM, and what is set by hand does not last: %s", list);
	else if (n)
		ksm_find(f, KSM_FOUND_OK, NULL, "nobody else was seen tuning but %s", list);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "nobody else was seen tuning");
}

static bool same_file(const char *path, const struct stat *self)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == self->st_dev && st.st_ino == self->st_ino;
}

/* The ksmtuned package brings a ksmctl, too: {start|stop} without a word about what they do. */
void doctor_shadow(struct doctor *doc, struct ksm_finding *f)
{
	char *path = strdup(getenv("PATH") ?: ""), *rest, *dir;
	char file[PATH_MAX], full[2 * PATH_MAX];
	struct stat self = { 0 };
	bool ours = false;

	ksm_find(f, KSM_FOUND_OK, NULL, "no other ksmctl in PATH");
	/* without a file of our own to compare with, nothing can be told */
	rest = stat("/proc/self/exe", &self) ? NULL : path;
	while ((dir = strsep(&rest, ":"))) {
		snprintf(file, sizeof(file), "%s/ksmctl", dir);
		snprintf(full, sizeof(full), "%s%s", doc->io->root, file);
		if (dir[0] != '/' || !ksm_io_exists(doc->io, file))
			continue;
		if (same_file(full, &self)) {
			ours = true;
			continue;
		}
		ksm_find(f, KSM_FOUND_NOTE,
			 "call ours by its full path, or put its directory first in PATH",
			 "%s is another ksmctl%s", file,
			 ours ? ", behind ours in PATH" : ", found before ours");
		break;
	}
	free(path);
}
