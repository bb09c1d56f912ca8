/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The reference discipline of the kmem_cache iterator, for Spin: who may pin,
 * drop and destroy a slab cache, and where a walk goes on that was interrupted.
 *
 * Two files of the iterator are read in pieces, or one file and a bpf_for_each()
 * loop. At the same time owners destroy their caches, and one more is created, or
 * merged into an existing cache. Spin tries all interleavings of that. What must
 * hold is the list of properties below.
 *
 * Left out: objects, sysfs and what else belongs to a cache; the other locks and
 * barriers of kmem_cache_destroy(); the output but for whether it is thrown away;
 * a second open of a file. Memory is sequentially consistent.
 *
 * To be defined, or not, with -D:
 *
 *   LOOP            a loop in the place of the second file
 *   STEPS           each step by itself, also with slab_mutex held; see SECTION
 *   FIRST=n, NEW=n  how many caches there are at the start, and how many come
 *   BOOT=n          which of those at the start is a boot cache; else each, or none
 *   ONLY=property   report this one alone. A path ends where another is violated,
 *                   so an error is one that no other has led to.
 *
 * and one mistake, each with what it violates. The first two, PIN_NOT_COUNTED and
 * COUNT_UNLOCKED need STEPS.
 *
 *   DROP_BEFORE_PIN         use_after_free: next() gives the current cache up, and
 *                           then looks for its successor
 *   SPLIT_CRITICAL_SECTION  use_after_free: next() finds the successor in one
 *                           critical section, and pins it in another
 *   KEEP_NO_REFERENCE       use_after_free: a program runs for a cache that is not
 *                           pinned
 *   NO_CURSOR_HOOK          use_after_free: kmem_cache_destroy() moves no cursor
 *   CURSOR_NOT_REMOVED      cursor_use_after_free: the cursor of a file stays on
 *                           the list when that is closed
 *   PIN_NOT_COUNTED         double_destroy: a pin does not raise the count
 *   WORKER_TAKES_NONE       double_destroy: the worker has no reference for
 *                           kmem_cache_destroy() to give up
 *   WORKER_NOT_QUEUED       lost_destroy: the last reference is dropped, and nobody
 *                           destroys the cache
 *   NO_PIN_AT_0             use_after_free: what waits for the worker is not pinned
 *   COUNT_UNLOCKED          lost_destroy: a reference is dropped without slab_mutex
 *   STOP_KEEPS_REFERENCE    leaked_reference, lost_destroy: a read that stops does
 *                           not give its cache up
 *   COUNT_BOOT_CACHES       boot_cache: a pin changes the negative count, too
 *   DESTROY_LOCKED          mutex_at_destroy, and a deadlock if that is ignored:
 *                           kmem_cache_destroy() is called with slab_mutex held
 *   PROGRAM_LOCKED          mutex_in_program: slab_mutex is held from start() to
 *                           stop(), as in /proc/slabinfo
 *   INDEX_RESUME            skipped, shown_twice, shown_new: a read goes on at an
 *                           index, as C did
 *   HOOK_FOR_ANY_REFERENCE  skipped: kmem_cache_destroy() moves the cursors of a cache
 *                           that stays, since there are others who use it
 *   RESUME_STAYS            shown_twice: the cursor of a walk that goes on is still
 *                           on the list of the cache where it was paused
 *   HOOK_RESTARTS           shown_twice, shown_new: a cursor whose cache is
 *                           destroyed goes to before the first cache
 *   HOOK_MOVES_BACK         shown_twice, skipped: it goes to the cache before
 *   END_FORGOTTEN           shown_twice, shown_new: a read after the end begins again
 *   NEW_AT_TAIL             shown_new: new caches come last on the list
 */

mtype = {
	none,

	/* Use of a cache that is freed, or of its list node when that left the list. */
	use_after_free,
	/* Use of the cursor of a file that is closed. */
	cursor_use_after_free,
	/* kmem_cache_destroy() without a reference to give up, or a second free. */
	double_destroy,
	/* When all is over, a cache is left that has no owner. */
	lost_destroy,
	/* When all is over, a cache has more or fewer references than owners. */
	leaked_reference,
	/* When all is over, the count of the boot cache is not what it was. */
	boot_cache,

	/* slab_mutex is held by who calls a program, or kmem_cache_destroy(). */
	mutex_in_program,
	mutex_at_destroy,

	/* What is there from the first read to the end of the walk was not shown. */
	skipped,
	shown_twice,
	/* It was created after the first read began, that is, got the mutex. */
	shown_new
};

