// SPDX-License-Identifier: GPL-2.0
#include "lib/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ctf.h"
#include "lib/log.h"
#include "lib/trace_types.h"

#define CHUNK_EVENTS 1024

/**
 * struct reader - one pass through a stream file
 * @path: for messages
 * @packet_at: where the packet starts
 * @at: where the next byte to be read is
 * @size: of the file when it was opened
 * @time: of the event before
 * @first: no packet was read yet
 */
struct reader {
	char path[PATH_MAX];
	const struct ksm_trace_info *info;
	int file;
	uint64_t packet_at;
	uint64_t at;
	uint64_t size;
	uint64_t time;
	uint64_t discarded;
	bool first;
	struct ctf_packet packet;
	struct ksm_event events[CHUNK_EVENTS];
};

const char *ksm_trace_env_get(const struct ksm_trace_info *info, const char *key)
{
	for (size_t i = 0; i < info->env_count; i++)
		if (!strcmp(info->env[i].key, key))
			return info->env[i].value;
	return NULL;
}

int64_t ksm_trace_page_size(const struct ksm_trace_info *info)
{
	const char *text = ksm_trace_env_get(info, "page_size");
	uint64_t size;

	if (text && !ksm_parse_u64(text, &size) && size && size <= 1 << 24)
		return size;
	return ksm_page_size();
}

