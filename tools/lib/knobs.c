// SPDX-License-Identifier: GPL-2.0
#include "lib/knobs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

const struct ksm_knob ksm_knobs[] = {
#define X(ID, fname, number, rw, type, lo, hi, preset, bits) \
	{ .id = number,                                      \
	  .name = #fname,                                    \
	  .mode = KSM_ABI_MODE_##rw,                         \
	  .kind = KSM_ABI_##type,                            \
	  .min = lo,                                         \
	  .max = hi,                                         \
	  .def = preset,                                     \
	  .flags = bits },
	KSM_ABI_FILES(X)
#undef X
};

const unsigned int ksm_knob_count = KSM_ARRAY_SIZE(ksm_knobs);

const struct ksm_knob *ksm_knob_by_id(unsigned int id)
{
	for (unsigned int i = 0; i < ksm_knob_count; i++)
		if (ksm_knobs[i].id == id)
			return &ksm_knobs[i];
	return NULL;
}

const struct ksm_knob *ksm_knob_by_name(const char *name)
{
	for (unsigned int i = 0; i < ksm_knob_count; i++)
		if (!strcmp(ksm_knobs[i].name, name))
			return &ksm_knobs[i];
	return NULL;
}

const char *ksm_knob_suggest(const char *name)
{
	unsigned int best = strlen(name) / 3 + 1;
	const char *found = NULL;

	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		unsigned int d = ksm_edit_distance(name, ksm_knobs[i].name);

		if (d <= best && (!found || d < best)) {
			best = d;
			found = ksm_knobs[i].name;
		}
	}
	return found;
}

const struct ksm_knob *ksm_knob_find(const char *name, struct ksm_error *err)
{
	const struct ksm_knob *knob = ksm_knob_by_name(name);
	const char *near;

	if (knob)
		return knob;
	near = ksm_knob_suggest(name);
	if (near)
		ksm_error_usage(err, "unknown knob '%.64s'; did you mean '%s'?", name, near);
	else
		ksm_error_usage(err, "unknown knob '%.64s'; 'ksmctl get' lists them", name);
	return NULL;
}

const char *ksm_knob_since(const struct ksm_knob *knob)
{
	if (knob->flags & KSM_ABI_SINCE_6_12)
		return " (Linux 6.12 has it)";
	if (knob->flags & KSM_ABI_NUMA)
		return " (kernels with CONFIG_NUMA have it)";
	if (knob->flags & KSM_ABI_ENGINE)
		return " (the engine has it)";
	return "";
}

/* Words end up between brackets in a list: nothing but letters, digits and dashes. */
static int check_word(const struct ksm_knob *knob, const char *text, struct ksm_error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

	if (!*text || text[strspn(text, allowed)] || strlen(text) > 31)
		return ksm_error_usage(err, "%s: '%.32s' is no word it takes", knob->name, text);
	return 0;
}

int ksm_knob_check(const struct ksm_knob *knob, const char *text, int64_t *value,
		   struct ksm_error *err)
{
	uint64_t v = 0;
	int ret;

	*value = 0;
	if (!ksm_knob_writable(knob))
		return ksm_error_usage(err, "%s is a counter and cannot be set", knob->name);
	if (knob->kind == KSM_ABI_WORD)
		return check_word(knob, text, err);
	ret = ksm_parse_u64(text, &v);
	if (ret == -EINVAL)
		return ksm_error_usage(err,
				       "%s: '%.32s' is no number; it takes %" PRId64 " to %" PRId64,
				       knob->name, text, knob->min, knob->max);
	if (ret || v > (uint64_t)knob->max || v < (uint64_t)knob->min)
		return ksm_error_usage(
			err, "%s: %.32s is out of range; it takes %" PRId64 " to %" PRId64,
			knob->name, text, knob->min, knob->max);
	*value = (int64_t)v;
	return 0;
}
