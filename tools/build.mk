# SPDX-License-Identifier: GPL-2.0
# libksmkit.a, ksmctl and ksmtrace. Included after bpf/build.mk, which sets BPF_SKELS (the
# generated skeleton headers); they have to exist before the first compile.

LIB_SRCS := $(wildcard tools/lib/*.c)
LIB_OBJS := $(LIB_SRCS:%.c=$(B)/obj/%.o)
LIB := $(B)/lib/libksmkit.a
LDLIBS_TOOLS := $(LDLIBS_BPF) -ljson-c -lxxhash -lm

KSMCTL_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tools/ksmctl/*.c))
KSMTRACE_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tools/ksmtrace/*.c))

$(B)/obj/tools/%.o: tools/%.c | $(BPF_SKELS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $(LIB_OBJS)

$(B)/bin/ksmctl: $(KSMCTL_OBJS) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(KSMCTL_OBJS) $(LIB) $(LDLIBS_TOOLS)

$(B)/bin/ksmtrace: $(KSMTRACE_OBJS) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(KSMTRACE_OBJS) $(LIB) $(LDLIBS_TOOLS)

-include $(LIB_OBJS:.o=.d) $(KSMCTL_OBJS:.o=.d) $(KSMTRACE_OBJS:.o=.d)
