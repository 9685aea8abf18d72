// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer: recordings that nobody wrote, through everything that ksmtrace does with one. The
 * first byte of an input says what the rest is: the metadata, the stream, or events, which are then
 * put in order and packed properly to get past the reader. Its top bit asks for JSON as well. That
 * takes twice as long as all the rest, and inputs with it would soon be most of all: one in four
 * gets it.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/consume.h"
#include "lib/ctf.h"

#define EVENTS_MAX 48

static char dir[64] = "/tmp/trace_fuzz.XXXXXX";
static struct ksm_trace_info info;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(const char *name, const void *data, size_t size)
{
	static int files[2] = { -1, -1 };
	int *file = &files[!strcmp(name, KSM_TRACE_STREAM)];
	char path[PATH_MAX];

	if (*file < 0) {
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		*file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	}
	if (ftruncate(*file, 0) || pwrite(*file, data, size, 0) != (ssize_t)size)
		abort();
}

static void clean(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, KSM_TRACE_METADATA);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%s", dir, KSM_TRACE_STREAM);
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct ksm_error err;
	char *metadata;
	size_t size;
	FILE *to;

	if (!access("/dev/shm", W_OK))
		strcpy(dir, "/dev/shm/trace_fuzz.XXXXXX");
	if (!mkdtemp(dir))
		abort();
	atexit(clean);
	memset(info.uuid, 'u', sizeof(info.uuid));
	strcpy(info.env[0].key, "page_size");
	strcpy(info.env[0].value, "4096");
	info.env_count = 1;
	to = open_memstream(&metadata, &size);
	if (ctf_metadata_print(to, &info) || fclose(to))
		abort();
	put(KSM_TRACE_METADATA, metadata, size);
	free(metadata);
	if (ksm_trace_read_info(dir, &info, &err))
		abort();
	return 0;
}

/* By lot, the same for the same input. */
static bool one_in_four(const uint8_t *data, size_t size)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += data[i];
	return !(sum & 3);
}

static struct ctf_packet header(size_t events, uint64_t begin, uint64_t end)
{
	struct ctf_packet packet = { .magic = CTF_MAGIC, .begin = begin, .end = end };

	memcpy(packet.uuid, info.uuid, sizeof(packet.uuid));
	packet.content_bits = (sizeof(packet) + events * sizeof(struct ksm_event)) * 8;
	packet.packet_bits = packet.content_bits;
	return packet;
}

/* What stands in "time" is how much later an event is, and the types are ours. */
static void put_events(const uint8_t *data, size_t size)
{
	static struct {
		struct ctf_packet packet;
		struct ksm_event events[EVENTS_MAX];
	} __attribute__((packed)) file;
	size_t count = size / sizeof(struct ksm_event);
	uint64_t time = 1000000;
	struct ksm_event e;

	count = count < EVENTS_MAX ? count : EVENTS_MAX;
	for (size_t i = 0; i < count; i++) {
		memcpy(&e, data + i * sizeof(e), sizeof(e));
		time += e.time >> (e.time & 63);
		if (time > UINT64_C(1) << 62)
			time = UINT64_C(1) << 62;
		e.time = time;
		e.type = 1 + e.type % (KSM_EVENT_MAX - 1);
		file.events[i] = e;
	}
	file.packet = header(count, 1000000, time);
	put(KSM_TRACE_STREAM, &file, sizeof(file.packet) + count * sizeof(e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctf_packet empty = header(0, 0, 0);
	struct ksm_error err;
	uint64_t events;
	bool json;
	uint8_t what;

	if (!size)
		return 0;
	what = *data++;
	size--;
	json = what >> 7 && one_in_four(data, size);
	what = (what & 0x7f) % 3;
	/* Reading the metadata takes longer than all else of a short run: once for all streams. */
	if (what == 0) {
		put(KSM_TRACE_METADATA, data, size);
		put(KSM_TRACE_STREAM, &empty, sizeof(empty));
		consume(dir, json, &events, &err);
		return 0;
	}
	if (what == 1)
		put(KSM_TRACE_STREAM, data, size);
	else
		put_events(data, size);
	consume_stream(dir, &info, json, &events, &err);
	return 0;
}
