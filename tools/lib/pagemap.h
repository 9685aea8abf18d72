/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process has mapped, and which of it is there: /proc/PID/smaps and /proc/PID/pagemap.
 */
#ifndef KSMKIT_PAGEMAP_H
#define KSMKIT_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/io.h"

/* ksm_mapping.flags */
#define KSM_MAP_READABLE 1u
#define KSM_MAP_MERGEABLE 2u /* marked: VM_MERGEABLE */
#define KSM_MAP_SHARED 4u    /* may be shared: shm, memfd, shared files; KSM never takes it */
#define KSM_MAP_HUGETLB 8u
#define KSM_MAP_SPECIAL 16u /* devices and the like; KSM never takes it */

/* A private mapping of ordinary memory: KSM could merge its anonymous pages. */
#define KSM_MAP_EXCLUDED (KSM_MAP_SHARED | KSM_MAP_HUGETLB | KSM_MAP_SPECIAL)

/**
 * struct ksm_mapping - one line of smaps and what follows it
 * @start: first address
 * @end: behind the last
 * @flags: KSM_MAP_*
 * @size: bytes
 * @rss: bytes that are there
 * @anonymous: bytes of @rss that are anonymous
 * @anon_huge: bytes of @anonymous in huge pages mapped as such
 * @hugetlb: bytes of hugetlbfs pages, which are no part of @rss
 * @ksm: bytes of @anonymous that are KSM pages; 0 where the kernel does not say (before 6.7)
 * @name: file or "[heap]", "" for plain anonymous memory
 */
struct ksm_mapping {
	uint64_t start;
	uint64_t end;
	uint32_t flags;
	uint64_t size;
	uint64_t rss;
	uint64_t anonymous;
	uint64_t anon_huge;
	uint64_t hugetlb;
	uint64_t ksm;
	char name[64];
};

/**
 * ksm_mappings_each() - call a function for every mapping of a process
 * @fn: a non-zero return ends the walk
 *
 * Takes the process's mmap lock and walks its page tables: not for every refresh of a screen.
 * Return: 0; what @fn returned; -ENOENT or -ESRCH when the process is gone; negative errno.
 */
int ksm_mappings_each(const struct ksm_io *io, pid_t pid,
		      int (*fn)(const struct ksm_mapping *map, void *ctx), void *ctx);

/* Bits of a pagemap entry. */
#define KSM_PM_PRESENT (1ull << 63)
#define KSM_PM_SWAP (1ull << 62)
#define KSM_PM_FILE (1ull << 61)      /* of a file, or shared anonymous memory */
#define KSM_PM_EXCLUSIVE (1ull << 56) /* mapped once */
#define KSM_PM_PFN ((1ull << 55) - 1) /* 0 without CAP_SYS_ADMIN */

/**
 * ksm_pagemap_open() - the page map of a process
 *
 * It stays that of the address space that the process has now: after exit or exec it reads empty,
 * and a reused pid is never hit. Return: a file descriptor, negative errno.
 */
int ksm_pagemap_open(const struct ksm_io *io, pid_t pid);

/**
 * ksm_pagemap_read() - entries of consecutive pages
 * @fd: of ksm_pagemap_open()
 * @address: of the first page
 * @entries: receives them
 * @count: how many
 *
 * Return: entries read, 0 when the process is gone; negative errno.
 */
ssize_t ksm_pagemap_read(int fd, uint64_t address, uint64_t *entries, size_t count);

/**
 * ksm_zero_pfn() - frame of the kernel's page of zeroes
 *
 * Pages that were read but never written map it, and so do zero pages that KSM merged. Return: the
 * frame, 0 when it cannot be told (no CAP_SYS_ADMIN).
 */
uint64_t ksm_zero_pfn(const struct ksm_io *io);

#endif /* KSMKIT_PAGEMAP_H */
