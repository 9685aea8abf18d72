// SPDX-License-Identifier: GPL-2.0
#include "lib/stream_ring.h"

#include <errno.h>
#include <sys/epoll.h>
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

struct ring_buffer *ksm_ring_open(const struct bpf_map *map, ring_buffer_sample_fn fn, void *ctx)
{
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), fn, ctx, NULL);
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET };

	if (!ring)
		return NULL;
	if (!epoll_ctl(ring_buffer__epoll_fd(ring), EPOLL_CTL_MOD, bpf_map__fd(map), &edge))
		return ring;
	ring_buffer__free(ring);
	return NULL;
}

int ksm_ring_wait(struct ring_buffer *ring, int ms)
{
	struct epoll_event event;

	if (!ring)
		return usleep(ms * 1000u) ? -errno : 0;
	return epoll_wait(ring_buffer__epoll_fd(ring), &event, 1, ms) < 0 ? -errno : 0;
}
