// SPDX-License-Identifier: GPL-2.0
/*
 * Writing knobs: checked as a whole before the first write, ordered, and put back when the kernel
 * refuses one after all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/backend_priv.h"

int ksm_setting_parse(struct ksm_setting *s, const char *word, struct ksm_error *err)
{
	const char *equals = strchr(word, '=');
	char name[64];

	if (!equals || equals == word)
		return ksm_error_usage(err, "'%.64s' is no setting; write KNOB=VALUE", word);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - word), word);
	s->knob = ksm_knob_find(name, err);
	if (!s->knob)
		return -EINVAL;
	if (ksm_knob_check(s->knob, equals + 1, &s->value, err))
		return -EINVAL;
	/* The number, not the text: "007" is written as "7". */
	if (s->knob->kind == KSM_ABI_WORD)
		ksm_copy(s->text, sizeof(s->text), equals + 1);
	else
		snprintf(s->text, sizeof(s->text), "%" PRId64, s->value);
	return 0;
}

bool ksm_setting_changes(const struct ksm_setting *s, const struct ksm_counters_snapshot *now)
{
	char word[KSM_WORD_MAX];

	if (s->knob->kind != KSM_ABI_WORD)
		return s->value != ksm_snapshot_get(now, s->knob->id);
	ksm_snapshot_word(now, s->knob->id, word, sizeof(word));
	return strcmp(s->text, word);
}

void ksm_setting_make(struct ksm_setting *s, unsigned int id, int64_t value)
{
	s->knob = ksm_knob_by_id(id);
	s->value = value;
	snprintf(s->text, sizeof(s->text), "%" PRId64, value);
}

/*
 * The advisor's bounds come before its mode, because switching it on starts from them; its mode
 * before pages_to_scan, because a switch overwrites that; run last, when all is in place.
 */
static int rank(const struct ksm_setting *s)
{
	switch (s->knob->id) {
	case KSM_ABI_RUN:
		return 4;
	case KSM_ABI_ADVISOR_MODE:
		return 2;
	case KSM_ABI_ADVISOR_MAX_CPU:
	case KSM_ABI_ADVISOR_MIN_PAGES:
	case KSM_ABI_ADVISOR_MAX_PAGES:
	case KSM_ABI_ADVISOR_TARGET_TIME:
		return 1;
	default:
		return 3;
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct ksm_setting *x = a, *y = b;
	int d = rank(x) - rank(y);

	return d ? d : (int)x->knob->id - (int)y->knob->id;
}

static const struct ksm_setting *find(const struct ksm_setting *set, unsigned int n,
				      unsigned int id)
{
	for (unsigned int i = 0; i < n; i++)
		if (set[i].knob->id == id)
			return &set[i];
	return NULL;
}

static void knob_path(const struct ksm_backend *b, const struct ksm_knob *knob, char *buf,
		      size_t size)
{
	snprintf(buf, size, "%s/%s", b->dir, knob->name);
}

static int check_writable(const struct ksm_backend *b, const struct ksm_knob *knob,
			  struct ksm_error *err)
{
	char path[256];
	int ret;

	knob_path(b, knob, path, sizeof(path));
	ret = ksm_io_writable(&b->io, path);
	switch (ret) {
	case 0:
		return 0;
	case -ENOENT:
		return ksm_error_set(err, ret, "%s: %s has no such file%s", knob->name,
				     ksm_backend_title(b->kind), ksm_knob_since(knob));
	case -EROFS:
		return ksm_error_set(
			err, ret, "%s: %s is mounted read-only here; do it outside the container",
			knob->name, KSM_ABI_SYSFS_MM);
	default:
		return ksm_error_set(err, ret, "%s: writing needs root (try sudo): %s", knob->name,
				     strerror(-ret));
	}
}

/* Who has merging, and how to take it away from them. */
static int busy_other(const struct ksm_backend *b, struct ksm_error *err)
{
	unsigned int other =
		b->kind == KSM_BACKEND_KERNEL ? KSM_BACKEND_ENGINE : KSM_BACKEND_KERNEL;
	int64_t run, merged;

	if (!ksm_backend_owns(&b->io, other, &run, &merged))
		return 0;
	return ksm_error_set(err, -EBUSY,
			     "run=1 refused: %s %s%s%" PRId64 " merged pages, and only one may own "
			     "merging; release them with 'ksmctl --backend %s unmerge'",
			     ksm_backend_title(other), run & KSM_RUN_MERGE ? "runs" : "is stopped",
			     run & KSM_RUN_MERGE ? " with " : " but holds ", merged,
			     ksm_backend_kind_name(other));
}

/* Is it one of "[none] scan-time"? */
static bool listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t next;

		list += strspn(list, " []");
		next = strcspn(list, " []");
		if (next == len && !strncmp(list, word, len))
			return true;
		list += next;
	}
	return false;
}

static int check_one(const struct ksm_backend *b, const struct ksm_counters_snapshot *now,
		     const struct ksm_setting *s, const char *advisor, struct ksm_error *err)
{
	const struct ksm_knob *knob = s->knob;
	int64_t shared = ksm_snapshot_get(now, KSM_ABI_PAGES_SHARED);
	int ret = check_writable(b, knob, err);

	if (ret)
		return ret;
	if (knob->kind == KSM_ABI_WORD && !listed(now->word[knob->id], s->text))
		return ksm_error_usage(err, "%s: '%s' is not one of: %s", knob->name, s->text,
				       now->word[knob->id]);
	if (knob->flags & KSM_ABI_BUSY_SHARED && shared > 0 && ksm_setting_changes(s, now))
		return ksm_error_set(err, -EBUSY,
				     "%s cannot change while %" PRId64
				     " KSM pages exist; 'ksmctl unmerge' first",
				     knob->name, shared);
	if (knob->id == KSM_ABI_PAGES_TO_SCAN && !strcmp(advisor, "scan-time"))
		return ksm_error_set(err, -EINVAL,
				     "pages_to_scan is the advisor's while advisor_mode is "
				     "scan-time; set advisor_mode=none as well");
	if (knob->id == KSM_ABI_RUN && s->value == KSM_RUN_MERGE)
		return busy_other(b, err);
	return 0;
}

