// SPDX-License-Identifier: GPL-2.0

//! The kernel's list of slab caches.
//!
//! Every slab cache is on the list `slab_caches`, which `slab_mutex` protects. `SlabCaches` is the
//! list with the mutex held: only through it is the list walked and a cache's reference count
//! changed. It does not leave this file, so that nobody can do with the mutex held what must not be
//! done then. What others get is [`PinnedCache`], a reference to one cache, and [`Cursor`], the
//! place where a walk of the list is interrupted.
//!
//! C header: [`mm/slab.h`](srctree/mm/slab.h)

use crate::bpf_iter::Entry;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    container_of,
    do_once_lite,
    interop::list::CListHead,
    prelude::*,
    sync::{
        Mutex,
        MutexGuard, //
    },
    types::Opaque,
    warn_on, //
};

/// An owned reference to a slab cache.
///
/// The cache stays on the list, and its memory valid, until the reference is given up: by
/// [`PinnedCache::next`], by [`Cursor::pause`], or by dropping it. These take `slab_mutex` for a
/// moment. So they are called in process context where sleeping is allowed, without `slab_mutex`.
/// A cache whose owner has let go of it meanwhile is destroyed by a worker.
///
/// # Invariants
///
/// The cache is on `slab_caches`, and either this owns one of the references that `refcount`
/// counts, or `refcount` is negative and the cache is never destroyed.
#[must_use = "the reference is given up at once when unused"]
pub(crate) struct PinnedCache(NonNull<bindings::kmem_cache>);

impl PinnedCache {
    /// Pins the first cache on the list, which is the newest.
    #[inline]
    pub(crate) fn first() -> Option<Self> {
        Self::at(None)
    }

    /// Pins the cache at `cursor`, or the first one. Unlike [`PinnedCache::next`], it is called
    /// once for many caches.
    #[cold]
    fn at(cursor: Option<&Cursor>) -> Option<Self> {
        let caches = SlabCaches::lock();
        let mut walk = match cursor {
            Some(cursor) => caches.at(cursor),
            None => caches.iter(),
        };

        walk.next().map(|cache| caches.pin(cache))
    }

    /// Pins the cache that follows, and gives this one up, both in one critical section.
    pub(crate) fn next(self) -> Option<Self> {
        let caches = SlabCaches::lock();
        let next = caches.after(&self).next().map(|cache| caches.pin(cache));

        caches.release(self);
        next
    }
}

impl Drop for PinnedCache {
    #[inline]
    fn drop(&mut self) {
        // INVARIANT: The reference moves into the copy. `self` is not used any more.
        SlabCaches::lock().release(PinnedCache(self.0));
    }
}

/// The place where a walk of the list goes on after it was interrupted.
///
/// Between [`Cursor::pause`] and [`Cursor::resume`] no reference to a cache is held: the cache at
/// which the walk goes on may be destroyed meanwhile, and the cursor then moves to its successor.
/// So a walk from the first [`Cursor::resume`] on sees each cache exactly once that exists all the
/// time, and no cache that is created later, since those are put at the head of the list.
///
/// All functions take `slab_mutex`, so they are called as it is said for [`PinnedCache`].
///
/// C counterpart: `struct slab_cursor` in [`mm/slab.h`](srctree/mm/slab.h)
///
/// # Invariants
///
/// The cursor was added by `slab_cursor_add()`. Its `next` is null before the first cache, and else
/// points at a member of `slab_caches`, be it a cache or the head. It is used only while
/// `slab_mutex` is held, and then by C, too.
#[pin_data(PinnedDrop)]
pub(crate) struct Cursor {
    #[pin]
    inner: Opaque<bindings::slab_cursor>,
}

// SAFETY: It is tied to no thread: whichever uses it holds `slab_mutex`, dropping it included.
unsafe impl Send for Cursor {}

