/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine of one CPU and a few pages: enough that the kernel maps a process's memory into
 * a guest, and that what the guest sees there can be compared with what the process sees.
 */
#ifndef VM_PROG_MACHINE_H
#define VM_PROG_MACHINE_H

#include "lib.h"

struct kvm_run;

/**
 * struct machine - the machine
 * @vm: descriptor of it
 * @vcpu: descriptor of its CPU
 * @run: what the kernel says of the CPU, in @run_bytes
 * @low: its first two pages: the code, and the page through which the guest answers
 * @pages: the memory under test
 */
struct machine {
	int vm;
	int vcpu;
	struct kvm_run *run;
	size_t run_bytes;
	unsigned char *low;
	struct pages *pages;
};

#define MACHINE_PAGES_MAX 128

/* Give @p (MACHINE_PAGES_MAX at most) to a new machine. NULL, or why there is no KVM here. */
const char *machine_open(struct machine *m, struct pages *p);
void machine_close(struct machine *m);
/* As pages_wrong(): what the guest reads in pages [from, to). */
long machine_wrong(struct machine *m, size_t from, size_t to);
/* The guest adds 1 to word @word of pages [from, to), which must be patched there. */
void machine_count(struct machine *m, size_t from, size_t to, size_t word);

#endif /* VM_PROG_MACHINE_H */