#ifdef ONLY
/* The first step keeps the `else` from being that of an `if` around it. */
#define MUST(property, condition) \
	true; \
	if \
	:: (condition) \
	:: else -> assert(property != ONLY); false \
	fi
#else
#define MUST(property, condition) assert((condition) || property == none)
#endif

/*
 * A critical section, as one atomic step. Nobody can see a difference, since the
 * list, the counts and the cursors are used only by who holds slab_mutex.
 *
 * In the same step is some of what is done without it: a program uses a cache, and
 * kmem_cache_destroy() uses it before, and frees it after. Freed memory stays freed,
 * so the uses are as late, and the free as early, as they can be.
 *
 * With STEPS, none of this is relied on.
 */
#ifdef STEPS
#define SECTION
#elif defined(DROP_BEFORE_PIN) || defined(SPLIT_CRITICAL_SECTION) || \
	defined(PIN_NOT_COUNTED) || defined(COUNT_UNLOCKED)
#error "This mistake is made between the steps: define STEPS."
#else
#define SECTION atomic
#endif

/*
 * The caches are numbered in the order in which they are created. An address is not
 * used again, so that no use of what was there before can go unnoticed.
 */
#ifndef FIRST
#define FIRST 3
#endif
#ifndef NEW
#define NEW 1
#endif
#define CACHES (FIRST + NEW)

#define HEAD CACHES	/* &slab_caches */
#define NULL (CACHES + 1)

/* Sets of caches, or of files. */
#define BIT(s) (1 << (s))
#define IN(set, s) (((set) >> (s)) & 1)

byte slab_mutex;	/* the _pid that holds it, or 0 */

byte list_next[CACHES + 1];
short refcount[CACHES];

byte created = FIRST;
byte listed;		/* on slab_caches */
byte allocated;		/* the memory is not freed */
byte owners[CACHES];	/* who have yet to call kmem_cache_destroy() */
bool queued;		/* destroy_unreferenced_work */
byte boot;

/* struct slab_cursor: next, and the cache on whose list it is, or NULL */
#define FILES 2
byte cursor[FILES];
byte cursor_on[FILES];
byte cursors_allocated;

byte walks;		/* files that are not closed, and loops that have not ended */

/* Used within one step, and 0 after it. */
byte node, file_no;

inline mutex_lock()
{
	atomic {
		slab_mutex == 0;
		slab_mutex = _pid
	}
}

inline mutex_unlock()
{
	slab_mutex = 0
}

/* mm/slab_common.c, from patches/: slab_cursors_skip() */
inline slab_cursors_skip(s)
{
#ifdef NO_CURSOR_HOOK
	skip
#else
	MUST(cursor_use_after_free,
	     (cursor_on[0] != s || IN(cursors_allocated, 0)) &&
	     (cursor_on[1] != s || IN(cursors_allocated, 1)));
	d_step {
		do
		:: file_no < FILES ->
			if
			:: cursor_on[file_no] == s ->
#if defined(HOOK_RESTARTS)
				cursor[file_no] = NULL;
				cursor_on[file_no] = NULL
#else
#ifdef HOOK_MOVES_BACK
				node = HEAD;
				do
				:: list_next[node] != s -> node = list_next[node]
				:: else -> break
				od;
				cursor[file_no] = node;
				node = 0;
#else
				cursor[file_no] = list_next[s];
#endif
				cursor_on[file_no] = (cursor[file_no] == HEAD -> NULL : cursor[file_no])
#endif
			:: else
			fi;
			file_no++
		:: else -> break
		od;
		file_no = 0
	}
#endif
}

inline list_add(s)
{
	d_step {
		node = HEAD;
#ifdef NEW_AT_TAIL
		do
		:: list_next[node] != HEAD -> node = list_next[node]
		:: else -> break
		od;
#endif
		list_next[s] = list_next[node];
		list_next[node] = s;
		listed = listed | BIT(s);
		node = 0
	}
}

