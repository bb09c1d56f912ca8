# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the scripts use them
#
# The versions of what is downloaded, and the oldest Linux that the patches are for.

debian=trixie

# Releases of Linux, the default first. Debian's package linux-source-7.3 has the newest of 7.3;
# the one that is named here is taken as long as Debian has it.
linux_releases=(7.3.4 7.2.12)
linux_oldest=7.2

# The clang for the kernel, with the libclang that bindgen uses, and the one for BPF programs.
clang_kernel=19
clang_bpf=22
