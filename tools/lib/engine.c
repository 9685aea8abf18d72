// SPDX-License-Identifier: GPL-2.0
#include "lib/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/backend_priv.h"
#include "lib/spawn.h"

/* The running kernel; a machine of files says it in /proc/sys/kernel/osrelease. */
static void release(const struct ksm_io *io, char *buf, size_t size)
{
	struct utsname name;

	if (ksm_io_read(io, "/proc/sys/kernel/osrelease", buf, size) > 0) {
		ksm_chomp(buf);
		return;
	}
	uname(&name);
	ksm_copy(buf, size, name.release);
}

static void check_modules(const struct ksm_io *io, struct ksm_engine *e, struct ksm_finding *f)
{
	char text[16];

	if (!ksm_io_exists(io, "/proc/modules"))
		ksm_find(f, KSM_FOUND_WRONG, "a kernel with CONFIG_MODULES=y",
			 "this kernel loads no modules (no /proc/modules)");
	else if (ksm_io_read(io, "/proc/sys/kernel/modules_disabled", text, sizeof(text)) > 0 &&
		 text[0] == '1')
		ksm_find(f, KSM_FOUND_WRONG, "reboot; it cannot be undone in a running system",
			 "kernel.modules_disabled is 1");
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "the kernel loads modules");
}

static void check_kernel(const struct ksm_io *io, struct ksm_engine *e, struct ksm_finding *f)
{
	if (ksm_backend_exists(io, KSM_BACKEND_KERNEL))
		ksm_find(f, KSM_FOUND_OK, NULL, "KSM is built into this kernel");
	else
		ksm_find(f, KSM_FOUND_WRONG, "a kernel with CONFIG_KSM=y",
			 "this kernel has no KSM, whose page faults and rmap the engine relies on");
}

static void check_btf(const struct ksm_io *io, struct ksm_engine *e, struct ksm_finding *f)
{
	if (ksm_io_exists(io, KSM_ABI_BTF))
		ksm_find(f, KSM_FOUND_OK, NULL, "the kernel describes its types (BTF)");
	else
		ksm_find(f, KSM_FOUND_WRONG, "a kernel with CONFIG_DEBUG_INFO_BTF=y",
			 "%s is missing: the engine cannot prove that its view of it is right",
			 KSM_ABI_BTF);
}

struct dep {
	const char *dir;
	struct ksm_engine *e;
};

/* "extra/ksm_engine.ko.xz: ..." as depmod writes it. */
static int dep_line(const char *line, void *ctx)
{
	size_t len = strcspn(line, ":");
	struct dep *dep = ctx;
	char path[512], *base;

	if (!line[len] || len >= sizeof(path))
		return 0;
	snprintf(path, sizeof(path), "%.*s", (int)len, line);
	base = strrchr(path, '/');
	base = base ? base + 1 : path;
	if (strncmp(base, KSM_ENGINE_MODULE ".ko", strlen(KSM_ENGINE_MODULE ".ko")))
		return 0;
	if (path[0] == '/')
		ksm_copy(dep->e->path, sizeof(dep->e->path), path);
	else
		snprintf(dep->e->path, sizeof(dep->e->path), "%s/%s", dep->dir, path);
	return 1;
}

static void check_file(const struct ksm_io *io, struct ksm_engine *e, struct ksm_finding *f)
{
	char kver[72], dir[128], list[160];
	struct dep dep = { .dir = dir, .e = e };

	release(io, kver, sizeof(kver));
	snprintf(dir, sizeof(dir), "/lib/modules/%s", kver);
	snprintf(list, sizeof(list), "%s/modules.dep", dir);
	e->path[0] = '\0';
	if (ksm_io_each_line(io, list, dep_line, &dep) == 1 && ksm_io_exists(io, e->path)) {
		ksm_find(f, KSM_FOUND_OK, NULL, "%.200s", e->path);
		return;
	}
	e->path[0] = '\0';
	ksm_find(
		f, KSM_FOUND_WRONG,
		"with the headers of this kernel installed, run 'make install' in ksmkit's sources",
		"no " KSM_ENGINE_MODULE ".ko in %s", list);
}

/* Return: what modinfo says, "" when it cannot be asked. */
static const char *modinfo(const struct ksm_io *io, const struct ksm_engine *e, const char *field,
			   char *buf, size_t size)
{
	char full[2 * PATH_MAX];
	char *argv[] = { "modinfo", "-F", (char *)field, full, NULL };

	snprintf(full, sizeof(full), "%s%s", io->root, e->path);
	if (ksm_spawn(argv, buf, size))
		buf[0] = '\0';
	return buf;
}

