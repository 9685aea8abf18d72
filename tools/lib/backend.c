// SPDX-License-Identifier: GPL-2.0
/*
 * Which engine there is and what its files say. Writing is in backend_apply.c.
 */
#include "lib/backend.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/backend_priv.h"

static const struct {
	const char *name;
	const char *title;
	const char *dir;
	const char *thread;
} kinds[] = {
	[KSM_BACKEND_KERNEL] = { "kernel", "the in-tree KSM", KSM_ABI_KERNEL_DIR,
				 KSM_ABI_KERNEL_THREAD },
	[KSM_BACKEND_ENGINE] = { "engine", "the engine", KSM_ABI_ENGINE_DIR,
				 KSM_ABI_ENGINE_THREAD },
};

const char *ksm_backend_kind_name(unsigned int kind)
{
	return kind < KSM_ARRAY_SIZE(kinds) ? kinds[kind].name : "unknown";
}

const char *ksm_backend_title(unsigned int kind)
{
	return kind < KSM_ARRAY_SIZE(kinds) ? kinds[kind].title : "unknown";
}

const char *ksm_backend_kind_dir(unsigned int kind)
{
	return kinds[kind].dir;
}

bool ksm_backend_exists(const struct ksm_io *io, unsigned int kind)
{
	return kind < KSM_ARRAY_SIZE(kinds) && ksm_io_exists(io, kinds[kind].dir);
}

/* Cut the word between brackets out of "[none] scan-time"; its place in the list. */
static int bracketed(const char *list, char *word, size_t size)
{
	const char *open = strchr(list, '['), *close;
	int index = 0;

	if (!open) {
		ksm_copy(word, size, list);
		return 0;
	}
	for (const char *c = list; c < open; c++)
		index += *c == ' ';
	close = strchr(open, ']');
	snprintf(word, size, "%.*s", close ? (int)(close - open - 1) : (int)strlen(open + 1),
		 open + 1);
	return index;
}

void ksm_snapshot_word(const struct ksm_counters_snapshot *s, unsigned int id, char *buf,
		       size_t size)
{
	bracketed(s->word[id], buf, size);
}

static int parse_number(const struct ksm_knob *knob, const char *text, int64_t *value)
{
	uint64_t u;
	int ret;

	if (knob->kind == KSM_ABI_SINT)
		return ksm_parse_s64(text, value);
	ret = ksm_parse_u64(text, &u);
	if (!ret)
		*value = u > INT64_MAX ? INT64_MAX : (int64_t)u;
	return ret;
}

int ksm_backend_read_file(const struct ksm_io *io, const char *dir, const struct ksm_knob *knob,
			  char *text, size_t size, int64_t *value)
{
	char path[256], word[KSM_WORD_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, knob->name);
	len = ksm_io_read(io, path, text, size);
	if (len < 0)
		return (int)len;
	ksm_chomp(text);
	if (knob->kind != KSM_ABI_WORD)
		return parse_number(knob, text, value) ? -EPROTO : 0;
	*value = bracketed(text, word, sizeof(word));
	return 0;
}

static bool number_at(const struct ksm_io *io, unsigned int kind, unsigned int id, int64_t *value)
{
	char text[KSM_WORD_MAX];

	*value = 0;
	return !ksm_backend_read_file(io, kinds[kind].dir, ksm_knob_by_id(id), text, sizeof(text),
				      value);
}

bool ksm_backend_owns(const struct ksm_io *io, unsigned int kind, int64_t *run, int64_t *merged)
{
	int64_t zero;

	number_at(io, kind, KSM_ABI_RUN, run);
	number_at(io, kind, KSM_ABI_PAGES_SHARED, merged);
	number_at(io, kind, KSM_ABI_KSM_ZERO_PAGES, &zero);
	*merged += zero;
	return *run & KSM_RUN_MERGE || *merged > 0;
}

static void choose(struct ksm_backend *b, unsigned int kind)
{
	b->kind = kind;
	b->dir = kinds[kind].dir;
	b->thread = kinds[kind].thread;
	if (!b->fake)
		ksm_copy(b->name, sizeof(b->name), kinds[kind].name);
}

