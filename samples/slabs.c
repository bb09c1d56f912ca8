// SPDX-License-Identifier: GPL-2.0
/*
 * The table of slabs.bpf.c, without bpftool: loads the program, attaches it to the
 * iterator, and reads that to its end.
 */
#include <err.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "slabs.skel.h"

int main(void)
{
	struct slabs *skel = slabs__open_and_load();
	char table[4096];
	ssize_t len;
	int iter;

	if (!skel)
		err(1, "cannot load the program");
	if (slabs__attach(skel))
		err(1, "cannot attach to the iterator kmem_cache");
	iter = bpf_iter_create(bpf_link__fd(skel->links.slabs));
	if (iter < 0)
		err(1, "cannot open the iterator");

	while ((len = read(iter, table, sizeof(table))) > 0) {
		if (write(STDOUT_FILENO, table, len) != len)
			err(1, "cannot write");
	}
	if (len < 0)
		err(1, "cannot read the iterator");

	close(iter);
	slabs__destroy(skel);
	return 0;
}
