// SPDX-License-Identifier: GPL-2.0
/*
 * One healthy machine of files, on which the doctor finds nothing; then every cause planted into
 * it alone, which the check of that cause has to find, and no other may call wrong.
 */
#include "unit/fake_tree.h"

#include <inttypes.h>

#include "ksmctl/doctor.h"
#include "lib/stream.h"

#define DIR KSM_ABI_KERNEL_DIR
#define UNITS "/etc/systemd/system/multi-user.target.wants"

static void process(int pid, const char *comm, const char *cmdline, const char *smaps)
{
	char path[64], text[200];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	snprintf(text, sizeof(text), "%s\n", comm);
	tree_put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	snprintf(text, sizeof(text), "Name:\t%s\nUid:\t0\t0\t0\t0\nSeccomp:\t0\n", comm);
	tree_put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	tree_put(path, cmdline);
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	tree_put(path, smaps);
}

#define MAP(name) "7f0000000000-7f0040000000 rw-p 00000000 00:00 0 " name "\n"
#define MARKED MAP("") "Size: 1048576 kB\nRss: 1048576 kB\nAnonymous: 1048576 kB\n"
#define FLAGS_MARKED "VmFlags: rd wr mr mw me ac mg sd\n"
#define FLAGS_PLAIN "VmFlags: rd wr mr mw me ac sd\n"
#define FLAGS_SHARED "VmFlags: rd wr sh mr mw me ms sd\n"
#define FLAGS_HUGE "VmFlags: rd wr mr mw me ht sd\n"

static int healthy(void **state)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ DIR "/run", "1\n" },
		{ DIR "/pages_to_scan", "1000\n" },
		{ DIR "/pages_shared", "8192\n" },
		{ DIR "/pages_sharing", "81920\n" },
		{ DIR "/pages_unshared", "100000\n" },
		{ DIR "/pages_volatile", "1000\n" },
		{ DIR "/full_scans", "20\n" },
		{ DIR "/general_profit", "323319808\n" },
		{ KSM_ABI_THP "/enabled", "always [madvise] never\n" },
		{ KSM_ABI_THP "/khugepaged/max_ptes_shared", "256\n" },
		{ KSM_ABI_THP "/khugepaged/pages_collapsed", "5\n" },
		{ KSM_ABI_NODES, "0-1\n" },
		{ "/proc/vmstat", "nr_free_pages 5\ncow_ksm 20000\nksm_swpin_copy 3\n" },
		{ "/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4000000 kB\n"
				   "SwapTotal: 1000000 kB\nSwapFree: 900000 kB\n" },
		{ "/proc/61/stat", "61 (ksmd) S 2 0 0 0 -1 2129984\n" },
		{ "/proc/61/schedstat", "3210000000 155949 2\n" },
		{ "/proc/61/comm", "ksmd\n" },
		{ "/proc/700/ksm_stat", "ksm_rmap_items 191112\nksm_zero_pages 0\n"
					"ksm_merging_pages 90112\n" },
	};

	if (tree_new(state))
		return -1;
	tree_ksm(DIR, true);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(files); i++)
		tree_put(files[i].path, files[i].text);
	process(700, "vm", "qemu-system-x86_64", MARKED FLAGS_MARKED);
	setenv("PATH", "/usr/sbin:/usr/bin", 1);
	return 0;
}

/* Checks that tell what this test's machine cannot have: events, a module, its scanner. */
static bool other_matter(const char *name)
{
	return !strcmp(name, "hooks");
}

