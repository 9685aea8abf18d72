// SPDX-License-Identifier: GPL-2.0
#include "fake_tree.h"

#include <errno.h>

#include "lib/cgroup.h"
#include "lib/guest.h"
#include "lib/rollup.h"

#define ID "4f1c2d3e5a6b7c8d9e0f4f1c2d3e5a6b7c8d9e0f4f1c2d3e5a6b7c8d9e0f1234"

static struct ksm_io io;

static int setup(void **state)
{
	return tree_new(state) || ksm_io_init(&io, tree_root);
}

static void test_cgroup_read(void **state)
{
	char path[64];

	assert_int_equal(ksm_cgroup_read(&io, 5, path, sizeof(path)), -ENOENT);
	tree_put("/proc/5/cgroup", "0::/system.slice/a.service\n");
	assert_int_equal(ksm_cgroup_read(&io, 5, path, sizeof(path)), 0);
	assert_string_equal(path, "/system.slice/a.service");
	/* old hierarchies in use, the unified one for systemd alone */
	tree_put("/proc/5/cgroup", "9:cpu,memory:/docker/x\n4:pids:/other\n0::/\n");
	assert_int_equal(ksm_cgroup_read(&io, 5, path, sizeof(path)), 0);
	assert_string_equal(path, "/docker/x");
	tree_put("/proc/5/cgroup", "4:pids:/other\n1:name=systemd:/u\n0::/\n");
	assert_int_equal(ksm_cgroup_read(&io, 5, path, sizeof(path)), 0);
	assert_string_equal(path, "/");
	tree_put("/proc/5/cgroup", "garbage\n");
	assert_int_equal(ksm_cgroup_read(&io, 5, path, sizeof(path)), -ENOENT);
	tree_put("/proc/5/cgroup", "0::/system.slice/a.service\n");
	assert_int_equal(ksm_cgroup_read(&io, 5, path, 10), -ENAMETOOLONG);
}

static void test_cgroup_name(void **state)
{
	static const struct {
		const char *path, *unit, *name;
		bool known;
	} cases[] = {
		{ "/", "/", "/", false },
		{ "/system.slice/nginx.service", "/system.slice/nginx.service", "nginx.service",
		  false },
		{ "/system.slice/docker-" ID ".scope/init", "/system.slice/docker-" ID ".scope",
		  "docker:4f1c2d3e5a6b", true },
		{ "/docker/" ID, "/docker/" ID, "docker:4f1c2d3e5a6b", true },
		{ "/kubepods/burstable/pod12/" ID "/x", "/kubepods/burstable/pod12/" ID,
		  "container:4f1c2d3e5a6b", true },
		{ "/kubepods.slice/a.slice/cri-containerd-" ID ".scope",
		  "/kubepods.slice/a.slice/cri-containerd-" ID ".scope", "containerd:4f1c2d3e5a6b",
		  true },
		{ "/machine.slice/libpod-" ID ".scope/container",
		  "/machine.slice/libpod-" ID ".scope", "podman:4f1c2d3e5a6b", true },
		/* no id behind the prefix: a unit of that name */
		{ "/system.slice/docker-proxy.scope", "/system.slice/docker-proxy.scope",
		  "docker-proxy.scope", false },
		{ "/lxc.payload.web/system.slice/a.service", "/lxc.payload.web", "lxc:web", true },
		{ "/lxc/101/ns", "/lxc/101", "lxc:101", true },
		{ "/machine.slice/machine-qemu\\x2d3\\x2dweb\\x2d1.scope/libvirt/emulator",
		  "/machine.slice/machine-qemu\\x2d3\\x2dweb\\x2d1.scope", "guest:web-1", true },
		{ "/qemu.slice/100.scope", "/qemu.slice/100.scope", "guest:100", true },
		{ "/a/systemd-nspawn@b\\x2dc.service/payload", "/a/systemd-nspawn@b\\x2dc.service",
		  "nspawn:b-c", true },
	};
	char unit[KSM_CGROUP_PATH_MAX], name[KSM_CGROUP_NAME_MAX];

	for (size_t i = 0; i < KSM_ARRAY_SIZE(cases); i++) {
		bool known = ksm_cgroup_name(cases[i].path, unit, sizeof(unit), name, sizeof(name));

		assert_string_equal(name, cases[i].name);
		assert_string_equal(unit, cases[i].unit);
		assert_int_equal(known, cases[i].known);
	}
}

#define GUEST(text, want)                \
	{                                \
		text, sizeof(text), want \
	}

