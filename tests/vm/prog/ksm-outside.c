// SPDX-License-Identifier: GPL-2.0
/*
 * Others than the owner write to memory while KSM merges it: /proc/PID/mem, process_vm_writev,
 * ptrace, and the owner itself under a userfaultfd monitor. What one way wrote to a page of one
 * range, a plain store writes to its twin: so all becomes equal again and is merged again, over and
 * over.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/trials.h"

#define PAGES 128
#define BURSTS 12
#define BURST 8 /* pages written before the next look */

/* ---- ways to write a word of this process's memory, whatever its protection ---- */

static int mem_fd = -1;

static void open_mem(void)
{
	if (mem_fd < 0)
		mem_fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (mem_fd < 0)
		die("/proc/self/mem: %s", strerror(errno));
}

static void by_proc_mem(uint64_t *at, uint64_t value)
{
	open_mem();
	if (pwrite(mem_fd, &value, sizeof(value), (uintptr_t)at) != sizeof(value))
		die("/proc/self/mem: %s", strerror(errno));
}

static void by_process_vm(uint64_t *at, uint64_t value)
{
	struct iovec from = { &value, sizeof(value) }, to = { at, sizeof(*at) };

	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != sizeof(value))
		die("process_vm_writev: %s", strerror(errno));
}

/**
 * struct poke - what the tracer is to write
 * @at: where, in its parent
 * @value: what
 */
struct poke {
	uint64_t *at;
	uint64_t value;
};

static struct poke *poke;
static struct worker tracer;

/* In the tracer: it stops its parent, who waits for the answer, and lets it go on. */
static long trace_parent(void *ctx, int cmd, long arg)
{
	pid_t pid = getppid();

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) || waitpid(pid, NULL, __WALL) != pid)
		return -errno;
	if (ptrace(PTRACE_POKEDATA, pid, poke->at, poke->value))
		return -errno;
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) ? -errno : 0;
}

static void by_ptrace(uint64_t *at, uint64_t value)
{
	long err;

	*poke = (struct poke){ at, value };
	err = worker_call(&tracer, 'p', 0);
	if (err)
		die("ptrace: %s", strerror(-err));
}

static void plainly(uint64_t *at, uint64_t value)
{
	*(volatile uint64_t *)at = value;
}

/* ---- the same for all of them ---- */

/* The same new word in page @i of both ranges, the first by @put. */
static void write_twins(struct sets *s, size_t i, uint64_t *rnd,
			void (*put)(uint64_t *at, uint64_t value))
{
	uint64_t value = next_random(rnd);

	for (int k = 0; k < 2; k++) {
		s->p[k].want[i].word = i;
		s->p[k].want[i].value = value;
		(k ? plainly : put)((uint64_t *)page_at(&s->p[k], i) + i, value);
	}
}

/* Whether anything is merged now, or will be when nobody writes. */
static bool some_merged(void *arg)
{
	struct sets *s = arg;

	sets_look(s);
	return s->last.distinct < 2 * PAGES - PAGES / 4;
}

static void write_much(void (*put)(uint64_t *at, uint64_t value), int prot)
{
	uint64_t rnd = opt.seed;
	struct sets s;

	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merged");
	if (mprotect(s.p[0].mem, PAGES * page_size(), prot))
		die("mprotect: %s", strerror(errno));
	for (int burst = 0; burst < BURSTS; burst++) {
		if (!wait_for(opt.timeout, some_merged, &s))
			die("nothing is merged between writes");
		for (int n = 0; n < BURST; n++)
			write_twins(&s, next_random(&rnd) % PAGES, &rnd, put);
		if (prot & PROT_READ)
			sets_verify(&s, "written from outside");
	}
	if (mprotect(s.p[0].mem, PAGES * page_size(), PROT_READ | PROT_WRITE))
		die("mprotect: %s", strerror(errno));
	sets_wait(&s, PAGES, "written from outside, merged again");
	for (size_t i = 0; i < PAGES; i++)
		write_twins(&s, i, &rnd, put);
	sets_verify(&s, "all written from outside");
	sets_wait(&s, PAGES, "all written from outside, merged again");
	sets_unmap(&s);
}

static const char *proc_mem(void)
{
	write_much(by_proc_mem, PROT_READ | PROT_WRITE);
	return NULL;
}

