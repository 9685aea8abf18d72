# SPDX-License-Identifier: GPL-2.0
# Every verb of the project: `make help` lists them.
#
# Directories contribute build.mk fragments with paths relative to here; all products go below
# $(B). `make` alone needs no root, no network and no BTF of the running kernel.

B := build
PREFIX ?= /usr/local
DESTDIR ?=
# Kernel series for the module and for the guest: 6.1, 6.12 or debug.
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
	kmod debug-kernel clean setup

all:

-include bpf/build.mk
-include tools/build.mk
-include ksmtop/build.mk
-include tests/unit/build.mk
-include tests/vm/prog/build.mk

all: $(BINS)

kmod:
	@tests/vm/build-kmod $(KERNEL)

debug-kernel:
	@tests/vm/build-debug-kernel

clean:
	rm -rf $(B)
