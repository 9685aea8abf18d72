// SPDX-License-Identifier: GPL-2.0
/* The trace writer and the reader that believes nothing: round trips, cuts, damage, strangers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ctf.h"
#include "lib/trace_file.h"
#include "lib/trace_types.h"

static char root[] = "/tmp/trace_test.XXXXXX";
static char dir[64], old[64];

static const struct ksm_trace_env facts[] = {
	{ "kernel_release", "6.1.0-test" },
	{ "hook_kernel_merge", "tp_btf \"quoted\"\\ \n" },
};

static struct ksm_event event_at(uint64_t i, uint64_t start)
{
	struct ksm_event e = {
		.time = start + i * 1000,
		.type = 1 + i % (KSM_EVENT_MAX - 1),
		.cpu = i % 4,
		.tgid = 100 + i,
		.mm = i,
		.n32 = 3 * i,
		.address = i << 12,
		.pfn = i ^ 0x55,
		.n64 = i * i,
	};

	return e;
}

/* Returns the time of the first event. */
static uint64_t write_trace(size_t count)
{
	struct ksm_trace_writer *w;
	struct ksm_error err = { 0 };
	uint64_t start;

	start = ksm_monotonic_ns();
	assert_int_equal(ksm_trace_create(dir, start, facts, 2, &w, &err), 0);
	for (size_t i = 0; i < count; i++) {
		struct ksm_event e = event_at(i, start);

		assert_int_equal(ksm_trace_write(w, &e, &err), 0);
	}
	assert_int_equal(ksm_trace_written(w), count);
	assert_int_equal(ksm_trace_finish(w, &err), 0);
	return start;
}

struct expect {
	uint64_t start;
	size_t next;
};

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct expect *x = ctx;
	struct ksm_event e = event_at(x->next++, x->start);

	assert_memory_equal(event, &e, sizeof(e));
	return 0;
}

static int count_event(void *ctx, const struct ksm_event *event)
{
	++*(size_t *)ctx;
	return 0;
}

static int read_trace(size_t *count, struct ksm_error *err)
{
	struct ksm_trace_info info;
	int ret = ksm_trace_read_info(dir, &info, err);

	*count = 0;
	return ret ? ret : ksm_trace_read(dir, &info, count_event, count, err);
}

static char *slurp(const char *name, size_t *size)
{
	char path[PATH_MAX], *data;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc(st.st_size + 1);
	assert_non_null(data);
	assert_int_equal(read(fd, data, st.st_size), st.st_size);
	close(fd);
	*size = st.st_size;
	return data;
}

static void put(const char *name, const void *data, size_t size)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* Not truncated: some file systems flush a file that is. */
	unlink(path);
	fd = open(path, O_WRONLY | O_EXCL | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void test_round_trip(void **state)
{
	const size_t count = 5000;
	struct expect x = { .start = write_trace(count) };
	struct ksm_trace_info info;
	struct ksm_error err;
	struct stat st;
	char path[PATH_MAX];

	assert_int_equal(ksm_trace_read_info(dir, &info, &err), 0);
	assert_string_equal(ksm_trace_env_get(&info, "kernel_release"), "6.1.0-test");
	assert_string_equal(ksm_trace_env_get(&info, "hook_kernel_merge"), "tp_btf ?quoted?? ?");
	assert_null(ksm_trace_env_get(&info, "nothing"));
	assert_int_equal(info.known, (UINT64_C(1) << KSM_EVENT_MAX) - 2);
	assert_int_equal(ksm_trace_read(dir, &info, on_event, &x, &err), 0);
	assert_int_equal(x.next, count);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir,
			 i ? KSM_TRACE_STREAM : KSM_TRACE_METADATA);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_true((size_t)st.st_size <= 50 * count);
}

static int stop_at_third(void *ctx, const struct ksm_event *event)
{
	return ++*(size_t *)ctx == 3 ? 7 : 0;
}

static void test_reader_stops(void **state)
{
	struct ksm_trace_info info;
	struct ksm_error err;
	size_t seen = 0;

	write_trace(10);
	assert_int_equal(ksm_trace_read_info(dir, &info, &err), 0);
	assert_int_equal(ksm_trace_read(dir, &info, stop_at_third, &seen, &err), 7);
	assert_int_equal(seen, 3);
}

