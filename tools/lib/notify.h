/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Telling systemd how a service is doing: one datagram to $NOTIFY_SOCKET, which is the whole of the
 * documented protocol. Linking libsystemd for it would load compression and cryptography into
 * every ksmctl; sd_notify(3) itself suggests to do without.
 */
#ifndef KSMKIT_NOTIFY_H
#define KSMKIT_NOTIFY_H

/**
 * ksm_notify() - send "READY=1", "STOPPING=1", "STATUS=..."
 *
 * Return: 0, also when nobody asked ($NOTIFY_SOCKET is not set); negative errno.
 */
int ksm_notify(const char *text);

#endif /* KSMKIT_NOTIFY_H */