static int missing(const struct ksm_backend *b, unsigned int kind, struct ksm_error *err)
{
	if (kind == KSM_BACKEND_ENGINE)
		return ksm_error_set(err, -ENOENT,
				     "the engine is not loaded: load it with 'ksmctl engine load' "
				     "(or 'modprobe ksm_engine')");
	return ksm_error_set(err, -ENOENT,
			     "this kernel has no KSM (%s%s is missing): it needs one built with "
			     "CONFIG_KSM=y",
			     b->io.root, KSM_ABI_KERNEL_DIR);
}

int ksm_backend_select(struct ksm_backend *b, unsigned int kind, struct ksm_error *err)
{
	if (!ksm_backend_exists(&b->io, kind))
		return missing(b, kind, err);
	choose(b, kind);
	return 0;
}

static int select_auto(struct ksm_backend *b, struct ksm_error *err)
{
	bool kernel = ksm_backend_exists(&b->io, KSM_BACKEND_KERNEL);
	bool engine = ksm_backend_exists(&b->io, KSM_BACKEND_ENGINE);
	int64_t run, merged;

	if (engine && (!kernel || (ksm_backend_owns(&b->io, KSM_BACKEND_ENGINE, &run, &merged) &&
				   !ksm_backend_owns(&b->io, KSM_BACKEND_KERNEL, &run, &merged))))
		return ksm_backend_select(b, KSM_BACKEND_ENGINE, err);
	return ksm_backend_select(b, KSM_BACKEND_KERNEL, err);
}

static int locate_fake(struct ksm_backend *b, const char *spec, const char *root,
		       struct ksm_error *err)
{
	if (!*root)
		return ksm_error_usage(err, "--backend fake: needs a directory, as in fake:DIR");
	if (ksm_io_init(&b->io, root))
		return ksm_error_usage(err, "--backend fake: the directory's name is too long");
	if (!ksm_io_exists(&b->io, "/"))
		return ksm_error_usage(err, "--backend %s: no such directory", spec);
	b->fake = true;
	b->io.write = ksm_fake_write;
	ksm_copy(b->name, sizeof(b->name), spec);
	return 0;
}

/* KSM_BACKEND_* that was asked for by name, -1 when it was not. */
static int named_kind(const char *spec)
{
	for (unsigned int i = 0; spec && i < KSM_ARRAY_SIZE(kinds); i++)
		if (!strcmp(spec, kinds[i].name))
			return (int)i;
	return -1;
}

int ksm_backend_locate(struct ksm_backend *b, const char *spec, struct ksm_error *err)
{
	memset(b, 0, sizeof(*b));
	if (ksm_io_init(&b->io, NULL))
		return ksm_error_set(err, -ENAMETOOLONG, KSM_IO_ROOT_ENV " is too long");
	if (!spec || !strcmp(spec, "auto") || named_kind(spec) >= 0)
		return 0;
	if (!strncmp(spec, "fake:", 5))
		return locate_fake(b, spec, spec + 5, err);
	return ksm_error_usage(err, "no such backend: '%s' (there are: " KSM_BACKEND_SPECS ")",
			       spec);
}

int ksm_backend_open(struct ksm_backend *b, const char *spec, struct ksm_error *err)
{
	int ret = ksm_backend_locate(b, spec, err), kind = named_kind(spec);

	if (ret)
		return ret;
	return kind < 0 ? select_auto(b, err) : ksm_backend_select(b, (unsigned int)kind, err);
}

int ksm_backend_read(const struct ksm_backend *b, struct ksm_counters_snapshot *s,
		     struct ksm_error *err)
{
	char text[KSM_WORD_MAX];

	memset(s, 0, sizeof(*s));
	s->time = ksm_monotonic_ns();
	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		const struct ksm_knob *knob = &ksm_knobs[i];
		int ret = ksm_backend_read_file(&b->io, b->dir, knob, text, sizeof(text),
						&s->value[knob->id]);

		if (ret == -EPROTO || ret == -EFBIG)
			return ksm_error_set(err, -EPROTO,
					     "%s%s/%s holds '%.32s', which is no number",
					     b->io.root, b->dir, knob->name, text);
		if (ret) {
			s->denied |= (uint64_t)(ret != -ENOENT) << knob->id;
			continue;
		}
		s->present |= 1ull << knob->id;
		if (knob->kind == KSM_ABI_WORD)
			ksm_copy(s->word[knob->id], KSM_WORD_MAX, text);
	}
	if (s->present)
		return 0;
	if (s->denied)
		return ksm_error_set(err, -EACCES, "%s%s cannot be read", b->io.root, b->dir);
	return missing(b, b->kind, err);
}
