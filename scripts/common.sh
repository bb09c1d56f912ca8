# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the other scripts: where things are, and how to speak to people.

set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

# die WHAT [WHAT TO DO NEXT]...
die() {
	printf 'error: %s\n' "$1" >&2
	shift
	[ $# -eq 0 ] || printf '       %s\n' "$@" >&2
	exit 1
}

# shellcheck disable=SC2034 # the sourcing scripts use it
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kmem-cache-iter-rust
case $cache in
*[[:space:]:]*) die "the kernel cannot be built in $cache, because of the space or colon" \
	"Set XDG_CACHE_HOME to another directory." ;;
/*) ;;
*) cache=$PWD/$cache ;;
esac

if [ -n "${KDIR:-}" ]; then
	[ -d "$KDIR" ] || die "KDIR=$KDIR is not a directory" "Name a kernel tree: KDIR=path"
	KDIR=$(cd "$KDIR" && pwd -P)
	export KDIR
fi

# How the kernel and its modules are compiled, as arguments of make, and BPF programs.
# shellcheck disable=SC2034 # the sourcing scripts use it
case ${CC:-clang} in
clang) unset CC && kernel_cc=(LLVM=-19) ;;
gcc) kernel_cc=() ;;
*) die "CC=$CC is neither clang nor gcc" "CC=gcc compiles the C of the kernel with gcc instead of clang." ;;
esac
# shellcheck disable=SC2034
bpf_cc=(clang-22 -g -O2 -Wall -Werror -fms-extensions -Wno-microsoft-anon-tag --target=bpf -D__TARGET_ARCH_x86)

# One hash over the contents of files, or over strings: the key of a cached result.
key_of_files() { cat -- "$@" | sha256sum | cut -c1-12; }
key_of() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# lock NAME: keep others out until this process and all that it started have
# ended, so that an interrupted run cannot meddle with the next one.
lock() {
	mkdir -p "$cache" 2>/dev/null || true
	[ -w "$cache" ] || die "cannot write to $cache" "Set XDG_CACHE_HOME to a directory that can be written."
	exec 9>"$cache/$1.lock"
	flock -n 9 || { say "  ...  waiting for another run that works on $1"; flock 9; }
}

# use_kernel: build the test kernel, in the directory $build, and keep others from
# building it anew before this run has ended.
use_kernel() {
	local name=kernel-${ITER:-y}${CONFIG:+-$CONFIG}
	lock "${name//\//-}"
	# shellcheck disable=SC2034 # the sourcing scripts use it
	build=$("$repo/scripts/kernel")
}

elapsed() { printf '%3d:%02d' $((($1) / 60)) $((($1) % 60)); }

# stage TITLE LOG COMMAND...: run COMMAND with its output in LOG, and show that
# it is alive: the time it has taken, and on a terminal the line it has come to.
stage() {
	local title=$1 log=$2 start=$SECONDS pid status=0 line tick=0
	shift 2
	mkdir -p "$(dirname "$log")"
	: >"$log" || die "cannot write $log"
	# A process group of its own, so that all of it can be stopped.
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	trap 'kill -- -$pid 2>/dev/null; say; say "interrupted"; exit 130' INT TERM HUP
	[ -t 2 ] || say "  ...  $title"
	while kill -0 "$pid" 2>/dev/null; do
		if [ -t 2 ]; then
			line=$(tail -n 1 "$log" | tr -cd '[:print:]' | cut -c1-40) || line=
			printf '\r\033[K%s  %s  %s' "$(elapsed $((SECONDS - start)))" "$title" "$line" >&2
		elif [ $(((SECONDS - start) / 60)) -gt "$tick" ]; then
			tick=$(((SECONDS - start) / 60))
			say "$(elapsed $((SECONDS - start)))  $title: $(tail -n 1 "$log" | cut -c1-60)"
		fi
		sleep 0.2
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
	wait "$pid" || status=$?
	trap - INT TERM HUP
	if [ "$status" -ne 0 ]; then
		tail -n 30 "$log" >&2 || true
		die "$title: failed (exit status $status)" "The whole log is in $log"
	fi
	say "$(elapsed $((SECONDS - start)))  $title"
}
