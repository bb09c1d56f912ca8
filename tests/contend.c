// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads that contend for a lock inside a slab object, and then for another one:
 * task_struct.perf_event_mutex, and the rwsem of the inode of a file on tmpfs. Each of
 * them is held nearly all the time, and for long: the guest's clock can be coarse, and
 * perf does not show a lock for which the waits come to nothing.
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

#define EVENTS		150
#define WRITES		200

static int events[EVENTS];
static atomic_int left = EVENTS;
static int file;

static void write_to_file(void)
{
	static const char data[1 << 20];
	int i;

	for (i = 0; i < WRITES; i++) {
		if (pwrite(file, data, sizeof(data), 0) != sizeof(data))
			err(1, "write");
	}
}

static void *close_events(void *unused)
{
	for (; left; left--)
		close(events[left - 1]);
	write_to_file();
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
		if (prctl(PR_TASK_PERF_EVENTS_ENABLE) || prctl(PR_TASK_PERF_EVENTS_DISABLE))
			err(1, "prctl");
	}
	write_to_file();
	pthread_join(thread, NULL);
	return 0;
}
