// SPDX-License-Identifier: GPL-2.0
/*
 * The built-in profiles, and the point within their ranges. The administrator's are read in
 * profiles_own.c.
 */
#include "lib/profiles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/format.h"
#include "lib/procs.h"

#define VALUE(ID, number)                                      \
	{                                                      \
		.id = KSM_ABI_##ID, .lo = number, .hi = number \
	}
#define RANGE(ID, low, high)                              \
	{                                                 \
		.id = KSM_ABI_##ID, .lo = low, .hi = high \
	}
/* The pace is ours while a profile is on: the kernel's advisor would change it. */
#define NO_ADVISOR                                         \
	{                                                  \
		.id = KSM_ABI_ADVISOR_MODE, .word = "none" \
	}
/* What zero-pages-only may have left. */
#define ALL_PAGES VALUE(ZERO_PAGES_ONLY, 0)
#define PROFILE(title, text, ...)                                             \
	{                                                                     \
		.name = title, .summary = text,                               \
		.count = sizeof((struct ksm_profile_item[]){ __VA_ARGS__ }) / \
			 sizeof(struct ksm_profile_item),                     \
		.items = { __VA_ARGS__ },                                     \
	}

const struct ksm_profile ksm_profiles[] = {
	PROFILE("virtualization", "hosts of virtual machines (recommended there)", NO_ADVISOR,
		RANGE(PAGES_TO_SCAN, 100, 500), RANGE(SLEEP_MILLISECS, 20, 100),
		VALUE(USE_ZERO_PAGES, 1), VALUE(SMART_SCAN, 1), ALL_PAGES, VALUE(RUN, 1)),
	PROFILE("container", "hosts of containers (moderate)", NO_ADVISOR,
		RANGE(PAGES_TO_SCAN, 50, 200), RANGE(SLEEP_MILLISECS, 50, 200),
		VALUE(USE_ZERO_PAGES, 1), VALUE(SMART_SCAN, 1), ALL_PAGES, VALUE(RUN, 1)),
	PROFILE("server", "servers whose own work comes first (conservative)", NO_ADVISOR,
		RANGE(PAGES_TO_SCAN, 20, 50), RANGE(SLEEP_MILLISECS, 100, 500),
		VALUE(SMART_SCAN, 1), ALL_PAGES, VALUE(RUN, 1)),
	PROFILE("aggressive", "merge soon, whatever it costs", NO_ADVISOR,
		VALUE(PAGES_TO_SCAN, 1000), VALUE(SLEEP_MILLISECS, 10), VALUE(USE_ZERO_PAGES, 1),
		VALUE(SMART_SCAN, 1), ALL_PAGES, VALUE(RUN, 1)),
	PROFILE("zero-pages-only",
		"nothing but pages of zeroes, with our engine; in-tree KSM merges others, too",
		NO_ADVISOR, RANGE(PAGES_TO_SCAN, 50, 200), RANGE(SLEEP_MILLISECS, 50, 200),
		VALUE(USE_ZERO_PAGES, 1), VALUE(SMART_SCAN, 1), VALUE(ZERO_PAGES_ONLY, 1),
		VALUE(RUN, 1)),
	PROFILE("off", "merge no more; what is merged stays merged", VALUE(RUN, 0)),
};

const unsigned int ksm_profile_count = KSM_ARRAY_SIZE(ksm_profiles);

static int count_cpu(const char *line, void *ctx)
{
	unsigned int *cores = ctx;

	*cores += !strncmp(line, "cpu", 3) && line[3] >= '0' && line[3] <= '9';
	return 0;
}

void ksm_host_read(const struct ksm_io *io, const struct ksm_counters_snapshot *s,
		   struct ksm_host *host)
{
	static const unsigned int tracked[] = { KSM_ABI_PAGES_SHARED, KSM_ABI_PAGES_SHARING,
						KSM_ABI_PAGES_UNSHARED, KSM_ABI_PAGES_VOLATILE };
	struct ksm_procs procs = { 0 };
	uint64_t pages = 0;

	memset(host, 0, sizeof(*host));
	ksm_io_each_line(io, "/proc/stat", count_cpu, &host->cores);
	if (!host->cores)
		host->cores = 1;
	host->known = !ksm_procs_read(io, &procs, KSM_PROCS_MERGEABLE) && !procs.denied;
	for (size_t i = 0; i < procs.count; i++)
		host->mergeable += procs.rows[i].mergeable_bytes;
	ksm_procs_free(&procs);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(tracked); i++)
		pages += (uint64_t)ksm_snapshot_get(s, tracked[i]);
	if (pages * (uint64_t)ksm_page_size() > host->mergeable) {
		host->mergeable = pages * (uint64_t)ksm_page_size();
		host->known = true;
	}
}

