# SPDX-License-Identifier: GPL-2.0
# The reading side of ksmtrace under clang's libFuzzer, with ASan and UBSan: tests/fuzz/run.

FUZZ_SRCS := tests/fuzz/trace_fuzz.c tests/fuzz/consume.c tools/ksmtrace/line.c \
	tools/ksmtrace/line_detail.c tools/ksmtrace/perfetto.c \
	$(wildcard tools/ksmtrace/report_*.c)
FUZZ_LIB := $(patsubst %.c,$(B)/obj/fuzz/%.o,$(LIB_SRCS))
FUZZ_OBJS := $(FUZZ_SRCS:%.c=$(B)/obj/fuzz/%.o)
FUZZ_CFLAGS = -O2 -g -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -Iinclude -Itools -Itests -I$(B)/gen \
	-DKSMTRACE_SMALL -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

$(B)/obj/fuzz/%.o: %.c tests/fuzz/build.mk | $(BPF_SKELS)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(B)/test/fuzz-lib.a: $(FUZZ_LIB)
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $(FUZZ_LIB)

$(B)/test/trace-fuzz: $(FUZZ_OBJS) $(B)/test/fuzz-lib.a
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS_TOOLS)

-include $(FUZZ_LIB:.o=.d) $(FUZZ_OBJS:.o=.d)
