# SPDX-License-Identifier: GPL-2.0
# BPF objects and their skeletons. All event programs are linked into one object, because loading
# one costs a pass over the kernel's whole BTF; the iterator is loaded alone by who needs only it.

BPF_EVENT_SRCS := bpf/emit.bpf.c bpf/ksm_tp.bpf.c bpf/ksm_fentry.bpf.c bpf/engine.bpf.c \
	bpf/fault.bpf.c bpf/pagefault.bpf.c bpf/pages.bpf.c
BPF_EVENT_OBJS := $(BPF_EVENT_SRCS:bpf/%.bpf.c=$(B)/obj/bpf/%.bpf.o)
BPF_SKELS := $(B)/gen/events.skel.h $(B)/gen/iter.skel.h
BPF_CFLAGS := -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -O2 -g -std=gnu11 -Wall -Wextra -Werror \
	-Wno-unused-parameter -Wno-missing-declarations -I. -Iinclude

$(B)/obj/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.bpf.h) vmlinux.h include/ksm_event.h \
		bpf/build.mk
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(B)/obj/bpf/events.linked.o: $(BPF_EVENT_OBJS)
	$(BPFTOOL) gen object $@ $^

$(B)/obj/bpf/iter.linked.o: $(B)/obj/bpf/iter.bpf.o
	$(BPFTOOL) gen object $@ $^

$(B)/gen/%.skel.h: $(B)/obj/bpf/%.linked.o
	@mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< name $*_bpf >$@
