// SPDX-License-Identifier: GPL-2.0
/*
 * A stored recording cut at every byte, and with every byte turned over, one at a time: all that
 * ksmtrace does with a recording comes to an end, and what is whole is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fuzz/consume.h"
#include "lib/ctf.h"
#include "lib/trace_file.h"

#define STORED "tests/golden/ksmtrace/guests.trace"

static const char *const names[] = { KSM_TRACE_METADATA, KSM_TRACE_STREAM };
static char dir[64] = "/tmp/trace_damage.XXXXXX";
static char *data[2];
static size_t sizes[2];
static int files[2];

static void load(int which)
{
	char path[PATH_MAX];
	FILE *from;

	snprintf(path, sizeof(path), STORED "/%s", names[which]);
	from = fopen(path, "r");
	if (!from)
		fail_msg("%s: %s (run it from the top of the tree)", path, strerror(errno));
	data[which] = malloc(1 << 20);
	assert_non_null(data[which]);
	sizes[which] = fread(data[which], 1, 1 << 20, from);
	assert_true(sizes[which] > 1000);
	fclose(from);
	snprintf(path, sizeof(path), "%s/%s", dir, names[which]);
	files[which] = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(files[which] >= 0);
}

static void put(int which, size_t size)
{
	assert_int_equal(ftruncate(files[which], 0), 0);
	assert_int_equal(pwrite(files[which], data[which], size, 0), size);
}

static int setup(void **state)
{
	/* Files on a disk are flushed when they are truncated: thousands of times here. */
	if (!access("/dev/shm", W_OK))
		strcpy(dir, "/dev/shm/trace_damage.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (int i = 0; i < 2; i++) {
		load(i);
		put(i, sizes[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	char path[PATH_MAX];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
		close(files[i]);
		free(data[i]);
	}
	return rmdir(dir);
}

static uint64_t events_of(const struct ctf_packet *packet)
{
	return (packet->content_bits / 8 - sizeof(*packet)) / sizeof(struct ksm_event);
}

/* Events of the packets that end up to there; @at is where the next one begins. */
static uint64_t whole_events(size_t cut, size_t *at)
{
	const struct ctf_packet *packet;
	uint64_t events = 0;

	for (*at = 0; *at < cut; *at += packet->content_bits / 8) {
		packet = (const void *)(data[1] + *at);
		if (*at + sizeof(*packet) > cut || *at + packet->content_bits / 8 > cut)
			break;
		events += events_of(packet);
	}
	return events;
}

static void test_whole(void **state)
{
	struct ksm_error err;
	uint64_t events;
	size_t at;

	assert_int_equal(consume(dir, true, &events, &err), 0);
	assert_int_equal(events, whole_events(sizes[1], &at));
	assert_true(events >= 80);
}

static void test_cut_everywhere(void **state)
{
	struct ksm_error err;
	uint64_t events, expected;
	size_t at, packets = 0;
	int ret;

	for (size_t cut = 1; cut < sizes[1]; cut++) {
		put(1, cut);
		ret = consume(dir, cut % 16 == 0, &events, &err);
		expected = whole_events(cut, &at);
		packets += at == cut;
		assert_int_equal(ret, at == cut ? 0 : -ENODATA);
		assert_int_equal(events, expected);
		if (ret) {
			assert_non_null(strstr(err.text, "is cut short at byte "));
			assert_null(strchr(err.text, '\n'));
		}
	}
	assert_true(packets >= 5);
	put(1, sizes[1]);
	for (size_t cut = 0; cut < sizes[0]; cut++) {
		put(0, cut);
		assert_int_equal(consume(dir, false, &events, &err), -EPROTO);
		assert_int_equal(events, 0);
	}
	put(0, sizes[0]);
}

static void flip_everywhere(int which, char bits)
{
	struct ksm_error err;
	uint64_t events, all;
	size_t at;
	int ret;

	all = whole_events(sizes[1], &at);
	for (size_t i = 0; i < sizes[which]; i++) {
		data[which][i] ^= bits;
		put(which, sizes[which]);
		data[which][i] ^= bits;
		ret = consume(dir, i % 16 == 0, &events, &err);
		assert_true(ret == 0 || ret == -EPROTO || ret == -ENODATA);
		assert_true(events <= all);
	}
	put(which, sizes[which]);
}

static void test_flip_stream(void **state)
{
	flip_everywhere(1, (char)0xff);
	flip_everywhere(1, 1);
}

static void test_flip_metadata(void **state)
{
	flip_everywhere(0, (char)0xff);
	flip_everywhere(0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut_everywhere),
		cmocka_unit_test(test_flip_stream),
		cmocka_unit_test(test_flip_metadata),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
