// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX (PAIR_SLOTS / 4 * 3)
/* Groups of one page that are paired with each other; of more, so many stand for all. */
#define PAIRED_MAX 16
#define MEMBERS_MAX 4096

static bool is_mapped(const struct sample_entry *page)
{
	return !(page->who & REPORT_BROKEN);
}

/* Two numbers that are no pair make an empty slot. */
static struct share_pair *pair_slot(struct share_pair *slots, uint32_t a, uint32_t b)
{
	size_t at = sample_mix((uint64_t)a << 32 | b) & (PAIR_SLOTS - 1);

	while (slots[at].a != slots[at].b && (slots[at].a != a || slots[at].b != b))
		at = (at + 1) & (PAIR_SLOTS - 1);
	return &slots[at];
}

static void add_pair(struct sharing *s, uint32_t a, uint32_t b, double frames)
{
	struct share_pair *slot;

	if (a > b) {
		uint32_t swap = a;

		a = b;
		b = swap;
	}
	slot = pair_slot(s->pairs, a, b);
	if (slot->a == slot->b && s->count == PAIRS_MAX) {
		s->forgotten++;
		return;
	}
	s->count += slot->a == slot->b;
	slot->a = a;
	slot->b = b;
	slot->frames += frames;
}

static unsigned int class_of(size_t sharers)
{
	unsigned int class = 0;

	while (sharers > 1u << class && class + 1 < SHARERS_CLASSES)
		class ++;
	return class;
}

/* Puts @wanted of the numbers, by lot, to the front. */
static void draw(uint32_t *numbers, size_t count, size_t wanted, uint64_t seed)
{
	for (size_t i = 0; i < wanted; i++) {
		size_t other = i + (sample_mix(seed << 8 | i) >> 20) % (count - i);
		uint32_t swap = numbers[i];

		numbers[i] = numbers[other];
		numbers[other] = swap;
	}
}

/* One KSM page and the groups that map it, each once. */
static void add_frame(struct sharing *s, uint32_t *groups, size_t count, uint32_t frame)
{
	size_t paired = count < PAIRED_MAX ? count : PAIRED_MAX;
	double weight = s->weight;

	s->classes[class_of(count)] += s->weight;
	if (count == 1) {
		s->alone[groups[0]] += s->weight;
		return;
	}
	if (count > paired) {
		draw(groups, count, paired, frame);
		weight *= (double)count * (count - 1) / ((double)paired * (paired - 1));
	}
	for (size_t i = 0; i < paired; i++)
		for (size_t j = i + 1; j < paired; j++)
			add_pair(s, groups[i], groups[j], weight);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Takes the pages of one frame, from @at on. Return: the first one behind them. */
static size_t take_frame(const struct report *r, const struct report_rows *rows, size_t at,
			 struct sharing *s)
{
	const struct sample_entry *pages = r->live.slots;
	uint32_t groups[MEMBERS_MAX], frame = pages[at].frame;
	size_t count = 0, distinct = 0;

	for (; at < r->live_count && pages[at].frame == frame; at++)
		if (is_mapped(&pages[at]) && count < MEMBERS_MAX)
			groups[count++] = rows->group_of[pages[at].who];
	qsort(groups, count, sizeof(*groups), by_number);
	for (size_t i = 0; i < count; i++)
		if (!i || groups[i] != groups[distinct - 1])
			groups[distinct++] = groups[i];
	if (distinct)
		add_frame(s, groups, distinct, frame);
	return at;
}

static int by_frames(const void *a, const void *b)
{
	const struct share_pair *x = a, *y = b;

	if (x->frames != y->frames)
		return x->frames > y->frames ? -1 : 1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

int sharing_make(const struct report *r, const struct report_rows *rows, struct sharing *s)
{
	size_t count = 0;

	memset(s, 0, sizeof(*s));
	s->weight = sample_weight(&r->live);
	s->pairs = calloc(PAIR_SLOTS, sizeof(*s->pairs));
	s->alone = calloc(rows->count, sizeof(*s->alone));
	if (!s->pairs || !s->alone) {
		sharing_free(s);
		return -ENOMEM;
	}
	for (size_t at = 0; at < r->live_count;)
		at = take_frame(r, rows, at, s);
	for (size_t i = 0; i < PAIR_SLOTS; i++)
		if (s->pairs[i].a != s->pairs[i].b)
			s->pairs[count++] = s->pairs[i];
	qsort(s->pairs, count, sizeof(*s->pairs), by_frames);
	return 0;
}

void sharing_free(struct sharing *s)
{
	free(s->pairs);
	free(s->alone);
	memset(s, 0, sizeof(*s));
}

static uint64_t frame_activity(const struct sample_entry *e)
{
	return (uint64_t)e->who + e->breaks;
}

/* Puts a frame into its place among the best so far. Return: their number. */
static size_t insert_best(const struct sample_entry **best, size_t count, size_t max,
			  const struct sample_entry *entry)
{
	size_t at;

	if (count == max && frame_activity(best[max - 1]) >= frame_activity(entry))
		return count;
	at = count < max ? count++ : max - 1;
	for (; at && frame_activity(best[at - 1]) < frame_activity(entry); at--)
		best[at] = best[at - 1];
	best[at] = entry;
	return count;
}

/* First page of a frame among those sorted, or where it would be. */
static size_t find_frame(const struct report *r, uint32_t frame)
{
	size_t low = 0, high = r->live_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (r->live.slots[middle].frame < frame)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void fill_frame(const struct report *r, const struct sample_entry *e, struct report_frame *f)
{
	const struct sample_entry *pages = r->live.slots;
	uint32_t before = UINT32_MAX;

	*f = (struct report_frame){
		.kpfn = e->key - 1, .births = e->births, .merges = e->who, .breaks = e->breaks
	};
	for (size_t i = find_frame(r, e->frame); i < r->live_count && pages[i].frame == e->frame;
	     i++) {
		if (!is_mapped(&pages[i]))
			continue;
		f->mapped++;
		f->processes += pages[i].who != before;
		before = pages[i].who;
	}
}

size_t report_frames(const struct report *r, struct report_frame *top, size_t max)
{
	const struct sample_entry **best = calloc(max, sizeof(*best));
	size_t count = 0;

	if (!best)
		return 0;
	for (size_t i = 0; i < r->frames.size; i++)
		if (r->frames.slots[i].key)
			count = insert_best(best, count, max, &r->frames.slots[i]);
	for (size_t i = 0; i < count; i++)
		fill_frame(r, best[i], &top[i]);
	free((void *)best);
	return count;
}