static int check_twice(const struct ksm_setting *set, unsigned int n, struct ksm_error *err)
{
	for (unsigned int i = 1; i < n; i++)
		if (set[i].knob == set[i - 1].knob)
			return ksm_error_usage(err, "%s is given twice", set[i].knob->name);
	return 0;
}

static int check_all(const struct ksm_backend *b, struct ksm_setting *set, unsigned int n,
		     struct ksm_counters_snapshot *now, struct ksm_error *err)
{
	const struct ksm_setting *mode;
	char advisor[KSM_WORD_MAX];
	int ret;

	qsort(set, n, sizeof(*set), by_rank);
	ret = check_twice(set, n, err);
	if (!ret)
		ret = ksm_backend_read(b, now, err);
	if (ret)
		return ret;
	mode = find(set, n, KSM_ABI_ADVISOR_MODE);
	if (mode)
		ksm_copy(advisor, sizeof(advisor), mode->text);
	else
		ksm_snapshot_word(now, KSM_ABI_ADVISOR_MODE, advisor, sizeof(advisor));
	for (unsigned int i = 0; i < n && !ret; i++)
		ret = check_one(b, now, &set[i], advisor, err);
	return ret;
}

int ksm_backend_check(const struct ksm_backend *b, struct ksm_setting *set, unsigned int n,
		      struct ksm_error *err)
{
	struct ksm_counters_snapshot now;

	return check_all(b, set, n, &now, err);
}

static int write_knob(const struct ksm_backend *b, const struct ksm_knob *knob, const char *text)
{
	char path[256];

	knob_path(b, knob, path, sizeof(path));
	return ksm_io_write(&b->io, path, text);
}

static int write_back(const struct ksm_backend *b, const struct ksm_counters_snapshot *old,
		      unsigned int id)
{
	const struct ksm_knob *knob = ksm_knob_by_id(id);
	char text[KSM_WORD_MAX];

	if (knob->kind == KSM_ABI_WORD)
		ksm_snapshot_word(old, id, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%" PRId64, old->value[id]);
	return write_knob(b, knob, text);
}

/*
 * Put the first @n settings back, in the order of writing for the same reasons. A switch of the
 * advisor also changed pages_to_scan. Return: name of a knob that could not be put back, or NULL.
 */
static const char *roll_back(const struct ksm_backend *b, const struct ksm_setting *set,
			     unsigned int n, const struct ksm_counters_snapshot *old)
{
	const char *stuck = NULL;
	char advisor[KSM_WORD_MAX];

	for (unsigned int i = 0; i < n; i++)
		if (write_back(b, old, set[i].knob->id))
			stuck = set[i].knob->name;
	ksm_snapshot_word(old, KSM_ABI_ADVISOR_MODE, advisor, sizeof(advisor));
	if (find(set, n, KSM_ABI_ADVISOR_MODE) && !find(set, n, KSM_ABI_PAGES_TO_SCAN) &&
	    !strcmp(advisor, "none") && write_back(b, old, KSM_ABI_PAGES_TO_SCAN))
		stuck = "pages_to_scan";
	return stuck;
}

/* What the kernel meant by its errno. */
static const char *refusal(const struct ksm_setting *s, int ret)
{
	if (s->knob->id == KSM_ABI_RUN && ret == -EINTR)
		return "interrupted; merging is stopped, some pages are still merged";
	if (s->knob->id == KSM_ABI_RUN && ret == -ENOMEM)
		return "not enough memory to unmerge; merging is stopped";
	if (s->knob->id == KSM_ABI_RUN && ret == -EOPNOTSUPP)
		return "the engine was never tested on this kernel series; to try, reload it with "
		       "'modprobe ksm_engine untested=1'";
	if (s->knob->flags & KSM_ABI_BUSY_SHARED && ret == -EBUSY)
		return "KSM pages exist; 'ksmctl unmerge' first";
	return strerror(-ret);
}

static int refused(const struct ksm_backend *b, const struct ksm_setting *set, unsigned int at,
		   const struct ksm_counters_snapshot *old, int ret, struct ksm_error *err)
{
	const char *stuck = roll_back(b, set, at, old);

	if (set[at].knob->id == KSM_ABI_RUN && ret == -EBUSY && !stuck && busy_other(b, err))
		return ret;
	return ksm_error_set(err, ret, "%s=%s refused: %s%s%s", set[at].knob->name, set[at].text,
			     refusal(&set[at], ret),
			     stuck  ? "; could not put back: " :
			     at > 0 ? "; the other knobs were put back" :
				      "",
			     stuck ? stuck : "");
}

int ksm_backend_apply(const struct ksm_backend *b, struct ksm_setting *set, unsigned int n,
		      struct ksm_error *err)
{
	struct ksm_counters_snapshot old;
	int ret = check_all(b, set, n, &old, err);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < n; i++) {
		ret = write_knob(b, set[i].knob, set[i].text);
		if (ret)
			return refused(b, set, i, &old, ret, err);
	}
	return 0;
}