impl Cursor {
    /// Creates a cursor before the first cache.
    #[inline]
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // SAFETY: `slab_cursor_add()` initialises the cursor. It is pinned, and taken off the
            // list of cursors before it goes away.
            //
            // INVARIANT: It was added by `slab_cursor_add()`.
            inner <- Opaque::ffi_init(|slot| unsafe { bindings::slab_cursor_add(slot) }),
        })
    }

    /// Pins the cache at which the walk goes on, or returns [`None`] at the end.
    ///
    /// The cursor stays where it is until [`Cursor::pause`].
    #[inline]
    pub(crate) fn resume(&self) -> Option<PinnedCache> {
        PinnedCache::at(Some(self))
    }

    /// Lets the walk go on at `cache`, or end for good, and gives the cache up, both in one
    /// critical section.
    #[inline]
    pub(crate) fn pause(&self, cache: Option<PinnedCache>) {
        let caches = SlabCaches::lock();

        caches.set(self, cache.as_ref());
        if let Some(cache) = cache {
            caches.release(cache);
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Cursor {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The cursor was added by the type invariants.
        unsafe { bindings::slab_cursor_del(self.inner.get()) };
    }
}

/// Checks that the current task can walk the list.
///
/// BPF programs can be called while their task creates a cache.
///
/// # Errors
///
/// `EDEADLK` if the task holds `slab_mutex`.
#[inline]
pub(crate) fn check_unlocked() -> Result {
    // SAFETY: This can be called anywhere.
    if unsafe { bindings::slab_mutex_is_mine() } {
        // The kernel crate of Linux 7.2 has no name for it.
        Err(Error::from_errno(-(bindings::EDEADLK as c_int)))
    } else {
        Ok(())
    }
}

// SAFETY: `into_raw` returns the pointer to a `struct kmem_cache`, which is aligned, and valid
// until the reference is given up. `DEFINE_BPF_ITER_FUNC()` in helpers.c defines
// `bpf_iter_kmem_cache()` with the two arguments.
unsafe impl Entry for PinnedCache {
    const TARGET: &'static CStr = c"kmem_cache";

    #[inline]
    fn btf_id() -> u32 {
        // SAFETY: `BTF_ID_LIST_GLOBAL_SINGLE()` in helpers.c makes it an array of one id, which
        // nobody writes once the kernel is linked.
        unsafe { *(&raw const bindings::bpf_kmem_cache_btf_id).cast() }
    }

    #[inline]
    fn into_raw(self) -> NonNull<c_void> {
        ManuallyDrop::new(self).0.cast()
    }

    #[inline]
    unsafe fn from_raw(ptr: NonNull<c_void>) -> Self {
        // INVARIANT: By the safety requirements, the reference that went into `into_raw` comes back
        // here, once.
        Self(ptr.cast())
    }
}

/// The list of all slab caches, with `slab_mutex` held.
///
/// Nothing that takes `slab_mutex` or `cpus_read_lock()`, and no BPF program, may run while it is
/// there.
///
/// # Invariants
///
/// `slab_mutex` is held.
#[must_use = "the list is unlocked at once when unused"]
struct SlabCaches {
    _guard: MutexGuard<'static, ()>,
}

impl SlabCaches {
    #[inline]
    fn lock() -> Self {
        // SAFETY: `slab_mutex` is statically initialised, and is never freed.
        let mutex: &'static Mutex<()> = unsafe { Mutex::from_raw(&raw mut bindings::slab_mutex) };

        // INVARIANT: The guard holds the mutex.
        Self {
            _guard: mutex.lock(),
        }
    }

    /// Walks all caches in list order, that is, from the newest to the oldest.
    #[inline]
    fn iter(&self) -> Iter<'_> {
        let head = self.head();

        // INVARIANT: The neighbour of a member of the list is one.
        Iter {
            next: head.next(),
            head,
        }
    }

    /// Walks the caches from `cursor` on, in list order.
    #[inline]
    fn at<'a>(&'a self, cursor: &Cursor) -> Iter<'a> {
        // SAFETY: `slab_mutex` is held by the type invariants, so nobody changes the cursor.
        let next = unsafe { (*cursor.inner.get()).next };

        if next.is_null() {
            return self.iter();
        }
        // INVARIANT: By the invariants of `Cursor`, `next` is a member of the list.
        Iter {
            // SAFETY: As above, and it is initialised. `slab_mutex` is held by the type invariants,
            // so nobody changes the list.
            next: unsafe { CListHead::from_raw(next) },
            head: self.head(),
        }
    }

    /// Moves `cursor` to `cache`, or past the last cache.
    #[inline]
    fn set(&self, cursor: &Cursor, cache: Option<&PinnedCache>) {
        let next = match cache {
            // SAFETY: The cache is valid by the invariants of `PinnedCache`.
            Some(cache) => unsafe { &raw mut (*cache.0.as_ptr()).list },
            None => &raw mut bindings::slab_caches,
        };

        // SAFETY: `slab_mutex` is held by the type invariants, so nobody else uses the cursor.
        //
        // INVARIANT: By the invariants of `PinnedCache`, the cache is on the list.
        unsafe { (*cursor.inner.get()).next = next };
    }

    /// Walks the caches that follow `cache`, in list order.
    #[inline]
    fn after<'a>(&'a self, cache: &'a PinnedCache) -> Iter<'a> {
        // SAFETY: By the invariants of `PinnedCache`, this is an initialised member of the list.
        // `slab_mutex` is held by the type invariants, so nobody changes the list.
        let node = unsafe { CListHead::from_raw(&raw mut (*cache.0.as_ptr()).list) };

        // INVARIANT: The neighbour of a member of the list is one.
        Iter {
            next: node.next(),
            head: self.head(),
        }
    }

    /// Takes a reference to `cache`, which keeps it on the list after the mutex is released.
    #[inline]
    fn pin(&self, cache: KmemCache<'_>) -> PinnedCache {
        let refcount = cache.refcount();

        // The boot caches' count is negative for good: they are never destroyed.
        if refcount > 0 {
            // One for each alias and each pin is far from wrapping.
            //
            // SAFETY: The cache is valid by the invariants of `KmemCache`. `slab_mutex` is held by
            // the type invariants, so nobody else uses the field.
            unsafe { (*cache.ptr.as_ptr()).refcount = refcount.wrapping_add(1) };
        }

        // INVARIANT: The reference was just taken, or is not needed.
        PinnedCache(cache.ptr)
    }

    /// Gives up `cache`.
    ///
    /// If nobody else is left, its owner has destroyed it while it was pinned, and could not
    /// finish. The same might not be possible here: it takes `cpus_read_lock()` and waits for RCU,
    /// and the caller may be a BPF program. So a worker of the slab code does it.
    #[inline]
    fn release(&self, cache: PinnedCache) {
        let cache = ManuallyDrop::new(cache).0;

        // SAFETY: The cache is valid by the invariants of `PinnedCache`. `slab_mutex` is held by
        // the type invariants, so nobody changes the field.
        let refcount = unsafe { (*cache.as_ptr()).refcount };

        if refcount > 1 {
            // SAFETY: As above. The reference is the one that `cache` owned.
            unsafe { (*cache.as_ptr()).refcount = refcount - 1 };
        } else if refcount == 1 {
            // SAFETY: `slab_mutex` is held by the type invariants. The only reference is the one
            // that `cache` owned.
            unsafe { bindings::kmem_cache_destroy_deferred(cache.as_ptr()) };
        }
    }

    #[inline]
    fn head(&self) -> &CListHead {
        // SAFETY: `slab_caches` is statically initialised, and never freed. `slab_mutex` is held by
        // the type invariants, so nobody changes the list.
        unsafe { CListHead::from_raw(&raw mut bindings::slab_caches) }
    }
}

