// SPDX-License-Identifier: GPL-2.0
/* Who shares with whom: the processes of each of a few thousand contents. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/estimate_priv.h"

#define PAIRS_ROWS 65536u
/* Processes that pairs are made of: the largest ones. */
#define PAIRS_TARGETS 256u

int pairs_init(struct pairs *p)
{
	p->rows = calloc(PAIRS_ROWS, sizeof(*p->rows));
	p->part = 1.0;
	p->limit = part_limit(1.0);
	return p->rows ? 0 : -ENOMEM;
}

void pairs_free(struct pairs *p)
{
	free(p->rows);
}

void pairs_add(struct pairs *p, uint64_t hash, uint32_t target)
{
	while (p->count == PAIRS_ROWS) {
		uint32_t kept = 0;

		p->part /= 2;
		p->limit = part_limit(p->part);
		for (uint32_t i = 0; i < p->count; i++)
			if (p->rows[i].hash <= p->limit)
				p->rows[kept++] = p->rows[i];
		p->count = kept;
	}
	if (hash <= p->limit)
		p->rows[p->count++] = (struct pair_row){ hash, target };
}

static int by_hash(const void *a, const void *b)
{
	const struct pair_row *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->target < y->target ? -1 : x->target > y->target;
}

struct ranked {
	uint64_t pages;
	uint32_t target;
};

static int by_pages(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->pages < y->pages ? 1 : x->pages > y->pages ? -1 : 0;
}

/* rank[i] is the place of target i among the largest, PAIRS_TARGETS for none. */
static int rank_targets(const struct ksm_target_result *targets, size_t count, uint32_t *rank,
			uint32_t *largest)
{
	struct ranked *list = calloc(count ? count : 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		list[i] = (struct ranked){ targets[i].pages, (uint32_t)i };
		rank[i] = PAIRS_TARGETS;
	}
	qsort(list, count, sizeof(*list), by_pages);
	for (uint32_t i = 0; i < count && i < PAIRS_TARGETS; i++) {
		rank[list[i].target] = i;
		largest[i] = list[i].target;
	}
	free(list);
	return 0;
}

/* The rows [from, to) are one content's. */
static void add_content(const struct pairs *p, uint32_t from, uint32_t to, const uint32_t *rank,
			uint32_t *matrix, struct ksm_target_result *targets)
{
	for (uint32_t i = from; to - from > 1 && i < to; i++) {
		uint32_t a = rank[p->rows[i].target];

		targets[p->rows[i].target].shared += 1.0 / p->part;
		for (uint32_t j = i + 1; a < PAIRS_TARGETS && j < to; j++) {
			uint32_t b = rank[p->rows[j].target];

			if (b < PAIRS_TARGETS)
				matrix[a < b ? a * PAIRS_TARGETS + b : b * PAIRS_TARGETS + a]++;
		}
	}
}

static void insert_pair(struct ksm_pair *out, size_t *nr, struct ksm_pair pair)
{
	size_t at = *nr;

	while (at && out[at - 1].pages < pair.pages) {
		if (at < KSM_PAIRS_MAX)
			out[at] = out[at - 1];
		at--;
	}
	if (at < KSM_PAIRS_MAX)
		out[at] = pair;
	if (*nr < KSM_PAIRS_MAX)
		++*nr;
}

static void best_pairs(const struct pairs *p, const uint32_t *matrix, const uint32_t *largest,
		       struct ksm_pair *out, size_t *nr)
{
	for (uint32_t i = 0; i < PAIRS_TARGETS * PAIRS_TARGETS; i++) {
		uint32_t a = largest[i / PAIRS_TARGETS], b = largest[i % PAIRS_TARGETS];

		if (matrix[i])
			insert_pair(out, nr,
				    (struct ksm_pair){ .a = a < b ? a : b,
						       .b = a < b ? b : a,
						       .pages = matrix[i] / p->part });
	}
}

int pairs_finish(struct pairs *p, struct ksm_target_result *targets, size_t count,
		 struct ksm_pair *out, size_t *nr)
{
	uint32_t *matrix = calloc((size_t)PAIRS_TARGETS * PAIRS_TARGETS, sizeof(*matrix));
	uint32_t *rank = calloc(count ? count : 1, sizeof(*rank)), largest[PAIRS_TARGETS] = { 0 };
	int ret = matrix && rank ? rank_targets(targets, count, rank, largest) : -ENOMEM;

	*nr = 0;
	for (size_t i = 0; !ret && i < count; i++)
		targets[i].shared = 0;
	if (!ret) {
		qsort(p->rows, p->count, sizeof(*p->rows), by_hash);
		for (uint32_t from = 0, to; from < p->count; from = to) {
			for (to = from + 1;
			     to < p->count && p->rows[to].hash == p->rows[from].hash;)
				to++;
			add_content(p, from, to, rank, matrix, targets);
		}
		best_pairs(p, matrix, largest, out, nr);
	}
	free(matrix);
	free(rank);
	return ret;
}
