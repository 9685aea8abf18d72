# SPDX-License-Identifier: GPL-2.0
# Test programs for the guests, and the example program: static, so that an initramfs of busybox
# and these files is enough. The lab puts every $(B)/test/vm/* onto the guest's PATH.

VM_PROG_SRCS := $(wildcard tests/vm/prog/ksm-*.c)
VM_PROG_LIB := $(wildcard tests/vm/prog/lib/*.c)
VM_PROG_HEADERS := $(wildcard tests/vm/prog/*/*.h)
VM_PROG_LIB_OBJS := $(VM_PROG_LIB:tests/vm/prog/lib/%.c=$(B)/obj/vm/lib/%.o)
VM_BENCH_OBJS := $(patsubst tests/vm/prog/bench/%.c,$(B)/obj/vm/bench/%.o,$(wildcard tests/vm/prog/bench/*.c))
VM_STRESS_OBJS := $(patsubst tests/vm/prog/stress/%.c,$(B)/obj/vm/stress/%.o,$(wildcard tests/vm/prog/stress/*.c))
VM_EXAMPLES := $(wildcard docs/examples/*.c)
VM_PROGS := $(VM_PROG_SRCS:tests/vm/prog/%.c=$(B)/test/vm/%) \
	$(VM_EXAMPLES:docs/examples/%.c=$(B)/test/vm/%)

# Kept: a program is linked again without compiling all it shares.
.SECONDARY: $(VM_PROG_LIB_OBJS) $(VM_BENCH_OBJS) $(VM_STRESS_OBJS)
.PHONY: vm-progs
vm-progs: $(VM_PROGS)

$(B)/obj/vm/lib/%.o: tests/vm/prog/lib/%.c $(VM_PROG_HEADERS) include/ksm_abi.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

$(B)/obj/vm/bench/%.o: tests/vm/prog/bench/%.c $(VM_PROG_HEADERS) include/ksm_abi.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests/vm/prog -c -o $@ $<

$(B)/obj/vm/stress/%.o: tests/vm/prog/stress/%.c $(VM_PROG_HEADERS) include/ksm_abi.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests/vm/prog -c -o $@ $<

$(B)/test/vm/ksm-bench: $(VM_BENCH_OBJS)
$(B)/test/vm/ksm-stress: $(VM_STRESS_OBJS)

$(B)/test/vm/ksm-%: tests/vm/prog/ksm-%.c $(VM_PROG_LIB_OBJS) $(VM_PROG_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests/vm/prog -static -o $@ $< $(filter %.o,$^) -lm

$(VM_EXAMPLES:docs/examples/%.c=$(B)/test/vm/%): $(B)/test/vm/%: docs/examples/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -static -o $@ $<
