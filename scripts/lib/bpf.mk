# SPDX-License-Identifier: GPL-2.0
#
# BPF programs, and the programs that load them, from samples/, bench/ and tests/:
#
# make -f bpf.mk REPO=repository BUILD=kernel's build CLANG=clang ARCH=architecture BPF=bpfel CC=compiler TARGET...
#
# in the directory where they are to be. With INCLUDE, BPF programs see more headers.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:

vpath %.c $(REPO)/samples $(REPO)/bench $(REPO)/tests $(REPO)/selftests/progs

vmlinux.h: $(BUILD)/vmlinux
	bpftool btf dump file $< format c >$@

%.o: %.c vmlinux.h
	$(CLANG) -g -O2 -Wall -Werror -fms-extensions -Wno-microsoft-anon-tag --target=$(BPF) -D__TARGET_ARCH_$(ARCH) -I. $(addprefix -I,$(INCLUDE)) -c $< -o $@

%.skel.h: %.bpf.o
	bpftool gen skeleton $< name $* >$@

slabs: slabs.skel.h
kmem_cache_iter_bench: kmem_cache_iter_bench.skel.h slab_mutex.skel.h

slabs contend kmem_cache_iter_bench: %: %.c
	$(CC) -O2 -Wall -Werror -pthread -I. $< -lbpf -o $@
