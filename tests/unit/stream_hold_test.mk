# SPDX-License-Identifier: GPL-2.0
$(B)/obj/bpf/hold.bpf.o: tests/unit/hold.bpf.c vmlinux.h include/ksm_event.h bpf/build.mk
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(B)/obj/bpf/hold.linked.o: $(B)/obj/bpf/hold.bpf.o
	$(BPFTOOL) gen object $@ $^

$(B)/obj/unit/tests/unit/stream_hold_test.o: $(B)/gen/hold.skel.h
