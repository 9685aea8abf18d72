# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# For tests that let this machine's own KSM merge: sourced, not run.
#
# Writes /sys/kernel/mm/ksm only where that is nobody's loss: as root, KSM stopped, nothing merged,
# no tuner, nobody else's memory up for merging. A watcher puts every knob back, whatever ends the
# test, be it SIGKILL.
#
# A test calls host_begin, starts processes with host_run, and ends with host_end.
cd "$(dirname "$0")/../.." || exit 1
ksm=/sys/kernel/mm/ksm
trace=build/bin/ksmtrace
knobs='pages_to_scan sleep_millisecs smart_scan advisor_mode use_zero_pages run'
out=$(mktemp -d) || exit 1
pids=()   # children that must not be left behind
copies=() # of them, the processes that are merged

skip() {
	rm -rf "$out"
	echo "$*"
	exit 77
}

die() {
	echo "FAILED: $*"
	exit 1
}

# equal WHAT A B
equal() {
	[ "$2" = "$3" ] || die "$1: $2, not $3"
	echo "$1: $2"
}

# Who else asked for merging, "" for nobody.
others() {
	local dir
	for dir in /proc/[0-9]*; do
		if grep -qs '^VmFlags:.* mg' "$dir/smaps"; then
			echo "$(cat "$dir/comm" 2>/dev/null) (${dir#/proc/})"
			return
		fi
	done
}

check_rules() {
	local other
	[ "$(id -u)" = 0 ] || skip "needs root to write $ksm"
	[ -w $ksm/run ] || skip "$ksm/run cannot be written"
	[ "$(cat $ksm/run)" = 0 ] || skip "this machine's KSM is in use (run=$(cat $ksm/run))"
	[ "$(cat $ksm/pages_shared)" = 0 ] || skip "this machine holds merged pages"
	! pgrep -x 'ksmtuned|uksmd' >/dev/null || skip "a KSM tuner is active"
	grep -qs '\[none\]' $ksm/advisor_mode || [ ! -e $ksm/advisor_mode ] ||
		skip "the kernel's own KSM advisor is active"
	other=$(others)
	[ -z "$other" ] || skip "$other has memory that would be merged too"
}

# Reads the numbers of processes until this script is gone, be it by SIGKILL; then ends them, lets
# the scanner drop their pages, and puts every knob back.
watcher() {
	local saved=() victims=() knob pid
	for knob in $knobs; do
		[ -w $ksm/"$knob" ] && saved+=("$knob=$(sed 's/.*\[\(.*\)\].*/\1/' $ksm/"$knob")")
	done
	trap '' INT TERM HUP
	echo ready
	while read -r pid; do
		victims+=("$pid")
	done
	for pid in "${victims[@]}"; do
		kill "$pid"
	done 2>/dev/null
	[ "$(cat $ksm/pages_shared)" = 0 ] || echo 1 >$ksm/run
	until_true 10 nothing_shared
	for knob in "${saved[@]}"; do
		echo "${knob#*=}" >"$ksm/${knob%%=*}"
	done
}

# until_true SECONDS CONDITION...: wait for a state
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		read -rt 0.05 <><(:) || :
	done
}

# all_merged PAGES: each of the copies has as many merged pages
all_merged() {
	local pid
	for pid in "${copies[@]}"; do
		[ "$(cat "/proc/$pid/ksm_merging_pages")" = "$1" ] || return 1
	done
}

nothing_shared() {
	[ "$(cat $ksm/pages_shared)" = 0 ]
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# Starts the watcher and the scanner at full speed.
host_begin() {
	check_rules
	coproc WATCHER { watcher; }
	read -r ready <&"${WATCHER[0]}"
	[ "$ready" = ready ] || die "no watcher"
	restorer=$WATCHER_PID
	exec {hold}>&"${WATCHER[1]}"
	before=$(cd $ksm && cat $knobs 2>/dev/null)
	trap '[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null; rm -rf "$out"' EXIT
	[ ! -e $ksm/smart_scan ] || echo 0 >$ksm/smart_scan
	echo 20000 >$ksm/pages_to_scan
	echo 1 >$ksm/sleep_millisecs
	echo 1 >$ksm/run
}

# host_run FILE COMMAND...: in the background, its output into FILE; $! is its number
host_run() {
	local file=$1
	shift
	"$@" >"$file" 2>&1 {hold}>&- &
	pids+=($!)
	echo $! >&"$hold"
}

# The copies end, and the scanner itself drops what they leave behind.
settle() {
	kill "${copies[@]}"
	wait "${copies[@]}" || die "a copy found its memory changed"
	pids=()
	copies=()
	echo 1 >$ksm/run
	until_true 20 nothing_shared || die "merged pages stay after their processes ended"
}

# Waits for the watcher to have put everything back.
host_end() {
	eval "exec {hold}>&- ${WATCHER[1]}>&-"
	until_true 20 gone "$restorer" || die "the watcher does not end"
	equal "knobs as before" "$(cd $ksm && cat $knobs 2>/dev/null)" "$before"
}

# record NAME OPTION...: start a recording; it is at work when this returns. $recorder is its number
record() {
	local name=$1
	shift
	host_run "$out/$name.log" "$trace" record -o "$out/$name" "$@"
	recorder=$!
	until_true 20 test -s "$out/$name/stream_0" || die "no recording: $(cat "$out/$name.log")"
}

# record_end NAME: stop it, and print it into NAME.txt
record_end() {
	kill -TERM "$recorder"
	wait "$recorder" || die "ksmtrace record: $(cat "$out/$1.log")"
	cat "$out/$1.log"
	"$trace" print -F type,tgid,detail "$out/$1" >"$out/$1.txt" || die "unreadable"
}

# count FILE TYPE [PID...]: recorded events of a type, of these processes
count() {
	local file=$1 type=$2
	shift 2
	awk -v type="$type" -v pids=" $* " \
		'$1 == type && (pids == "  " || index(pids, " " $2 " "))' "$file" | wc -l
}

# lost FILE TYPE...: how many events of these types were told as lost
lost() {
	local file=$1
	shift
	awk -v types=" $* " '$1 == "lost" {
		for (i = 3; i <= NF; i++) {
			split($i, field, "=")
			value[field[1]] = field[2]
		}
		if (types == "  " || index(types, " " value["of_type"] " "))
			sum += value["count"]
	} END { print sum + 0 }' "$file"
}

# hook TYPE: where this kernel's own KSM gives the event from, "unavailable" for nowhere
hook() {
	"$trace" list | sed -n "s/^$1  *kernel  *//p"
}
