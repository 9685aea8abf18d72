# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Judges a finished guest. Everything that is not proven clean is a failure.

# What a kernel says when something is wrong with it.
SPLATS='WARNING: |BUG: |BUG [a-z0-9_:-]+ ?(\(|:)|kernel BUG at|\bOops\b|general protection fault|double fault'
SPLATS+='|stack segment:|KASAN: |UBSAN: |KCSAN: |cut here|Kernel panic|unable to handle'
SPLATS+='|list_(add|del) corruption|refcount_t: |Bad page (state|map)|Bad rss-counter'
SPLATS+='|INFO: (task|possible|lockdep|trying|rcu|inconsistent)|inconsistent lock state'
SPLATS+='|possible (circular|recursive|irq lock)|suspicious RCU usage|held lock freed'
SPLATS+='|soft lockup|hard LOCKUP|detected stall|self-detected stall|lockup - pool'
SPLATS+='|Objects remaining in|Slab corruption|ksmkit-lab: kmemleak: unreferenced object'
SPLATS+='|blocked for more than|page_table_check\.c|DEADLOCK'

# splat LOG: the first line of LOG that says so; better one that says more than "cut here".
splat() {
	tr -d '\r' 2>/dev/null <"$1" | grep -aE "$SPLATS" |
		awk '!/cut here/ { print; found = 1; exit } { any = $0 }
		END { if (!found && any != "") print any }'
}

# Keep the kernel log where the user finds it and print its path.
keep_log() {
	local to=${KSMKIT_LOG:-$KSMKIT_TOP/build/lab/$1}
	mkdir -p "${to%/*}"
	tr -d '\r' <"$lab/kernel.log" >"$to" 2>/dev/null || : >"$to"
	[ ! -s "$lab/qemu.err" ] || sed 's/^/qemu: /' "$lab/qemu.err" >>"$to"
	echo "$to"
}

failed() {
	say "lab: $kernel: $* (log: $(keep_log "$kernel-failed-$$.log"))"
	exit 99
}

# Exits with the command's status, or with 99 and the reason.
verdict() {
	local line rc
	line=$(splat "$lab/kernel.log")
	[ -z "$line" ] || failed "the kernel complained: $line"
	[ ! -s "$lab/hang" ] || failed "hang: $(cat "$lab/hang")"
	[ -s "$lab/kernel.log" ] || failed "no kernel log: QEMU did not run or the console is dead"
	grep -q BOOTED "$lab/status" || failed "the guest never came up"
	rc=$(sed -n 's/^EXIT \([0-9]*\)$/\1/p' "$lab/status")
	[ -n "$rc" ] || failed "the guest or QEMU died before the command ended"
	grep -aq 'ksmkit-lab: BEGIN' "$lab/kernel.log" && grep -aq 'ksmkit-lab: END' "$lab/kernel.log" ||
		failed "the kernel log has no clean end: the guest or QEMU died"
	keep_log "$kernel-last.log" >/dev/null
	exit "$rc"
}
