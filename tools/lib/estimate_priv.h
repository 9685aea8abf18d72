/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the estimate*.c files of the library only: three bounded samples of a hash space.
 */
#ifndef KSMKIT_ESTIMATE_PRIV_H
#define KSMKIT_ESTIMATE_PRIV_H

#include "lib/estimate.h"

/* A part of the hash space: hashes up to a limit. */
static inline uint64_t part_limit(double part)
{
	return part >= 1.0 ? UINT64_MAX : (uint64_t)(part * 18446744073709551616.0);
}

/* splitmix64's finisher */
static inline uint64_t mix64(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/**
 * struct content - a page content and who has it
 * @hash: of it
 * @pages: with it, by scope
 * @last: the last process seen with it plus one, by scope
 * @procs: processes with it, by scope; saturates
 * @uids: users with it, by scope; saturates
 */
struct content {
	uint64_t hash;
	uint32_t pages[KSM_SCOPE_COUNT];
	uint32_t last[KSM_SCOPE_COUNT];
	uint16_t procs[KSM_SCOPE_COUNT];
	uint16_t uids[KSM_SCOPE_COUNT];
};

/**
 * struct contents - the table of contents
 * @rows: packed
 * @count: of them
 * @max: bound
 * @slots: hash to row index plus one, open addressing
 * @mask: of a slot number
 * @part: of the hash space that is kept
 * @limit: the same as greatest hash
 */
struct contents {
	struct content *rows;
	uint32_t count;
	uint32_t max;
	uint32_t *slots;
	uint32_t mask;
	double part;
	uint64_t limit;
};

int contents_init(struct contents *c, uint32_t max);
void contents_free(struct contents *c);
/* The row of a hash within the limit, made when there is none; the table must not be full. */
struct content *contents_get(struct contents *c, uint64_t hash);
/* Keep a smaller part only. */
void contents_shrink(struct contents *c, double part);

/**
 * struct frames - the frames that several pages map
 * @slots: frame number plus one, bit 63: seen in KSM_SCOPE_NOW; 0 is free
 * @count: how many
 * @part: of the hash space of frame numbers that is kept
 * @seed: of that hash
 */
struct frames {
	uint64_t *slots;
	uint32_t count;
	double part;
	uint64_t seed;
};

int frames_init(struct frames *f, uint64_t seed);
void frames_free(struct frames *f);
/* Return: 0 or -ENOMEM. */
int frames_add(struct frames *f, uint64_t pfn, bool now);
/* Different frames seen in a scope, with the variance of the number. */
double frames_count(const struct frames *f, enum ksm_estimate_scope scope, double *variance);

/**
 * struct pairs - which processes have a content, for a small sample of contents
 */
struct pairs {
	struct pair_row {
		uint64_t hash;
		uint32_t target;
	} * rows;
	uint32_t count;
	double part;
	uint64_t limit;
};

int pairs_init(struct pairs *p);
void pairs_free(struct pairs *p);
void pairs_add(struct pairs *p, uint64_t hash, uint32_t target);
/* Fills the pairs and every target's @shared. Return: 0 or -ENOMEM. */
int pairs_finish(struct pairs *p, struct ksm_target_result *targets, size_t count,
		 struct ksm_pair *out, size_t *nr);

#endif /* KSMKIT_ESTIMATE_PRIV_H */
