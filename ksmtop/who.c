// SPDX-License-Identifier: GPL-2.0
#include "who.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cgroup.h"
#include "lib/guest.h"
#include "lib/util.h"

#define USERS 64	 /* names remembered; looking one up may ask a server */
#define CGROUPS 256	 /* likewise, by a hash of their id */
#define CGROUP_ROOT 1	 /* without version 2 everybody seems to be in it */
#define EACH_PASS 128	 /* processes found out in one pass: the first frame must not wait */
#define SLOTS_LEAST 1024 /* a power of two */

struct user {
	uid_t uid;
	char name[16];
};

struct cgroup {
	uint64_t id;
	const struct ksmtop_group *group;
};

/**
 * struct who - see who.h
 * @slots: processes by the low bits of their pid, open addressing, at most half full
 * @left: processes that may still be found out in this pass
 * @groups: in order of their index
 */
struct who {
	const struct ksm_io *io;
	struct who_proc *slots;
	size_t nslots, used;
	uint64_t pass;
	unsigned int left;
	struct ksmtop_group **groups;
	size_t ngroups;
	struct cgroup cgroups[CGROUPS];
	struct user users[USERS];
	unsigned int nusers;
};

struct who *who_new(const struct ksm_io *io)
{
	struct who *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->io = io;
	w->nslots = SLOTS_LEAST;
	w->slots = calloc(w->nslots, sizeof(*w->slots));
	if (w->slots)
		return w;
	free(w);
	return NULL;
}

void who_free(struct who *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->ngroups; i++)
		free(w->groups[i]);
	free(w->groups);
	free(w->slots);
	free(w);
}

void who_pass(struct who *w)
{
	w->pass++;
	w->left = EACH_PASS;
}

/* ---- names --------------------------------------------------------------------------------- */

const char *who_user(struct who *w, uid_t uid)
{
	const struct passwd *pw;
	struct user *u;

	for (unsigned int i = 0; i < w->nusers; i++)
		if (w->users[i].uid == uid)
			return w->users[i].name;
	u = &w->users[w->nusers < USERS ? w->nusers++ : uid % USERS];
	u->uid = uid;
	pw = getpwuid(uid);
	if (pw)
		snprintf(u->name, sizeof(u->name), "%s", pw->pw_name);
	else
		snprintf(u->name, sizeof(u->name), "%u", uid);
	return u->name;
}

const struct ksmtop_group *who_group(struct who *w, enum ksmtop_group_kind kind, const char *name)
{
	struct ksmtop_group **groups, *g;

	for (size_t i = 0; i < w->ngroups; i++)
		if (w->groups[i]->kind == kind && !strcmp(w->groups[i]->name, name))
			return w->groups[i];
	groups = reallocarray(w->groups, w->ngroups + 1, sizeof(*groups));
	if (!groups)
		return NULL;
	w->groups = groups;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->index = (unsigned int)w->ngroups;
	g->kind = kind;
	ksm_copy(g->name, sizeof(g->name), name);
	w->groups[w->ngroups++] = g;
	return g;
}

static bool is_monitor(const char *comm)
{
	static const char *const names[] = { "qemu",	    "kvm",    "cloud-hyp",
					     "firecracker", "crosvm", "CPU " };

	for (size_t i = 0; i < KSM_ARRAY_SIZE(names); i++)
		if (!strncmp(comm, names[i], strlen(names[i])))
			return true;
	return false;
}

static const struct ksmtop_group *read_cgroup(struct who *w, pid_t pid)
{
	char path[KSM_CGROUP_PATH_MAX], unit[KSM_CGROUP_PATH_MAX], name[KSM_CGROUP_NAME_MAX];
	const char *guest;
	bool known;

	if (ksm_cgroup_read(w->io, pid, path, sizeof(path)))
		return NULL;
	known = ksm_cgroup_name(path, unit, sizeof(unit), name, sizeof(name));
	guest = known && !strncmp(name, "guest:", 6) ? name + 6 : NULL;
	if (guest)
		return who_group(w, KSMTOP_GROUP_VM, guest);
	return who_group(w, known ? KSMTOP_GROUP_CONTAINER : KSMTOP_GROUP_OTHER, name);
}

static const struct ksmtop_group *find_group(struct who *w, pid_t pid, uint64_t id,
					     const char *comm)
{
	char guest[KSM_GUEST_NAME_MAX];
	struct cgroup *c = &w->cgroups[id % CGROUPS];

	if (is_monitor(comm) && ksm_guest_name(w->io, pid, guest, sizeof(guest)))
		return who_group(w, KSMTOP_GROUP_VM, guest);
	if (id <= CGROUP_ROOT)
		return read_cgroup(w, pid);
	if (c->id != id || !c->group) {
		c->id = id;
		c->group = read_cgroup(w, pid);
	}
	return c->group;
}

/* ---- processes ----------------------------------------------------------------------------- */

static struct who_proc *slot(struct who_proc *slots, size_t n, pid_t pid)
{
	size_t i = (uint32_t)pid & (n - 1); /* neighbours stay neighbours: it is walked in order */

	while (slots[i].pid && slots[i].pid != pid)
		i = (i + 1) & (n - 1);
	return &slots[i];
}

/* Leave out who has gone; more room when it is still half full. */
static bool make_room(struct who *w)
{
	size_t alive = 0, n = w->nslots;
	struct who_proc *slots;

	if (w->used * 2 < n)
		return true;
	for (size_t i = 0; i < w->nslots; i++)
		alive += w->slots[i].pid && w->slots[i].seen + 1 >= w->pass;
	while (alive * 4 >= n)
		n *= 2;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < w->nslots; i++)
		if (w->slots[i].pid && w->slots[i].seen + 1 >= w->pass)
			*slot(slots, n, w->slots[i].pid) = w->slots[i];
	free(w->slots);
	w->slots = slots;
	w->nslots = n;
	w->used = alive;
	return true;
}

struct who_proc *who_is(struct who *w, pid_t pid, uint64_t start)
{
	struct who_proc *p;

	if (!make_room(w))
		return NULL;
	p = slot(w->slots, w->nslots, pid);
	if (!p->pid || p->start != start) {
		w->used += !p->pid;
		*p = (struct who_proc){ .pid = pid, .start = start };
	}
	p->seen = w->pass;
	return p;
}

void who_find(struct who *w, struct who_proc *p)
{
	if (!strcmp(p->comm, p->name) || !w->left)
		return;
	w->left--;
	ksm_copy(p->comm, sizeof(p->comm), p->name);
	p->group = find_group(w, p->pid, p->cgroup, p->name);
}