/* Packet headers: the first is empty and discards nothing, then the count only grows. */
static void test_discarded(void **state)
{
	struct ksm_event e = { .type = KSM_EVENT_LOST, .n32 = KSM_EVENT_MERGE, .n64 = 5 };
	struct ksm_trace_writer *w;
	const struct ctf_packet *packet;
	struct ksm_error err;
	size_t size, at = 0;
	char *data;

	assert_int_equal(ksm_trace_create(dir, 1, facts, 2, &w, &err), 0);
	for (int i = 0; i < 2; i++) {
		e.time = ksm_monotonic_ns();
		assert_int_equal(ksm_trace_write(w, &e, &err), 0);
		assert_int_equal(ksm_trace_flush(w, &err), 0);
		assert_int_equal(ksm_trace_flush(w, &err), 0);
	}
	assert_int_equal(ksm_trace_finish(w, &err), 0);
	data = slurp(KSM_TRACE_STREAM, &size);
	for (uint64_t i = 0; i < 3; i++) {
		packet = (const void *)(data + at);
		assert_int_equal(packet->number, i);
		assert_int_equal(packet->discarded, 5 * i);
		assert_int_equal(packet->content_bits, (72 + (i ? 48 : 0)) * 8);
		at += packet->content_bits / 8;
	}
	assert_int_equal(at, size);
	free(data);
}

static void test_writer_order(void **state)
{
	struct ksm_event e = { .type = KSM_EVENT_MERGE };
	struct ksm_trace_writer *w;
	struct ksm_error err;
	size_t count;

	assert_int_equal(ksm_trace_create(dir, 1, facts, 0, &w, &err), 0);
	e.time = ksm_monotonic_ns();
	assert_int_equal(ksm_trace_write(w, &e, &err), 0);
	assert_int_equal(ksm_trace_write(w, &e, &err), 0);
	e.time--;
	assert_int_equal(ksm_trace_write(w, &e, &err), -EINVAL);
	assert_int_equal(ksm_trace_finish(w, &err), 0);
	assert_int_equal(read_trace(&count, &err), 0);
	assert_int_equal(count, 2);
}

/* The line names the file and an offset, and its remedy works. */
static void check_complaint(const struct ksm_error *err, bool remedy)
{
	unsigned long long keep;
	const char *cut = strstr(err->text, "truncate -s ");
	struct ksm_error again;
	char path[PATH_MAX];
	size_t count;

	assert_non_null(strstr(err->text, KSM_TRACE_STREAM));
	assert_null(strchr(err->text, '\n'));
	if (!remedy)
		return;
	assert_non_null(strstr(err->text, " at byte "));
	if (err->code == -ENODATA)
		return;
	assert_non_null(cut);
	assert_int_equal(sscanf(cut, "truncate -s %llu", &keep), 1);
	snprintf(path, sizeof(path), "%s/%s", dir, KSM_TRACE_STREAM);
	assert_int_equal(truncate(path, keep), 0);
	/* Nothing at all is left when not even the first packet is whole. */
	assert_int_equal(read_trace(&count, &again), keep ? 0 : -EPROTO);
}

static void test_cut_stream(void **state)
{
	const size_t packet = 72, record = 48, events = 40;
	struct ksm_error err;
	size_t size, count;
	char *data;

	write_trace(events);
	data = slurp(KSM_TRACE_STREAM, &size);
	assert_int_equal(size, 2 * packet + events * record);
	for (size_t cut = 0; cut <= size; cut++) {
		bool whole = cut == packet || cut == size;
		int ret;

		put(KSM_TRACE_STREAM, data, cut);
		ret = read_trace(&count, &err);
		/* An empty file was never a recording. */
		assert_int_equal(ret, whole ? 0 : cut ? -ENODATA : -EPROTO);
		assert_int_equal(count, cut == size ? events : 0);
		if (!whole)
			check_complaint(&err, cut != 0);
	}
	free(data);
}

