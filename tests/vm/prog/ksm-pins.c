// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that something beside page tables refers to: a device that reads or writes them, a pipe, a
 * registered buffer. While it does they are never merged, and equal pages beside them are; what
 * the device or the pipe sees stays right.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/nbd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <endian.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/trials.h"

#define PAGES 16 /* as many as a pipe holds */

/* ---- a pipe ---- */

static void into_pipe(int fds[2], const struct pages *p)
{
	struct iovec iov = { .iov_base = p->mem, .iov_len = p->nr * page_size() };

	if (pipe2(fds, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	if (vmsplice(fds[1], &iov, 1, 0) != (ssize_t)iov.iov_len)
		die("vmsplice of %zu pages: %s", p->nr, strerror(errno));
}

/* What the pipe holds must be equal to @want. */
static void out_of_pipe(int fds[2], const struct pages *want, const char *when)
{
	struct pages got = *want;
	size_t bytes = want->nr * page_size(), have = 0;

	got.mem = malloc(bytes);
	if (!got.mem)
		die("no memory");
	while (have < bytes) {
		ssize_t n = read(fds[0], got.mem + have, bytes - have);

		if (n <= 0)
			die("%s: the pipe ends after %zu of %zu bytes", when, have, bytes);
		have += n;
	}
	if (pages_wrong(&got, 0, got.nr))
		die("%s: the pipe gives wrong content", when);
	free(got.mem);
	close(fds[0]);
	close(fds[1]);
}

/* A copy of what the pages must hold now. */
static struct pages remember(const struct pages *p)
{
	struct pages copy = *p;

	copy.want = malloc(p->nr * sizeof(*copy.want));
	if (!copy.want)
		die("no memory");
	memcpy(copy.want, p->want, p->nr * sizeof(*copy.want));
	return copy;
}

/* The pipe has the pages themselves: what is written to them meanwhile, it gives. */
static const char *in_pipe(void)
{
	struct sets s;
	int fds[2];

	sets_map(&s, 3, PAGES);
	into_pipe(fds, &s.p[0]);
	sets_merge(&s, 2 * PAGES, "one of three in a pipe");
	sets_stay(&s, 2 * PAGES, "one of three in a pipe");
	sets_write(&s, 0, 0, PAGES);
	sets_stay(&s, 2 * PAGES, "written while in a pipe");
	out_of_pipe(fds, &s.p[0], "written while in a pipe");
	for (size_t i = 0; i < PAGES; i++)
		page_fill(&s.p[0], i, i + 1);
	sets_wait(&s, PAGES, "out of the pipe");
	sets_unmap(&s);
	return NULL;
}

/*
 * Merged pages go into a pipe, and then those they came from are written. Returns what the pipe
 * must hold; its want is the caller's to free.
 */
static struct pages merge_into_pipe(struct sets *s, int fds[2])
{
	struct pages before;

	sets_map(s, 2, PAGES);
	sets_merge(s, PAGES, "merged");
	before = remember(&s->p[0]);
	into_pipe(fds, &s->p[0]);
	sets_write(s, 0, 0, PAGES);
	return before;
}

/* KSM pages in a pipe: a write makes a copy, so it gives what was in them before. */
static const char *merged_in_pipe(void)
{
	struct pages before;
	struct sets s;
	int fds[2];

	before = merge_into_pipe(&s, fds);
	sets_write(&s, 1, 0, PAGES / 2);
	sets_verify(&s, "written while KSM pages are in a pipe");
	ksm_clear(opt.backend);
	ksm_full_speed(opt.backend);
	ksm_wait_passes(opt.backend, 2);
	out_of_pipe(fds, &before, "KSM pages that were in a pipe");
	free(before.want);
	sets_unmap(&s);
	return NULL;
}

/* The module goes while a pipe alone holds its pages. */
static const char *unload_in_pipe(void)
{
	struct pages before;
	struct sets s;
	int fds[2];

	before = merge_into_pipe(&s, fds);
	must_run("rmmod ksm_engine");
	sets_expect(&s, 2 * PAGES, "unloaded");
	out_of_pipe(fds, &before, "unloaded while KSM pages are in a pipe");
	free(before.want);
	must_run("modprobe ksm_engine");
	sets_unmap(&s);
	return NULL;
}

/* ---- a buffer registered with io_uring: pinned for as long as it is ---- */

static int ring_open(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 4, &params);
}

static void ring_register(int fd, const struct pages *p)
{
	struct iovec iov = { .iov_base = p->mem, .iov_len = p->nr * page_size() };

	if (syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &iov, 1))
		die("registering a buffer: %s", strerror(errno));
}