static void examine(const char *wanted, enum ksm_verdict level, const char *says)
{
	struct ksm_backend b = tree_open();
	struct doctor doc = { .b = &b, .io = &b.io };
	struct ksm_error err = { 0 };
	bool seen = false;

	if (doctor_collect(&doc, &err))
		fail_msg("%s", err.text);
	for (unsigned int i = 0; i < doctor_check_count; i++) {
		struct ksm_finding f = { .verdict = KSM_FOUND_OK };
		bool is_wanted = wanted && !strcmp(doctor_checks[i].name, wanted);

		doctor_checks[i].func(&doc, &f);
		assert_true(f.evidence[0]);
		seen |= is_wanted;
		if (is_wanted && (f.verdict != level || !strstr(f.evidence, says)))
			fail_msg("%s: level %d: %s", wanted, f.verdict, f.evidence);
		if (is_wanted && level != KSM_FOUND_OK)
			assert_true(f.remedy[0]);
		if (!is_wanted && !other_matter(doctor_checks[i].name) &&
		    f.verdict >= (wanted ? KSM_FOUND_WRONG : KSM_FOUND_NOTE))
			fail_msg("%s on a machine with %s: %s", doctor_checks[i].name,
				 wanted ? wanted : "nothing", f.evidence);
	}
	assert_true(seen == (wanted != NULL));
	doctor_free(&doc);
}

static void test_healthy(void **state)
{
	examine(NULL, KSM_FOUND_OK, "");
}

#define PLANT_FILES 4

/**
 * struct plant - one cause
 * @check: that has to find it
 * @level: how bad it is
 * @says: words of the evidence
 * @files: what makes it: path, contents; NULL contents remove the file
 */
struct plant {
	const char *check;
	enum ksm_verdict level;
	const char *says;
	const char *files[PLANT_FILES][2];
};