static void test_cut_metadata(void **state)
{
	struct ksm_error err;
	size_t size, count;
	char *data;

	write_trace(4);
	data = slurp(KSM_TRACE_METADATA, &size);
	for (size_t cut = 0; cut < size; cut++) {
		put(KSM_TRACE_METADATA, data, cut);
		assert_int_equal(read_trace(&count, &err), -EPROTO);
		assert_non_null(strstr(err.text, KSM_TRACE_METADATA));
		assert_int_equal(count, 0);
	}
	put(KSM_TRACE_METADATA, data, size);
	assert_int_equal(read_trace(&count, &err), 0);
	assert_int_equal(count, 4);
	free(data);
}

/* Every byte turned over, alone: never a crash, never more events than were written. */
static void test_damage(void **state)
{
	static const char *const names[] = { KSM_TRACE_STREAM, KSM_TRACE_METADATA };
	struct ksm_error err;
	size_t size, count, refused;
	char *data;

	for (int file = 0; file < 2; file++) {
		write_trace(30);
		data = slurp(names[file], &size);
		refused = 0;
		for (size_t at = 0; at < size; at++) {
			data[at] ^= 0xff;
			put(names[file], data, size);
			data[at] ^= 0xff;
			refused += read_trace(&count, &err) == -EPROTO;
			assert_true(count <= 30);
		}
		/* All of the metadata but a few digits is fixed; of the stream the headers are. */
		assert_true(refused > (file ? size - 32 : 100));
		free(data);
	}
}

static void test_foreign_metadata(void **state)
{
	static const char *const texts[] = {
		"",
		"/* CTF 1.8 */\n",
		"/* CTF 1.8 */\n\ntrace { major = 1; };\n",
		"\xc1\x1d\xd1\x75 packetized",
		CTF_FIRST_LINES,
		"\0\0\0",
	};
	struct ksm_error err;
	size_t count;

	write_trace(1);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(texts); i++) {
		put(KSM_TRACE_METADATA, texts[i], i == 5 ? 3 : strlen(texts[i]));
		assert_int_equal(read_trace(&count, &err), -EPROTO);
		assert_non_null(strstr(err.text, "not from ksmtrace"));
	}
}

/* A packet that claims more than the file, an odd size, another uuid. */
static void test_hostile_header(void **state)
{
	struct ctf_packet *packet;
	struct ksm_error err;
	size_t size, count;
	char *data;
	const uint64_t sizes[] = { 0,	       1,
				   8,	       72 * 8 - 8,
				   72 * 8 + 1, 73 * 8,
				   UINT64_MAX, UINT64_MAX - 7,
				   INT64_MAX,  (72 + 48 * 3) * 8 };

	write_trace(2);
	data = slurp(KSM_TRACE_STREAM, &size);
	packet = (void *)(data + 72);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(sizes); i++) {
		packet->content_bits = packet->packet_bits = sizes[i];
		put(KSM_TRACE_STREAM, data, size);
		/* The last size is a possible one, of a file that ends too early. */
		assert_int_equal(read_trace(&count, &err),
				 i + 1 < KSM_ARRAY_SIZE(sizes) ? -EPROTO : -ENODATA);
		assert_int_equal(count, 0);
		check_complaint(&err, true);
	}
	free(data);
}

