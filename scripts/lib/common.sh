# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the other scripts: where things are, how to run something among the tools of
# the sysroot, and how to speak to people.

set -euo pipefail
# What people have in their environment for other purposes.
unset CDPATH BASH_ENV GREP_OPTIONS
umask 022
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*" >&2; }

# die WHAT [WHAT TO DO NEXT]...
die() {
	printf 'error: %s\n' "$1" >&2
	shift
	[ $# -eq 0 ] || printf '       %s\n' "$@" >&2
	exit 1
}

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
lib=$repo/scripts/lib
config=$repo/scripts/config
. "$config/versions.sh"

cache=$(realpath -m "${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kmem-cache-iter-rust")

# check_path WHAT PATH WHAT TO DO NEXT: whether make and QEMU can do with a path.
check_path() {
	case $2 in
	*[[:space:]:,\'\"\\\$\`\;\&\|\<\>\(\)\*\?\[\]\{\}\!\#%]*)
		die "the kernel cannot be built with $1 $2, because of a space or special character in it" "$3" ;;
	esac
}

# check_place WHAT PATH WHAT TO DO NEXT: the same for what the guest has at its own path.
check_place() {
	check_path "$@"
	case $2 in
	/dev/* | /proc/* | /run/* | /sys/*) die "$1 cannot be in $2, since the guest has other directories there" "$3" ;;
	esac
}

check_places() {
	check_place "the cache" "$cache" "Set XDG_CACHE_HOME to another directory, on a disk."
	check_place "the repository" "$repo" "Move it, or use a copy."
}

# What was asked for, as it could be typed.
asked="make ${0##*/}${*:+ $*}"
for name in ARCH FLAVOR POSTING ITER CONFIG KERNEL KDIR CC LOAD SEED FUZZ MEMORY TESTS CHECKS; do
	[ -z "${!name:-}" ] || asked+=" $name=${!name}"
done

if [ -n "${KDIR:-}" ]; then
	[ -d "$KDIR" ] || die "KDIR=$KDIR is not a directory" "Name a kernel tree: KDIR=path"
	KDIR=$(cd "$KDIR" && pwd -P)
	export KDIR
fi

for number in TIMEOUT LOAD SEED BOOTS; do
	[[ ${!number:-0} =~ ^[0-9]+$ ]] || die "$number=${!number} is not a number"
done
[[ ${FLAVOR:-} = @(|no_alu32|cpuv4) ]] || die "FLAVOR=$FLAVOR is not known" "FLAVOR=no_alu32 and FLAVOR=cpuv4 compile the selftests otherwise."
[[ ${MEMORY:-1G} =~ ^[0-9]+[MG]$ ]] || die "MEMORY=$MEMORY is not a size" "For example: MEMORY=1G"

# What the kernel is for. The tools are for x86-64, whatever that is; guest_root is what the guest has
# as its root.
ARCH=${ARCH:-x86}
if [[ $ARCH = */* ]] || [ ! -f "$config/arch/$ARCH" ]; then
	die "ARCH=$ARCH is not known" "There is: $(ls -C -w 0 "$config/arch"). These are the kernel's own names, as of its arch/."
fi
# shellcheck source=scripts/config/arch/x86
. "$config/arch/$ARCH"
while read -r name; do
	declare -p "$name" &>/dev/null || declare -F "$name" >/dev/null || die "scripts/config/arch/$ARCH lacks $name" "scripts/config/arch/x86 says what that is."
done < <(sed -nE 's/^(arch_[a-z_]+)(\(\)|=).*/\1/p' "$config/arch/x86")
foreign=''
[ "$ARCH" = x86 ] || foreign=1
# shellcheck disable=SC2034 # the sourcing scripts use it
guest_root=/${foreign:+guest}

# How the kernel and its modules are compiled, as arguments of make.
case ${CC:-clang} in
clang) unset CC && kernel_cc=(LLVM=-"$clang_kernel") ;;
gcc) kernel_cc=() ;;
*) die "CC=$CC is neither clang nor gcc" "CC=gcc compiles the C of the kernel with gcc instead of clang." ;;
esac
kernel_cc+=(LIBCLANG_PATH="/usr/lib/llvm-$clang_kernel/lib")
# And how programs are, and what else is of the kernel's tree.
cross=()
[ -z "$foreign" ] || cross=(ARCH="$ARCH" CROSS_COMPILE="$arch_triple-") kernel_cc+=("${cross[@]}")

# in_sysroot COMMAND [ARGUMENT]...: run COMMAND among the tools of the sysroot. It can be a
# function of the script, which finds there the other functions, and the variables in
# $for_sysroot.
for_sysroot=(repo lib config cache asked kernel_cc cross clang_kernel clang_bpf ARCH arch_triple foreign)
in_sysroot() {
	"$lib/in-sysroot" bash -c "set -euo pipefail; $(declare -f; declare -p "${for_sysroot[@]}")"$'\n"$@"' bash "$@"
}

# One hash over the contents of files, or over strings: the key of a cached result.
key_of_files() { cat -- "$@" | sha256sum | cut -c1-12; }
key_of() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# The versions of what builds the kernel.
toolchain() {
	# shellcheck disable=SC2016 # dpkg-query expands these
	in_sysroot dpkg-query -W -f '${Package} ${Version}\n' "clang-$clang_kernel" "lld-$clang_kernel" rustc bindgen pahole "gcc${foreign:+-$arch_triple}" libc6-dev
}

# And that of what compiles BPF programs.
clang_bpf_version() {
	# shellcheck disable=SC2016 # dpkg-query expands it
	in_sysroot dpkg-query -W -f '${Version}' "clang-$clang_bpf"
}

# That of what goes into the kernel.
sources_key() {
	local rust_files
	mapfile -t rust_files < <(find "$repo/rust" "$repo/samples/rust" -type f | sort)
	key_of_files "$repo"/Kbuild "$repo"/Kconfig "$repo"/*.rs "$repo"/*.[ch] "${rust_files[@]}" "$repo"/patches/*
}

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
	# Nobody waits to be told that there is no such tree.
	"$lib/tree" >/dev/null
	lock "${name//\//-}"
	# shellcheck disable=SC2034 # the sourcing scripts use it
	build=$("$lib/kernel")
}

# two_nodes SIZE: how QEMU is told that a guest has so much memory, half of it at each of two CPUs.
two_nodes() {
	local size=${1%[MG]} half
	[ "${1%G}" = "$1" ] || size=$((size * 1024))
	half=$((size / 2))
	# shellcheck disable=SC2034,SC2054 # the sourcing scripts use it; the commas are QEMU's
	numa=(-object "memory-backend-ram,size=${half}M,id=node0" -numa node,cpus=0,memdev=node0
		-object "memory-backend-ram,size=$((size - half))M,id=node1" -numa node,cpus=1,memdev=node1)
}

# counts_in LOG: the two numbers of its last line "N passed, N failed".
counts_in() { sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$1" | tail -n 1 | grep . || echo "0 1"; }

# conclude PASSED FAILED [BUILD]: the end of a script that has tested something, for example the kernel
# in the directory BUILD. make test-table finds that again by what was asked for.
conclude() {
	local versions=''
	[ -z "${3:-}" ] || versions=$("$lib/versions" "$3")
	# What make mutate has made fails, and shall.
	[ "$repo" = "$cache/mutant" ] ||
		printf '%s\t%s\t%s\t%d\t%d\t%s\n' "$(date +%F)" "$asked" "${versions:--}" "$1" "$2" "$(elapsed "$SECONDS")" >>"$cache/runs.tsv"
	[ -z "$versions" ] || echo "on $versions"
	echo "$1 passed, $2 failed"
	[ "$2" -eq 0 ]
}

# put_between NAME FILE PAGE: what stands in PAGE between the two comments of make NAME becomes FILE.
put_between() {
	local begin="<!-- make $1: begin -->" end="<!-- make $1: end -->"
	[ "$(grep -cxF -e "$begin" -e "$end" "$3")" = 2 ] || die "$3 lacks the line $begin or $end"
	awk -v begin="$begin" -v end="$end" -v file="$2" '
		$0 == end { skip = 0 }
		!skip { print }
		$0 == begin { while ((getline line <file) > 0) print line; skip = 1 }' "$3" >"$3.new"
	mv "$3.new" "$3"
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
