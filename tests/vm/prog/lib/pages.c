// SPDX-License-Identifier: GPL-2.0
/* Memory with known contents. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib.h"

size_t page_size(void)
{
	static size_t size;

	if (!size)
		size = sysconf(_SC_PAGESIZE);
	return size;
}

static size_t words_per_page(void)
{
	return page_size() / sizeof(uint64_t);
}

static void *map_or_die(size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap of %zu KiB: %s", bytes / 1024, strerror(errno));
	return mem;
}

void pages_map(struct pages *p, size_t nr, uint64_t seed)
{
	p->nr = nr;
	p->seed = seed;
	p->mem = map_or_die(nr * page_size());
	p->want = map_or_die(nr * sizeof(*p->want));
	for (size_t i = 0; i < nr; i++)
		p->want[i].word = NO_PATCH;
}

void pages_map_aligned(struct pages *p, size_t nr, size_t align, uint64_t seed)
{
	size_t bytes = nr * page_size(), span = align * page_size();
	uintptr_t at, to;

	pages_map(p, nr, seed);
	munmap(p->mem, bytes);
	at = (uintptr_t)map_or_die(bytes + span);
	to = (at + span - 1) / span * span;
	munmap((void *)at, to - at);
	munmap((void *)(to + bytes), at + span - to);
	p->mem = (void *)to;
}

void pages_unmap(struct pages *p)
{
	munmap(p->mem, p->nr * page_size());
	munmap(p->want, p->nr * sizeof(*p->want));
	memset(p, 0, sizeof(*p));
}

/* The whole content of a page as it must be. */
static void generate(uint64_t *words, uint64_t seed, const struct page_want *want)
{
	uint64_t state = seed * 0x2545f4914f6cdd1dULL ^ want->id;

	if (!want->id)
		memset(words, 0, page_size());
	else
		for (size_t i = 0; i < words_per_page(); i++)
			words[i] = next_random(&state);
	if (want->word != NO_PATCH)
		words[want->word] = want->value;
}

void page_fill(struct pages *p, size_t i, uint64_t id)
{
	p->want[i] = (struct page_want){ .id = id, .word = NO_PATCH };
	generate((uint64_t *)page_at(p, i), p->seed, &p->want[i]);
}

void page_patch(struct pages *p, size_t i, uint64_t *rnd)
{
	struct page_want *want = &p->want[i];

	/* One word a page: a second patch goes to the same place, so that @want can hold it. */
	if (want->word == NO_PATCH)
		want->word = next_random(rnd) % words_per_page();
	want->value = next_random(rnd);
	((volatile uint64_t *)page_at(p, i))[want->word] = want->value;
}

long pages_wrong(const struct pages *p, size_t from, size_t to)
{
	uint64_t right[words_per_page()];
	long wrong = 0;

	for (size_t i = from; i < to; i++) {
		generate(right, p->seed, &p->want[i]);
		if (!memcmp(right, page_at(p, i), page_size()))
			continue;
		if (!wrong++)
			say("process %d: page %zu at %p does not hold what was written", getpid(),
			    i, (void *)page_at(p, i));
	}
	return wrong;
}

void pages_advise(struct pages *p, size_t from, size_t to, int advice)
{
	if (madvise(page_at(p, from), (to - from) * page_size(), advice))
		die("madvise(%d) of %zu pages: %s", advice, to - from, strerror(errno));
}