static void ring_unregister(int fd)
{
	if (syscall(SYS_io_uring_register, fd, IORING_UNREGISTER_BUFFERS, NULL, 0))
		die("unregistering a buffer: %s", strerror(errno));
	close(fd);
}

static const char *registered(void)
{
	int fd = ring_open();
	struct sets s;

	if (fd < 0)
		return "no io_uring in this kernel";
	sets_map(&s, 3, PAGES);
	ring_register(fd, &s.p[0]);
	sets_merge(&s, 2 * PAGES, "one of three registered");
	sets_stay(&s, 2 * PAGES, "one of three registered");
	ring_unregister(fd);
	sets_wait(&s, PAGES, "registered no more");
	sets_unmap(&s);
	return NULL;
}

/* Registering takes merged pages apart: the device must see what the process sees. */
static const char *merged_registered(void)
{
	int fd = ring_open();
	struct sets s;

	if (fd < 0)
		return "no io_uring in this kernel";
	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merged");
	ring_register(fd, &s.p[0]);
	sets_expect(&s, 2 * PAGES, "merged, then registered");
	sets_stay(&s, 2 * PAGES, "merged, then registered");
	ring_unregister(fd);
	sets_wait(&s, PAGES, "registered no more");
	sets_unmap(&s);
	return NULL;
}

/* ---- O_DIRECT: a network block device whose server is a child that answers when told ---- */

#define NEW_IDS 1000 /* contents of the device */
#define DEVICE_PAGES (4 * PAGES)

/**
 * struct device - a block device that keeps its requests waiting
 * @fd: the device, opened for direct I/O
 * @arrived: says that a request is there
 * @go: lets all requests through
 * @pids: its server, and who sits in NBD_DO_IT
 */
struct device {
	int fd;
	int arrived;
	int go;
	pid_t pids[2];
};

static void transfer(int fd, void *data, size_t len, bool out)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = out ? write(fd, data + done, len - done) :
				  read(fd, data + done, len - done);

		if (n <= 0)
			exit(0);
		done += n;
	}
}

/* Contents NEW_IDS and up; reads of the second half wait, as whoever opens a device may read. */
static void serve(int sock, int arrived, int go)
{
	struct nbd_request req;
	struct pages data;
	bool let_through = false;
	char byte;

	pages_map(&data, DEVICE_PAGES, opt.seed);
	for (size_t i = 0; i < data.nr; i++)
		page_fill(&data, i, NEW_IDS + i);
	for (;;) {
		struct nbd_reply reply = { .magic = htobe32(NBD_REPLY_MAGIC) };
		size_t from, len;

		transfer(sock, &req, sizeof(req), false);
		from = be64toh(req.from);
		len = be32toh(req.len);
		if (be32toh(req.type) != NBD_CMD_READ || from + len > data.nr * page_size())
			exit(0);
		if (!let_through && from >= data.nr / 2 * page_size()) {
			transfer(arrived, "r", 1, true);
			transfer(go, &byte, 1, false);
			let_through = true;
		}
		memcpy(reply.handle, req.handle, sizeof(reply.handle));
		transfer(sock, &reply, sizeof(reply), true);
		transfer(sock, data.mem + from, len, true);
	}
}

static bool device_has_size(void *arg)
{
	return lseek(*(int *)arg, 0, SEEK_END) == (off_t)(DEVICE_PAGES * page_size());
}

