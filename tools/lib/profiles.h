/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Profiles: named sets of knobs with a range for the pace, within which a point is chosen for this
 * host. Ours are a const table; an administrator's are files of "key = value" lines.
 */
#ifndef KSMKIT_PROFILES_H
#define KSMKIT_PROFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/backend.h"

#define KSM_PROFILE_DIR "/etc/ksmkit/profiles.d"
#define KSM_PROFILE_NAME 32
#define KSM_PROFILE_ITEMS 12

/**
 * struct ksm_profile_item - one knob of a profile
 * @id: enum ksm_abi_id
 * @lo: smallest value
 * @hi: greatest; equal to @lo but for pages_to_scan and sleep_millisecs
 * @word: the value of a knob that takes words
 */
struct ksm_profile_item {
	unsigned int id;
	int64_t lo;
	int64_t hi;
	char word[24];
};

/**
 * struct ksm_profile - a profile
 * @name: as typed
 * @summary: one line
 * @own: from a file of the administrator's
 * @count: entries of @items
 * @items: its knobs
 */
struct ksm_profile {
	char name[KSM_PROFILE_NAME];
	char summary[120];
	bool own;
	unsigned int count;
	struct ksm_profile_item items[KSM_PROFILE_ITEMS];
};

/* Those that are built in. */
extern const struct ksm_profile ksm_profiles[];
extern const unsigned int ksm_profile_count;

/**
 * ksm_profile_parse() - a profile out of a file
 * @p: filled; @p->name is the file's name without ".conf"
 * @file: path, for messages
 * @text: contents
 * @len: bytes of it
 * @err: "FILE:LINE: ..."
 *
 * Keys are the names of knobs and "summary"; pages_to_scan and sleep_millisecs take "LOW-HIGH",
 * too. Return: 0 or negative errno.
 */
int ksm_profile_parse(struct ksm_profile *p, const char *file, const char *text, size_t len,
		      struct ksm_error *err);

/**
 * ksm_profile_find() - by name: the administrator's before ours
 *
 * Return: 0; -ENOENT with a suggestion in @err; negative errno for a file that is not right.
 */
int ksm_profile_find(const struct ksm_io *io, const char *name, struct ksm_profile *p,
		     struct ksm_error *err);

/**
 * ksm_profile_each() - all of them: ours, then the administrator's by name
 * @fn: gets each; @bad is what is wrong with its file (then only the name is filled), else NULL
 *
 * One of ours that has been replaced by a file is left out. Return: 0 or negative errno.
 */
int ksm_profile_each(const struct ksm_io *io,
		     void (*fn)(const struct ksm_profile *p, const struct ksm_error *bad,
				void *ctx),
		     void *ctx);

/**
 * struct ksm_host - what the point within a range is chosen from
 * @cores: processors that are online
 * @mergeable: bytes marked mergeable, or tracked by KSM where that is more
 * @known: @mergeable could be told
 */
struct ksm_host {
	unsigned int cores;
	uint64_t mergeable;
	bool known;
};

/**
 * ksm_host_read() - look at this host; reads every process's smaps, which takes its time
 */
void ksm_host_read(const struct ksm_io *io, const struct ksm_counters_snapshot *s,
		   struct ksm_host *host);

/**
 * struct ksm_profile_point - a profile made concrete
 * @set: what to write, for ksm_backend_apply()
 * @count: entries of @set
 * @why_sleep: why this sleep_millisecs, "" when the profile has none
 * @why_pages: why this pages_to_scan, likewise
 * @left_out: knobs that this kernel lacks, blank-separated, "" when none
 * @caveat: what the profile does not do here for lack of them, "" when nothing worth a word
 */
struct ksm_profile_point {
	struct ksm_setting set[KSM_PROFILE_ITEMS];
	unsigned int count;
	char why_sleep[120];
	char why_pages[160];
	char left_out[160];
	char caveat[200];
};

/**
 * ksm_profile_choose() - the point within the ranges for a host
 * @p: a profile
 * @host: this host
 * @s: counters: which files there are
 * @point: filled
 *
 * More cores sleep less; pages_to_scan is what scans the mergeable memory in
 * KSM_PROFILE_SCAN_SECONDS, as far as the range allows.
 */
void ksm_profile_choose(const struct ksm_profile *p, const struct ksm_host *host,
			const struct ksm_counters_snapshot *s, struct ksm_profile_point *point);

/* What the kernel's own advisor aims at, too. */
#define KSM_PROFILE_SCAN_SECONDS 200

#endif /* KSMKIT_PROFILES_H */