/// A slab cache that was found on the list, with `slab_mutex` held.
///
/// It is a pointer, not a reference to `struct kmem_cache`: of the array at the end of that, the
/// kernel allocates no more than the machine needs.
///
/// # Invariants
///
/// The cache is on `slab_caches`, and `slab_mutex` is held, during the lifetime `'a`.
#[derive(Clone, Copy)]
struct KmemCache<'a> {
    ptr: NonNull<bindings::kmem_cache>,
    _caches: PhantomData<&'a SlabCaches>,
}

impl KmemCache<'_> {
    #[inline]
    fn refcount(self) -> c_int {
        // SAFETY: The cache is valid, and nobody changes the field, by the type invariants.
        unsafe { (*self.ptr.as_ptr()).refcount }
    }
}

/// Out of the way of the walk, which is in several places.
#[cold]
fn warn_unreferenced() {
    do_once_lite! { warn_on!(true); };
}

/// An iterator over slab caches, with `slab_mutex` held.
///
/// It passes over a cache that has no reference although it is on the list. There is none unless
/// something is broken, hence the warning.
///
/// # Invariants
///
/// `next` and `head` are on `slab_caches`, and `head` is its head. `slab_mutex` is held during the
/// lifetime `'a`.
struct Iter<'a> {
    next: &'a CListHead,
    head: &'a CListHead,
}