static void test_guest_name(void **state)
{
	static const struct {
		const char *cmdline;
		size_t len;
		const char *name;
	} cases[] = {
		GUEST("/usr/bin/qemu-system-x86_64\0-name\0guest=web1,debug-threads=on", "web1"),
		GUEST("qemu-system-aarch64\0-name\0web1", "web1"),
		GUEST("qemu-kvm\0--name\0a,,b,process=x", "a,b"),
		GUEST("qemu-kvm\0-name\0process=x,guest=late", "late"),
		GUEST("/usr/bin/kvm\0-id\0"
		      "100\0-name\0db,debug-threads=on\0-m\0"
		      "1",
		      "db (100)"),
		GUEST("kvm\0-id\0"
		      "100",
		      "100"),
		GUEST("kvm\0-m\0"
		      "1\0-uuid\0"
		      "11-22",
		      "11-22"),
		GUEST("kvm\0-m\0"
		      "1",
		      ""),
		GUEST("kvm\0-name", ""),
		GUEST("/opt/firecracker\0--id\0fc-1\0--seccomp-level=2", "fc-1"),
		GUEST("firecracker\0--id=fc-2", "fc-2"),
		GUEST("cloud-hypervisor\0--api-socket\0/run/ch/vm7.sock", "vm7.sock"),
	};
	static const struct {
		const char *cmdline;
		size_t len;
	} others[] = { { "bash\0-name\0x", 13 }, { "kvmtool\0-name\0x", 16 }, { "", 0 } };
	char name[KSM_GUEST_NAME_MAX];

	for (size_t i = 0; i < KSM_ARRAY_SIZE(cases); i++) {
		assert_true(ksm_guest_parse(cases[i].cmdline, cases[i].len, name, sizeof(name)));
		assert_string_equal(name, cases[i].name);
	}
	for (size_t i = 0; i < KSM_ARRAY_SIZE(others); i++)
		assert_false(ksm_guest_parse(others[i].cmdline, others[i].len, name, sizeof(name)));
	tree_put("/proc/9/cmdline", "qemu-kvm");
	assert_true(ksm_guest_name(&io, 9, name, sizeof(name)));
	assert_string_equal(name, "pid 9");
	assert_false(ksm_guest_name(&io, 10, name, sizeof(name)));
}

static const struct ksm_proc procs[] = {
	{ .tgid = 1, .comm = "a", .present = 7, .merging_pages = 100, .rmap_items = 100 },
	{ .tgid = 2, .comm = "b", .present = 7, .merging_pages = 80, .zero_pages = 5 },
	{ .tgid = 3, .comm = "qemu", .present = 3, .merging_pages = 70 },
	{ .tgid = 4, .comm = "c", .present = 3, .merging_pages = 10 },
};

static void test_rollup(void **state)
{
	struct ksm_groups g = { 0 };

	tree_put("/proc/1/cgroup", "0::/docker/" ID "/x\n");
	tree_put("/proc/2/cgroup", "0::/docker/" ID "/y\n");
	tree_put("/proc/3/cgroup", "0::/system.slice/v.service\n");
	tree_put("/proc/3/cmdline", "qemu-kvm");
	assert_int_equal(ksm_rollup(&io, procs, 4, KSM_ROLLUP_CGROUP, &g), 0);
	assert_int_equal(g.count, 3);
	assert_string_equal(g.rows[0].name, "docker:4f1c2d3e5a6b");
	assert_string_equal(g.rows[0].path, "/docker/" ID);
	assert_int_equal(g.rows[0].processes, 2);
	assert_int_equal(g.rows[0].merging_pages, 180);
	assert_int_equal(g.rows[0].zero_pages, 5);
	assert_int_equal(g.rows[0].pid, 1);
	assert_int_equal(ksm_group_profit(&g.rows[0]),
			 185 * ksm_page_size() - 100 * KSM_RMAP_ITEM_BYTES);
	assert_string_equal(g.rows[1].name, "v.service");
	assert_string_equal(g.rows[2].name, KSM_GROUP_NONE);

	assert_int_equal(ksm_rollup(&io, procs, 4, KSM_ROLLUP_GUEST, &g), 0);
	assert_int_equal(g.count, 2);
	assert_string_equal(g.rows[0].name, KSM_GROUP_NONE);
	assert_int_equal(g.rows[0].processes, 3);
	assert_string_equal(g.rows[1].name, "pid 3");

	assert_int_equal(ksm_rollup(&io, procs, 4, KSM_ROLLUP_PROCESS, &g), 0);
	assert_int_equal(g.count, 4);
	assert_string_equal(g.rows[3].name, "c");
	ksm_groups_free(&g);
}

static void test_words(void **state)
{
	enum ksm_rollup_by by;

	assert_int_equal(ksm_rollup_parse("cgroup", &by), 0);
	assert_int_equal(by, KSM_ROLLUP_CGROUP);
	assert_string_equal(ksm_rollup_word(KSM_ROLLUP_GUEST), "guest");
	assert_int_equal(ksm_rollup_parse("user", &by), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cgroup_read, setup, tree_delete),
		cmocka_unit_test(test_cgroup_name),
		cmocka_unit_test_setup_teardown(test_guest_name, setup, tree_delete),
		cmocka_unit_test_setup_teardown(test_rollup, setup, tree_delete),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
