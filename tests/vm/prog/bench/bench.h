/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark's rows: memory of a certain kind in a few processes, and a way to measure a scanner
 * on it.
 */
#ifndef VM_PROG_BENCH_H
#define VM_PROG_BENCH_H

#include "lib/lib.h"

/**
 * struct bench_row - a workload and how to measure it
 * @name: as given to --row
 * @text: what it is, for people
 * @processes: how many
 * @mib: memory of each
 * @pages_to_scan, @sleep_millisecs: pace of the scanner
 * @id: content number of a page (struct page_want.id)
 * @tail: pages also differ in their last eight bytes
 * @huge: in huge pages
 * @saved: pages that complete merging saves, of @nr in each process
 * @measure: fills bench.result
 */
struct bench_row {
	const char *name;
	const char *text;
	unsigned long processes;
	unsigned long mib;
	unsigned long pages_to_scan;
	unsigned long sleep_millisecs;
	uint64_t (*id)(unsigned long process, size_t page, size_t nr);
	bool tail;
	bool huge;
	long (*saved)(size_t nr, bool zero_pages);
	void (*measure)(void);
};

/* Ends with a row whose name is NULL. */
extern const struct bench_row bench_rows[];

#define BENCH_PROCESSES 4
#define BENCH_SERIES 128

/**
 * struct bench - the row under way
 * @row: which
 * @pages: in each process
 * @zero_pages: zero pages are merged with the kernel's
 * @thread: the scanner's
 * @idle: cost of the machine in a second without the scanner
 * @workers: the processes; @memory: where each has its memory
 * @fresh: where the first has its further @fresh_pages
 * @result: what was measured. @thread and @machine in nanoseconds or instructions, @machine without
 *	what it costs idle; @per what to divide by (pages examined, merged, page-seconds saved);
 *	@saved and @expected pages at the end by frame numbers and by construction; @planted
 *	passes until a planted pair was found, -1 when it was not, 0 when none was planted;
 *	@breaks COW breaks meanwhile, @splits huge pages split, @deferred pages that have an equal
 *	and are kept in huge pages at the end (negative: it does not say); @metadata bytes of kernel
 *	memory that the scanner took since it was started; @series how the saving grew with @thread,
 *	where there is one to be reached, a point for each hundredth of it
 */
struct bench {
	const struct bench_row *row;
	size_t pages;
	bool zero_pages;
	pid_t thread;
	double idle;
	struct worker workers[BENCH_PROCESSES];
	uintptr_t memory[BENCH_PROCESSES];
	uintptr_t fresh;
	size_t fresh_pages;
	struct {
		double thread;
		double machine;
		double seconds;
		long long passes;
		double per;
		long saved;
		long expected;
		long planted;
		long long breaks;
		long long splits;
		long long deferred;
		long long metadata;
		struct bench_point {
			double thread;
			long long saved;
		} series[BENCH_SERIES];
		unsigned int points;
	} result;
};

extern struct bench bench;

/* Commands of the workers; the argument and the answer of each. */
enum bench_cmd {
	BENCH_BUILD = 'b', /* map and fill the memory; its address */
	BENCH_VERIFY = 'v', /* number of pages with wrong content */
	BENCH_PLANT = 'p', /* write the content of id into two pages that lie far apart */
	BENCH_FLIP = 'f', /* write the content of phase (0, 1) into the pages that alternate */
	BENCH_FRESH = 'n', /* map so many further pages, each content twice; their address */
	BENCH_DROP = 'd', /* unmap them */
};

/* memory.c */
/* Start the row's processes; returns when all memory is filled and mergeable. */
void bench_start(void);
/* Compare all contents to what was written, and end the processes; dies when one is wrong. */
void bench_stop(void);
/* Pages saved now, by frame numbers. */
long bench_saved(void);
/* Two pages planted by BENCH_PLANT have one frame. */
bool bench_planted_found(void);
/* Send a command to all processes, return the sum of their answers. */
long bench_call_all(enum bench_cmd cmd, long arg);
void bench_fresh_add(size_t nr);
void bench_fresh_drop(void);

/* measure.c */
/* Wait until the machine does nothing, measure what that costs. */
void bench_quiet(void);
void measure_steady(void);
void measure_merged(void);
void measure_passes(void);
void measure_saving(void);
void measure_splits(void);
void measure_flips(void);
void measure_fresh(void);

#endif /* VM_PROG_BENCH_H */
