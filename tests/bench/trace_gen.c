// SPDX-License-Identifier: GPL-2.0
/*
 * trace-gen DIR EVENTS [PROCESSES [PACKET]]: a recording of a busy host, made up but of the usual
 * kind: guests whose pages merge, are written to and merge again, passes, counters once a second.
 * The same arguments give the same events. At most PACKET events are in a packet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksm_abi.h"
#include "lib/trace_file.h"
#include "lib/trace_names.h"
#include "lib/util.h"

#define SECOND UINT64_C(1000000000)
#define START (1000 * SECOND)
#define STEP 20000	      /* ns from event to event */
#define PAGES_EACH (1u << 18) /* a guest of 1 GiB */
#define PASS_EVENTS 100000

struct gen {
	struct ksm_trace_writer *writer;
	struct ksm_error err;
	uint64_t time;
	uint64_t random;
	uint64_t written;
	uint64_t merged;
	uint64_t broken;
	uint32_t processes;
	uint32_t pass;
	uint64_t packet;
};

static uint64_t roll(struct gen *g)
{
	g->random ^= g->random << 13;
	g->random ^= g->random >> 7;
	g->random ^= g->random << 17;
	return g->random;
}

static int put(void *ctx, const struct ksm_event *event)
{
	struct gen *g = ctx;

	int ret = ksm_trace_write(g->writer, event, &g->err);

	if (!ret && !(++g->written % g->packet))
		ret = ksm_trace_flush(g->writer, &g->err);
	return ret;
}

static struct ksm_event event(const struct gen *g, unsigned int type, uint32_t process)
{
	return (struct ksm_event){ .time = g->time,
				   .type = type,
				   .cpu = process % 16,
				   .tgid = process ? 1000 + process : 0,
				   .mm = process };
}

static void introduce(struct gen *g)
{
	char text[64], comm[16] = "qemu-system-x86";

	for (uint32_t i = 1; i <= g->processes; i++) {
		struct ksm_event e = event(g, KSM_EVENT_COMM, i);

		e.mm = 0;
		memcpy(&e.address, comm, 8);
		memcpy(&e.pfn, comm + 8, 8);
		e.n64 = 5000 + i;
		put(g, &e);
		snprintf(text, sizeof(text), "vm-%u", i);
		ksm_name_tell(&e, KSM_NAME_GUEST, text, put, g);
		snprintf(text, sizeof(text), "/machine.slice/machine-qemu\\x2d%u\\x2dvm%u.scope", i,
			 i);
		ksm_name_tell(&e, KSM_NAME_CGROUP, text, put, g);
	}
}

static void counters(struct gen *g)
{
	const struct {
		unsigned int id;
		uint64_t value;
	} values[] = {
		{ KSM_ABI_RUN, 1 },
		{ KSM_ABI_PAGES_TO_SCAN, 1000 },
		{ KSM_ABI_PAGES_SHARED, g->merged / 4 },
		{ KSM_ABI_PAGES_SHARING, g->merged > g->broken ? g->merged - g->broken : 0 },
		{ KSM_ABI_FULL_SCANS, g->pass },
	};
	struct ksm_event e = event(g, KSM_EVENT_SCANNER, 0);

	e.n32 = 42;
	e.n64 = (g->time - START) / 4;
	put(g, &e);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(values); i++) {
		e = event(g, KSM_EVENT_COUNTER, 0);
		e.n32 = values[i].id;
		e.n64 = values[i].value;
		put(g, &e);
	}
}

/* A page of some process, whose content is one of many: of few rather than of many. */
static struct ksm_event page(struct gen *g, unsigned int type)
{
	uint64_t r = roll(g);
	struct ksm_event e = event(g, type, 1 + r % g->processes);
	uint32_t number = (r >> 16) % PAGES_EACH;

	e.address = UINT64_C(0x7f0000000000) + ((uint64_t)number << 12);
	e.pfn = 0x100000 + number % (r >> 40 & 1 ? 1000 : PAGES_EACH);
	return e;
}

static void happen(struct gen *g)
{
	uint64_t r = roll(g) % 100;
	struct ksm_event e;

	if (r < 60) {
		e = page(g, KSM_EVENT_MERGE);
		g->merged++;
	} else if (r < 75) {
		e = page(g, KSM_EVENT_NEW_PAGE);
		g->merged++;
	} else if (r < 90) {
		e = page(g, KSM_EVENT_COW_BREAK);
		e.n64 = 1000 + roll(g) % (UINT64_C(1000) << roll(g) % 12);
		g->broken++;
	} else if (r < 97) {
		e = page(g, KSM_EVENT_RMAP_REMOVED);
		e.n32 = 1;
	} else {
		e = page(g, KSM_EVENT_PAGE_REMOVED);
		e.tgid = e.mm = 0;
		e.address = 0;
	}
	put(g, &e);
}

static void pass_ends(struct gen *g)
{
	struct ksm_event e = event(g, KSM_EVENT_SCAN_STOP, 0);

	e.n32 = g->pass;
	e.n64 = (uint64_t)g->processes * PAGES_EACH / 16;
	if (g->pass)
		put(g, &e);
	e.type = KSM_EVENT_SCAN_START;
	e.n32 = ++g->pass;
	put(g, &e);
}

static int generate(struct gen *g, uint64_t events)
{
	uint64_t next_second = START, next_pass = 0;

	introduce(g);
	while (g->written < events && !g->err.code) {
		g->time += STEP;
		if (g->time >= next_second) {
			counters(g);
			next_second += SECOND;
		}
		if (g->written >= next_pass) {
			pass_ends(g);
			next_pass += PASS_EVENTS;
		}
		happen(g);
	}
	return g->err.code;
}

int main(int argc, char **argv)
{
	static const struct ksm_trace_env env[] = {
		{ "tracer_name", "ksmtrace" },
		{ "kernel_release", "made up" },
		{ "page_size", "4096" },
		{ "backend", "kernel" },
	};
	struct gen g = { .time = START, .random = 88172645463325252u, .processes = 200 };
	uint64_t events, processes = 200, packet = UINT64_MAX;

	if (argc < 3 || argc > 5 || ksm_parse_u64(argv[2], &events) ||
	    (argc >= 4 && (ksm_parse_u64(argv[3], &processes) || !processes)) ||
	    (argc == 5 && (ksm_parse_u64(argv[4], &packet) || !packet))) {
		fprintf(stderr, "usage: trace-gen DIR EVENTS [PROCESSES [PACKET]]\n");
		return 2;
	}
	g.processes = processes;
	g.packet = packet;
	if (ksm_trace_create(argv[1], START, env, KSM_ARRAY_SIZE(env), &g.writer, &g.err) ||
	    generate(&g, events) || ksm_trace_finish(g.writer, &g.err)) {
		fprintf(stderr, "trace-gen: %s\n", g.err.text);
		return 1;
	}
	return 0;
}
