// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads that contend for two locks inside slab objects:
 * task_struct.perf_event_mutex, and the rwsem of the inode of a file on tmpfs.
 *
 * The first thread owns perf events, and goes through them with the mutex held. The
 * other one closes them, for which it needs the mutex of their owner.
 */
#include <err.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVENTS		200
#define WRITES		10

static int events[EVENTS];
static atomic_int left = EVENTS;
static int file;

static void write_to_file(void)
{
	static const char data[1 << 16];

	if (pwrite(file, data, sizeof(data), 0) != sizeof(data))
		err(1, "write");
}

static void *close_events(void *unused)
{
	int i;

	for (; left; left--) {
		for (i = 0; i < WRITES; i++)
			write_to_file();
		close(events[left - 1]);
	}
	return unused;
}

int main(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};
	char path[] = "/tmp/contend.XXXXXX";
	pthread_t thread;
	int i;

	file = mkstemp(path);
	if (file < 0)
		err(1, "%s", path);
	unlink(path);
	for (i = 0; i < EVENTS; i++) {
		events[i] = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
		if (events[i] < 0)
			err(1, "perf_event_open");
	}

	errno = pthread_create(&thread, NULL, close_events, NULL);
	if (errno)
		err(1, "pthread_create");
	while (left) {
		if (prctl(PR_TASK_PERF_EVENTS_DISABLE))
			err(1, "prctl");
		write_to_file();
	}
	pthread_join(thread, NULL);
	return 0;
}
