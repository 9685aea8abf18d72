/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs share: a KSM backend's files, page contents that can be verified, frame
 * numbers as the only witness of merging, and worker processes that obey one command at a time.
 *
 * The witness is /proc/PID/pagemap: two virtual pages are merged when they have one frame. The
 * counters of the KSM under test are never what a verdict rests on alone.
 */
#ifndef VM_PROG_LIB_H
#define VM_PROG_LIB_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- words.c: output, options, time ---- */

/**
 * struct options - what every program accepts
 * @backend: the KSM under test
 * @seed: of contents and choices
 * @timeout: seconds until a state that does not come is a failure
 */
struct options {
	const struct backend *backend;
	uint64_t seed;
	double timeout;
};

extern struct options opt;
/* Child for a program's own parser: --backend, --seed, --timeout. */
extern const struct argp common_argp;

/* One line on stdout, flushed: it is all that a dying guest leaves behind. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* One line on stderr and exit 1. Children are killed when their parent goes. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Parse a number of an option, or usage error (exit 2). */
unsigned long arg_number(struct argp_state *state, const char *name, const char *arg,
			 unsigned long min, unsigned long max);
double now_seconds(void);
/* Poll every 20 ms until cond() or until @seconds are over. Returns whether cond() came true. */
bool wait_for(double seconds, bool (*cond)(void *arg), void *arg);
/* One number out of a stream that depends on *state alone (splitmix64). */
uint64_t next_random(uint64_t *state);
/* A shell command that must end with 0 (modprobe, rmmod); dies otherwise. */
void must_run(const char *command);
/* The number behind "KEY " in /proc/vmstat, or -1 when the kernel does not count it. */
long long vmstat(const char *key);
/* The KiB behind "KEY:" in /proc/meminfo, or -1. */
long long meminfo(const char *key);
/* A positive number in the environment, or @otherwise. */
unsigned long env_number(const char *name, unsigned long otherwise);

/* ---- args.c: a program's options as a table ---- */

#define ARGS_MAX 16

/**
 * struct arg - one option, and where its value goes: one of @number, @word and @flag
 * @name: long name; NULL ends a table
 * @key: short name
 * @unit: what --help calls the value; NULL for a flag
 * @doc: for --help
 * @number: from @min to @max
 * @word: as given
 * @flag: set to true
 */
struct arg {
	const char *name;
	int key;
	const char *unit;
	const char *doc;
	unsigned long *number;
	unsigned long min;
	unsigned long max;
	const char **word;
	bool *flag;
};

#define ARG_NUMBER(to, from, up_to) .number = (to), .min = (from), .max = (up_to)

/* Options of @args (NULL for none) and those of every program; a wrong one ends the program. */
void args_parse(int argc, char **argv, const struct arg *args, const char *doc);
/* Write to a file. 0 or -errno. */
int write_file(const char *path, const char *text);
/* The same; dies otherwise. */
void must_write_file(const char *path, const char *text);

/* ---- backend.c: the files of a KSM ---- */

struct backend {
	const char *name; /* as given to --backend */
	const char *dir;  /* its directory */
};

#define BACKEND_KERNEL 0
#define BACKEND_ENGINE 1
extern const struct backend backends[2];

/* NULL when there is none of that name. */
const struct backend *backend_find(const char *name);
/* Value of a file, or -errno. */
long long ksm_try_read(const struct backend *b, const char *file);
/* Value of a file; dies when it cannot be read. */
long long ksm_read(const struct backend *b, const char *file);
/* 0 or -errno. */
int ksm_write(const struct backend *b, const char *file, long long value);
/* The same for a word. */
int ksm_write_text(const struct backend *b, const char *file, const char *text);
/* run=1 at the highest speed, every page looked at in every pass; dies when refused. */
void ksm_full_speed(const struct backend *b);
/* run=2, then 0: nothing stays merged; dies when refused. */
void ksm_clear(const struct backend *b);
/* Wait until @n further full passes ended; dies after opt.timeout seconds. */
void ksm_wait_passes(const struct backend *b, int n);
/* pages_shared + pages_sharing: virtual pages that the backend says are merged. */
long long ksm_items(const struct backend *b);
/* Wait until ksm_items() is @want; dies after opt.timeout seconds, saying @what differed. */
void ksm_wait_items(const struct backend *b, long long want, const char *what);

/* ---- pages.c: memory with known contents ---- */

size_t page_size(void);

/**
 * struct page_want - what one page must hold
 * @id: number the content was generated from; 0 means untouched (zeroes)
 * @value: of one 64-bit word written over it later
 * @word: which word, or NO_PATCH
 */
struct page_want {
	uint64_t id;
	uint64_t value;
	uint32_t word;
};

#define NO_PATCH UINT32_MAX

/**
 * struct pages - a range of anonymous memory and what each page must hold
 *
 * @want lives outside @mem and is never mergeable.
 */
struct pages {
	unsigned char *mem;
	size_t nr;
	uint64_t seed;
	struct page_want *want;
};

void pages_map(struct pages *p, size_t nr, uint64_t seed);
/* As pages_map(), and the first page's number is a multiple of @align. */
void pages_map_aligned(struct pages *p, size_t nr, size_t align, uint64_t seed);
void pages_unmap(struct pages *p);
static inline unsigned char *page_at(const struct pages *p, size_t i)
{
	return p->mem + i * page_size();
}
/* Fill page @i with the content of @id: equal seed and id give equal pages anywhere. */
void page_fill(struct pages *p, size_t i, uint64_t id);
/* Overwrite one word of page @i, chosen by @rnd, so that no other page holds the same. */
void page_patch(struct pages *p, size_t i, uint64_t *rnd);
/* Compare pages [from, to) to what they must hold. Returns how many are wrong; says the first. */
long pages_wrong(const struct pages *p, size_t from, size_t to);
/* madvise() on pages [from, to); dies on failure. */
void pages_advise(struct pages *p, size_t from, size_t to, int advice);

