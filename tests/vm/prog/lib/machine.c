// SPDX-License-Identifier: GPL-2.0
/* A virtual machine in real mode: code in page 0, answers in page 1, the memory from 64 KiB. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"

#define ANSWER 0x1000
#define MEMORY 0x10000

/* bx: segment of a page. Copies it to es:0, cx words of 32 bits. */
static const unsigned char code_read[] = {
	0x8e, 0xdb,	  /* mov ds, bx */
	0x31, 0xf6,	  /* xor si, si */
	0x31, 0xff,	  /* xor di, di */
	0xfc,		  /* cld */
	0xf3, 0x66, 0xa5, /* rep movsd */
	0xf4,		  /* hlt */
};

/* bx: segment of the first page. Adds 1 to the word at si of cx pages. */
static const unsigned char code_count[] = {
	0x8e, 0xdb,		/* mov ds, bx */
	0x66, 0xff, 0x04,	/* inc dword [si] */
	0x81, 0xc3, 0x00, 0x01, /* add bx, 0x100 */
	0x49,			/* dec cx */
	0x75, 0xf4,		/* jnz to the beginning */
	0xf4,			/* hlt */
};

#define READ_AT 0
#define COUNT_AT 0x100

static void add_memory(struct machine *m, int slot, uint64_t at, void *mem, size_t bytes)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = at,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)mem,
	};

	if (ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region))
		die("memory of a machine: %s", strerror(errno));
}

static void make_low(struct machine *m)
{
	m->low = mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (m->low == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	memcpy(m->low + READ_AT, code_read, sizeof(code_read));
	memcpy(m->low + COUNT_AT, code_count, sizeof(code_count));
	add_memory(m, 0, 0, m->low, 2 * page_size());
}

static void make_cpu(struct machine *m, int kvm)
{
	struct kvm_sregs sregs;

	m->run_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	m->vcpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	if (m->vcpu < 0)
		die("CPU of a machine: %s", strerror(errno));
	m->run = mmap(NULL, m->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	if (m->run == MAP_FAILED)
		die("CPU of a machine: %s", strerror(errno));
	if (ioctl(m->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS: %s", strerror(errno));
	sregs.cs.base = sregs.cs.selector = 0;
	sregs.es.base = ANSWER;
	sregs.es.selector = ANSWER >> 4;
	if (ioctl(m->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS: %s", strerror(errno));
}

const char *machine_open(struct machine *m, struct pages *p)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		return "no /dev/kvm";
	if (p->nr > MACHINE_PAGES_MAX)
		die("a machine of %zu pages", p->nr);
	m->pages = p;
	m->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (m->vm < 0)
		die("KVM_CREATE_VM: %s", strerror(errno));
	make_low(m);
	add_memory(m, 1, MEMORY, p->mem, p->nr * page_size());
	make_cpu(m, kvm);
	close(kvm);
	return NULL;
}

void machine_close(struct machine *m)
{
	/* Its CPU keeps the machine alive, the mapping the CPU. */
	munmap(m->run, m->run_bytes);
	munmap(m->low, 2 * page_size());
	close(m->vcpu);
	close(m->vm);
}

/* Run the code at @at until it halts. */
static void run(struct machine *m, uint64_t at, size_t page, size_t count, size_t offset)
{
	struct kvm_regs regs = {
		.rip = at,
		.rbx = (MEMORY + page * page_size()) >> 4,
		.rcx = count,
		.rsi = offset,
		.rflags = 2,
	};

	if (ioctl(m->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS: %s", strerror(errno));
	while (ioctl(m->vcpu, KVM_RUN, 0)) {
		if (errno != EINTR && errno != EAGAIN)
			die("KVM_RUN: %s", strerror(errno));
	}
	if (m->run->exit_reason != KVM_EXIT_HLT)
		die("the machine stopped for reason %u, not because it was done",
		    m->run->exit_reason);
}

long machine_wrong(struct machine *m, size_t from, size_t to)
{
	long wrong = 0;

	for (size_t i = from; i < to; i++) {
		struct pages seen = {
			.mem = m->low + ANSWER,
			.nr = 1,
			.seed = m->pages->seed,
			.want = &m->pages->want[i],
		};

		memset(seen.mem, 0xee, page_size());
		run(m, READ_AT, i, page_size() / 4, 0);
		wrong += pages_wrong(&seen, 0, 1);
	}
	return wrong;
}

void machine_count(struct machine *m, size_t from, size_t to, size_t word)
{
	run(m, COUNT_AT, from, to - from, word * sizeof(uint64_t));
	for (size_t i = from; i < to; i++) {
		if (m->pages->want[i].word != word)
			die("page %zu has no counter at word %zu", i, word);
		m->pages->want[i].value++;
	}
}
