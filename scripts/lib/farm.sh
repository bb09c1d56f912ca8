# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the scripts that build BPF selftests.

selftests_bpf=tools/testing/selftests/bpf
# How their programs are compiled, as arguments of make.
# shellcheck disable=SC2034,SC2154 # the scripts use it; common.sh has what it is made of
selftests_clang=(CLANG="clang-$clang_bpf${foreign:+ --sysroot=$guest_root}" LLC="llc-$clang_bpf" LLVM_STRIP="llvm-strip-$clang_bpf" LLVM_OBJCOPY="llvm-objcopy-$clang_bpf"
	SKIP_DOCS=1 SKIP_LLVM=1 TEST_KMODS=)

# link_tree TREE FARM RSYNC OPTION...: make in FARM a tree of links to the kernel tree TREE, but for
# the directory of the BPF selftests: that is a copy, so that nothing is built in TREE.
link_tree() {
	local tree=$1 farm=$2 dir='' part entry
	shift 2
	rm -rf "$farm"
	for part in tools testing selftests bpf; do
		mkdir -p "$farm/$dir"
		for entry in "$tree/$dir"*; do
			[ "${entry##*/}" = "$part" ] || ln -s "$entry" "$farm/$dir"
		done
		dir=$dir$part/
	done
	rsync -a --exclude="*.o" "$@" "$tree/$selftests_bpf/" "$farm/$selftests_bpf/"
}
