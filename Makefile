# SPDX-License-Identifier: GPL-2.0
# Every verb of the project: `make help` lists them.
#
# Directories contribute build.mk fragments with paths relative to here; all products go below
# $(B). `make` alone needs no root, no network and no BTF of the running kernel.

B := build
PREFIX ?= /usr/local
DESTDIR ?=
# Kernel series for the module and for the guest: 6.1, 6.12, 7.3, debug or debug-6.12.
KERNEL ?= 6.12

CC = gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
WARNINGS := -Wall -Wextra -Werror -Wno-unused-parameter
CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -Iinclude -Itools -I$(B)/gen
LDLIBS_BPF := -lbpf -lelf -lz

BINS := $(B)/bin/ksmctl $(B)/bin/ksmtrace $(B)/bin/ksmtop

.DELETE_ON_ERROR:
.PHONY: all run test test-unit test-host test-vm lint fuzz soak bench install uninstall help \
	kmod debug-kernel clean toolcheck

all:

-include bpf/build.mk
-include tools/build.mk
-include ksmtop/build.mk
-include tests/unit/build.mk
-include tests/vm/prog/build.mk
-include tests/bench/build.mk
-include tests/fuzz/build.mk

all: $(BINS)

$(BINS) $(LIB_OBJS) $(BPF_EVENT_OBJS) $(B)/obj/bpf/iter.bpf.o: | toolcheck

toolcheck:
	@tests/setup check-build

# Kernels of the guests: K=6.1 is short for KERNELS=6.1.
KERNELS ?= $(or $(K),6.12)
TESTS = KERNELS='$(KERNELS)' T='$(T)' JOBS='$(or $(JOBS),1)' tests/run

run:
	@tests/setup run $(KERNEL)
	@$(MAKE) -s all vm-progs
	@tests/vm/build-kmod $(KERNEL) >/dev/null
	@KERNEL=$(KERNEL) tests/vm/demo

test:
	@tests/setup test $(KERNELS)
	@$(TESTS) unit lint host vm

test-unit:
	@tests/setup test
	@$(TESTS) unit

test-host:
	@tests/setup test
	@$(TESTS) host

test-vm:
	@tests/setup test $(KERNELS)
	@$(TESTS) vm

lint:
	@tests/setup test
	@$(TESTS) lint

kmod:
	@tests/vm/build-kmod $(KERNEL)

debug-kernel:
	@tests/setup run debug
	@tests/vm/build-debug-kernel

bench:
	@tests/setup test $(KERNELS)
	@KERNELS="$(KERNELS)" ROWS="$(ROWS)" JOBS="$(or $(JOBS),2)" tests/bench/run

# RUNS made-up recordings for ksmtrace to read.
fuzz:
	@tests/setup test
	@tests/fuzz/run $(or $(RUNS),100000)

soak:
	@tests/setup test
	@$(MAKE) -s $(B)/test/core_random_test
	@COUNT=$(or $(HISTORIES),1000000) $(B)/test/core_random_test
	@tests/fuzz/run $(or $(RUNS),10000000)
	@tests/vm/soak

include packaging/install.mk

clean:
	rm -rf $(B)

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

#: make                    the tools and BPF programs, into build/bin
#: make run                build, boot a guest, merge real memory there, watch it in ksmtop
#:                         (KERNEL=6.1|6.12|7.3|debug; without a terminal: a report)
#: make test               all tests, guests on 6.12 (KERNELS="6.1 6.12 7.3 debug", T=NAME, JOBS=2)
#: make test-unit | test-host | test-vm | lint
#:                         a part of them
#: make bench              the figures, and whether limits are met (KERNELS=..., ROWS="1 tail")
#: make fuzz               made-up recordings through ksmtrace (RUNS=100000)
#: make soak               the long ones: a million random histories of the engine's core, ten
#:                         million recordings, and tests/vm/soak (hours; HISTORIES=, RUNS=,
#:                         KERNELS=, PARTS=)
#: make kmod               the engine for a guest's kernel (KERNEL=6.1|6.12|7.3|debug|running)
#: make debug-kernel       build the debug kernel (minutes, once)
#: make install            tools, manuals, completions (PREFIX, DESTDIR), and the engine for the
#:                         running kernel where its headers are installed (KMODDIR)
#: make uninstall          the reverse
#: make clean              remove build/
#: Guests: tests/vm/run [-k KERNEL] -- COMMAND (see the top of that file)