/* ---- pagemap.c: frames ---- */

/* Raw /proc/PID/pagemap entries of @nr pages from @addr. 0 or -errno. */
int pagemap_read(pid_t pid, uintptr_t addr, size_t nr, uint64_t *entries);
/* Calls fn for each mapping of a process that is marked mergeable, by smaps; dies without smaps. */
void each_marked(pid_t pid, void (*fn)(void *arg, uintptr_t from, uintptr_t to), void *arg);
/* Frame of one page of this process, 0 when not present. */
uint64_t own_pfn(const void *addr);
bool entry_present(uint64_t entry);
bool entry_swapped(uint64_t entry);
uint64_t entry_pfn(uint64_t entry);

/**
 * struct frames - what a list of pagemap entries says
 * @mapped: pages present
 * @swapped: pages in swap
 * @distinct: different frames behind the present pages
 * @sharing: present pages whose frame another page of the list has too
 * @largest: most pages on one frame
 */
struct frames {
	size_t mapped;
	size_t swapped;
	size_t distinct;
	size_t sharing;
	size_t largest;
};

/* Sorts @entries in place. */
void frames_count(uint64_t *entries, size_t nr, struct frames *out);
/* Frame flags of /proc/kpageflags. */
#define PAGE_FLAG(bit) (1ULL << (bit))
#define PAGE_SLAB PAGE_FLAG(7)
#define PAGE_MMAP PAGE_FLAG(11)
#define PAGE_ANON PAGE_FLAG(12)
#define PAGE_SWAPCACHE PAGE_FLAG(13)
#define PAGE_SWAPBACKED PAGE_FLAG(14)
#define PAGE_HEAD PAGE_FLAG(15)
#define PAGE_TAIL PAGE_FLAG(16)
#define PAGE_HWPOISON PAGE_FLAG(19)
#define PAGE_KSM PAGE_FLAG(21)
/* Flags of one frame. */
uint64_t frame_flags(uint64_t pfn);
/* How many frames of the machine have of @mask the flags @want; all flags of one of them. */
size_t frames_flagged(uint64_t mask, uint64_t want, uint64_t *example);
/* Pss of a process in KiB; dies when it cannot be read. */
long pss_kib(pid_t pid);

/* ---- motion.c: what takes pages away from their frames ---- */

/* Whether this process may have memory on nodes 0 and 1. */
bool two_nodes(void);
/* Move @nr pages of @pid to a NUMA node; dies when one does not go there. */
void move_to_node(pid_t pid, uintptr_t addr, size_t nr, int node);
/* Move pages together, to the end of each zone: which ones is the kernel's choice. */
void compact_memory(void);
/* Make a control group below that with the memory controller; dies when no swap is on. */
void cgroup_make(char path[128], const char *name);
void cgroup_join(const char *path);
/* Reclaim so much of a group; less is no failure: pagemap tells. */
void cgroup_reclaim(const char *path, size_t bytes);
/* This process leaves the group for the root, and the group goes. */
void cgroup_remove(const char *path);

/* ---- cost.c: run time; in a guest with --icount a nanosecond is one instruction ---- */

/* The first thread of that name; dies when there is none. */
pid_t thread_find(const char *comm);
/* Nanoseconds that a thread ran so far. */
uint64_t thread_cost(pid_t pid);
/* Nanoseconds that all tasks ran so far, the idle ones apart. */
uint64_t machine_cost(void);

/* ---- attach.c: the engine's device ---- */

struct ksm_abi_attach;
struct ksm_abi_attached;

/* An open device; dies when there is none. */
int attach_device(void);
/* The ioctl as it is. 0 or -errno. */
int attach_raw(int device, struct ksm_abi_attach *arg);
/* One ioctl; @result may be NULL. 0 or -errno. */
int attach_call(int device, unsigned int op, int pidfd, struct ksm_abi_attach *result);
/* The same for whoever has that PID now. */
int attach_pid(int device, unsigned int op, pid_t pid, struct ksm_abi_attach *result);
/* Whether @pid is on the list of what is attached, and its entry there (may be NULL). */
int attach_find(int device, pid_t pid, struct ksm_abi_attached *entry);

/* ---- worker.c: processes that obey ---- */

/* fork(), or the program ends. The child is killed when its parent goes. */
pid_t fork_child(void);

/**
 * struct worker - a child process serving one command at a time
 * @pid: its process
 * @fd: this end of the socket
 */
struct worker {
	pid_t pid;
	int fd;
};

/* Runs in the child for each command; what it returns is the answer. */
typedef long (*worker_fn)(void *ctx, int cmd, long arg);

/* Fork a child named @comm that serves fn(ctx, ...) for every command but 0. */
void worker_start(struct worker *w, const char *comm, worker_fn fn, void *ctx);
void worker_send(struct worker *w, int cmd, long arg);
/* Dies when the worker died. */
long worker_answer(struct worker *w);
long worker_call(struct worker *w, int cmd, long arg);
/* End it and reap: dies unless it exits with 0. */
void worker_stop(struct worker *w);
/* SIGKILL and reap. */
void worker_kill(struct worker *w);

#endif /* VM_PROG_LIB_H */