impl<'a> Iterator for Iter<'a> {
    type Item = KmemCache<'a>;

    #[inline]
    fn next(&mut self) -> Option<KmemCache<'a>> {
        loop {
            let node = self.next;
            if node == self.head {
                return None;
            }
            // INVARIANT: The neighbour of a member of the list is one.
            self.next = node.next();

            // SAFETY: All nodes of the list but its head are the `list` field of a slab cache.
            let ptr = unsafe { container_of!(node.as_raw(), bindings::kmem_cache, list) };
            // INVARIANT: The cache is on the list, and stays there while the mutex is held.
            let cache = KmemCache {
                // SAFETY: It is not null, since it contains `node`.
                ptr: unsafe { NonNull::new_unchecked(ptr) },
                _caches: PhantomData,
            };

            if cache.refcount() != 0 {
                return Some(cache);
            }
            warn_unreferenced();
        }
    }
}

#[cfg(CONFIG_BPF_KMEM_CACHE_ITER_RUST_KUNIT_TEST)]
#[kunit_tests(kmem_cache_iter_slab)]
mod tests {
    use super::*;
    use core::mem;
    use kernel::{
        str::CString,
        time::{
            delay::fsleep,
            Delta, //
        }, //
    };

    /// Of no cache of the kernel, with which one of the tests could be merged.
    const OBJECT_SIZE: c_uint = 30008;

    type CachePtr = *mut bindings::kmem_cache;

    /// A cache that the test owns.
    struct OwnedCache(NonNull<bindings::kmem_cache>);

    impl OwnedCache {
        fn new(number: u32) -> Result<Self> {
            Self::with_flags(number, 1 << bindings::_slab_flag_bits__SLAB_NO_MERGE)
        }

        fn with_flags(number: u32, flags: bindings::slab_flags_t) -> Result<Self> {
            let name = CString::try_from_fmt(fmt!("kmem_cache_iter_kunit_{number}"))?;
            let mut args: bindings::kmem_cache_args = pin_init::zeroed();

            // SAFETY: The arguments are valid. The name is copied.
            let cache = unsafe {
                bindings::__kmem_cache_create_args(
                    name.as_char_ptr(),
                    OBJECT_SIZE,
                    &mut args,
                    flags,
                )
            };

            Ok(Self(NonNull::new(cache).ok_or(ENOMEM)?))
        }

        fn ptr(&self) -> CachePtr {
            self.0.as_ptr()
        }

        fn refcount(&self) -> c_int {
            refcount(self.ptr())
        }
    }

    impl Drop for OwnedCache {
        fn drop(&mut self) {
            // SAFETY: The test owns the cache, and does not use it again.
            unsafe { bindings::kmem_cache_destroy(self.ptr()) };
        }
    }