inline list_del(s)
{
	d_step {
		node = HEAD;
		do
		:: list_next[node] != s -> node = list_next[node]
		:: else -> break
		od;
		list_next[node] = list_next[s];
		list_next[s] = NULL;
		listed = listed & ~BIT(s);
		node = 0
	}
}

/* mm/slab_common.c: kmem_cache_destroy() */
inline kmem_cache_destroy(s)
{
	SECTION {
		/* kasan_check_byte(), kvfree_rcu_barrier_on_cache() */
		atomic {
			MUST(mutex_at_destroy, slab_mutex != _pid);
			MUST(use_after_free, IN(allocated, s))
		}
		mutex_lock();
		atomic {
			MUST(use_after_free, IN(allocated, s));
			MUST(double_destroy, refcount[s] != 0 && IN(listed, s));
			refcount[s]--
		}
#ifdef HOOK_FOR_ANY_REFERENCE
		slab_cursors_skip(s);
#endif
		if
		:: refcount[s] != 0 -> mutex_unlock()
		:: else ->
#ifndef HOOK_FOR_ANY_REFERENCE
			slab_cursors_skip(s);
#endif
			list_del(s);
			mutex_unlock();
			/* kmem_cache_release() */
			atomic {
				MUST(double_destroy, IN(allocated, s));
				allocated = allocated & ~BIT(s)
			}
		fi;
		s = NULL
	}
}

/* slab_list.rs: SlabCaches::cache_at(), at the node `s` */
inline check_found(s)
{
	atomic {
		if
		:: s != HEAD ->
			MUST(use_after_free, IN(allocated, s) && IN(listed, s))
		:: else -> s = NULL
		fi
	}
}

/* slab_list.rs: SlabCaches::pin() */
inline pin(s)
{
#ifdef KEEP_NO_REFERENCE
	skip
#else
	if
	:: s != NULL ->
		MUST(use_after_free, IN(allocated, s));
#if defined(COUNT_BOOT_CACHES)
		refcount[s]++
#elif !defined(PIN_NOT_COUNTED)
		if
#ifdef NO_PIN_AT_0
		:: refcount[s] > 0 -> refcount[s]++
#else
		:: refcount[s] >= 0 -> refcount[s]++
#endif
		:: else
		fi
#endif
	:: else
	fi
#endif
}

/* slab_list.rs: SlabCaches::release() */
inline release(s)
{
	MUST(use_after_free, IN(allocated, s));
#if defined(KEEP_NO_REFERENCE)
	skip;
#elif defined(COUNT_UNLOCKED)
	mutex_unlock();
	count = refcount[s];
	if
	:: count > 0 -> refcount[s] = count - 1
	:: else
	fi;
	if
	:: count == 1 -> queued = true
	:: else
	fi;
	count = 0;
	mutex_lock();
#else
	if
#ifdef DESTROY_LOCKED
	:: refcount[s] == 1 -> kmem_cache_destroy(s)
#else
	:: refcount[s] == 1 ->
		refcount[s]--;
#ifndef WORKER_NOT_QUEUED
		queued = true
#endif
#endif
	:: refcount[s] > 1 -> refcount[s]--
	:: refcount[s] <= 0
	fi;
#endif
	s = NULL
}

/*
 * What a walk has: `v` is pinned, `old` is to be given up. `present` is the set of
 * the caches that were there when it began, `shown` is that of those shown.
 */
#define BEGUN 128	/* in `present` so that it is not empty; not a cache */

/* slab_mutex was taken for the first time. */
inline walk_begins()
{
	atomic {
		if
		:: watched && present == 0 -> present = listed | BEGUN
		:: else
		fi
	}
}

/* No other cache was found. slab_mutex is still held. */
inline walk_ends()
{
	MUST(skipped, (present & listed & ~shown) == 0)
}

/* What the program makes of `v` reaches its reader. */
inline is_shown()
{
	atomic {
		if
		:: watched ->
			MUST(shown_twice, !IN(shown, v));
			MUST(shown_new, IN(present, v));
			shown = shown | BIT(v)
		:: else
		fi
	}
}

/* A BPF program, for the cache `v` or for NULL. */
inline bpf_iter_run_prog()
{
	atomic {
		MUST(mutex_in_program, slab_mutex != _pid);
		MUST(use_after_free, v == NULL || IN(allocated, v))
	}
}

