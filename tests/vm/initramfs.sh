# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The guest's root file system: two uncompressed cpio archives (the guest's emulated CPU would
# take longer to unpack them than the host to copy them). The base (busybox, kernel modules) is
# cached per kernel; the overlay (tools, engine, programs, -f files) is made for each run.

# Modules that tests use, where the kernel has them as modules; with their dependencies.
LAB_MODULES='virtio_pci virtio_console loop zram brd virtio_blk lzo-rle lzo lz4 nbd test_hmm kvm-amd'

pack_cpio() {
	(cd "$1" && find . -mindepth 1 | cpio -o -H newc --quiet --owner 0:0) >"$2"
}

# lab_modules KERNEL-DIR KVER DEST: copy LAB_MODULES and what they need, decompressed.
lab_modules() {
	local src=$1/lib/modules/$2 dest=$3/lib/modules/$2 file
	mkdir -p "$dest"
	[ -e "$src/modules.dep" ] || depmod -b "$1" "$2"
	awk -v want="$LAB_MODULES" '
	BEGIN { n = split(want, w, " "); for (i = 1; i <= n; i++) wanted[w[i]] = 1 }
	{
		sub(/:$/, "", $1)
		name = $1
		sub(/.*\//, "", name); sub(/\.ko.*/, "", name)
		if (name in wanted)
			for (i = 1; i <= NF; i++) {
				f = $i; sub(/:$/, "", f); print f
			}
	}' "$src/modules.dep" | sort -u |
	while read -r file; do
		mkdir -p "$dest/${file%/*}"
		case $file in
		*.xz) xz -dc "$src/$file" >"$dest/${file%.xz}" ;;
		*) cp "$src/$file" "$dest/$file" ;;
		esac
	done
	cp "$src"/modules.builtin* "$src/modules.order" "$dest/"
	depmod -b "$3" "$2"
}

# lab_base KERNEL-DIR KVER: print the path of the base archive, made when missing.
lab_base() {
	local here=$KSMKIT_TOP/tests/vm key base tmp applet
	key=$(cat "$here/initramfs.sh" /bin/busybox | sha256sum | cut -c1-12)
	base=$KSMKIT_CACHE/base/$2-$key.cpio
	if [ ! -e "$base" ]; then
		tmp=$(mktemp -d)
		mkdir -p "$tmp"/{bin,sbin,usr/bin,usr/local/bin,usr/sbin,etc,proc,sys,dev,tmp,root,lab} \
			"$tmp/var/tmp" "$KSMKIT_CACHE/base"
		cp /bin/busybox "$tmp/bin/"
		for applet in $(/bin/busybox --list); do
			[ "$applet" = busybox ] || ln -s busybox "$tmp/bin/$applet"
		done
		ln -s ../bin/busybox "$tmp/sbin/modprobe"
		printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n' \
			>"$tmp/etc/passwd"
		printf 'root:x:0:\nnogroup:x:65534:\n' >"$tmp/etc/group"
		cp -r /lib/terminfo "$tmp/lib-terminfo" 2>/dev/null || true
		lab_modules "$1" "$2" "$tmp"
		[ ! -d "$tmp/lib-terminfo" ] || mv "$tmp/lib-terminfo" "$tmp/lib/terminfo"
		pack_cpio "$tmp" "$base.$$"
		mv "$base.$$" "$base"
		rm -rf "$tmp"
	fi
	echo "$base"
}

# The shared libraries (and loader) that the programs of a tree need, at the host's paths.
lab_libraries() {
	local lib
	find "$1" -type f -perm /111 -print0 | xargs -0 -r ldd 2>/dev/null |
		grep -oE '/[^ ]+' | grep -E '\.so(\.|$)' | sort -u |
	while read -r lib; do
		mkdir -p "$1${lib%/*}"
		cp -L "$lib" "$1$lib"
	done
}

# lab_overlay DEST KVER BASE-KERNEL-DIR: the tools, the engine and the test programs.
lab_overlay() {
	local top=$KSMKIT_TOP dest=$1 kver=$2 f mods
	mkdir -p "$dest/usr/bin" "$dest/lab" "$dest/root"
	for f in "$top"/build/bin/ksm* "$top"/build/test/vm/*; do
		[ ! -f "$f" ] || [ ! -x "$f" ] || cp "$f" "$dest/usr/bin/"
	done
	cp "$top/tests/vm/init" "$dest/init"
	chmod 755 "$dest/init"
	if [ -e "$top/build/kmod/$kver/ksm_engine.ko" ]; then
		mods=$dest/lib/modules/$kver
		mkdir -p "$mods/extra"
		cp "$top/build/kmod/$kver/ksm_engine.ko" "$mods/extra/"
		# The base's modules.dep with the engine added: it needs no other module.
		cpio -i --quiet --to-stdout "lib/modules/$kver/modules.dep" \
			<"$KSMKIT_LAB_BASE" >"$mods/modules.dep"
		echo "extra/ksm_engine.ko:" >>"$mods/modules.dep"
	fi
}

# lab_terminfo DEST TERM: the terminal's description, from wherever this machine keeps it.
lab_terminfo() {
	local d=${2:0:1} dir
	for dir in /etc/terminfo /lib/terminfo /usr/share/terminfo "$HOME/.terminfo"; do
		if [ -e "$dir/$d/$2" ]; then
			mkdir -p "$1/lib/terminfo/$d"
			cp -L "$dir/$d/$2" "$1/lib/terminfo/$d/"
			return 0
		fi
	done
	return 1
}