static const struct plant plants[] = {
	{ "run", KSM_FOUND_WRONG, "run is 0", { { DIR "/run", "0\n" } } },
	{ "scanner", KSM_FOUND_NOTE, "cannot be told", { { "/proc/61/stat", NULL } } },
	{ "speed", KSM_FOUND_WRONG, "pages_to_scan is 0", { { DIR "/pages_to_scan", "0\n" } } },
	{ "speed",
	  KSM_FOUND_WRONG,
	  "a full scan sleeps 1 h 27 min",
	  { { DIR "/pages_to_scan", "10\n" }, { DIR "/sleep_millisecs", "200\n" } } },
	{ "profit",
	  KSM_FOUND_WRONG,
	  "exceeds the saving",
	  { { DIR "/general_profit", "-1000000\n" } } },
	{ "volatile",
	  KSM_FOUND_WRONG,
	  "change from scan to scan",
	  { { DIR "/pages_volatile", "1000000\n" } } },
	{ "volatile",
	  KSM_FOUND_NOTE,
	  "or smart scan skips them",
	  { { DIR "/pages_volatile", "1000000\n" },
	    { DIR "/smart_scan", "1\n" },
	    { DIR "/pages_skipped", "5\n" } } },
	{ "smart",
	  KSM_FOUND_NOTE,
	  "101001 pages stand alone",
	  { { DIR "/pages_unshared", "101000\n" },
	    { DIR "/pages_volatile", "1\n" },
	    { DIR "/smart_scan", "1\n" },
	    { DIR "/pages_skipped", "5\n" } } },
	{ "sharing",
	  KSM_FOUND_NOTE,
	  "copies of one another",
	  { { DIR "/stable_node_dups", "4000\n" } } },
	{ "numa", KSM_FOUND_NOTE, "up to 2 times", { { DIR "/merge_across_nodes", "0\n" } } },
	{ "swap",
	  KSM_FOUND_NOTE,
	  "came back from swap as copies",
	  { { "/proc/vmstat", "ksm_swpin_copy 100000\n" } } },
	{ "memory",
	  KSM_FOUND_NOTE,
	  "works for little",
	  { { "/proc/meminfo", "MemTotal: 838860800 kB\nMemAvailable: 800000000 kB\n" } } },
	{ "tuner", KSM_FOUND_NOTE, "not last: ksmtuned", { { "/proc/800/comm", "ksmtuned\n" } } },
	{ "tuner",
	  KSM_FOUND_NOTE,
	  "the kernel's advisor",
	  { { DIR "/advisor_mode", "none [scan-time]\n" } } },
	{ "tuner", KSM_FOUND_NOTE, "KubeVirt", { { "/proc/800/comm", "virt-handler\n" } } },
	{ "tuner",
	  KSM_FOUND_NOTE,
	  "ksm.service (at the next start)",
	  { { UNITS "/ksm.service", "[Service]\nExecStart=/usr/sbin/ksmctl start\n" } } },
	{ "tuner",
	  KSM_FOUND_NOTE,
	  "ksmkit-tune.service (at the next start)",
	  { { UNITS "/ksmkit-tune.service", "[Service]\nExecStart=/usr/bin/ksmctl tune\n" } } },
	{ "tuner",
	  KSM_FOUND_NOTE,
	  "mine.service (at the next start)",
	  { { UNITS "/mine.service",
	      "[Service]\nExecStart=/bin/sh -c 'echo 1 >" DIR "/run'\n" } } },
	{ "tuner",
	  KSM_FOUND_NOTE,
	  "ksm.conf (at the next start)",
	  { { "/etc/tmpfiles.d/ksm.conf", "# KSM\nw! " DIR "/run - - - - 1\n" } } },
	{ "tuner",
	  KSM_FOUND_OK,
	  "nobody else was seen tuning",
	  { { "/etc/tmpfiles.d/ksm.conf", "# w! " DIR "/run - - - - 1\n" },
	    { UNITS "/other.service", "[Service]\nExecStart=/usr/bin/ksmctl metrics -i 60\n" } } },
	{ "tuner",
	  KSM_FOUND_OK,
	  "but libvirtd (when asked to)",
	  { { "/proc/800/comm", "libvirtd\n" } } },
	{ "tuner",
	  KSM_FOUND_OK,
	  "but virtqemud (when asked to)",
	  { { "/proc/800/comm", "virtqemud\n" } } },
	{ "tuner", KSM_FOUND_NOTE, "not last: mom", { { "/proc/800/comm", "momd\n" } } },
	{ "tuner",
	  KSM_FOUND_WRONG,
	  "undo each other's work",
	  { { "/proc/800/comm", "ksmtuned\n" }, { "/proc/801/comm", "uksmd\n" } } },
	{ "shadow",
	  KSM_FOUND_NOTE,
	  "/usr/sbin/ksmctl is another",
	  { { "/usr/sbin/ksmctl", "#!/bin/sh\n" } } },
	{ "thp",
	  KSM_FOUND_WRONG,
	  "hide duplicates",
	  { { "/proc/700/smaps", MARKED "AnonHugePages: 1000000 kB\n" FLAGS_MARKED },
	    { DIR "/pages_sharing", "500\n" } } },
	{ "khugepaged",
	  KSM_FOUND_NOTE,
	  "at most 256 shared",
	  { { KSM_ABI_THP "/enabled", "[always] madvise never\n" } } },
	{ "files",
	  KSM_FOUND_NOTE,
	  "1 files not there: smart_scan",
	  { { DIR "/smart_scan", NULL } } },
	{ "shared",
	  KSM_FOUND_WRONG,
	  "has 1.0 GiB of shared memory",
	  { { "/proc/701/smaps", MAP("/memfd:x") "Rss: 1048576 kB\n" FLAGS_SHARED },
	    { "/proc/701/cmdline", "qemu-kvm" } } },
	{ "hugetlb",
	  KSM_FOUND_WRONG,
	  "has 1.0 GiB of hugetlbfs",
	  { { "/proc/701/smaps", MAP("/h") "Private_Hugetlb: 1048576 kB\n" FLAGS_HUGE },
	    { "/proc/701/cmdline", "qemu-kvm" } } },
	{ "guests",
	  KSM_FOUND_WRONG,
	  "none of it marked",
	  { { "/proc/701/smaps", MARKED FLAGS_PLAIN }, { "/proc/701/cmdline", "qemu-kvm" } } },
};

static void test_planted(void **state)
{
	for (size_t i = 0; i < KSM_ARRAY_SIZE(plants); i++) {
		assert_int_equal(healthy(state), 0);
		for (size_t k = 0; k < PLANT_FILES && plants[i].files[k][0]; k++) {
			if (plants[i].files[k][1])
				tree_put(plants[i].files[k][0], plants[i].files[k][1]);
			else
				tree_drop(plants[i].files[k][0]);
		}
		examine(plants[i].check, plants[i].level, plants[i].says);
		assert_int_equal(tree_delete(state), 0);
	}
}

