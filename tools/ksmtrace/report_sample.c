// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_sample.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE 4096

uint64_t sample_mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

int sample_init(struct sample *s, size_t max)
{
	s->max = max;
	s->size = max < FIRST_SIZE ? max : FIRST_SIZE;
	s->slots = calloc(s->size, sizeof(*s->slots));
	return s->slots ? 0 : -ENOMEM;
}

void sample_free(struct sample *s)
{
	free(s->slots);
	s->slots = NULL;
}

static struct sample_entry *slot_of(const struct sample *s, uint64_t key)
{
	size_t at = sample_mix(key) & (s->size - 1);

	while (s->slots[at].key && s->slots[at].key != key)
		at = (at + 1) & (s->size - 1);
	return &s->slots[at];
}

struct sample_entry *sample_find(const struct sample *s, uint64_t key)
{
	struct sample_entry *entry = slot_of(s, key);

	return entry->key ? entry : NULL;
}

static bool in_sample(const struct sample *s, uint32_t frame)
{
	return !(sample_mix(frame + UINT64_C(1)) >> 20 & (sample_weight(s) - 1));
}

/* Moves what is in the sample into a table of @size slots. */
static int rebuild(struct sample *s, size_t size)
{
	struct sample_entry *old = s->slots, *fresh = calloc(size, sizeof(*fresh));
	size_t count = s->size;

	if (!fresh)
		return -ENOMEM;
	s->slots = fresh;
	s->size = size;
	s->used = 0;
	for (size_t i = 0; i < count; i++) {
		if (!old[i].key || !in_sample(s, old[i].frame))
			continue;
		*slot_of(s, old[i].key) = old[i];
		s->used++;
	}
	free(old);
	return 0;
}

/* Room for one more, by growing as long as that is allowed, then by keeping less. */
static bool make_room(struct sample *s)
{
	while (s->used >= s->size / 4 * 3) {
		if (s->size < s->max && !rebuild(s, s->size * 2))
			continue;
		if (s->level == 40)
			return false;
		s->level++;
		if (rebuild(s, s->size))
			return false;
	}
	return true;
}

struct sample_entry *sample_insert(struct sample *s, uint64_t key, uint32_t frame)
{
	struct sample_entry *entry = slot_of(s, key);

	if (entry->key)
		return entry;
	if (!in_sample(s, frame) || !make_room(s) || !in_sample(s, frame))
		return NULL;
	entry = slot_of(s, key);
	*entry = (struct sample_entry){ .key = key, .frame = frame };
	s->used++;
	return entry;
}

size_t sample_sort(struct sample *s, int (*compare)(const void *, const void *))
{
	size_t count = 0;

	for (size_t i = 0; i < s->size; i++)
		if (s->slots[i].key)
			s->slots[count++] = s->slots[i];
	qsort(s->slots, count, sizeof(*s->slots), compare);
	return count;
}
