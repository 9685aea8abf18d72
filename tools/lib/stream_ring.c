// SPDX-License-Identifier: GPL-2.0
#include "lib/stream_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/stream.h"

/* Of the default ring an eighth: what comes in a tick seldom is that much. */
#define WAKE_BYTES (1u << 20)
#define RING_MAX (1u << 30)

size_t ksm_ring_wake_bytes(size_t size)
{
	return size / 2 < WAKE_BYTES ? size / 2 : WAKE_BYTES;
}

size_t ksm_ring_size(size_t bytes)
{
	size_t size = sysconf(_SC_PAGESIZE);

	if (!bytes)
		bytes = KSM_STREAM_RING_BYTES;
	while (size < bytes && size < RING_MAX)
		size *= 2;
	return size;
}

/*
 * How far the programs have come, and how far the reader: the map's first two pages (linux/bpf.h,
 * BPF_MAP_TYPE_RINGBUF). libbpf knows, but before 1.3 does not tell.
 */
struct ksm_ring {
	struct ring_buffer *buffer;
	const volatile unsigned long *consumed;
	const volatile unsigned long *produced;
};

static const volatile unsigned long *map_position(int fd, int page)
{
	size_t size = sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, page * size);

	return at == MAP_FAILED ? NULL : at;
}

static void unmap_position(const volatile unsigned long *at)
{
	if (at)
		munmap((void *)at, sysconf(_SC_PAGESIZE));
}

void ksm_ring_close(struct ksm_ring *ring)
{
	if (!ring)
		return;
	unmap_position(ring->produced);
	unmap_position(ring->consumed);
	ring_buffer__free(ring->buffer);
	free(ring);
}

struct ksm_ring *ksm_ring_open(const struct bpf_map *map, ring_buffer_sample_fn fn, void *ctx)
{
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET };
	struct ksm_ring *ring = calloc(1, sizeof(*ring));
	int fd = bpf_map__fd(map);

	if (!ring)
		return NULL;
	ring->buffer = ring_buffer__new(fd, fn, ctx, NULL);
	ring->consumed = map_position(fd, 0);
	ring->produced = map_position(fd, 1);
	if (ring->buffer && ring->consumed && ring->produced &&
	    !epoll_ctl(ring_buffer__epoll_fd(ring->buffer), EPOLL_CTL_MOD, fd, &edge))
		return ring;
	ksm_ring_close(ring);
	return NULL;
}

bool ksm_ring_drain(struct ksm_ring *ring)
{
	unsigned long due;

	if (!ring)
		return true;
	due = __atomic_load_n(ring->produced, __ATOMIC_ACQUIRE);
	ring_buffer__consume(ring->buffer);
	/* Positions only grow, and wrap around. */
	return (long)(*ring->consumed - due) >= 0;
}

int ksm_ring_wait(struct ksm_ring *ring, int ms)
{
	struct epoll_event event;

	if (!ring)
		return usleep(ms * 1000u) ? -errno : 0;
	return epoll_wait(ring_buffer__epoll_fd(ring->buffer), &event, 1, ms) < 0 ? -errno : 0;
}