    fn refcount(cache: CachePtr) -> c_int {
        let _caches = SlabCaches::lock();

        // SAFETY: The tests ask for caches on the list alone.
        unsafe { (*cache).refcount }
    }

    /// Whether `cache` is found while its count is 0, which nobody else sees.
    fn is_found_with_refcount_0(cache: &OwnedCache) -> bool {
        let caches = SlabCaches::lock();
        // SAFETY: The cache is on the list, of which the mutex is held.
        let before = unsafe { mem::replace(&mut (*cache.ptr()).refcount, 0) };
        let found = caches.iter().any(|other| other.ptr == cache.0);

        // SAFETY: As above.
        unsafe { (*cache.ptr()).refcount = before };
        found
    }

    fn on_list(cache: CachePtr) -> bool {
        SlabCaches::lock()
            .iter()
            .any(|other| other.ptr.as_ptr() == cache)
    }

    /// Whether the cache leaves the list, once a worker has come to it.
    fn leaves_list(cache: CachePtr) -> bool {
        (0..1000).any(|_| {
            fsleep(Delta::from_millis(10));
            !on_list(cache)
        })
    }

    /// A cache that is there since boot, and its count.
    fn boot_cache() -> Option<(CachePtr, c_int)> {
        let caches = SlabCaches::lock();
        let boot = caches.iter().find(|cache| cache.refcount() < 0)?;

        Some((boot.ptr.as_ptr(), boot.refcount()))
    }

    /// Goes on from `pin` to `cache`, past those that somebody else creates meanwhile.
    fn walk_to(mut pin: Option<PinnedCache>, cache: &OwnedCache) -> Option<PinnedCache> {
        while let Some(other) = pin.take_if(|pin| pin.0 != cache.0) {
            pin = other.next();
        }
        pin
    }

    fn pin(cache: &OwnedCache) -> Option<PinnedCache> {
        walk_to(PinnedCache::first(), cache)
    }

    #[test]
    fn newest_first() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;

