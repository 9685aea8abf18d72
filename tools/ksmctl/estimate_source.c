// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of running processes, read without stopping or changing them. The page map says first which
 * are there: holes and swapped pages are never touched, so that looking does not cost the machine
 * memory.
 *
 * process_vm_readv() is the fastest way, but it pins what it reads, and since 5.19 pinning an
 * anonymous page that is not exclusively its process's gives the process a copy: reading merged
 * memory that way unmerges it. Pages mapped more than once are read through /proc/PID/mem, which
 * does not pin.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ksmctl/estimate.h"

/* Entries of the page map read at once: 32 MiB of address space. */
#define WINDOW 8192

/**
 * struct estimate_source - where it stands
 * @next: process that comes next
 * @fd: page map of the current one, -1 for none
 * @mem: its memory, likewise
 * @maps: its mappings with anonymous memory
 * @map: the current one
 * @at: next address in it
 * @window: page map entries
 * @window_start: address of the first
 * @window_count: how many
 * @zero_pfn: frame of the page of zeroes, 0 unknown
 * @data: pages handed out
 */
struct estimate_source {
	struct ksm_page_source source;
	const struct ksm_io *io;
	const struct ksm_selected_list *list;
	size_t next;
	pid_t pid;
	int fd;
	int mem;
	struct ksm_mapping *maps;
	size_t map_count;
	size_t map_capacity;
	size_t map;
	uint64_t at;
	uint64_t window[WINDOW];
	uint64_t window_start;
	size_t window_count;
	uint64_t zero_pfn;
	uint64_t page_size;
	unsigned char *data;
	struct estimate_stats stats;
};

/* What was found of the next pages, before they are read. */
struct found {
	uint64_t address[KSM_BATCH_PAGES];
	struct ksm_page pages[KSM_BATCH_PAGES];
	size_t count;
};

static int add_mapping(const struct ksm_mapping *map, void *ctx)
{
	struct estimate_source *src = ctx;
	size_t capacity = src->map_capacity ? src->map_capacity * 2 : 256;
	struct ksm_mapping *maps;

	if (map->flags & KSM_MAP_HUGETLB)
		src->stats.hugetlb_bytes += map->hugetlb;
	else if (map->flags & KSM_MAP_SHARED)
		src->stats.shared_bytes += map->rss;
	if (map->flags & KSM_MAP_EXCLUDED || !map->anonymous)
		return 0;
	src->stats.thp_bytes += map->anon_huge;
	if (src->map_count == src->map_capacity) {
		maps = reallocarray(src->maps, capacity, sizeof(*maps));
		if (!maps)
			return -ENOMEM;
		src->maps = maps;
		src->map_capacity = capacity;
	}
	src->maps[src->map_count++] = *map;
	return 0;
}

static void close_target(struct estimate_source *src)
{
	if (src->fd >= 0)
		close(src->fd);
	if (src->mem >= 0)
		close(src->mem);
	src->fd = src->mem = -1;
	src->map_count = 0;
	src->map = 0;
	src->window_count = 0;
}

/* Return: 0, or what went wrong with this process: counted, and not an error of the whole. */
static int open_target(struct estimate_source *src, pid_t pid)
{
	char path[64];
	int ret;

	close_target(src);
	src->fd = ksm_pagemap_open(src->io, pid);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	src->mem = src->fd < 0 ? src->fd : ksm_io_open(src->io, path, O_RDONLY);
	ret = src->mem < 0 ? src->mem : ksm_mappings_each(src->io, pid, add_mapping, src);
	if (ret == -ENOMEM)
		return ret;
	if (ret == -EACCES || ret == -EPERM) {
		src->stats.denied++;
		src->stats.denied_code = ret;
	} else if (ret) {
		src->stats.exited++;
	}
	src->pid = pid;
	src->at = src->map_count ? src->maps[0].start : 0;
	return ret;
}

static int next_target(struct ksm_page_source *source, struct ksm_target *t)
{
	struct estimate_source *src = (struct estimate_source *)source;

	while (src->next < src->list->count) {
		const struct ksm_selected *row = &src->list->rows[src->next++];
		int ret = open_target(src, row->pid);

		if (ret == -ENOMEM)
			return ret;
		if (ret)
			continue;
		t->pid = row->pid;
		t->uid = row->uid;
		ksm_copy(t->name, sizeof(t->name), row->comm);
		return 1;
	}
	close_target(src);
	return 0;
}

/* The entry of the page at src->at. Return: false when the process is gone. */
static bool entry_at(struct estimate_source *src, const struct ksm_mapping *map, uint64_t *entry)
{
	uint64_t left = (map->end - src->at) / src->page_size;
	ssize_t n;

	if (!src->window_count || src->at < src->window_start ||
	    src->at >= src->window_start + src->window_count * src->page_size) {
		n = ksm_pagemap_read(src->fd, src->at, src->window, left < WINDOW ? left : WINDOW);
		if (n <= 0)
			return false;
		src->window_start = src->at;
		src->window_count = (size_t)n;
	}
	*entry = src->window[(src->at - src->window_start) / src->page_size];
	return true;
}

static void classify(struct estimate_source *src, const struct ksm_mapping *map, uint64_t entry,
		     struct found *f)
{
	uint64_t pfn = entry & KSM_PM_PFN;