/* Newer kernels let only those write so to what is read-only who trace its owner. */
static bool may_force(void)
{
	struct pages one;
	uint64_t value = 1;
	bool may;

	pages_map(&one, 1, opt.seed);
	page_fill(&one, 0, 1);
	if (mprotect(one.mem, page_size(), PROT_READ))
		die("mprotect: %s", strerror(errno));
	may = pwrite(mem_fd, &value, sizeof(value), (uintptr_t)one.mem) == sizeof(value);
	if (!may && errno != EIO)
		die("/proc/self/mem: %s", strerror(errno));
	pages_unmap(&one);
	return may;
}

/* A debugger's write to memory that the owner itself may not write: it must not reach others. */
static const char *proc_mem_protected(void)
{
	open_mem();
	if (!may_force())
		return "the kernel refuses such writes";
	write_much(by_proc_mem, PROT_READ);
	return NULL;
}

static const char *process_vm(void)
{
	if (process_vm_writev(getpid(), NULL, 0, NULL, 0, 0) && errno == ENOSYS)
		return "no process_vm_writev in this kernel";
	write_much(by_process_vm, PROT_READ | PROT_WRITE);
	return NULL;
}

static const char *ptraced(void)
{
	poke = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (poke == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	worker_start(&tracer, "vm-tracer", trace_parent, NULL);
	write_much(by_ptrace, PROT_READ);
	worker_stop(&tracer);
	return NULL;
}

/* ---- userfaultfd: the monitor must see each write to what it protects, merged or not ---- */

static int uffd_open(const struct pages *p)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)p->mem, .len = p->nr * page_size() },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK); /* else it cannot be polled */

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		die("userfaultfd: %s", strerror(errno));
	return fd;
}

static void uffd_protect(int fd, const void *at, size_t pages, uint64_t mode)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)at, .len = pages * page_size() },
		.mode = mode,
	};

	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		die("UFFDIO_WRITEPROTECT: %s", strerror(errno));
}

/**
 * struct monitor - who is asked about writes
 * @fd: the userfaultfd
 * @base: of the range
 * @seen: writes of each page
 * @end: closed when it shall end
 */
struct monitor {
	int fd;
	unsigned char *base;
	unsigned int seen[PAGES];
	int end;
};

static void *watch(void *arg)
{
	struct monitor *m = arg;

	for (;;) {
		struct pollfd fds[] = { { m->fd, POLLIN, 0 }, { m->end, POLLIN, 0 } };
		struct uffd_msg msg;
		size_t page;

		poll(fds, 2, -1);
		if (fds[1].revents)
			return NULL;
		if (read(m->fd, &msg, sizeof(msg)) != sizeof(msg) && errno == EAGAIN)
			continue;
		if (msg.event != UFFD_EVENT_PAGEFAULT)
			die("userfaultfd reports event %u", msg.event);
		page = (msg.arg.pagefault.address - (uintptr_t)m->base) / page_size();
		m->seen[page]++;
		uffd_protect(m->fd, page_at(&(struct pages){ .mem = m->base }, page), 1, 0);
	}
}

static const char *under_uffd(void)
{
	const unsigned int rounds = 6;
	struct monitor m = { 0 };
	uint64_t rnd = opt.seed;
	pthread_t thread;
	struct sets s;
	int ends[2];

	sets_map(&s, 2, PAGES);
	m.fd = uffd_open(&s.p[0]);
	m.base = s.p[0].mem;
	if (pipe2(ends, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	m.end = ends[0];
	if (pthread_create(&thread, NULL, watch, &m))
		die("no thread");
	sets_advise(&s, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	for (unsigned int round = 1; round <= rounds; round++) {
		sets_wait(&s, PAGES, "before protection");
		uffd_protect(m.fd, s.p[0].mem, PAGES, UFFDIO_WRITEPROTECT_MODE_WP);
		if (round % 2)
			ksm_wait_passes(opt.backend, 1);
		for (size_t i = 0; i < PAGES; i++)
			write_twins(&s, i, &rnd, plainly);
		sets_verify(&s, "written under userfaultfd");
		for (size_t i = 0; i < PAGES; i++) {
			if (m.seen[i] != round)
				die("round %u: the monitor saw %u writes to page %zu", round,
				    m.seen[i], i);
		}
	}
	close(ends[1]);
	pthread_join(thread, NULL);
	close(m.fd);
	sets_wait(&s, PAGES, "no monitor any more");
	sets_unmap(&s);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "proc-mem", proc_mem, 0 },
		{ "proc-mem-protected", proc_mem_protected, 0 },
		{ "process-vm", process_vm, 0 },
		{ "ptrace", ptraced, 0 },
		{ "uffd-wp", under_uffd, 0 },
		{ 0 },
	};

	return trials_main(argc, argv, trials,
			   "Write to memory from outside its owner while KSM merges it.");
}
