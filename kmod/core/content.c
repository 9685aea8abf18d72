// SPDX-License-Identifier: GPL-2.0
/*
 * What a page holds: its hash, and whether two pages hold the same.
 *
 * The hash decides where a page is looked for, never whether two pages are equal. So it need not
 * resist an attacker who knows the seed (nobody does: it is drawn at load and never shown), and may
 * be chosen for speed. A page is hashed once a visit, and that was most of what a visit cost: 3,500
 * of 4,900 instructions with the kernel's xxh64. Multiplying 64 by 64 bits and folding the 128 of
 * the product takes in 16 bytes with one multiplication (the idea is wyhash's, by Wang Yi), and
 * two chains of it keep the multiplier busy: 2,000.
 *
 * The comparison asks for equality alone and looks at a cache line at a time: 1,700 instructions
 * for two equal pages, where the kernel's memcmp(), which wants an order, takes 3,600.
 */
#include "content.h"

/* Numbers without a pattern: fractions of the square roots of 2, 3, 5 and 7. */
#define KEY_A 0x6a09e667f3bcc908ULL
#define KEY_B 0xbb67ae8584caa73bULL
#define KEY_C 0x3c6ef372fe94f82bULL
#define KEY_D 0xa54ff53a5f1d36f1ULL

static __always_inline u64 fold(u64 a, u64 b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

struct chains {
	u64 a, b;
	u64 key_a, key_b;
};

/*
 * One factor of each product is content and key alone. The keys are drawn from the seed: a content
 * that makes such a factor zero, and with it forgets all in front of it, cannot be written
 * without knowing the seed.
 */
static __always_inline struct chains begin(unsigned long bytes, u64 seed)
{
	return (struct chains){
		.a = fold(seed ^ KEY_C, KEY_B),
		.b = fold(seed ^ KEY_D, KEY_A) ^ bytes,
		.key_a = fold(seed ^ KEY_A, KEY_C),
		.key_b = fold(seed ^ KEY_B, KEY_D),
	};
}

/*
 * No key serves a chain twice: folding is almost a multiplication modulo 2^64 - 1, and the order of
 * factors would not matter to it.
 */
static __always_inline void take_block(struct chains *c, const u64 *word)
{
	c->a = fold(word[0] ^ c->key_a, word[1] ^ c->a);
	c->b = fold(word[2] ^ c->key_b, word[3] ^ c->b);
	c->a = fold(word[4] ^ c->key_b, word[5] ^ c->a);
	c->b = fold(word[6] ^ c->key_a, word[7] ^ c->b);
	c->key_a += KEY_B;
	c->key_b += KEY_A;
}

static __always_inline u64 finish(const struct chains *c)
{
	return fold(c->a ^ c->key_b, c->b ^ c->key_a);
}

/**
 * ksm_hash() - hash of some memory
 * @data: what to hash, aligned to 8 bytes; it may change meanwhile
 * @bytes: how much, a multiple of KSM_CONTENT_BLOCK
 * @seed: equal contents have equal hashes under equal seeds
 */
u64 ksm_hash(const void *data, unsigned long bytes, u64 seed)
{
	struct chains chains = begin(bytes, seed);
	const u64 *word = data;
	const u64 *end = word + bytes / sizeof(*word);

	for (; word < end; word += KSM_CONTENT_BLOCK / sizeof(*word))
		take_block(&chains, word);
	return finish(&chains);
}

/**
 * ksm_sample() - hash of a few parts of some memory
 * @data: aligned to 8 bytes
 * @bytes: how much, KSM_SAMPLES * KSM_CONTENT_BLOCK at least
 * @seed: says which parts: one block of each KSM_SAMPLES'th part, so that nobody can know
 *	where to write unseen
 *
 * A memory whose sample is another has changed; one with the same sample may have.
 */
u64 ksm_sample(const void *data, unsigned long bytes, u64 seed)
{
	const unsigned long blocks = bytes / KSM_CONTENT_BLOCK / KSM_SAMPLES;
	struct chains chains = begin(bytes, seed);
	u64 choice = chains.key_a;

	for (int i = 0; i < KSM_SAMPLES; i++, choice >>= 64 / KSM_SAMPLES)
		take_block(&chains, (const u64 *)data + (i * blocks + (choice & 0xff) % blocks) *
						KSM_CONTENT_BLOCK / sizeof(u64));
	return finish(&chains);
}

/**
 * ksm_all_zero() - is there nothing but zeroes?
 * @data: aligned to 8 bytes
 * @bytes: how much, a multiple of KSM_CONTENT_BLOCK
 */
bool ksm_all_zero(const void *data, unsigned long bytes)
{
	const u64 *x = data;
	const u64 *end = x + bytes / sizeof(*x);

	for (; x < end; x += KSM_CONTENT_BLOCK / sizeof(*x))
		if (x[0] | x[1] | x[2] | x[3] | x[4] | x[5] | x[6] | x[7])
			return false;
	return true;
}

/**
 * ksm_differ() - is there any difference?
 * @a: some memory, aligned to 8 bytes
 * @b: as much, likewise
 * @bytes: how much, a multiple of KSM_CONTENT_BLOCK
 */
bool ksm_differ(const void *a, const void *b, unsigned long bytes)
{
	const u64 *x = a, *y = b;
	const u64 *end = x + bytes / sizeof(*x);

	for (; x < end; x += KSM_CONTENT_BLOCK / sizeof(*x), y += KSM_CONTENT_BLOCK / sizeof(*y)) {
		if ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
		    (x[4] ^ y[4]) | (x[5] ^ y[5]) | (x[6] ^ y[6]) | (x[7] ^ y[7]))
			return true;
	}
	return false;
}
