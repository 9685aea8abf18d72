# SPDX-License-Identifier: GPL-2.0
$(B)/test/bench-judge: tests/bench/judge.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< -ljson-c

# A large recording, for report.row.
$(B)/test/trace-gen: tests/bench/trace_gen.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LIB) $(LDLIBS_TOOLS)

$(B)/test/bench-usage: tests/bench/usage.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<

# For ksmtop.row: processes to show, and a terminal that looks at the clock.
$(B)/test/bench-crowd: tests/bench/crowd.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<

$(B)/test/bench-frames: tests/bench/frames.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< -lutil

# The engine's core in userspace, as the kernel compiles it, over tests/shim.
BENCH_CORE_OBJS := $(patsubst %.c,$(B)/obj/bench/%.o,$(wildcard kmod/core/*.c) tests/shim/rbtree.c)

$(B)/obj/bench/%.o: %.c tests/bench/build.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter \
		-Wno-missing-field-initializers -ffreestanding -nostdinc -Itests/shim -MMD -MP -c -o $@ $<

$(B)/test/bench-native: tests/bench/native.c $(BENCH_CORE_OBJS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wno-missing-field-initializers -Itests/shim -Ikmod/core -o $@ $^ -lxxhash
-include $(BENCH_CORE_OBJS:.o=.d)