/* A filter shows only beside a guest that marked nothing: two findings, of one cause. */
static void check_alone(const char *name, enum ksm_verdict level, const char *says)
{
	struct ksm_backend b = tree_open();
	struct doctor doc = { .b = &b, .io = &b.io };
	struct ksm_error err = { 0 };

	assert_int_equal(doctor_collect(&doc, &err), 0);
	for (unsigned int i = 0; i < doctor_check_count; i++) {
		struct ksm_finding f = { .verdict = KSM_FOUND_OK };

		if (strcmp(doctor_checks[i].name, name))
			continue;
		doctor_checks[i].func(&doc, &f);
		if (f.verdict != level || !strstr(f.evidence, says))
			fail_msg("%s: level %d: %s", name, f.verdict, f.evidence);
	}
	doctor_free(&doc);
}

static void test_seccomp(void **state)
{
	process(701, "qemu", "qemu-kvm", MARKED FLAGS_PLAIN);
	check_alone("seccomp", KSM_FOUND_OK, "no sign");
	tree_put("/proc/701/status", "Name:\tqemu\nUid:\t0\t0\t0\t0\nSeccomp:\t2\n");
	check_alone("seccomp", KSM_FOUND_WRONG, "runs under a seccomp filter");
	/* told so: no filter needed to explain it */
	tree_put("/proc/701/cmdline", "qemu-system-x86_64 -machine mem-merge=off");
	check_alone("seccomp", KSM_FOUND_OK, "no sign");
	check_alone("guests", KSM_FOUND_WRONG, "(mem-merge=off)");
}

static void test_nothing_mergeable(void **state)
{
	tree_put("/proc/700/smaps", MAP("") "Rss: 4 kB\nAnonymous: 4 kB\n" FLAGS_PLAIN);
	tree_put("/proc/700/ksm_stat", "ksm_rmap_items 0\nksm_zero_pages 0\n");
	check_alone("mergeable", KSM_FOUND_WRONG, "no process has memory marked");
}

/* Rates are measured on a running kernel (tests/vm/t/doctor.test): here they are judged. */
static void test_rates(void **state)
{
	static const struct {
		double rate;
		int64_t saved;
		enum ksm_verdict level;
		const char *says;
	} cases[] = {
		{ -1, 1000, KSM_FOUND_OK, "not measured" },
		{ 0, 0, KSM_FOUND_OK, "0 merged pages" },
		{ 99, 0, KSM_FOUND_OK, "99 merged pages" },
		{ 200, 100000, KSM_FOUND_OK, "200 merged pages" },
		{ 2000, 100000, KSM_FOUND_WRONG, "2000 merged pages" },
	};
	struct ksm_backend b = tree_open();
	struct doctor doc = { .b = &b, .io = &b.io };

	for (size_t i = 0; i < KSM_ARRAY_SIZE(cases); i++) {
		struct ksm_finding f = { .verdict = KSM_FOUND_OK };

		doc.cow_rate = cases[i].rate;
		doc.d.saved_pages = cases[i].saved;
		doctor_cow(&doc, &f);
		assert_int_equal(f.verdict, cases[i].level);
		assert_non_null(strstr(f.evidence, cases[i].says));
		doc.swapin_rate = cases[i].rate;
		doctor_swap(&doc, &f);
		assert_int_equal(f.verdict == KSM_FOUND_WRONG, cases[i].level == KSM_FOUND_WRONG);
	}
}

/* Our engine merges, in-tree KSM does not. */
static void tree_engine_runs(void)
{
	tree_ksm(KSM_ABI_ENGINE_DIR, true);
	tree_put(KSM_ABI_ENGINE_DIR "/run", "1\n");
	tree_put(DIR "/run", "0\n");
	tree_put(DIR "/pages_sharing", "0\n");
	tree_put(DIR "/pages_shared", "0\n");
}

