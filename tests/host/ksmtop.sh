# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests of ksmtop in a terminal share: a terminal of tmux, a machine of files. Sourced.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
ksmtop=$top/build/bin/ksmtop
[ -x "$ksmtop" ] || { echo "$ksmtop is not built"; exit 1; }
command -v tmux >/dev/null || { echo "tmux is not installed"; exit 77; }
work=$(mktemp -d) || exit 1
servers=0
export XDG_CONFIG_HOME=$work/config
trap 'stop_server; rm -rf "$work"' EXIT
failed=0

# every terminal has a server of its own: one that is ending refuses new sessions
t()
{
	tmux -L "ksmtop-test-$$-$servers" -f /dev/null "$@"
}

stop_server()
{
	t kill-server 2>/dev/null
}

# new_terminal COMMAND
new_terminal()
{
	stop_server
	servers=$((servers + 1))
	t new-session -d -s s -x 80 -y 24 "$1"
}

screen()
{
	t capture-pane -p -t s
}

# wait_for WHAT COMMAND...: until COMMAND succeeds, 20 s at most
wait_for()
{
	local what=$1 end=$((SECONDS + 20))
	shift

	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "not seen within 20 s: $what"
			screen
			failed=$((failed + 1))
			return 1
		fi
		sleep 0.05
	done
}

shows()
{
	screen | grep -qF -- "$1"
}

hides()
{
	! shows "$1"
}

# line N of the screen matches a pattern
line()
{
	screen | sed -n "$1p" | grep -q -- "$2"
}

make_tree()
{
	local path content pid

	while read -r path content; do
		case $path in '#'*|'') continue ;; esac
		mkdir -p "$work/tree/${path%/*}"
		printf '%b' "$content${content:+\\n}" >"$work/tree/$path"
	done <"$top/tests/golden/ksmtop/engine.tree"
	for pid in {901..940}; do
		mkdir -p "$work/tree/proc/$pid"
		echo "job$pid" >"$work/tree/proc/$pid/comm"
		echo "ksm_rmap_items $((pid - 890))" >"$work/tree/proc/$pid/ksm_stat"
		echo $((pid - 900)) >"$work/tree/proc/$pid/ksm_merging_pages"
	done
}

# start [ENV=VALUE...]: a shell without job control (it leaves the terminal's settings alone) that
# runs ksmtop and then says how it ended and what the terminal is like
start()
{
	cat >"$work/run" <<RUN
trap : INT
stty -g >"$work/stty-before"
echo BEFORE
sh -c 'echo \$\$ >"$work/pid"; exec env LANG=C.UTF-8 LC_ALL=C.UTF-8 $* "$ksmtop" \
	--backend "fake:$work/tree" --delay 0.2' 2>"$work/err"
status=\$?
stty -g >"$work/stty-after"
echo "ENDED \$status"
exec cat
RUN
	rm -f "$work"/stty-*
	new_terminal "sh $work/run"
	wait_for "the first frame" shows F10Quit
}

# ended STATUS: ksmtop is gone and left the terminal as it was
ended()
{
	wait_for "end with status $1" shows "ENDED $1" || return
	wait_for "the normal screen" shows BEFORE
	if ! cmp -s "$work/stty-before" "$work/stty-after"; then
		echo "terminal settings differ after the end with status $1"
		diff "$work/stty-before" "$work/stty-after"
		failed=$((failed + 1))
	fi
	[ "$(t display-message -p -t s '#{cursor_flag}#{alternate_on}#{mouse_any_flag}')" = 100 ] || {
		echo "cursor hidden, alternate screen or mouse still on after status $1"
		failed=$((failed + 1))
	}
}

# keys KEY...: type them
keys()
{
	t send-keys -t s "$@"
}

report()
{
	echo "$failed failed"
	[ "$failed" -eq 0 ]
}
