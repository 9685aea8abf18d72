// SPDX-License-Identifier: GPL-2.0
#include "lib/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/ctf.h"

#define PACKET_EVENTS 1360

/**
 * struct ksm_trace_writer - see trace_file.h
 * @dir: for messages
 * @file: stream file
 * @size: bytes of whole packets in it
 * @failed: first error, sticky
 * @written: events appended
 * @last: time of the last one
 * @packet: header of the next packet and its events behind it, written at once
 */
struct ksm_trace_writer {
	char dir[PATH_MAX];
	int file;
	uint64_t size;
	struct ksm_error failed;
	uint64_t written;
	uint64_t last;
	size_t count;
	struct {
		struct ctf_packet header;
		struct ksm_event events[PACKET_EVENTS];
	} __attribute__((packed)) packet;
};

static bool is_trace(int dir)
{
	char begin[sizeof(CTF_FIRST_LINES)] = "";
	int fd = openat(dir, KSM_TRACE_METADATA, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, begin, sizeof(begin) - 1);
	close(fd);
	return got == sizeof(begin) - 1 && !strcmp(begin, CTF_FIRST_LINES);
}

/* Whether another one records into it: the writer keeps the stream locked. */
static bool is_busy(int dir)
{
	int fd = openat(dir, KSM_TRACE_STREAM, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool busy;

	if (fd < 0)
		return false;
	busy = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return busy;
}

/* Return: 1 when there is a trace of ours, 0 when there is nothing, or a negative errno. */
static int look(const char *dir, struct ksm_error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	bool ours, busy;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return ksm_error_set(err, -EEXIST,
				     "%s is there and is no directory: give another "
				     "place with -o",
				     dir);
	if (fd < 0)
		return ksm_error_set(err, -errno, "%s: %s", dir, strerror(errno));
	ours = is_trace(fd);
	busy = ours && is_busy(fd);
	close(fd);
	if (busy)
		return ksm_error_set(err, -EBUSY,
				     "%s is being recorded by another ksmtrace: give another "
				     "place with -o",
				     dir);
	if (!ours)
		return ksm_error_set(err, -EEXIST,
				     "%s is there and is no trace of ksmtrace: give "
				     "another place with -o, or move it away",
				     dir);
	return 1;
}

static int remove_trace(const char *dir, struct ksm_error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), ret;

	if (fd < 0)
		return ksm_error_set(err, -errno, "%s: %s", dir, strerror(errno));
	unlinkat(fd, KSM_TRACE_STREAM, 0);
	unlinkat(fd, KSM_TRACE_METADATA, 0);
	close(fd);
	ret = rmdir(dir) ? -errno : 0;
	if (ret)
		return ksm_error_set(err, ret, "%s cannot be removed to make room: %s", dir,
				     strerror(-ret));
	return 0;
}

/* An earlier trace is kept once, as DIR.old. */
static int rotate(const char *dir, struct ksm_error *err)
{
	char old[PATH_MAX];
	int ret = look(dir, err);

	if (ret <= 0)
		return ret;
	if ((size_t)snprintf(old, sizeof(old), "%s.old", dir) >= sizeof(old))
		return ksm_error_set(err, -ENAMETOOLONG, "%s: %s", dir, strerror(ENAMETOOLONG));
	ret = look(old, err);
	if (ret > 0)
		ret = remove_trace(old, err);
	if (ret)
		return ret;
	if (rename(dir, old))
		return ksm_error_set(err, -errno, "%s cannot be renamed to %s: %s", dir, old,
				     strerror(errno));
	return 0;
}

static int part_name(char *to, size_t size, const char *dir, unsigned int part,
		     struct ksm_error *err)
{
	if ((size_t)snprintf(to, size, "%s.%u", dir, part) < size)
		return 0;
	return ksm_error_set(err, -ENAMETOOLONG, "%s: %s", dir, strerror(ENAMETOOLONG));
}

/* DIR.N goes, each of the others takes the next number. */
int ksm_trace_shift(const char *dir, unsigned int parts, struct ksm_error *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	int ret = part_name(to, sizeof(to), dir, parts, err);

	if (!ret)
		ret = look(to, err);
	if (ret > 0)
		ret = remove_trace(to, err);
	for (unsigned int part = parts; part && !ret; part--) {
		if (part == 1)
			ksm_copy(from, sizeof(from), dir);
		else
			ret = part_name(from, sizeof(from), dir, part - 1, err);
		if (ret || part_name(to, sizeof(to), dir, part, err))
			return -ENAMETOOLONG;
		if (rename(from, to) && errno != ENOENT)
			ret = ksm_error_set(err, -errno, "%s cannot be renamed to %s: %s", from, to,
					    strerror(errno));
	}
	return ret;
}

static int64_t wall_offset(void)
{
	struct timespec wall, mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	return (wall.tv_sec - mono.tv_sec) * INT64_C(1000000000) + wall.tv_nsec - mono.tv_nsec;
}

