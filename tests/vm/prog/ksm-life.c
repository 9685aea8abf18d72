// SPDX-License-Identifier: GPL-2.0
/*
 * What may happen to memory while its pages are merged, one scene each: two processes hold the
 * same pages, merged, then the scene does its deed, and every byte of both is compared. Scenes
 * that touch frames also say what must have become of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/stage.h"

/* ---- scenes that end as they are ---- */

static void scene_unmerge(struct scene *s)
{
	scene_tell(s, LEFT, 'u', s->pages / 2);
	scene_look(s);
	scene_expect_frames(s, s->pages + s->pages / 2, "half of one side unmerged");
	scene_verify(s, "unmerged");
	ksm_wait_passes(opt.backend, 2);
	scene_look(s);
	scene_expect_frames(s, s->pages + s->pages / 2, "two passes after unmerging");
}

static void scene_munmap(struct scene *s)
{
	scene_tell(s, LEFT, 'd', s->pages / 4);
	scene_verify(s, "munmap of a quarter");
	ksm_wait_items(opt.backend, s->base + 2 * s->pages - s->pages / 4, "munmap");
}

static void scene_dontneed(struct scene *s)
{
	scene_tell(s, LEFT, 'z', s->pages / 4);
	scene_verify(s, "MADV_DONTNEED of a quarter");
	scene_tell(s, LEFT, 'r', s->pages / 4);
	scene_verify(s, "refilled");
	scene_wait_merged(s);
}

static void scene_mremap(struct scene *s)
{
	s->addr[LEFT] = scene_tell(s, LEFT, 'x', 0);
	scene_verify(s, "mremap");
	scene_wait_merged(s);
	scene_verify(s, "merged again after mremap");
}

static void scene_mlock(struct scene *s)
{
	scene_tell(s, LEFT, 'l', 0);
	scene_verify(s, "mlock");
	scene_tell(s, LEFT, 'w', s->pages / 4);
	scene_verify(s, "write to locked pages");
}

static void scene_protect(struct scene *s)
{
	scene_tell(s, LEFT, 'p', 0);
	scene_verify(s, "mprotect to read-only and back");
	scene_tell(s, LEFT, 'w', s->pages / 4);
	scene_verify(s, "write after mprotect");
}

static void scene_fork(struct scene *s)
{
	scene_tell(s, LEFT, 'k', s->pages / 4);
	scene_verify(s, "fork, both sides wrote");
}

static void scene_fork_scanned(struct scene *s)
{
	scene_tell(s, LEFT, 'K', 0);
	/* The scanner meets the child's copies of KSM pages, which it never merged itself. */
	ksm_wait_passes(opt.backend, 3);
	scene_tell(s, LEFT, 'j', s->pages / 4);
	scene_verify(s, "forked child scanned, then wrote and ended");
	ksm_wait_items(opt.backend, s->base + 2 * s->pages, "fork");
}

static void scene_exit(struct scene *s)
{
	worker_kill(&s->workers[LEFT]);
	s->workers[LEFT].pid = 0;
	scene_verify(s, "other side killed");
	ksm_wait_items(opt.backend, s->base + s->pages, "exit");
	scene_tell(s, RIGHT, 'w', s->pages / 4);
	scene_verify(s, "write to pages left alone");
}

static void scene_write(struct scene *s)
{
	scene_tell(s, LEFT, 'w', s->pages / 2);
	scene_tell(s, RIGHT, 'w', s->pages / 2);
	scene_verify(s, "writes from both sides");
}

static void scene_migrate(struct scene *s)
{
	size_t moved = scene_migrate_all(s);

	scene_verify(s, "migrated");
	scene_look(s);
	scene_expect_frames(s, s->pages, "migration");
	say("  %zu of %zu pages changed their frame", moved, 2 * s->pages);
	scene_tell(s, LEFT, 'w', s->pages / 2);
	scene_verify(s, "write after migration");
}

static void scene_swap(struct scene *s)
{
	size_t out = scene_swap_out(s);

	say("  %zu of %zu pages were in swap", out, 2 * s->pages);
	scene_verify(s, "swapped in");
	scene_wait_merged(s);
	scene_swap_out(s);
	scene_tell(s, LEFT, 'w', s->pages / 2);
	scene_verify(s, "write to swapped pages");
}