static void test_missing(void **state)
{
	struct ksm_error err;
	size_t count;

	assert_int_equal(read_trace(&count, &err), -ENOENT);
	assert_non_null(strstr(err.text, dir));
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static void test_rotation(void **state)
{
	struct ksm_error err;
	size_t count;

	write_trace(1);
	assert_false(exists(old));
	write_trace(2);
	assert_true(exists(old));
	write_trace(3);
	assert_int_equal(read_trace(&count, &err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(rename(old, dir), -1);
	snprintf(dir, sizeof(dir), "%s/trace.old", root);
	assert_int_equal(read_trace(&count, &err), 0);
	assert_int_equal(count, 2);
}

/* What is not ours stays as it is. */
static void test_foreign_directory(void **state)
{
	struct ksm_trace_writer *w;
	char path[PATH_MAX];
	struct ksm_error err;

	assert_int_equal(mkdir(dir, 0755), 0);
	put("precious", "x", 1);
	assert_int_equal(ksm_trace_create(dir, 1, facts, 2, &w, &err), -EEXIST);
	assert_non_null(strstr(err.text, "-o"));
	snprintf(path, sizeof(path), "%s/precious", dir);
	assert_true(exists(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);

	write_trace(1);
	assert_int_equal(mkdir(old, 0755), 0);
	assert_int_equal(ksm_trace_create(dir, 1, facts, 2, &w, &err), -EEXIST);
	assert_non_null(strstr(err.text, old));
	assert_true(exists(dir));

	assert_int_equal(rmdir(old), 0);
	assert_int_equal(symlink("/etc", old), 0);
	assert_int_equal(ksm_trace_create(dir, 1, facts, 2, &w, &err), -EEXIST);
	assert_int_equal(ksm_trace_create("/proc/none/trace", 1, facts, 2, &w, &err), -ENOENT);
}

/* A recording under way is not moved, nor removed as DIR.old, by another one. */
static void test_two_writers(void **state)
{
	struct ksm_trace_writer *w, *other;
	struct ksm_error err;
	size_t count;

	assert_int_equal(ksm_trace_create(dir, 1, facts, 2, &w, &err), 0);
	assert_int_equal(ksm_trace_create(dir, 1, facts, 2, &other, &err), -EBUSY);
	assert_non_null(strstr(err.text, "is being recorded by another"));
	assert_false(exists(old));
	assert_int_equal(rename(dir, old), 0);
	write_trace(1);
	assert_int_equal(ksm_trace_create(dir, 1, facts, 2, &other, &err), -EBUSY);
	assert_non_null(strstr(err.text, old));
	assert_int_equal(read_trace(&count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(ksm_trace_finish(w, &err), 0);
	write_trace(2);
}

static void test_types(void **state)
{
	struct ksm_event e = { .type = KSM_EVENT_COMM };
	char name[17], list[64];
	struct ksm_error err;
	uint64_t mask = 0;

	for (unsigned int type = 1; type < KSM_EVENT_MAX; type++) {
		assert_int_equal(ksm_event_desc(type)->type, type);
		assert_ptr_equal(ksm_event_desc_by_name(ksm_event_name(type)),
				 ksm_event_desc(type));
	}
	assert_null(ksm_event_desc(0));
	assert_null(ksm_event_desc(KSM_EVENT_MAX));
	assert_null(ksm_event_desc_by_name("none"));
	assert_int_equal(ksm_event_mask_parse(strcpy(list, "merge,cow_break"), &mask, &err), 0);
	assert_int_equal(mask, 1 << KSM_EVENT_MERGE | 1 << KSM_EVENT_COW_BREAK);
	assert_int_equal(ksm_event_mask_parse(strcpy(list, "merge,cow_brake"), &mask, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "did you mean cow_break?"));
	assert_int_equal(ksm_event_mask_parse(strcpy(list, "somethingelse"), &mask, &err), -EINVAL);
	assert_non_null(strstr(err.text, "ksmtrace list"));
	assert_int_equal(ksm_event_mask_parse(strcpy(list, ","), &mask, &err), -EINVAL);
	memcpy(&e.address, "sixteen ", 8);
	memcpy(&e.pfn, "letters!", 8);
	ksm_event_comm(&e, name);
	assert_string_equal(name, "sixteen letters!");
}

static void remove_dir(const char *path)
{
	char file[PATH_MAX];
	struct dirent *entry;
	DIR *d;

	if (!unlink(path) || !(d = opendir(path)))
		return;
	while ((entry = readdir(d))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		unlink(file);
	}
	closedir(d);
	rmdir(path);
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "%s/trace", root);
	snprintf(old, sizeof(old), "%s/trace.old", root);
	return 0;
}

static int teardown(void **state)
{
	setup(state);
	remove_dir(dir);
	remove_dir(old);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),	 TEST(test_reader_stops),     TEST(test_discarded),
		TEST(test_writer_order), TEST(test_cut_stream),	      TEST(test_cut_metadata),
		TEST(test_damage),	 TEST(test_foreign_metadata), TEST(test_hostile_header),
		TEST(test_missing),	 TEST(test_rotation),	      TEST(test_foreign_directory),
		TEST(test_two_writers),	 TEST(test_types),
	};
	int failed;

	if (!mkdtemp(root))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(root);
	return failed;
}
