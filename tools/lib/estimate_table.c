// SPDX-License-Identifier: GPL-2.0
/* The table of contents and the set of frames that several pages map. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/estimate_priv.h"

int contents_init(struct contents *c, uint32_t max)
{
	uint32_t slots = 1024;

	/* at most three quarters full */
	while (slots / 4 * 3 < max)
		slots *= 2;
	/* memory that is not touched yet costs nothing: no growing, no second copy ever */
	c->rows = calloc(max, sizeof(*c->rows));
	c->slots = calloc(slots, sizeof(*c->slots));
	c->max = max;
	c->mask = slots - 1;
	c->part = 1.0;
	c->limit = part_limit(1.0);
	return c->rows && c->slots ? 0 : -ENOMEM;
}

void contents_free(struct contents *c)
{
	free(c->rows);
	free(c->slots);
}

/* The limit cuts off high hashes: slots are numbered by the low bits. */
static uint32_t *find_slot(const struct contents *c, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & c->mask;

	while (c->slots[at] && c->rows[c->slots[at] - 1].hash != hash)
		at = (at + 1) & c->mask;
	return &c->slots[at];
}

struct content *contents_get(struct contents *c, uint64_t hash)
{
	uint32_t *slot = find_slot(c, hash);

	if (!*slot) {
		c->rows[c->count] = (struct content){ .hash = hash };
		*slot = ++c->count;
	}
	return &c->rows[*slot - 1];
}

void contents_shrink(struct contents *c, double part)
{
	uint32_t kept = 0;

	c->part = part;
	c->limit = part_limit(part);
	memset(c->slots, 0, ((size_t)c->mask + 1) * sizeof(*c->slots));
	for (uint32_t i = 0; i < c->count; i++) {
		if (c->rows[i].hash > c->limit)
			continue;
		c->rows[kept] = c->rows[i];
		*find_slot(c, c->rows[kept].hash) = kept + 1;
		kept++;
	}
	c->count = kept;
}

#define FRAMES_SLOTS (1u << 18)
#define FRAMES_MAX (FRAMES_SLOTS / 2)
#define FRAMES_NOW (1ull << 63)

int frames_init(struct frames *f, uint64_t seed)
{
	f->slots = calloc(FRAMES_SLOTS, sizeof(*f->slots));
	f->part = 1.0;
	f->seed = seed;
	return f->slots ? 0 : -ENOMEM;
}

void frames_free(struct frames *f)
{
	free(f->slots);
}

static void frames_put(struct frames *f, uint64_t key)
{
	uint64_t hash = mix64((key & ~FRAMES_NOW) ^ f->seed);
	uint32_t at = (uint32_t)hash & (FRAMES_SLOTS - 1);

	if (hash > part_limit(f->part))
		return;
	while (f->slots[at] && ((f->slots[at] ^ key) & ~FRAMES_NOW))
		at = (at + 1) & (FRAMES_SLOTS - 1);
	f->count += !f->slots[at];
	f->slots[at] |= key;
}

int frames_add(struct frames *f, uint64_t pfn, bool now)
{
	uint64_t *old = f->slots;

	if (f->count >= FRAMES_MAX) {
		f->slots = calloc(FRAMES_SLOTS, sizeof(*f->slots));
		if (!f->slots) {
			f->slots = old;
			return -ENOMEM;
		}
		f->part /= 2;
		f->count = 0;
		for (uint32_t i = 0; i < FRAMES_SLOTS; i++)
			if (old[i])
				frames_put(f, old[i]);
		free(old);
	}
	frames_put(f, (pfn + 1) | (now ? FRAMES_NOW : 0));
	return 0;
}

double frames_count(const struct frames *f, enum ksm_estimate_scope scope, double *variance)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < FRAMES_SLOTS; i++)
		seen += scope == KSM_SCOPE_NOW ? f->slots[i] >> 63 : f->slots[i] != 0;
	*variance = seen * (1.0 - f->part) / (f->part * f->part);
	return seen / f->part;
}
