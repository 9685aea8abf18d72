# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the lab's scripts share: messages, the cache, and packages through a private apt state.
#
# The machine's own apt state is never written: packages come from the machine's own mirror, with
# the machine's own keys, through lists and caches below $KSMKIT_CACHE. apt verifies what it
# downloads; nothing is installed, only unpacked.

KSMKIT_CACHE=${KSMKIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ksmkit}
KSMKIT_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
KSMKIT_RELEASE=bookworm
# The suite that packages are taken from; see use_suite.
KSMKIT_SUITE=$KSMKIT_RELEASE

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

# with_lock NAME COMMAND...: run COMMAND while nobody else holds NAME.
with_lock() {
	local name=$1 fd
	shift
	mkdir -p "$KSMKIT_CACHE/locks"
	exec {fd}>"$KSMKIT_CACHE/locks/$name"
	if ! flock -n "$fd"; then
		say "waiting for another run that prepares $name"
		flock "$fd"
	fi
	"$@" {fd}>&-
	local rc=$?
	exec {fd}>&-
	return $rc
}

# use_suite SUITE: from here on packages come from that Debian release (and its backports) on the
# machine's mirror, with an apt state of its own. The machine's keyring must know its keys.
use_suite() {
	KSMKIT_SUITE=$1
}

apt_state() {
	if [ "$KSMKIT_SUITE" = "$KSMKIT_RELEASE" ]; then
		echo "$KSMKIT_CACHE/apt"
	else
		echo "$KSMKIT_CACHE/apt-$KSMKIT_SUITE"
	fi
}

# The machine's deb822 sources, restricted to its release (read as the suite in use), with
# backports added.
apt_sources_deb822() {
	cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed 's/\r$//' |
	awk -v rel="$KSMKIT_RELEASE" -v use="$KSMKIT_SUITE" '
	function flush(   i, n, w, out) {
		if (uris ~ /(http|https|file|copy|ftp|mirror[^ ]*):/ && types ~ /(^| )deb( |$)/ &&
		    enabled !~ /^(no|false|0|off)$/) {
			n = split(suites, w, " "); out = ""
			for (i = 1; i <= n; i++) {
				if (w[i] == rel || w[i] == "stable" || w[i] == "oldstable")
					out = out " " use " " use "-backports"
				else if (w[i] == rel "-updates" || w[i] == rel "-security")
					out = out " " use substr(w[i], length(rel) + 1)
			}
			if (out != "")
				printf "Types: deb\nSuites:%s\n%s\n", out, rest
		}
		types = suites = uris = rest = enabled = ""
	}
	/^#/ { next }
	/^[ \t]*$/ { flush(); next }
	/^[^ \t]/ { key = tolower($1) }
	key == "types:" { sub(/^[^:]*:[ \t]*/, ""); types = types " " $0; next }
	key == "suites:" { sub(/^[^:]*:[ \t]*/, ""); suites = suites " " $0; next }
	key == "enabled:" { enabled = tolower($2); next }
	key == "uris:" { uris = uris " " $0 }
	{ rest = rest $0 "\n" }
	END { flush() }'
}

# The machine's one-line sources, likewise.
apt_sources_oneline() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed 's/\r$//' |
	awk -v rel="$KSMKIT_RELEASE" -v use="$KSMKIT_SUITE" '
	$1 != "deb" { next }
	{
		opts = ""; line = $0
		sub(/[ \t]#.*$/, "", line)
		sub(/^deb[ \t]+/, "", line)
		if (match(line, /^\[[^]]*\][ \t]+/)) {
			opts = substr(line, 1, RLENGTH); line = substr(line, RLENGTH + 1)
		}
		n = split(line, w, /[ \t]+/); comps = ""
		if (w[1] ~ /^cdrom:/)
			next
		for (i = 3; i <= n; i++)
			comps = comps " " w[i]
		if (w[2] == rel || w[2] == "stable" || w[2] == "oldstable") {
			print "deb " opts w[1] " " use comps
			print "deb " opts w[1] " " use "-backports" comps
		} else if (w[2] == rel "-updates" || w[2] == rel "-security") {
			print "deb " opts w[1] " " use substr(w[2], length(rel) + 1) comps
		}
	}'
}

# apt-get or apt-cache on the private state.
private_apt() {
	local tool=$1 a
	a=$(apt_state)
	shift
	"$tool" -q -o Dir::State="$a/state" -o Dir::State::lists="$a/lists" \
		-o Dir::State::status="$a/status" -o Dir::Cache="$a/cache" \
		-o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin \
		-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$a/sources.d" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Debug::NoLocking=true -o APT::Sandbox::User=root -o Acquire::Retries=3 \
		-o Acquire::Languages=none -o APT::Update::Post-Invoke-Success= \
		-o APT::Update::Post-Invoke= -o DPkg::Pre-Install-Pkgs= -o DPkg::Post-Invoke= "$@"
}