static void check_vermagic(const struct ksm_io *io, struct ksm_engine *e, struct ksm_finding *f)
{
	char magic[160], kver[72];

	release(io, kver, sizeof(kver));
	if (!e->path[0]) {
		ksm_find(f, KSM_FOUND_UNKNOWN, NULL, "no module file to look at");
		return;
	}
	modinfo(io, e, "vermagic", magic, sizeof(magic));
	magic[strcspn(magic, " \n")] = '\0';
	if (!magic[0])
		ksm_find(f, KSM_FOUND_UNKNOWN, "install kmod (modinfo), or look at the file",
			 "the module file does not tell which kernel it is for");
	else if (strcmp(magic, kver))
		ksm_find(f, KSM_FOUND_WRONG, "build it for this kernel: 'make install'",
			 "the module is for kernel %s, this is %s", magic, kver);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "the module is for this kernel, %s", kver);
}

/* Who demands signed modules, NULL when nobody does. */
static const char *demands_signature(const struct ksm_io *io, char *buf, size_t size)
{
	char text[96];

	if (ksm_io_read(io, KSM_ABI_LOCKDOWN, text, sizeof(text)) > 0 && !strstr(text, "[none]")) {
		char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

		if (close) {
			*close = '\0';
			snprintf(buf, size, "lockdown is %s", open + 1);
			return buf;
		}
	}
	if (ksm_io_read(io, KSM_ABI_SIG_ENFORCE, text, sizeof(text)) > 0 && text[0] == 'Y') {
		snprintf(buf, size, "module.sig_enforce is on");
		return buf;
	}
	return NULL;
}

static void check_signature(const struct ksm_io *io, struct ksm_engine *e, struct ksm_finding *f)
{
	static const char remedy[] =
		"sign the module with a key of yours that is enrolled (mokutil --import), or turn "
		"Secure Boot off";
	char efi[8] = "", who[96];
	bool secure = ksm_io_read(io, KSM_ABI_SECURE_BOOT, efi, sizeof(efi)) == 5 && efi[4] == 1;
	const char *boot = secure ? ", Secure Boot is on" : "";
	const char *demand = demands_signature(io, who, sizeof(who));

	e->signer[0] = '\0';
	if (e->path[0])
		modinfo(io, e, "signer", e->signer, sizeof(e->signer));
	if (demand && e->signer[0])
		ksm_find(f, KSM_FOUND_NOTE,
			 "should it be refused: enrol the key (mokutil --import)",
			 "%s%s; the module is signed by %.64s", demand, boot, e->signer);
	else if (demand && e->path[0])
		ksm_find(f, KSM_FOUND_WRONG, remedy, "%s%s, and the module is not signed", demand,
			 boot);
	else if (demand)
		ksm_find(f, KSM_FOUND_NOTE, remedy, "%s%s: the module will have to be signed",
			 demand, boot);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "no signature is demanded%s", boot);
}

/* It loads idle beside a busy one; only run=1 is refused then. */
static void check_owner(const struct ksm_io *io, struct ksm_engine *e, struct ksm_finding *f)
{
	int64_t run, merged;

	if (ksm_backend_exists(io, KSM_BACKEND_KERNEL) &&
	    ksm_backend_owns(io, KSM_BACKEND_KERNEL, &run, &merged))
		ksm_find(
			f, KSM_FOUND_NOTE, "ksmctl --backend kernel unmerge",
			"the in-tree KSM %s %" PRId64
			" merged pages: the engine loads, but cannot merge until they are released",
			run & KSM_RUN_MERGE ? "runs with" : "holds", merged);
	else
		ksm_find(f, KSM_FOUND_OK, NULL, "the in-tree KSM neither runs nor holds pages");
}

typedef void (*check_func)(const struct ksm_io *io, struct ksm_engine *e, struct ksm_finding *f);

void ksm_engine_check(const struct ksm_io *io, struct ksm_engine *e)
{
	static const struct {
		const char *name;
		check_func func;
	} checks[KSM_ENGINE_CHECKS] = {
		{ "modules", check_modules },	{ "ksm", check_kernel },
		{ "btf", check_btf },		{ "file", check_file },
		{ "vermagic", check_vermagic }, { "signature", check_signature },
		{ "owner", check_owner },
	};

	memset(e, 0, sizeof(*e));
	e->loaded = ksm_backend_exists(io, KSM_BACKEND_ENGINE);
	e->refusing = -1;
	for (int i = 0; i < KSM_ENGINE_CHECKS; i++) {
		e->findings[i].name = checks[i].name;
		checks[i].func(io, e, &e->findings[i]);
		if (e->refusing < 0 && e->findings[i].verdict == KSM_FOUND_WRONG)
			e->refusing = i;
	}
}

const char *ksm_engine_verdict_name(enum ksm_verdict verdict)
{
	static const char *const names[] = { "ok", "note", "refuses", "unknown" };

	return names[verdict];
}