static void scene_stop_start(struct scene *s)
{
	ksm_clear(opt.backend);
	scene_look(s);
	scene_expect_frames(s, 2 * s->pages, "run=2");
	scene_verify(s, "run=2");
	if (ksm_items(opt.backend))
		die("run=2 left pages_shared + pages_sharing at %lld", ksm_items(opt.backend));
	ksm_full_speed(opt.backend);
	scene_wait_merged(s);
	scene_verify(s, "merged again after run=2");
}

/* ---- the engine goes while pages are merged ---- */

static void scene_unload(struct scene *s)
{
	if (syscall(SYS_delete_module, "ksm_engine", O_NONBLOCK))
		die("rmmod of ksm_engine with %zu pages merged: %s", 2 * s->pages, strerror(errno));
	if (ksm_try_read(opt.backend, "run") != -ENOENT)
		die("%s is still there after rmmod", opt.backend->dir);
	scene_verify(s, "rmmod");
	scene_look(s);
	say("  rmmod left %zu frames behind %zu pages", s->last.distinct, s->last.mapped);
	scene_tell(s, LEFT, 'k', s->pages / 4);
	scene_verify(s, "rmmod, fork");
	scene_tell(s, LEFT, 'w', s->pages / 4);
	scene_tell(s, RIGHT, 'w', s->pages / 4);
	scene_verify(s, "rmmod, writes");
	say("  %zu pages migrated", scene_migrate_all(s));
	scene_verify(s, "rmmod, migrate");
	say("  %zu pages swapped", scene_swap_out(s));
	scene_verify(s, "rmmod, swap");
	must_run("modprobe ksm_engine");
	ksm_full_speed(opt.backend);
	s->base = 0;
	scene_verify(s, "module loaded again");
	ksm_wait_passes(opt.backend, 3);
	scene_verify(s, "module loaded again, three passes");
}

/* ---- the list ---- */

static const struct scene_kind {
	const char *name;
	void (*act)(struct scene *s);
	int needs;
} scenes[] = {
	{ "write", scene_write, 0 },
	{ "unmerge", scene_unmerge, 0 },
	{ "munmap", scene_munmap, 0 },
	{ "dontneed", scene_dontneed, 0 },
	{ "mremap", scene_mremap, 0 },
	{ "mlock", scene_mlock, 0 },
	{ "mprotect", scene_protect, 0 },
	{ "fork", scene_fork, 0 },
	{ "fork-scanned", scene_fork_scanned, 0 },
	{ "exit", scene_exit, 0 },
	{ "run2", scene_stop_start, 0 },
	{ "migrate", scene_migrate, 0 },
	{ "swap", scene_swap, NEEDS_SWAP },
	{ "unload", scene_unload, NEEDS_SWAP | NEEDS_MODULE },
};

#define NR_SCENES (sizeof(scenes) / sizeof(scenes[0]))

struct config {
	size_t pages;
	const char *only;
};

static struct config config = { .pages = 1024 };

static const struct argp_option options[] = {
	{ "pages", 'n', "N", 0, "pages on each side (default: 1024)", 0 },
	{ "scene", 'o', "NAME", 0, "only this scene (default: all)", 0 },
	{ 0 },
};

static const struct scene_kind *scene_find(const char *name)
{
	for (size_t i = 0; i < NR_SCENES; i++) {
		if (!strcmp(scenes[i].name, name))
			return &scenes[i];
	}
	return NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'n':
		config.pages = arg_number(state, "--pages", arg, 64, 1 << 18);
		return 0;
	case 'o':
		if (!scene_find(arg))
			argp_error(state, "no scene '%s'", arg);
		config.only = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Do to merged memory everything that may happen to it, and compare every byte.",
};

static void scene_run(const struct scene_kind *kind)
{
	struct scene s = { .pages = config.pages };
	double start = now_seconds();

	scene_start(&s, kind->needs);
	kind->act(&s);
	scene_end(&s);
	say("%s: right, %.1f s", kind->name, now_seconds() - start);
}

int main(int argc, char **argv)
{
	int run = 0;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	for (size_t i = 0; i < NR_SCENES; i++) {
		if (config.only && strcmp(config.only, scenes[i].name))
			continue;
		/* Only a module can be unloaded: the kernel's own KSM has no such scene. */
		if ((scenes[i].needs & NEEDS_MODULE) && opt.backend != &backends[BACKEND_ENGINE])
			continue;
		scene_run(&scenes[i]);
		run++;
	}
	if (!run)
		die("scene %s does not exist for backend %s", config.only, opt.backend->name);
	say("ok: %d scenes", run);
	return 0;
}
