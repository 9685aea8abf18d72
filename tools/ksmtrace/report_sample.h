/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table that remembers pages, in bounded memory: when it is full it keeps every second page
 * frame only, then every fourth, and so on. Each of those that are left stands for
 * sample_weight() of them. All that is kept of one frame stays together.
 */
#ifndef KSMTRACE_REPORT_SAMPLE_H
#define KSMTRACE_REPORT_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct sample_entry - what is remembered
 * @key: what it is found by, never 0
 * @frame: page frame, folded to 32 bits: what the sample is taken by
 * @who: a process, for the owner of the table to use, as are the next ones
 */
struct sample_entry {
	uint64_t key;
	uint32_t frame;
	uint32_t who;
	union {
		uint64_t time;
		struct {
			uint32_t breaks;
			uint32_t births;
		};
	};
};

/**
 * struct sample - the table; zeroed, then sample_init()
 * @slots: open addressing, a power of two
 * @size: number of them
 * @max: that many at most
 * @used: slots taken
 * @level: one of 2^level frames is kept
 */
struct sample {
	struct sample_entry *slots;
	size_t size;
	size_t max;
	size_t used;
	unsigned int level;
};

/* @max: slots, a power of two. Return: 0 or -ENOMEM. */
int sample_init(struct sample *s, size_t max);
void sample_free(struct sample *s);

/* NULL when it is not there. */
struct sample_entry *sample_find(const struct sample *s, uint64_t key);

/**
 * sample_insert() - find or make an entry
 * @frame: of a new entry
 *
 * Invalidates other entries' pointers. Return: NULL when the frame is not in the sample.
 */
struct sample_entry *sample_insert(struct sample *s, uint64_t key, uint32_t frame);

/* How many pages each remembered one stands for. */
static inline uint64_t sample_weight(const struct sample *s)
{
	return UINT64_C(1) << s->level;
}

/**
 * sample_sort() - turn the table into an array, for reading only
 * @compare: as for qsort()
 *
 * Return: number of entries, at @s->slots.
 */
size_t sample_sort(struct sample *s, int (*compare)(const void *, const void *));

/* Spreads a number over all 64 bits, one to one. */
uint64_t sample_mix(uint64_t x);

static inline uint32_t sample_fold(uint64_t frame)
{
	return (uint32_t)(frame ^ frame >> 32);
}

#endif /* KSMTRACE_REPORT_SAMPLE_H */
