/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One interface to either merge engine: the in-tree KSM ("kernel"), our module ("engine"), or a
 * directory tree that looks like a machine with one of them ("fake:DIR").
 *
 * Single-threaded: a struct ksm_backend belongs to whoever opened it. It holds no file open.
 */
#ifndef KSMKIT_BACKEND_H
#define KSMKIT_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ksm_abi.h"
#include "ksm_event.h" /* KSM_BACKEND_KERNEL, KSM_BACKEND_ENGINE */
#include "lib/io.h"
#include "lib/knobs.h"
#include "lib/util.h"

/* What --backend takes, for help texts. */
#define KSM_BACKEND_SPECS "auto, kernel, engine, fake:DIR"

/**
 * struct ksm_backend - a merge engine that can be read and driven
 * @kind: KSM_BACKEND_KERNEL or KSM_BACKEND_ENGINE (a fake one imitates either)
 * @fake: a directory tree, nothing is real
 * @name: "kernel", "engine", or for a fake one "fake:DIR"
 * @dir: its sysfs directory
 * @thread: comm of its scanner
 * @io: where its files are
 * @scanner_pid: scanner thread last found, 0 when not looked for
 */
struct ksm_backend {
	unsigned int kind;
	bool fake;
	char name[PATH_MAX + 8];
	const char *dir;
	const char *thread;
	struct ksm_io io;
	pid_t scanner_pid;
};

/**
 * ksm_backend_open() - choose a backend
 * @b: filled
 * @spec: "auto" (or NULL), "kernel", "engine" or "fake:DIR"
 * @err: the one line when it fails
 *
 * auto takes whichever runs or holds merged pages, the in-tree KSM when neither or both do.
 * fake:DIR is a root with the kernel's paths below it, in which the choice is made likewise.
 *
 * Return: 0; -EINVAL for an unknown spec; -ENOENT when the machine has no such engine.
 */
int ksm_backend_open(struct ksm_backend *b, const char *spec, struct ksm_error *err);

/**
 * ksm_backend_locate() - where the files are, without choosing an engine
 * @b: @b->io, @b->fake and, for a fake one, @b->name are filled
 * @spec: as for ksm_backend_open(); the name of an engine is not looked at
 *
 * For what works without any engine. Return: 0; -EINVAL for an unknown spec.
 */
int ksm_backend_locate(struct ksm_backend *b, const char *spec, struct ksm_error *err);

/**
 * ksm_backend_select() - choose an engine by kind, in a located backend
 *
 * Return: 0; -ENOENT when the machine has no such engine.
 */
int ksm_backend_select(struct ksm_backend *b, unsigned int kind, struct ksm_error *err);

/**
 * ksm_backend_exists() - is this engine there (built in or loaded)?
 * @kind: KSM_BACKEND_KERNEL or KSM_BACKEND_ENGINE
 */
bool ksm_backend_exists(const struct ksm_io *io, unsigned int kind);

/**
 * ksm_backend_kind_name() - "kernel" or "engine"
 */
const char *ksm_backend_kind_name(unsigned int kind);

/**
 * ksm_backend_may_have() - is this one of the files that such an engine may have?
 */
static inline bool ksm_backend_may_have(unsigned int kind, const struct ksm_knob *knob)
{
	return kind == KSM_BACKEND_ENGINE || !(knob->flags & KSM_ABI_ENGINE);
}

/**
 * ksm_backend_title() - what to call it in a sentence: "the in-tree KSM" or "the engine"
 */
const char *ksm_backend_title(unsigned int kind);

#define KSM_WORD_MAX 64

/**
 * struct ksm_counters_snapshot - every file of a KSM directory at one moment
 * @time: CLOCK_MONOTONIC before the first file was read, ns
 * @present: bit (1 << id) for every file that exists and could be read
 * @denied: bit for every file that exists but could not be read
 * @value: by enum ksm_abi_id, in the file's own unit; a word is its index in the file
 * @word: by enum ksm_abi_id: text of a word file as it stands, brackets included
 */
struct ksm_counters_snapshot {
	uint64_t time;
	uint64_t present;
	uint64_t denied;
	int64_t value[KSM_ABI_COUNT];
	char word[KSM_ABI_COUNT][KSM_WORD_MAX];
};

static inline bool ksm_snapshot_has(const struct ksm_counters_snapshot *s, unsigned int id)
{
	return s->present >> id & 1;
}

/* The value, 0 where this kernel has no such file. */
static inline int64_t ksm_snapshot_get(const struct ksm_counters_snapshot *s, unsigned int id)
{
	return ksm_snapshot_has(s, id) ? s->value[id] : 0;
}

/**
 * ksm_backend_read() - read every file the backend has
 * @b: a backend
 * @s: filled
 * @err: the one line when it fails; may be NULL
 *
 * A missing file clears its bit and is no error. Return: 0; -ENOENT when the directory is gone
 * (module unloaded); -EPROTO when a file holds something that is no number.
 */
int ksm_backend_read(const struct ksm_backend *b, struct ksm_counters_snapshot *s,
		     struct ksm_error *err);

/**
 * ksm_snapshot_word() - the current word out of "[none] scan-time"
 */
void ksm_snapshot_word(const struct ksm_counters_snapshot *s, unsigned int id, char *buf,
		       size_t size);

/**
 * struct ksm_setting - one knob to write
 * @knob: which
 * @value: its number (0 for a word)
 * @text: what is written
 */