/* From the slow end at one core to the quick end at sixteen, by doublings. */
static int64_t choose_sleep(const struct ksm_profile_item *item, const struct ksm_host *host,
			    struct ksm_profile_point *point)
{
	int doublings = 0;
	int64_t value;

	while (doublings < 4 && host->cores >> (doublings + 1))
		doublings++;
	value = item->hi - (item->hi - item->lo) * doublings / 4;
	if (item->lo == item->hi)
		snprintf(point->why_sleep, sizeof(point->why_sleep), "as the profile says");
	else
		snprintf(point->why_sleep, sizeof(point->why_sleep),
			 "%" PRId64 " to %" PRId64 ": the more cores, the less sleep; here %s%u",
			 item->lo, item->hi, doublings == 4 ? "16 or more, " : "", host->cores);
	return value;
}

static int64_t choose_pages(const struct ksm_profile_item *item, const struct ksm_host *host,
			    int64_t sleep, struct ksm_profile_point *point)
{
	double pages = (double)host->mergeable / (double)ksm_page_size();
	double want = pages * (double)sleep / (KSM_PROFILE_SCAN_SECONDS * 1e3);
	char memory[KSM_FORMAT_MAX], scan[KSM_FORMAT_MAX];
	int64_t value = want >= (double)item->hi ? item->hi :
			want <= (double)item->lo ? item->lo :
						   (int64_t)want + 1;

	if (value > item->hi)
		value = item->hi;
	if (item->lo == item->hi) {
		snprintf(point->why_pages, sizeof(point->why_pages), "as the profile says");
		return value;
	}
	if (!host->known) {
		snprintf(point->why_pages, sizeof(point->why_pages),
			 "%" PRId64 " to %" PRId64
			 ": how much memory is mergeable cannot be told (run as root)",
			 item->lo, item->hi);
		return item->lo;
	}
	ksm_format_bytes(memory, sizeof(memory), (int64_t)host->mergeable);
	ksm_format_duration(scan, sizeof(scan),
			    (uint64_t)(pages / (double)(value ? value : 1) * (double)sleep * 1e6));
	snprintf(point->why_pages, sizeof(point->why_pages),
		 "%" PRId64 " to %" PRId64 ": %s mergeable, a full scan of it sleeps %s%s",
		 item->lo, item->hi, memory, scan,
		 want > (double)item->hi ? "; the range ends here" :
		 want < (double)item->lo ? "; the range begins here" :
					   " (the aim)");
	return value;
}

/* What the engine alone has does what it does everywhere else when it is at its default. */
static void leave_out(struct ksm_profile_point *point, const struct ksm_profile_item *item)
{
	const struct ksm_knob *knob = ksm_knob_by_id(item->id);
	size_t len = strlen(point->left_out);

	if ((knob->flags & KSM_ABI_ENGINE) && knob->kind == KSM_ABI_UINT && item->lo == knob->def)
		return;
	if (item->id == KSM_ABI_ZERO_PAGES_ONLY)
		ksm_copy(point->caveat, sizeof(point->caveat),
			 "this KSM cannot be kept from merging equal pages of anything else, too; "
			 "our engine can (ksmctl engine load, then --backend engine)");
	snprintf(point->left_out + len, sizeof(point->left_out) - len, "%s%s", len ? " " : "",
		 knob->name);
}

void ksm_profile_choose(const struct ksm_profile *p, const struct ksm_host *host,
			const struct ksm_counters_snapshot *s, struct ksm_profile_point *point)
{
	int64_t sleep = ksm_snapshot_get(s, KSM_ABI_SLEEP_MILLISECS);

	memset(point, 0, sizeof(*point));
	/* pages_to_scan depends on it, wherever it stands */
	for (unsigned int i = 0; i < p->count; i++)
		if (p->items[i].id == KSM_ABI_SLEEP_MILLISECS)
			sleep = choose_sleep(&p->items[i], host, point);
	for (unsigned int i = 0; i < p->count; i++) {
		const struct ksm_profile_item *item = &p->items[i];
		struct ksm_setting *set = &point->set[point->count];
		int64_t value = item->lo;

		if (!ksm_snapshot_has(s, item->id)) {
			leave_out(point, item);
			continue;
		}
		if (item->id == KSM_ABI_SLEEP_MILLISECS)
			value = sleep;
		else if (item->id == KSM_ABI_PAGES_TO_SCAN)
			value = choose_pages(item, host, sleep, point);
		ksm_setting_make(set, item->id, value);
		if (set->knob->kind == KSM_ABI_WORD)
			ksm_copy(set->text, sizeof(set->text), item->word);
		point->count++;
	}
}