/* Zero pages only: why nothing else merges, and no reason to call those others volatile. */
static void test_zero_pages_only(void **state)
{
	tree_engine_runs();
	tree_put(KSM_ABI_ENGINE_DIR "/pages_volatile", "1000000\n");
	tree_put(KSM_ABI_ENGINE_DIR "/full_scans", "20\n");
	tree_put(KSM_ABI_ENGINE_DIR "/zero_pages_only", "1\n");
	check_alone("run", KSM_FOUND_NOTE, "nothing but pages of zeroes");
	check_alone("volatile", KSM_FOUND_OK, "no zeroes");
	tree_put(KSM_ABI_ENGINE_DIR "/zero_pages_only", "0\n");
	check_alone("run", KSM_FOUND_OK, "merging runs");
	check_alone("volatile", KSM_FOUND_WRONG, "change from scan to scan");
}

/* Our engine keeping users apart, and what that costs. */
static void test_domains(void **state)
{
	check_alone("domains", KSM_FOUND_OK, "everybody");
	tree_engine_runs();
	tree_put(KSM_ABI_ENGINE_DIR "/merge_domain", "all [uid] cgroup\n");
	tree_put(KSM_ABI_ENGINE_DIR "/pages_sharing", "5000\n");
	tree_put(KSM_ABI_ENGINE_DIR "/pages_domain_refused", "1000\n");
	check_alone("domains", KSM_FOUND_NOTE, "merge_domain is uid");
	tree_put(KSM_ABI_ENGINE_DIR "/pages_domain_refused", "10\n");
	check_alone("domains", KSM_FOUND_OK, "inside their domain");
}

/* Our engine sparing huge pages, and what that costs. */
static void test_thp_deferred(void **state)
{
	tree_engine_runs();
	tree_put(KSM_ABI_ENGINE_DIR "/pages_sharing", "50000\n");
	tree_put(KSM_ABI_ENGINE_DIR "/thp_min_partners", "16\n");
	tree_put(KSM_ABI_ENGINE_DIR "/pages_thp_deferred", "20000\n");
	check_alone("thp", KSM_FOUND_NOTE,
		    "78.1 MiB in huge pages have equals and stay, for each "
		    "has fewer than 16 (thp_min_partners)");
	tree_put(KSM_ABI_ENGINE_DIR "/pages_thp_deferred", "200\n");
	check_alone("thp", KSM_FOUND_OK, "in huge pages");
}

/* Without any KSM: that, and what does not depend on it. */
static void test_no_ksm(void **state)
{
	struct ksm_io io;
	struct doctor doc = { .io = &io };
	struct ksm_finding f = { .verdict = KSM_FOUND_OK };
	struct ksm_error err = { 0 };

	assert_int_equal(ksm_io_init(&io, tree_root), 0);
	assert_int_equal(doctor_collect(&doc, &err), 0);
	for (unsigned int i = 0; i < doctor_check_count; i++)
		if (doctor_checks[i].flags & DOCTOR_ANYWHERE)
			doctor_checks[i].func(&doc, &f);
	memset(&f, 0, sizeof(f));
	doctor_kernel(&doc, &f);
	assert_int_equal(f.verdict, KSM_FOUND_WRONG);
	assert_non_null(strstr(f.evidence, "no KSM"));
	doctor_free(&doc);
}