/* Opens a regular file of the trace and says what is wrong when it is not one. */
static int open_file(const char *dir, const char *name, char path[PATH_MAX], struct stat *st,
		     struct ksm_error *err)
{
	int fd;

	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return ksm_error_set(err, -ENAMETOOLONG, "%s: %s", dir, strerror(ENAMETOOLONG));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ksm_error_set(err, -errno,
				     "%s: %s: record a trace with ksmtrace record, "
				     "or name its directory",
				     path, strerror(errno));
	if (fd < 0)
		return ksm_error_set(err, -errno, "%s: %s: read it as its owner or as root", path,
				     strerror(errno));
	if (!fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return ksm_error_set(err, -EPROTO, "%s is no regular file: this is no trace of ksmtrace",
			     path);
}

/* Reads all that was asked for unless the file ends. Return: bytes or negative errno. */
static ssize_t read_all(int fd, void *to, size_t size)
{
	size_t done = 0;
	ssize_t got;

	while (done < size) {
		got = read(fd, (char *)to + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		done += got;
	}
	return done;
}

/* The first packet is there from the beginning. What is wrong with it is ksm_trace_read()'s part.
 */
static uint64_t read_start(const char *dir)
{
	struct ctf_packet packet;
	struct ksm_error err;
	char path[PATH_MAX];
	struct stat st;
	ssize_t got;
	int fd = open_file(dir, KSM_TRACE_STREAM, path, &st, &err);

	if (fd < 0)
		return 0;
	got = read_all(fd, &packet, sizeof(packet));
	close(fd);
	return got == sizeof(packet) && packet.magic == CTF_MAGIC ? packet.begin : 0;
}

int ksm_trace_read_info(const char *dir, struct ksm_trace_info *info, struct ksm_error *err)
{
	char path[PATH_MAX], *text = NULL;
	struct stat st;
	size_t at = 0;
	ssize_t got;
	int fd, ret;

	fd = open_file(dir, KSM_TRACE_METADATA, path, &st, err);
	if (fd < 0)
		return fd;
	if (st.st_size < CTF_METADATA_MAX)
		text = malloc(CTF_METADATA_MAX);
	got = text ? read_all(fd, text, CTF_METADATA_MAX - 1) : 0;
	close(fd);
	if (got < 0) {
		free(text);
		return ksm_error_set(err, got, "%s: %s", path, strerror(-got));
	}
	if (text)
		text[got] = 0;
	ret = text && strlen(text) == (size_t)got ? ctf_metadata_parse(text, info, &at) : -EPROTO;
	free(text);
	if (ret)
		ksm_error_set(err, ret,
			      "%s is not from ksmtrace, or damaged, at byte %zu: read "
			      "other traces with babeltrace2",
			      path, at);
	else
		info->start = read_start(dir);
	return ret;
}

/* What is before the packet can always be kept. */
static int damaged(const struct reader *r, uint64_t at, const char *what, struct ksm_error *err)
{
	return ksm_error_set(err, -EPROTO,
			     "%s: %s at byte %" PRIu64 ": record again, or keep what is good: "
			     "truncate -s %" PRIu64 " %s",
			     r->path, what, at, r->packet_at, r->path);
}

/* Everything up to the last whole packet is good. */
static int cut_short(const struct reader *r, uint64_t at, struct ksm_error *err)
{
	return ksm_error_set(err, -ENODATA,
			     "%s is cut short at byte %" PRIu64 ": %" PRIu64 " bytes of whole "
			     "packets were read",
			     r->path, at, r->packet_at);
}

static bool is_cut(const struct reader *r)
{
	return r->packet.content_bits / 8 > r->size - r->packet_at;
}

static const char *check_packet(const struct reader *r)
{
	const struct ctf_packet *p = &r->packet;
	uint64_t content = p->content_bits / 8;

	if (p->magic != CTF_MAGIC)
		return "no packet";
	if (memcmp(p->uuid, r->info->uuid, sizeof(p->uuid)))
		return "a packet of another trace";
	if (p->stream_id)
		return "a packet of an unknown stream";
	if (p->content_bits % 8 || p->packet_bits != p->content_bits || content < sizeof(*p) ||
	    content > CTF_PACKET_MAX || (content - sizeof(*p)) % sizeof(struct ksm_event))
		return "a packet of impossible size";
	if (p->begin > p->end || (!r->first && p->begin < r->time))
		return "a packet out of order";
	if (p->discarded < r->discarded)
		return "a packet with an impossible count of lost events";
	return NULL;
}

static const char *check_event(const struct reader *r, const struct ksm_event *event)
{
	if (event->type > 63 || !(r->info->known & UINT64_C(1) << event->type))
		return "an event of an unknown type";
	if (event->time < r->time || event->time < r->packet.begin || event->time > r->packet.end)
		return "an event out of order";
	return NULL;
}

/* Gives the events of one chunk. Types that only a later release knows are passed over. */
static int give(struct reader *r, size_t count, ksm_event_fn fn, void *ctx, struct ksm_error *err)
{
	for (size_t i = 0; i < count; i++) {
		const char *wrong = check_event(r, &r->events[i]);
		int ret = 0;

		if (wrong)
			return damaged(r, r->at + i * sizeof(r->events[0]), wrong, err);
		r->time = r->events[i].time;
		if (ksm_event_desc(r->events[i].type))
			ret = fn(ctx, &r->events[i]);
		if (ret)
			return ret;
	}
	r->at += count * sizeof(r->events[0]);
	return 0;
}

static int read_packet(struct reader *r, ksm_event_fn fn, void *ctx, struct ksm_error *err)
{
	uint64_t left = (r->packet.content_bits / 8 - sizeof(r->packet)) / sizeof(r->events[0]);

	while (left) {
		size_t count = left < CHUNK_EVENTS ? left : CHUNK_EVENTS;
		ssize_t got = read_all(r->file, r->events, count * sizeof(r->events[0]));
		int ret;

		if (got < 0)
			return ksm_error_set(err, got, "%s: %s", r->path, strerror(-got));
		if ((size_t)got < count * sizeof(r->events[0]))
			return cut_short(r, r->at + got, err);
		ret = give(r, count, fn, ctx, err);
		if (ret)
			return ret;
		left -= count;
	}
	r->time = r->packet.end;
	r->discarded = r->packet.discarded;
	r->first = false;
	return 0;
}

static int read_stream(struct reader *r, ksm_event_fn fn, void *ctx, struct ksm_error *err)
{
	const char *wrong;
	ssize_t got;
	int ret;

	for (;;) {
		r->packet_at = r->at;
		got = read_all(r->file, &r->packet, sizeof(r->packet));
		if (got < 0)
			return ksm_error_set(err, got, "%s: %s", r->path, strerror(-got));
		if (!got && !r->first)
			return 0;
		if (!got)
			return ksm_error_set(err, -EPROTO, "%s is empty: record again", r->path);
		if ((size_t)got < sizeof(r->packet))
			return cut_short(r, r->at + got, err);
		wrong = check_packet(r);
		if (wrong)
			return damaged(r, r->packet_at, wrong, err);
		if (is_cut(r))
			return cut_short(r, r->size, err);
		r->at += sizeof(r->packet);
		ret = read_packet(r, fn, ctx, err);
		if (ret)
			return ret;
	}
}

int ksm_trace_read(const char *dir, const struct ksm_trace_info *info, ksm_event_fn fn, void *ctx,
		   struct ksm_error *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct stat st;
	int ret;

	if (!r)
		return ksm_error_set(err, -ENOMEM, "no memory");
	r->info = info;
	r->first = true;
	r->file = open_file(dir, KSM_TRACE_STREAM, r->path, &st, err);
	ret = r->file;
	if (ret >= 0) {
		r->size = st.st_size;
		posix_fadvise(r->file, 0, 0, POSIX_FADV_SEQUENTIAL);
		ret = read_stream(r, fn, ctx, err);
		close(r->file);
	}
	free(r);
	return ret;
}

int ksm_trace_verdict(int ret, const struct ksm_error *err)
{
	if (!ret)
		return KSM_EXIT_OK;
	if (ret != -ENODATA)
		return ksm_log_fail(err);
	ksm_log_warn("%s", err->text);
	return KSM_EXIT_OK;
}