	if (entry & KSM_PM_SWAP)
		src->stats.swapped++;
	if (!(entry & KSM_PM_PRESENT) || entry & KSM_PM_FILE)
		return;
	if (!pfn)
		src->stats.no_frames = true;
	if (pfn && pfn == src->zero_pfn) {
		src->stats.zero_mapped++;
		return;
	}
	if (!(map->flags & KSM_MAP_READABLE)) {
		src->stats.unreadable++;
		return;
	}
	f->address[f->count] = src->at;
	f->pages[f->count].pfn = pfn;
	f->pages[f->count].flags = (map->flags & KSM_MAP_MERGEABLE ? KSM_PAGE_MERGEABLE : 0) |
				   (entry & KSM_PM_EXCLUSIVE ? 0 : KSM_PAGE_SHARED);
	f->count++;
}

/* Return: false when the process is gone. */
static bool find_pages(struct estimate_source *src, struct found *f)
{
	uint64_t entry;

	while (f->count < KSM_BATCH_PAGES && src->map < src->map_count) {
		const struct ksm_mapping *map = &src->maps[src->map];

		if (src->at >= map->end) {
			src->map++;
			if (src->map < src->map_count)
				src->at = src->maps[src->map].start;
			src->window_count = 0;
			continue;
		}
		if (!entry_at(src, map, &entry))
			return false;
		classify(src, map, entry, f);
		src->at += src->page_size;
	}
	return true;
}

/* Pages from @from on that are read the same way: all shared, or all not. Return: behind the last.
 */
static size_t same_way(const struct found *f, size_t from)
{
	size_t to = from + 1;

	while (to < f->count && !((f->pages[to].flags ^ f->pages[from].flags) & KSM_PAGE_SHARED))
		to++;
	return to;
}

/* Neighbours become one piece. Return: how many. */
static size_t make_pieces(const struct estimate_source *src, const struct found *f, size_t from,
			  size_t to, struct iovec *pieces)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		if (i > from && f->address[i] == f->address[i - 1] + src->page_size) {
			pieces[n - 1].iov_len += src->page_size;
			continue;
		}
		/* an address of another process, never followed here */
		pieces[n].iov_base = (void *)(uintptr_t)f->address[i];
		pieces[n++].iov_len = src->page_size;
	}
	return n;
}

/* Return: bytes read, less than all when a page has gone; negative errno. */
static ssize_t read_some(const struct estimate_source *src, const struct found *f, size_t from,
			 size_t to, unsigned char *data)
{
	struct iovec pieces[KSM_BATCH_PAGES];
	struct iovec here = { .iov_base = data, .iov_len = (to - from) * src->page_size };
	size_t n = make_pieces(src, f, from, to, pieces), size = src->page_size;
	ssize_t len;

	do {
		/* shared pages one by one: they are few, and seldom neighbours */
		if (f->pages[from].flags & KSM_PAGE_SHARED)
			len = pread(src->mem, data, size, (off_t)f->address[from]);
		else
			len = process_vm_readv(src->pid, &here, 1, pieces, n, 0);
	} while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : len;
}

/*
 * Read what was found; a page that has gone meanwhile is left out. Return: false when the process
 * has.
 */
static bool read_pages(struct estimate_source *src, const struct found *f,
		       struct ksm_page_batch *batch)
{
	size_t from = 0, to, done;
	ssize_t n;

	while (from < f->count) {
		to = f->pages[from].flags & KSM_PAGE_SHARED ? from + 1 : same_way(f, from);
		n = read_some(src, f, from, to, src->data + batch->count * src->page_size);
		/* the memory of a process that is gone reads empty */
		if (!n || (n < 0 && n != -EFAULT && n != -EIO))
			return false;
		done = n < 0 ? 0 : (size_t)n / src->page_size;
		memcpy(&batch->pages[batch->count], &f->pages[from], done * sizeof(*f->pages));
		batch->count += done;
		from += done;
		if (from < to) {
			src->stats.gone++;
			from++;
		}
	}
	return true;
}

static int next_pages(struct ksm_page_source *source, struct ksm_page_batch *batch)
{
	struct estimate_source *src = (struct estimate_source *)source;
	struct found f;

	batch->data = src->data;
	do {
		f.count = 0;
		if (!find_pages(src, &f) || !read_pages(src, &f, batch)) {
			src->stats.exited++;
			src->map = src->map_count;
			src->at = 0;
			return batch->count > 0;
		}
	} while (f.count && !batch->count);
	return batch->count > 0;
}

struct estimate_source *estimate_source_new(const struct ksm_io *io,
					    const struct ksm_selected_list *list)
{
	struct estimate_source *src = calloc(1, sizeof(*src));

	if (!src)
		return NULL;
	src->source.next_target = next_target;
	src->source.next_pages = next_pages;
	src->io = io;
	src->list = list;
	src->fd = src->mem = -1;
	src->zero_pfn = ksm_zero_pfn(io);
	src->page_size = (uint64_t)ksm_page_size();
	src->data = aligned_alloc(src->page_size, KSM_BATCH_PAGES * src->page_size);
	if (src->data)
		return src;
	estimate_source_free(src);
	return NULL;
}

struct ksm_page_source *estimate_source_pages(struct estimate_source *src)
{
	return &src->source;
}

const struct estimate_stats *estimate_source_stats(const struct estimate_source *src)
{
	return &src->stats;
}

void estimate_source_free(struct estimate_source *src)
{
	if (!src)
		return;
	close_target(src);
	free(src->maps);
	free(src->data);
	free(src);
}
