// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's answers, imitated over a directory tree: what it refuses, and what a write changes
 * elsewhere. Only behaviour that the tools depend on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/backend_priv.h"

static int64_t value_of(const struct ksm_io *io, const char *dir, unsigned int id)
{
	char text[KSM_WORD_MAX];
	int64_t value;

	if (ksm_backend_read_file(io, dir, ksm_knob_by_id(id), text, sizeof(text), &value))
		return 0;
	return value;
}

static int put(const struct ksm_io *io, const char *dir, unsigned int id, const char *text)
{
	char path[256];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", dir, ksm_knob_by_id(id)->name);
	ret = ksm_io_write_plain(io, path, text);
	return ret == -ENOENT ? 0 : ret; /* this tree imitates a kernel without that file */
}

static int fake_unmerge(const struct ksm_io *io, const char *dir)
{
	static const unsigned int gone[] = {
		KSM_ABI_PAGES_SHARED,	    KSM_ABI_PAGES_SHARING,    KSM_ABI_PAGES_UNSHARED,
		KSM_ABI_PAGES_VOLATILE,	    KSM_ABI_KSM_ZERO_PAGES,   KSM_ABI_GENERAL_PROFIT,
		KSM_ABI_STABLE_NODE_CHAINS, KSM_ABI_STABLE_NODE_DUPS,
	};
	int ret = 0;

	for (size_t i = 0; i < KSM_ARRAY_SIZE(gone) && !ret; i++)
		ret = put(io, dir, gone[i], "0");
	return ret;
}

static int fake_run(const struct ksm_io *io, const char *dir, unsigned int kind, const char *text)
{
	unsigned int other = kind == KSM_BACKEND_KERNEL ? KSM_BACKEND_ENGINE : KSM_BACKEND_KERNEL;
	int64_t run, merged;
	int ret;

	if (!strcmp(text, "1") && ksm_backend_owns(io, other, &run, &merged))
		return -EBUSY;
	ret = !strcmp(text, "2") ? fake_unmerge(io, dir) : 0;
	return ret ? ret : put(io, dir, KSM_ABI_RUN, text);
}

/* The chosen word gets the brackets; a switch resets pages_to_scan, as the advisor does. */
static int fake_advisor(const struct ksm_io *io, const char *dir, const char *text)
{
	bool scan_time = !strcmp(text, "scan-time");
	char pages[24];
	int ret;

	if (!scan_time && strcmp(text, "none"))
		return -EINVAL;
	if (scan_time == value_of(io, dir, KSM_ABI_ADVISOR_MODE))
		return 0;
	ret = put(io, dir, KSM_ABI_ADVISOR_MODE,
		  scan_time ? "none [scan-time]" : "[none] scan-time");
	snprintf(pages, sizeof(pages), "%lld",
		 scan_time ? (long long)value_of(io, dir, KSM_ABI_ADVISOR_MIN_PAGES) :
			     (long long)ksm_knob_by_id(KSM_ABI_PAGES_TO_SCAN)->def);
	return ret ? ret : put(io, dir, KSM_ABI_PAGES_TO_SCAN, pages);
}

/* "all [uid] cgroup": the chosen word gets the brackets. */
static int fake_word(const struct ksm_io *io, const char *dir, const struct ksm_knob *knob,
		     const char *text)
{
	char was[KSM_WORD_MAX], now[2 * KSM_WORD_MAX] = "", *save = NULL;
	int64_t old, nr = 0, chosen = -1;

	if (ksm_backend_read_file(io, dir, knob, was, sizeof(was), &old))
		return -EINVAL;
	for (char *w = strtok_r(was, " []", &save); w; w = strtok_r(NULL, " []", &save), nr++) {
		size_t len = strlen(now);
		bool here = !strcmp(w, text);

		if (here)
			chosen = nr;
		snprintf(now + len, sizeof(now) - len, here ? "%s[%s]" : "%s%s", nr ? " " : "", w);
	}
	if (chosen < 0)
		return -EINVAL;
	if (chosen != old && knob->flags & KSM_ABI_BUSY_SHARED &&
	    value_of(io, dir, KSM_ABI_PAGES_SHARED) > 0)
		return -EBUSY;
	return put(io, dir, knob->id, now);
}

static int fake_knob(const struct ksm_io *io, unsigned int kind, const struct ksm_knob *knob,
		     const char *text)
{
	const char *dir = ksm_backend_kind_dir(kind);
	int64_t value;

	if (ksm_knob_check(knob, text, &value, NULL))
		return -EINVAL;
	if (knob->kind != KSM_ABI_WORD && knob->flags & KSM_ABI_BUSY_SHARED &&
	    value != value_of(io, dir, knob->id) &&
	    value_of(io, dir, KSM_ABI_PAGES_SHARED) > 0)
		return -EBUSY;
	if (knob->id == KSM_ABI_PAGES_TO_SCAN && value_of(io, dir, KSM_ABI_ADVISOR_MODE))
		return -EINVAL;
	if (knob->id == KSM_ABI_RUN)
		return fake_run(io, dir, kind, text);
	if (knob->id == KSM_ABI_ADVISOR_MODE)
		return fake_advisor(io, dir, text);
	if (knob->kind == KSM_ABI_WORD)
		return fake_word(io, dir, knob, text);
	return put(io, dir, knob->id, text);
}

int ksm_fake_write(const struct ksm_io *io, const char *path, const char *text)
{
	const struct ksm_knob *knob = ksm_knob_by_name(strrchr(path, '/') + 1);

	for (unsigned int kind = KSM_BACKEND_KERNEL; knob && kind <= KSM_BACKEND_ENGINE; kind++) {
		size_t len = strlen(ksm_backend_kind_dir(kind));

		if (!strncmp(path, ksm_backend_kind_dir(kind), len) && path[len] == '/')
			return ksm_io_exists(io, path) ? fake_knob(io, kind, knob, text) : -ENOENT;
	}
	return -ENOENT;
}
