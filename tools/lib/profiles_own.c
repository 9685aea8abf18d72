// SPDX-License-Identifier: GPL-2.0
/*
 * The administrator's profiles, and finding one by name.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/profiles.h"

#define SUFFIX ".conf"

/* "20-100", or one number for both. */
static int parse_range(struct ksm_profile_item *item, const struct ksm_knob *knob,
		       const char *value, struct ksm_error *err)
{
	const char *dash = strchr(value, '-');
	char low[24];
	int ret;

	if (!dash) {
		ret = ksm_knob_check(knob, value, &item->lo, err);
		item->hi = item->lo;
		return ret;
	}
	if (knob->id != KSM_ABI_PAGES_TO_SCAN && knob->id != KSM_ABI_SLEEP_MILLISECS)
		return ksm_error_set(err, -EINVAL, "%s takes one value, not a range", knob->name);
	snprintf(low, sizeof(low), "%.*s", (int)(dash - value), value);
	ret = ksm_knob_check(knob, low, &item->lo, err);
	if (!ret)
		ret = ksm_knob_check(knob, dash + 1, &item->hi, err);
	if (!ret && item->lo > item->hi)
		ret = ksm_error_set(err, -EINVAL, "%s: the range ends before it begins",
				    knob->name);
	return ret;
}

static int parse_line(const char *key, const char *value, void *ctx, struct ksm_error *err)
{
	struct ksm_profile_item item = { 0 };
	struct ksm_profile *p = ctx;
	const struct ksm_knob *knob;
	int64_t number;
	int ret;

	if (!strcmp(key, "summary")) {
		ksm_copy(p->summary, sizeof(p->summary), value);
		return 0;
	}
	knob = ksm_knob_find(key, err);
	if (!knob)
		return -EINVAL;
	item.id = knob->id;
	for (unsigned int i = 0; i < p->count; i++)
		if (p->items[i].id == item.id)
			return ksm_error_set(err, -EINVAL, "%s is given twice", knob->name);
	if (p->count == KSM_PROFILE_ITEMS)
		return ksm_error_set(err, -EINVAL, "too many knobs, at most %u", KSM_PROFILE_ITEMS);
	if (knob->kind == KSM_ABI_WORD) {
		ret = ksm_knob_check(knob, value, &number, err);
		if (!ret && !ksm_copy(item.word, sizeof(item.word), value))
			ret = ksm_error_set(err, -EINVAL, "%s: the word is too long", knob->name);
	} else {
		ret = parse_range(&item, knob, value, err);
	}
	if (!ret)
		p->items[p->count++] = item;
	return ret;
}

int ksm_profile_parse(struct ksm_profile *p, const char *file, const char *text, size_t len,
		      struct ksm_error *err)
{
	const char *base = strrchr(file, '/');
	char *dot;
	int ret;

	memset(p, 0, sizeof(*p));
	p->own = true;
	ksm_copy(p->name, sizeof(p->name), base ? base + 1 : file);
	dot = strrchr(p->name, '.');
	if (dot)
		*dot = '\0';
	ret = ksm_conf_parse(text, len, file, parse_line, p, err);
	if (!ret && !p->count)
		ret = ksm_error_set(err, -EINVAL, "%s: sets no knob", file);
	return ret;
}

static int read_own(const struct ksm_io *io, const char *name, struct ksm_profile *p,
		    struct ksm_error *err)
{
	char path[PATH_MAX], text[KSM_CONF_FILE];
	ssize_t len;

	snprintf(path, sizeof(path), KSM_PROFILE_DIR "/%s" SUFFIX, name);
	len = ksm_io_read(io, path, text, sizeof(text));
	if (len < 0)
		return ksm_error_set(err, (int)len, "%s: %s", path, strerror((int)-len));
	return ksm_profile_parse(p, path, text, (size_t)len, err);
}

/* A name that fits, and that a file, a unit and a command line can hold as it is. */
static bool good_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t len = strlen(name);

	return len && len < KSM_PROFILE_NAME && name[0] != '.' && name[0] != '-' &&
	       strspn(name, allowed) == len;
}

static int unknown(const char *name, struct ksm_error *err)
{
	const char *best = NULL;
	unsigned int least = 4;

	for (unsigned int i = 0; i < ksm_profile_count; i++) {
		unsigned int d = ksm_edit_distance(name, ksm_profiles[i].name);

		if (d < least) {
			least = d;
			best = ksm_profiles[i].name;
		}
	}
	ksm_error_usage(err,
			best ? "no profile '%.40s'; did you mean '%s'?" :
			       "no profile '%.40s'; 'ksmctl profile list' lists them",
			name, best);
	return -ENOENT;
}

int ksm_profile_find(const struct ksm_io *io, const char *name, struct ksm_profile *p,
		     struct ksm_error *err)
{
	int ret;

	if (!good_name(name))
		return unknown(name, err);
	ret = read_own(io, name, p, err);
	if (ret != -ENOENT)
		return ret;
	for (unsigned int i = 0; i < ksm_profile_count; i++) {
		if (strcmp(ksm_profiles[i].name, name))
			continue;
		*p = ksm_profiles[i];
		return 0;
	}
	return unknown(name, err);
}

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && !strcmp(dot, SUFFIX);
}

int ksm_profile_each(const struct ksm_io *io,
		     void (*fn)(const struct ksm_profile *p, const struct ksm_error *bad,
				void *ctx),
		     void *ctx)
{
	struct dirent **names = NULL;
	char path[PATH_MAX + 64];
	struct ksm_profile p;
	struct ksm_error err;
	int count;

	for (unsigned int i = 0; i < ksm_profile_count; i++) {
		snprintf(path, sizeof(path), KSM_PROFILE_DIR "/%s" SUFFIX, ksm_profiles[i].name);
		if (!ksm_io_exists(io, path))
			fn(&ksm_profiles[i], NULL, ctx);
	}
	snprintf(path, sizeof(path), "%s" KSM_PROFILE_DIR, io->root);
	count = scandir(path, &names, is_conf, alphasort);
	if (count < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		*strrchr(names[i]->d_name, '.') = '\0';
		memset(&p, 0, sizeof(p));
		if (!good_name(names[i]->d_name))
			ksm_error_set(
				&err, -EINVAL,
				KSM_PROFILE_DIR
				"/%.64s" SUFFIX
				": no name; it takes at most 31 letters, digits, '.', '_', '-'",
				names[i]->d_name);
		else
			err.code = read_own(io, names[i]->d_name, &p, &err);
		ksm_copy(p.name, sizeof(p.name), names[i]->d_name);
		fn(&p, err.code ? &err : NULL, ctx);
		free(names[i]);
	}
	free(names);
	return 0;
}
