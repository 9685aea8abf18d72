// SPDX-License-Identifier: GPL-2.0
/* Hash and comparison of contents: every bit counts, in every place, under every seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "content.h"

#define PAGE 4096
#define BITS (PAGE * 8)

static u64 page[PAGE / 8], other[PAGE / 8];

static u64 next_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void fill(u64 seed)
{
	for (size_t i = 0; i < PAGE / 8; i++)
		page[i] = next_random(&seed);
	memcpy(other, page, PAGE);
}

static void flip(u64 *where, unsigned int bit)
{
	where[bit / 64] ^= 1ULL << bit % 64;
}

static void every_bit_makes_a_difference(void **state)
{
	fill(1);
	assert_false(ksm_differ(page, other, PAGE));
	for (unsigned int bit = 0; bit < BITS; bit++) {
		flip(other, bit);
		assert_true(ksm_differ(page, other, PAGE));
		flip(other, bit);
	}
}

static void no_byte_behind_the_end_is_looked_at(void **state)
{
	fill(2);
	other[PAGE / 16] ^= 1;
	assert_false(ksm_differ(page, other, PAGE / 2));
	assert_int_equal(ksm_hash(page, PAGE / 2, 7), ksm_hash(other, PAGE / 2, 7));
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static size_t equal_neighbours(u64 *hashes, size_t nr)
{
	size_t equal = 0;

	qsort(hashes, nr, sizeof(*hashes), by_value);
	for (size_t i = 1; i < nr; i++)
		equal += hashes[i] == hashes[i - 1];
	return equal;
}

/* All pages of zeroes but for one bit, or random but for one bit: all hashes differ. */
static void single_bits_never_collide(void **state)
{
	u64 *hashes = malloc((BITS + 1) * sizeof(*hashes));

	assert_non_null(hashes);
	for (int zero = 0; zero < 2; zero++) {
		fill(3);
		if (zero)
			memset(page, 0, PAGE);
		for (unsigned int bit = 0; bit < BITS; bit++) {
			flip(page, bit);
			hashes[bit] = ksm_hash(page, PAGE, 42);
			flip(page, bit);
		}
		hashes[BITS] = ksm_hash(page, PAGE, 42);
		assert_int_equal(equal_neighbours(hashes, BITS + 1), 0);
	}
	free(hashes);
}

/* Half of the bits change with any bit of the content: within 8 standard deviations. */
static void bits_spread_over_the_whole_hash(void **state)
{
	unsigned long changed[64] = { 0 };
	u64 random = 9;

	for (int round = 0; round < 1000; round++) {
		u64 seed = next_random(&random), before, after;

		fill(seed);
		before = ksm_hash(page, PAGE, seed);
		flip(page, next_random(&random) % BITS);
		after = ksm_hash(page, PAGE, seed);
		for (int bit = 0; bit < 64; bit++)
			changed[bit] += (before ^ after) >> bit & 1;
	}
	for (int bit = 0; bit < 64; bit++)
		assert_in_range(changed[bit], 374, 626);
}

/*
 * A sample sees all bits of the KSM_SAMPLES blocks that it looks at, and none of the others; which
 * ones the seed decides, so that each block is looked at under some seed.
 */
static void a_sample_is_of_some_blocks(void **state)
{
	bool seen[PAGE / KSM_CONTENT_BLOCK] = { false };

	for (u64 random = 1, round = 0; round < 300; round++) {
		u64 seed = next_random(&random), before;
		int blocks = 0;

		fill(seed);
		before = ksm_sample(page, PAGE, seed);
		for (unsigned int block = 0; block < PAGE / KSM_CONTENT_BLOCK; block++) {
			int changed = 0;

			for (unsigned int bit = 0; bit < KSM_CONTENT_BLOCK * 8; bit += 7) {
				flip(page, block * KSM_CONTENT_BLOCK * 8 + bit);
				changed += ksm_sample(page, PAGE, seed) != before;
				flip(page, block * KSM_CONTENT_BLOCK * 8 + bit);
			}
			assert_true(!changed || changed == (KSM_CONTENT_BLOCK * 8 + 6) / 7);
			blocks += changed > 0;
			seen[block] |= changed > 0;
		}
		assert_int_equal(blocks, KSM_SAMPLES);
	}
	for (size_t block = 0; block < PAGE / KSM_CONTENT_BLOCK; block++)
		assert_true(seen[block]);
}

static void the_seed_decides(void **state)
{
	fill(5);
	assert_int_not_equal(ksm_hash(page, PAGE, 1), ksm_hash(page, PAGE, 2));
	memset(page, 0, PAGE);
	assert_int_not_equal(ksm_hash(page, PAGE, 1), ksm_hash(page, PAGE, 2));
}

/*
 * A product with a factor of zero forgets what was in front of it. The public constants must not be
 * such a factor, under any seed that was not chosen for it.
 */
static void known_constants_do_not_blind_it(void **state)
{
	static const u64 keys[] = { 0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL,
				    0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL };

	for (u64 seed = 0; seed < 1000; seed++) {
		for (size_t k = 0; k < 4; k++) {
			fill(seed);
			for (size_t i = 64; i < PAGE / 8; i += 2)
				page[i] = keys[k];
			memcpy(other, page, PAGE);
			other[0] ^= 1;
			assert_int_not_equal(ksm_hash(page, PAGE, seed),
					     ksm_hash(other, PAGE, seed));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_makes_a_difference),
		cmocka_unit_test(no_byte_behind_the_end_is_looked_at),
		cmocka_unit_test(single_bits_never_collide),
		cmocka_unit_test(bits_spread_over_the_whole_hash),
		cmocka_unit_test(a_sample_is_of_some_blocks),
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(known_constants_do_not_blind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