/* The variable as the firmware tells it: four bytes of attributes, then 1. */
static void put_secure_boot(void)
{
	static const char bytes[] = { 6, 0, 0, 0, 1 };
	char path[PATH_MAX];
	FILE *file;

	tree_put(KSM_ABI_SECURE_BOOT, "");
	tree_path(path, KSM_ABI_SECURE_BOOT);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, sizeof(bytes), 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

/* Secure Boot's lockdown, a module for another kernel: only when somebody installed the engine. */
static void test_engine(void **state)
{
	static const struct {
		const char *path, *text, *says;
	} causes[] = {
		{ KSM_ABI_LOCKDOWN, "none [integrity] confidentiality\n", "lockdown is integrity" },
		{ KSM_ABI_SIG_ENFORCE, "Y\n", "module.sig_enforce is on" },
		{ "/proc/sys/kernel/modules_disabled", "1\n", "modules_disabled is 1" },
		{ "/proc/modules", NULL, "loads no modules" },
		{ KSM_ABI_BTF, NULL, "btf/vmlinux is missing" },
	};

	check_alone("engine", KSM_FOUND_OK, "not installed");
	for (size_t i = 0; i < KSM_ARRAY_SIZE(causes); i++) {
		tree_put("/proc/modules", "");
		tree_put("/proc/sys/kernel/modules_disabled", "0\n");
		tree_put("/proc/sys/kernel/osrelease", "6.12.1\n");
		tree_put("/lib/modules/6.12.1/modules.dep", "extra/ksm_engine.ko:\n");
		tree_put("/lib/modules/6.12.1/extra/ksm_engine.ko", "none");
		tree_put(KSM_ABI_BTF, "x");
		tree_put(KSM_ABI_LOCKDOWN, "[none] integrity confidentiality\n");
		tree_put(KSM_ABI_SIG_ENFORCE, "N\n");
		check_alone("engine", KSM_FOUND_OK, "could be loaded");
		if (causes[i].text)
			tree_put(causes[i].path, causes[i].text);
		else
			tree_drop(causes[i].path);
		check_alone("engine", KSM_FOUND_NOTE, causes[i].says);
	}
	/* Secure Boot explains who turned lockdown on */
	tree_put(KSM_ABI_BTF, "x");
	put_secure_boot();
	tree_put(KSM_ABI_LOCKDOWN, "none [integrity] confidentiality\n");
	check_alone("engine", KSM_FOUND_NOTE, "lockdown is integrity, Secure Boot is on");
}

/* Which events are had, which not, and why not by a better hook. What is attached: guests only. */
static void test_hooks(void **state)
{
	struct ksm_hook hooks[] = {
		{ .type = KSM_EVENT_MERGE, .hook = "tp_btf x" },
		{ .type = KSM_EVENT_NEW_PAGE, .hook = "tp_btf x" },
		{ .type = KSM_EVENT_COW_BREAK, .hook = "tp_btf x" },
	};
	struct ksm_finding f = { .verdict = KSM_FOUND_WRONG };

	doctor_judge_hooks(hooks, 3, &f);
	assert_int_equal(f.verdict, KSM_FOUND_OK);
	assert_string_equal(f.evidence, "all 3 kinds of events can be had, by the best hook");
	hooks[2].why = "fexit/do_wp_page: refused; page faults only";
	doctor_judge_hooks(hooks, 3, &f);
	assert_int_equal(f.verdict, KSM_FOUND_OK);
	assert_non_null(strstr(f.evidence, "3 of 3 kinds of events; not by the best hook: "
					   "cow_break (fexit/do_wp_page: refused; page faults"));
	hooks[1].hook = NULL;
	hooks[1].why = "no tracepoint";
	doctor_judge_hooks(hooks, 3, &f);
	assert_int_equal(f.verdict, KSM_FOUND_NOTE);
	assert_non_null(strstr(f.evidence, "2 of 3 kinds of events; none for: new_page (no trace"));
	assert_true(f.remedy[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_healthy, healthy, tree_delete),
		cmocka_unit_test(test_planted),
		cmocka_unit_test_setup_teardown(test_seccomp, healthy, tree_delete),
		cmocka_unit_test_setup_teardown(test_nothing_mergeable, healthy, tree_delete),
		cmocka_unit_test_setup_teardown(test_rates, healthy, tree_delete),
		cmocka_unit_test_setup_teardown(test_zero_pages_only, healthy, tree_delete),
		cmocka_unit_test_setup_teardown(test_domains, healthy, tree_delete),
		cmocka_unit_test_setup_teardown(test_thp_deferred, healthy, tree_delete),
		cmocka_unit_test_setup_teardown(test_no_ksm, healthy, tree_delete),
		cmocka_unit_test_setup_teardown(test_engine, healthy, tree_delete),
		cmocka_unit_test(test_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