struct ksm_setting {
	const struct ksm_knob *knob;
	int64_t value;
	char text[KSM_WORD_MAX];
};

/**
 * ksm_setting_parse() - KNOB=VALUE
 * @s: filled
 * @word: from the command line
 * @err: unknown knob (with a suggestion), read-only, out of range; all usage errors
 *
 * Return: 0 or negative errno.
 */
int ksm_setting_parse(struct ksm_setting *s, const char *word, struct ksm_error *err);

/**
 * ksm_setting_changes() - does it ask for another value than the file has?
 */
bool ksm_setting_changes(const struct ksm_setting *s, const struct ksm_counters_snapshot *now);

/**
 * ksm_setting_make() - a setting from a knob's id and a number
 */
void ksm_setting_make(struct ksm_setting *s, unsigned int id, int64_t value);

/**
 * ksm_backend_check() - would ksm_backend_apply() be taken?
 * @b: a backend
 * @set: sorted into the order in which they have to be written (run last)
 * @n: how many
 * @err: the one line
 *
 * Checks knobs given twice, missing files, permission, and what the kernel would refuse: values
 * bound to pages_shared = 0, pages_to_scan under the advisor, run=1 while the other engine owns
 * merging. Writes nothing. Return: 0 or negative errno.
 */
int ksm_backend_check(const struct ksm_backend *b, struct ksm_setting *set, unsigned int n,
		      struct ksm_error *err);

/**
 * ksm_backend_apply() - write settings, all or none
 * @b: a backend
 * @set: see ksm_backend_check(), which is called first
 * @n: how many
 * @err: the one line; says which knob was refused and that the others were put back, or which
 *	could not be
 *
 * Return: 0 or negative errno.
 */
int ksm_backend_apply(const struct ksm_backend *b, struct ksm_setting *set, unsigned int n,
		      struct ksm_error *err);

/**
 * struct ksm_scanner - the scanner thread's use of CPU
 * @pid: thread
 * @time: CLOCK_MONOTONIC of the reading, ns
 * @runtime: on a CPU since it was started, ns
 * @waited: runnable but waiting for a CPU, ns
 */
struct ksm_scanner {
	pid_t pid;
	uint64_t time;
	uint64_t runtime;
	uint64_t waited;
};

/**
 * ksm_scanner_read() - find the scanner thread and read its CPU time
 * @b: remembers the pid
 * @s: filled
 *
 * Return: 0; -ESRCH when no such thread is visible (engine not loaded, PID namespace); -ENOENT
 * when the kernel has no schedstat; negative errno.
 */
int ksm_scanner_read(struct ksm_backend *b, struct ksm_scanner *s);

/* Size of the kernel's struct ksm_rmap_item, the same in every series (engine-side checked). */
#define KSM_RMAP_ITEM_BYTES 64

/**
 * struct ksm_derived - what the counters mean
 * @saved_pages: pages that do not exist because of merging: pages_sharing plus ksm_zero_pages
 * @saved_bytes: the same in bytes
 * @metadata_bytes: rmap items held for it
 * @profit_bytes: @saved_bytes minus @metadata_bytes; may be negative
 * @profit_exact: the kernel said so (general_profit), else computed from the counters
 */
struct ksm_derived {
	int64_t saved_pages;
	int64_t saved_bytes;
	int64_t metadata_bytes;
	int64_t profit_bytes;
	bool profit_exact;
};

/**
 * ksm_derive() - the one place where counters become savings
 */
void ksm_derive(const struct ksm_counters_snapshot *s, struct ksm_derived *d);

/**
 * struct ksm_scan_cost - what scanning takes at today's settings
 * @known: nanoseconds a page were measured on this machine, not assumed
 * @ns_page: CPU time to look at a page
 * @full_scan_ns: time of a full scan, 0 when pages_to_scan is 0
 * @cpu_percent: of one CPU while it scans
 */
struct ksm_scan_cost {
	bool known;
	double ns_page;
	uint64_t full_scan_ns;
	double cpu_percent;
};

/**
 * ksm_scan_cost() - time and CPU of a full scan
 * @s: settings, and pages_scanned where the kernel has it; defaults where a file is missing
 * @pages: to be scanned
 * @runtime: the scanner's CPU time in all (ksm_scanner.runtime), 0 when not known
 * @cost: filled
 */
void ksm_scan_cost(const struct ksm_counters_snapshot *s, uint64_t pages, uint64_t runtime,
		   struct ksm_scan_cost *cost);

/**
 * ksm_tracked_pages() - pages KSM has an item for: shared, sharing, unshared and volatile
 */
int64_t ksm_tracked_pages(const struct ksm_counters_snapshot *s);

/**
 * ksm_rate() - change per second between two readings
 * @before: earlier value
 * @after: later value; a counter that went backwards (module reloaded) gives 0
 * @dt: nanoseconds between them
 */
double ksm_rate(uint64_t before, uint64_t after, uint64_t dt);

/**
 * struct ksm_settle - has merging settled?
 *
 * Settled is: two full scans in a row, each of which changed the saved pages by less than 5 %.
 * Zeroed at the start.
 */
struct ksm_settle {
	bool started;
	int64_t scans;
	int64_t saved;
	unsigned int calm;
};

/**
 * ksm_settle_feed() - one more reading
 *
 * Return: true when settled.
 */
bool ksm_settle_feed(struct ksm_settle *st, const struct ksm_counters_snapshot *s);

#endif /* KSMKIT_BACKEND_H */
