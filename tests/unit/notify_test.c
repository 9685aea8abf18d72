// SPDX-License-Identifier: GPL-2.0
/* Telling systemd: nobody, a socket in the file system, an abstract one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/notify.h"

static void listens_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	char got[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	memcpy(at.sun_path, name, len);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(ksm_notify("READY=1"), 0);
	assert_int_equal(recv(fd, got, sizeof(got) - 1, 0), 7);
	assert_string_equal(got, "READY=1");
	close(fd);
	assert_true(ksm_notify("READY=1") < 0); /* nobody listens any more */
}

static void test_listeners(void **state)
{
	char name[64];

	snprintf(name, sizeof(name), "/tmp/ksmkit-notify.%d", getpid());
	listens_at(name);
	unlink(name);
	snprintf(name, sizeof(name), "@ksmkit-notify.%d", getpid());
	listens_at(name);
}

static void test_nobody(void **state)
{
	char name[300];

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(ksm_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(ksm_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(ksm_notify("READY=1"), -EINVAL);
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(ksm_notify("READY=1"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