        assert!(walk_to(pin(&b), &a).is_some());
        assert!(walk_to(pin(&a), &b).is_none());
        Ok(())
    }

    #[test]
    fn one_reference_to_current() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;

        let pin = pin(&b);
        assert_eq!((b.refcount(), a.refcount()), (2, 1));
        let pin = walk_to(pin, &a);
        assert_eq!((b.refcount(), a.refcount()), (1, 2));
        drop(pin);
        assert_eq!((b.refcount(), a.refcount()), (1, 1));
        Ok(())
    }

    #[test]
    fn boot_cache_untouched() {
        let Some((boot, before)) = boot_cache() else {
            assert!(false);
            return;
        };

        let mut pin = PinnedCache::first();
        while let Some(other) = pin.take_if(|pin| pin.0.as_ptr() != boot) {
            pin = other.next();
        }
        assert!(pin.is_some());
        assert_eq!(refcount(boot), before);
        drop(pin);
        assert_eq!(refcount(boot), before);
        assert!(on_list(boot));
    }

    #[test]
    fn warns_of_refcount_0() -> Result {
        let broken = OwnedCache::new(1)?;

        // SAFETY: The task runs a test.
        let test = unsafe { bindings::kunit_get_current_test() };
        // SAFETY: As above.
        let warnings = unsafe { bindings::kunit_start_suppress_warning(test) };
        let found = is_found_with_refcount_0(&broken);
        // SAFETY: They were started above.
        let count = unsafe { bindings::kunit_suppressed_warning_count(warnings) };
        // SAFETY: As above.
        unsafe { bindings::kunit_end_suppress_warning(test, warnings) };

        assert!(!found);
        // It warns once, so a second run of the tests would see none.
        assert_eq!(count, 1);
        Ok(())
    }

    #[test]
    fn drop_destroys_what_its_owner_let_go() -> Result {
        let cache = OwnedCache::new(1)?;
        let ptr = cache.ptr();

        let pin = pin(&cache);
        drop(cache);
        assert!(on_list(ptr));
        assert_eq!(refcount(ptr), 1);
        drop(pin);
        assert!(leaves_list(ptr));
        Ok(())
    }

    #[test]
    fn next_destroys_what_its_owner_let_go() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;
        let ptr = b.ptr();

        let pin = pin(&b);
        drop(b);
        assert!(on_list(ptr));
        assert!(walk_to(pin, &a).is_some());
        assert!(leaves_list(ptr));
        Ok(())
    }

    #[test]
    fn two_pins_of_one_cache() -> Result {
        let cache = OwnedCache::new(1)?;
        let ptr = cache.ptr();

        let first = pin(&cache);
        let second = pin(&cache);
        assert_eq!(refcount(ptr), 3);
        drop(cache);
        drop(first);
        assert_eq!(refcount(ptr), 1);
        drop(second);
        assert!(leaves_list(ptr));
        Ok(())
    }

    fn skip() {
        // SAFETY: The task runs a test.
        let test = unsafe { bindings::kunit_get_current_test() };

        // SAFETY: As above. The status is the test's to set.
        unsafe { (*test).status = bindings::kunit_status_KUNIT_SKIPPED };
    }

    /// A cache that nobody but a pin holds is merged with a new one, and so has an owner again.
    #[test]
    fn alias_of_what_its_owner_let_go() -> Result {
        let cache = OwnedCache::with_flags(1, 0)?;
        let ptr = cache.ptr();
        assert_eq!(refcount(ptr), 1);

        let pin = pin(&cache);
        assert!(pin.is_some());
        drop(cache);
        let alias = OwnedCache::with_flags(2, 0)?;
        if alias.ptr() != ptr {
            // As with SLUB_DEBUG_ON.
            skip();
            return Ok(());
        }
        assert_eq!(refcount(ptr), 2);
        drop(pin);
        assert_eq!(refcount(ptr), 1);
        drop(alias);
        assert!(!on_list(ptr));
        Ok(())
    }

    #[test]
    fn unlocked_unless_locked_here() {
        assert!(check_unlocked().is_ok());
        let caches = SlabCaches::lock();
        assert!(check_unlocked().is_err());
        drop(caches);
        assert!(check_unlocked().is_ok());
    }

    #[test]
    fn cursor_resumes_where_it_paused() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;
        let cursor = KBox::pin_init(Cursor::new(), GFP_KERNEL)?;

        cursor.pause(walk_to(cursor.resume(), &a));
        assert_eq!((b.refcount(), a.refcount()), (1, 1));
        assert!(cursor.resume().is_some_and(|pin| pin.0 == a.0));
        assert!(walk_to(cursor.resume(), &b).is_none());
        Ok(())
    }

    #[test]
    fn cursor_moves_on_when_its_cache_is_destroyed() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;
        let c = OwnedCache::new(3)?;
        let cursor = KBox::pin_init(Cursor::new(), GFP_KERNEL)?;
        let other = KBox::pin_init(Cursor::new(), GFP_KERNEL)?;

        cursor.pause(walk_to(cursor.resume(), &c));
        other.pause(walk_to(other.resume(), &c));
        drop(c);
        drop(b);
        assert!(walk_to(cursor.resume(), &a).is_some());
        assert!(walk_to(other.resume(), &a).is_some());
        Ok(())
    }

    #[test]
    fn cursor_passes_no_new_cache() -> Result {
        let a = OwnedCache::new(1)?;
        let cursor = KBox::pin_init(Cursor::new(), GFP_KERNEL)?;

        let b = OwnedCache::new(2)?;
        cursor.pause(walk_to(cursor.resume(), &b));
        let c = OwnedCache::new(3)?;
        assert!(walk_to(cursor.resume(), &c).is_none());
        assert!(walk_to(walk_to(cursor.resume(), &b), &a).is_some());

        cursor.pause(None);
        assert!(cursor.resume().is_none());
        let _d = OwnedCache::new(4)?;
        assert!(cursor.resume().is_none());
        Ok(())
    }
}