static int write_metadata(int dir, const struct ksm_trace_info *info)
{
	int fd = openat(dir, KSM_TRACE_METADATA, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
	int ret;

	if (!to)
		return -errno;
	ret = ctf_metadata_print(to, info);
	if (fclose(to) && !ret)
		ret = -errno;
	return ret;
}

static int make_files(struct ksm_trace_writer *w, const struct ksm_trace_info *info)
{
	int dir, ret;

	if (mkdir(w->dir, 0700))
		return -errno;
	dir = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return -errno;
	ret = write_metadata(dir, info);
	if (!ret) {
		w->file = openat(dir, KSM_TRACE_STREAM, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				 0600);
		ret = w->file < 0 ? -errno : 0;
		/* A file system without locks gives no protection, and that is all. */
		if (!ret)
			flock(w->file, LOCK_EX | LOCK_NB);
	}
	close(dir);
	return ret;
}

static int fail(struct ksm_trace_writer *w, int error, struct ksm_error *err)
{
	ksm_error_set(&w->failed, -error, "%s/%s: %s: the trace ends at byte %llu", w->dir,
		      KSM_TRACE_STREAM, strerror(error), (unsigned long long)w->size);
	if (ftruncate(w->file, w->size))
		ksm_error_set(&w->failed, -error, "%s/%s: %s", w->dir, KSM_TRACE_STREAM,
			      strerror(error));
	if (err)
		*err = w->failed;
	return -error;
}

int ksm_trace_flush(struct ksm_trace_writer *w, struct ksm_error *err)
{
	size_t size = sizeof(w->packet.header) + w->count * sizeof(w->packet.events[0]), done = 0;
	struct ctf_packet *header = &w->packet.header;
	ssize_t got;

	if (w->failed.code) {
		if (err)
			*err = w->failed;
		return w->failed.code;
	}
	if (!w->count && header->number)
		return 0;
	header->end = w->last;
	header->content_bits = header->packet_bits = size * 8;
	while (done < size) {
		got = write(w->file, (char *)&w->packet + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fail(w, got ? errno : EIO, err);
		done += got;
	}
	w->size += size;
	header->number++;
	w->count = 0;
	return 0;
}

/* The first packet is empty: its events_discarded is what readers count from. */
static void start_packets(struct ksm_trace_writer *w, const struct ksm_trace_info *info,
			  uint64_t start)
{
	w->packet.header.magic = CTF_MAGIC;
	memcpy(w->packet.header.uuid, info->uuid, sizeof(info->uuid));
	w->packet.header.begin = w->last = start;
}

int ksm_trace_create(const char *dir, uint64_t start, const struct ksm_trace_env *env,
		     size_t env_count, struct ksm_trace_writer **writer, struct ksm_error *err)
{
	struct ksm_trace_info info = { .env_count = env_count, .wall_offset = wall_offset() };
	struct ksm_trace_writer *w;
	int ret = rotate(dir, err);

	if (ret)
		return ret;
	if (env_count > KSM_TRACE_ENV_MAX)
		return ksm_error_set(err, -E2BIG, "too many facts for a trace");
	w = calloc(1, sizeof(*w));
	if (!w)
		return ksm_error_set(err, -ENOMEM, "no memory");
	w->file = -1;
	ksm_copy(w->dir, sizeof(w->dir), dir);
	memcpy(info.env, env, env_count * sizeof(*env));
	ret = getrandom(info.uuid, sizeof(info.uuid), 0) == sizeof(info.uuid) ? 0 : -EIO;
	if (!ret)
		ret = make_files(w, &info);
	if (ret) {
		ksm_error_set(err, ret, "%s: %s: choose a writable place with -o", dir,
			      strerror(-ret));
	} else {
		start_packets(w, &info, start);
		ret = ksm_trace_flush(w, err);
	}
	if (ret) {
		if (w->file >= 0)
			close(w->file);
		free(w);
		return ret;
	}
	*writer = w;
	return 0;
}

int ksm_trace_write(struct ksm_trace_writer *w, const struct ksm_event *event,
		    struct ksm_error *err)
{
	int ret;

	if (w->failed.code)
		return ksm_trace_flush(w, err);
	if (event->time < w->last)
		return ksm_error_set(err, -EINVAL, "%s: an event out of order", w->dir);
	if (w->count == PACKET_EVENTS) {
		ret = ksm_trace_flush(w, err);
		if (ret)
			return ret;
	}
	if (!w->count)
		w->packet.header.begin = event->time;
	if (event->type == KSM_EVENT_LOST)
		w->packet.header.discarded += event->n64;
	w->packet.events[w->count++] = *event;
	w->last = event->time;
	w->written++;
	return 0;
}

int ksm_trace_finish(struct ksm_trace_writer *w, struct ksm_error *err)
{
	int ret;

	if (!w)
		return 0;
	ret = ksm_trace_flush(w, err);
	if (close(w->file) && !ret)
		ret = ksm_error_set(err, -errno, "%s/%s: %s", w->dir, KSM_TRACE_STREAM,
				    strerror(errno));
	free(w);
	return ret;
}

uint64_t ksm_trace_written(const struct ksm_trace_writer *w)
{
	return w->written;
}