/* slab_list.rs: Reference::next() */
inline PinnedCache_next()
{
	old = v;
#ifdef DROP_BEFORE_PIN
	mutex_lock();
	release(v);
	mutex_unlock();
#endif
#ifndef PROGRAM_LOCKED
	mutex_lock();
#endif
	atomic {
		MUST(use_after_free, IN(allocated, old) && IN(listed, old));
		v = list_next[old]
	}
	check_found(v);
#ifdef SPLIT_CRITICAL_SECTION
	mutex_unlock();
	mutex_lock();
#endif
	pin(v);
	if
	:: v == NULL -> walk_ends()
	:: else
	fi;
#if defined(DROP_BEFORE_PIN)
	old = NULL;
	mutex_unlock()
#elif defined(PROGRAM_LOCKED)
	old = NULL
#else
	release(old);
	mutex_unlock()
#endif
}

/* slab_list.rs: Reference::resume() */
inline Cursor_resume()
{
	mutex_lock();
	walk_begins();
#ifdef INDEX_RESUME
	d_step {
		v = list_next[HEAD];
		do
		:: node < index && v != HEAD -> v = list_next[v]; node++
		:: else -> break
		od;
		node = 0
	}
#else
	v = (cursor[file] == NULL -> list_next[HEAD] : cursor[file]);
#endif
	/* mm/slab_common.c, from patches/: slab_cursor_resume() */
#ifndef RESUME_STAYS
	cursor_on[file] = NULL;
	paused = false;
#endif
#ifdef END_FORGOTTEN
	cursor[file] = NULL;
#else
	cursor[file] = HEAD;
#endif
	check_found(v);
	pin(v);
	if
	:: v == NULL -> walk_ends()
	:: else
	fi;
#ifndef PROGRAM_LOCKED
	mutex_unlock()
#endif
}

/* slab_list.rs: Reference::pause(), unless the walk has ended */
inline Cursor_pause()
{
	if
	:: v != NULL ->
#ifndef PROGRAM_LOCKED
		mutex_lock();
#endif
		/* mm/slab_common.c, from patches/: slab_cursor_pause() */
		cursor[file] = v;
		cursor_on[file] = v;
		paused = true;
#ifdef STOP_KEEPS_REFERENCE
		v = NULL;
#else
		release(v);
#endif
		mutex_unlock()
	:: else ->
#ifdef PROGRAM_LOCKED
		mutex_unlock()
#endif
	fi
}

/*
 * A file, its cursor, and who reads it: rust/kernel/bpf/iter.rs: TargetVTable, in the
 * order in which kernel/bpf/bpf_iter.c: bpf_seq_read() calls that. start() and next()
 * do not fail.
 */
proctype reader(byte file)
{
	byte v = NULL, old = NULL;
	byte present, shown;
	bool watched = (file == 0);	/* the other file is no different */
	bool paused;	/* the cursor is on a list, perhaps on that for the end */
#ifdef INDEX_RESUME
	byte index;
#endif
#ifdef COUNT_UNLOCKED
	short count;
#endif

	/* all zero */
	cursors_allocated = cursors_allocated | BIT(file);

	do
	:: /* start() */
		SECTION {
			Cursor_resume()
		}
		do
		:: /* show(), then next() */
			SECTION {
				v != NULL;
				bpf_iter_run_prog();
				is_shown();
#ifdef INDEX_RESUME
				index++;
#endif
				PinnedCache_next()
			}
		:: /*
		    * stop(): `v` is NULL, or there is no room for more, or for what the
		    * program has made of `v`: that is thrown away.
		    */
			SECTION {
				true;
				bpf_iter_run_prog();
				Cursor_pause()
			}
			break
		od
	:: break
	od;

	/* fini_seq_private(): slab_cursor_del() */
	SECTION {
		if
#ifndef CURSOR_NOT_REMOVED
		:: paused ->
			mutex_lock();
			cursor_on[file] = NULL;
			paused = false;
			mutex_unlock()
#endif
		:: else
		fi;
		atomic {
			cursors_allocated = cursors_allocated & ~BIT(file);
			present = 0;
			shown = 0;
			walks--
		}
	}
}

