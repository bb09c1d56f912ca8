# SPDX-License-Identifier: GPL-2.0
#
# The front door. In a kernel tree, Kbuild is read instead of this file.

MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.PHONY: help run slabstat install-slabstat test test-bpf test-long test-table mutate check doc bench series series-test shell integrate unintegrate clean distclean

# It makes cd print, and go elsewhere.
unexport CDPATH

# Seen by the scripts; see make help.
export ITER ?= y
export CONFIG
export KERNEL
# Nobody means the kernel with the CC of the environment.
ifeq ($(origin CC),command line)
export CC
else
unexport CC
endif
# Nor another architecture than the command asks for.
ifeq ($(origin ARCH),command line)
export ARCH
else
ifneq ($(filter environment%,$(origin ARCH)),)
ifneq ($(ARCH),)
$(warning ARCH=$(ARCH) of the environment is not used; make help says how to ask for one)
endif
endif
unexport ARCH
endif
export TESTS
export CHECKS
export TIMEOUT ?= $(if $(CONFIG),3600,1800)
export SEED
export LOAD
export FLAVOR
export FUZZ
export BOOTS
export POSTING
export KDIR
export DRY_RUN
export SAMPLE
export PREFIX
export DESTDIR
export MEMORY

help:
	@echo 'make run          boot a kernel with the iterator, and list all its slab caches'
	@echo 'make shell        open a shell in such a kernel, with bpftool and the tests at hand'
	@echo 'make slabstat     build slabstat, which shows the slab caches of this machine; needs no kernel tree'
	@echo 'make install-slabstat  put it into PREFIX (default /usr/local), in DESTDIR if that is set'
	@echo 'make test         run the tests, most of them in such a kernel (15 minutes, the first time 35)'
	@echo 'make test-long    run them for hours, on kernels that look for errors'
	@echo 'make test-bpf     run all BPF selftests of the kernel tree, with and without the iterator (hours)'
	@echo 'make test-table   put what was found by the last runs into docs/testing.md'
	@echo 'make mutate       make mistakes in the sources, and see which tests find them'
	@echo 'make check        look for what is wrong with the sources, by the tools of the kernel tree'
	@echo 'make doc          make the documentation of the Rust code'
	@echo 'make bench        measure the iterator beside the one in C'
	@echo 'make series       write the patch series for the kernel tree KDIR to build/series'
	@echo 'make series-test  build and boot a kernel with each part of it'
	@echo 'make integrate    put the module into the kernel tree KDIR'
	@echo 'make unintegrate  take it out of the kernel tree KDIR again'
	@echo 'make clean        remove what was built'
	@echo 'make distclean    remove what was downloaded, too'
	@echo 'make help         this list'
	@echo
	@echo 'KDIR=path         the kernel tree to use, instead of one that is downloaded;'
	@echo '                  it gets the module, as by make integrate (make series only reads it)'
	@echo 'KERNEL=7.2        which one is downloaded: Linux 7.3 (default) or 7.2'
	@echo 'ITER=y            the iterator in Rust, built in (default);'
	@echo '                  ITER=m as a module, ITER=c the one in C, as patches/ have it;'
	@echo '                  ITER=released the one in C of a tree without them;'
	@echo '                  ITER=debian the one in Debian'"'"'s own kernel, for TESTS=slabstat'
	@echo 'CONFIG=debug      a kernel that looks for errors while it runs (KASAN, lockdep, ...);'
	@echo '                  CONFIG=kcsan one that looks for data races; docs/testing.md has more'
	@echo 'ARCH=arm64        make run, shell, test, test-bpf, bench: for an arm64 machine, which QEMU'
	@echo '                  emulates; make slabstat: for arm64. ARCH=s390 is for s390x, but for bench'
	@echo 'CC=gcc            compiles the C of the kernel with gcc instead of clang'
	@echo 'FLAVOR=no_alu32   compiles the selftests as test_progs-no_alu32 has them; FLAVOR=cpuv4 as that'
	@echo 'SAMPLE=items      make run shows the iterator sample in samples/rust/ instead'
	@echo 'TESTS=a,b         which tests make test runs: trees, machines, model, compile_fail, kunit, tools,'
	@echo '                  slabstat, and parts of the names of selftests (default: these, kmem_cache_iter,'
	@echo '                  bpf_iter); or compile, which builds no whole kernel'
	@echo 'CHECKS=a,b        which checks make check makes'
	@echo 'LOAD=percent      how much the tests under load do (default 100)'
	@echo 'POSTING=3-modules  the part of the series that make series-test tests (default: all)'
	@echo 'BOOTS=number      how many boots make bench measures times in (default 7)'
	@echo 'SEED=number       repeat a run of make test that printed it'
	@echo 'FUZZ="..."        repeat a sequence of operations that kmem_cache_iter_fuzz printed'
	@echo 'MEMORY=size       what a guest has of that (default 2G, with CONFIG=debug 512M)'
	@echo 'DRY_RUN=1         print the command line of QEMU instead of running it'
	@echo 'TIMEOUT=seconds   when to give up on a guest (default 1800, with CONFIG 3600)'

run slabstat test test-bpf test-long test-table mutate check bench series series-test shell:
	@scripts/$@

install-slabstat:
	@scripts/slabstat --install

doc:
	@scripts/check doc

integrate:
	@scripts/integrate "$(KDIR)"

unintegrate:
	@scripts/integrate --undo "$(KDIR)"

clean distclean:
	@scripts/clean $@
