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