# Fetch the package lists once a run; later calls within ten minutes cost nothing.
private_apt_update() {
	local a log
	a=$(apt_state)
	mkdir -p "$a/state" "$a/lists/partial" "$a/cache/archives/partial" "$a/sources.d"
	: >"$a/status"
	[ -n "$(find "$a/updated" -mmin -10 2>/dev/null)" ] && return 0
	apt_sources_deb822 >"$a/sources.d/machine.sources"
	apt_sources_oneline >"$a/sources.d/machine.list"
	if [ ! -s "$a/sources.d/machine.sources" ] && [ ! -s "$a/sources.d/machine.list" ]; then
		die "no network source of Debian 12 ($KSMKIT_RELEASE) in /etc/apt: add a mirror there"
	fi
	log=$a/update.log
	if ! private_apt apt-get update -o APT::Update::Error-Mode=any >"$log" 2>&1; then
		grep '^E:' "$log" | head -3 >&2
		if grep -q NO_PUBKEY "$log"; then
			say "the keyring in Signed-By has no key of $KSMKIT_SUITE:" \
				"update the package debian-archive-keyring"
		fi
		die "apt-get update failed for the machine's own sources (log: $log)"
	fi
	touch "$a/updated"
}

# newest_package REGEX: name and version of the newest package that matches.
newest_package() {
	local names name ver best='' bestver=''
	mapfile -t names < <(private_apt apt-cache pkgnames | grep -E "$1")
	[ ${#names[@]} -gt 0 ] || return 1
	while read -r name ver; do
		if [ -z "$bestver" ] || dpkg --compare-versions "$ver" gt "$bestver"; then
			best=$name bestver=$ver
		fi
	done < <(private_apt apt-cache show --no-all-versions "${names[@]}" |
		awk '$1 == "Package:" { p = $2 } $1 == "Version:" { print p, $2 }')
	[ -n "$best" ] && printf '%s %s\n' "$best" "$bestver"
}

# package_depends NAME REGEX: those direct dependencies of NAME that match.
package_depends() {
	private_apt apt-cache depends --no-recommends --no-suggests "$1" |
		sed -n 's/^ *\(Pre\)\?Depends: //p' | grep -E "$2"
}

# package_closure NAME...: NAME=VERSION of these packages and of all that they depend on, in apt's
# order, as for an empty machine.
package_closure() {
	private_apt apt-get install -s -y --no-install-recommends "$@" |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p'
}

# unpack_packages DIR NAME[=VERSION]...: download (apt checks the hashes signed in the archive's
# Release file) and unpack below DIR.
unpack_packages() {
	local dir=$1 dl deb
	shift
	dl=$(mktemp -d "$KSMKIT_CACHE/download.XXXXXX")
	if ! (cd "$dl" && private_apt apt-get download "$@" >"$dl/log" 2>&1); then
		grep -E '^[EW]:' "$dl/log" >&2
		rm -rf "$dl"
		die "cannot download $*: is the network there?"
	fi
	if grep -qiE 'cannot be authenticated|unauthenticated' "$dl/log"; then
		rm -rf "$dl"
		die "a package is not signed by a key of this machine: $*"
	fi
	mkdir -p "$dir"
	for deb in "$dl"/*.deb; do
		dpkg-deb -x "$deb" "$dir" || die "cannot unpack ${deb##*/}"
	done
	rm -rf "$dl"
}

# kernel_headers DIR: where kernel_make finds the headers of a kernel from fetch-kernel.
kernel_headers() {
	if [ -d "$1/chroot" ]; then
		readlink "$1/build"
	else
		echo "$1/build"
	fi
}

# A later release's compiler and kbuild programs run in its chroot, which sees this tree, /dev and
# /proc of this machine at their own places.
chroot_make() {
	local root=$1 userns=()
	shift
	[ "$(id -u)" = 0 ] || userns=(--map-root-user)
	unshare "${userns[@]}" --mount true 2>/dev/null ||
		die "a later release's compiler needs a chroot: be root, or allow user namespaces"
	# shellcheck disable=SC2016
	unshare "${userns[@]}" --mount sh -ec '
		root=$1 top=$2
		shift 2
		mount --rbind /dev "$root/dev"
		mount --rbind /proc "$root/proc"
		mount -t tmpfs tmpfs "$root/tmp"
		mkdir -p "$root$top"
		mount --bind "$top" "$root$top"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin LC_ALL=C make "$@"
	' sh "$root" "$KSMKIT_TOP" "$@"
}

# kernel_make DIR MAKE-ARGUMENT...: make with the compiler for that kernel; what it reads and writes
# lies in this tree.
kernel_make() {
	local dir=$1
	shift
	if [ -n "$dir" ] && [ -d "$dir/chroot" ]; then
		chroot_make "$dir/chroot" "$@"
	else
		make "$@"
	fi
}