static bool device_open(struct device *dev)
{
	int ctl = open("/dev/nbd0", O_RDWR | O_CLOEXEC), sock[2], arrived[2], go[2];

	if (ctl < 0)
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock) || pipe(arrived) || pipe(go))
		die("no sockets and pipes: %s", strerror(errno));
	if (ioctl(ctl, NBD_SET_BLKSIZE, page_size()) ||
	    ioctl(ctl, NBD_SET_SIZE_BLOCKS, (unsigned long)DEVICE_PAGES) ||
	    ioctl(ctl, NBD_SET_SOCK, sock[0]))
		die("/dev/nbd0: %s", strerror(errno));
	dev->pids[0] = fork_child();
	if (!dev->pids[0]) {
		close(sock[0]);
		serve(sock[1], arrived[1], go[0]);
	}
	dev->pids[1] = fork_child();
	if (!dev->pids[1]) {
		/* Else the socket would never read as closed. */
		close(sock[1]);
		ioctl(ctl, NBD_DO_IT);
		exit(0);
	}
	close(sock[0]);
	close(sock[1]);
	if (!wait_for(opt.timeout, device_has_size, &ctl))
		die("/dev/nbd0 does not come up");
	dev->fd = open("/dev/nbd0", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (dev->fd < 0)
		die("/dev/nbd0, direct: %s", strerror(errno));
	close(ctl);
	dev->arrived = arrived[0];
	dev->go = go[1];
	return true;
}

static void device_close(struct device *dev)
{
	close(dev->fd);
	close(dev->arrived);
	close(dev->go);
	/* Without its server the device ends, and with it who waits for that. */
	kill(dev->pids[0], SIGKILL);
	waitpid(dev->pids[0], NULL, 0);
	waitpid(dev->pids[1], NULL, 0);
}

/* Begin to read the second half of the device into @p; returns when the device has the request. */
static aio_context_t read_begin(struct device *dev, struct pages *p)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = dev->fd,
		.aio_buf = (uintptr_t)p->mem,
		.aio_nbytes = p->nr * page_size(),
		.aio_offset = DEVICE_PAGES / 2 * page_size(),
	}, *list = &iocb;
	aio_context_t ctx = 0;
	char byte;

	if (syscall(SYS_io_setup, 4, &ctx) || syscall(SYS_io_submit, ctx, 1, &list) != 1)
		die("asynchronous read: %s", strerror(errno));
	if (read(dev->arrived, &byte, 1) != 1)
		die("the device's server is gone");
	return ctx;
}

static void read_end(struct device *dev, struct pages *p, aio_context_t ctx)
{
	struct io_event event;

	if (write(dev->go, "g", 1) != 1 || syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL) != 1)
		die("waiting for a read: %s", strerror(errno));
	if (event.res != (long)(p->nr * page_size()))
		die("the read ended with %lld", (long long)event.res);
	syscall(SYS_io_destroy, ctx);
	for (size_t i = 0; i < p->nr; i++)
		p->want[i].id = NEW_IDS + DEVICE_PAGES / 2 + i;
}

static const char *direct_read(void)
{
	struct device dev;
	aio_context_t ctx;
	struct sets s;

	if (!device_open(&dev))
		return "no /dev/nbd0";
	sets_map(&s, 3, PAGES);
	ctx = read_begin(&dev, &s.p[0]);
	sets_merge(&s, 2 * PAGES, "a device is about to write to one of three");
	sets_stay(&s, 2 * PAGES, "a device is about to write to one of three");
	read_end(&dev, &s.p[0], ctx);
	sets_stay(&s, 2 * PAGES, "a device wrote to one of three");
	for (size_t i = 0; i < PAGES; i++)
		page_fill(&s.p[0], i, i + 1);
	sets_wait(&s, PAGES, "read, then equal again");
	device_close(&dev);
	sets_unmap(&s);
	return NULL;
}

static const char *merged_direct_read(void)
{
	struct device dev;
	aio_context_t ctx;
	struct sets s;

	if (!device_open(&dev))
		return "no /dev/nbd0";
	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merged");
	ctx = read_begin(&dev, &s.p[0]);
	sets_expect(&s, 2 * PAGES, "a device is about to write to KSM pages");
	sets_stay(&s, 2 * PAGES, "a device is about to write to what were KSM pages");
	read_end(&dev, &s.p[0], ctx);
	sets_stay(&s, 2 * PAGES, "a device wrote to what were KSM pages");
	device_close(&dev);
	sets_unmap(&s);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "pipe", in_pipe, 0 },
		{ "merged-pipe", merged_in_pipe, 0 },
		{ "unload-pipe", unload_in_pipe, NEEDS_ENGINE },
		{ "registered", registered, 0 },
		{ "merged-registered", merged_registered, 0 },
		{ "direct-read", direct_read, 0 },
		{ "merged-direct-read", merged_direct_read, 0 },
		{ 0 },
	};

	return trials_main(argc, argv, trials,
			   "Let pipes, rings and devices refer to pages that KSM would merge.");
}