#ifdef LOOP
/* rust/kernel/bpf/iter/open_coded.rs: OpenCoded, and the loop in a BPF program. */
proctype loop()
{
	byte v = NULL, old = NULL;
	byte present, shown;
	bool watched = true;
#ifdef COUNT_UNLOCKED
	short count;
#endif

	/* next(): slab_list.rs: Reference::first() */
	SECTION {
		mutex_lock();
		walk_begins();
		v = list_next[HEAD];
		check_found(v);
		pin(v);
		mutex_unlock()
	}
	do
	:: /* the body, then next() */
		SECTION {
			v != NULL;
			bpf_iter_run_prog();
			is_shown();
			PinnedCache_next()
		}
	:: break
	od;
	/* drop() */
	if
	:: v != NULL ->
		SECTION {
			mutex_lock();
			release(v);
			mutex_unlock()
		}
	:: else
	fi;
	atomic {
		present = 0;
		shown = 0;
		walks--
	}
}
#endif

/* mm/slab_common.c, from patches/: destroy_unreferenced_fn() */
proctype worker()
{
	byte s = NULL;

	do
	:: atomic { queued -> queued = false };
		do
		:: atomic { /* with STEPS, too, lest there be too many states */
				mutex_lock();
				d_step {
					s = list_next[HEAD];
					do
					:: s != HEAD && refcount[s] != 0 -> s = list_next[s]
					:: else -> break
					od;
					s = (s == HEAD -> NULL : s)
				}
#ifndef WORKER_TAKES_NONE
				if
				:: s != NULL -> refcount[s] = 1
				:: else
				fi;
#endif
				mutex_unlock()
			}
			if
			:: s != NULL -> kmem_cache_destroy(s)
			:: else -> break
			fi
		od
	:: walks == 0 && !queued -> break
	od
}

/*
 * An owner of the cache `s` lets go of it, or does not. The latter changes nothing,
 * so there is no need to decide it while somebody could see a difference.
 */
inline let_go(s)
{
	if
	:: SECTION {
			owners[s]--;
			kmem_cache_destroy(s)
		}
	:: walks == 0
	fi
}

proctype owner(byte s)
{
	let_go(s)
}

/* mm/slab_common.c: __kmem_cache_create_args(), and kmem_cache_destroy() */
proctype creator()
{
	byte s;

	SECTION {
		/* find_mergeable(): what it finds depends on sizes and flags */
		select(s : 0 .. CACHES - 1);
		mutex_lock();
		if
		:: IN(listed, s) && s != boot -> refcount[s]++
		:: else ->
			/* create_cache() */
			atomic {
				s = created;
				created++;
				allocated = allocated | BIT(s)
			}
			refcount[s] = 1;
			list_add(s)
		fi;
		owners[s]++;
		mutex_unlock()
	}
	let_go(s)
}

init
{
	byte s;

	atomic {
#ifdef BOOT
		boot = BOOT;
#else
		select(boot : 0 .. FIRST);
		boot = (boot == FIRST -> NULL : boot);
#endif
		list_next[HEAD] = HEAD;
		do
		:: s < FIRST ->
			allocated = allocated | BIT(s);
			list_add(s);
			if
			:: s == boot -> refcount[s] = -1
			:: else ->
				refcount[s] = 1;
				owners[s] = 1;
				run owner(s)
			fi;
			s++
		:: s >= FIRST && s < CACHES ->
			list_next[s] = NULL;
			run creator();
			s++
		:: else -> break
		od;

		cursor[0] = NULL;
		cursor[1] = NULL;
		cursor_on[0] = NULL;
		cursor_on[1] = NULL;
		run worker();
		run reader(0);
#ifdef LOOP
		run loop();
#else
		run reader(1);
#endif
		walks = 2
	}

	/* Everybody has ended. */
	atomic {
		walks == 0 && _nr_pr == 1;
		s = 0;
		do
		:: s < created ->
			if
			:: s == boot -> MUST(boot_cache, refcount[s] == -1 && IN(listed, s))
			:: else ->
				MUST(lost_destroy, owners[s] > 0 || !IN(allocated, s));
				MUST(leaked_reference, owners[s] == 0 || refcount[s] == owners[s])
			fi;
			s++
		:: else -> break
		od
	}
}
