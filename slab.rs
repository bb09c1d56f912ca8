// SPDX-License-Identifier: GPL-2.0

//! Slab caches that somebody holds, and walks of the list of all slab caches.
//!
//! [`PinnedCache`] is a reference to one cache, and [`Cursor`] the place where a walk is
//! interrupted. Dropping them can take `slab_mutex`, so neither is used with the mutex held. Only
//! [`slab_list`](crate::slab_list) holds it, and does not know them.
//!
//! C header: [`mm/slab.h`](srctree/mm/slab.h)

use crate::slab_list::Reference;
use core::{
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    bpf::iter::{
        TargetBtf,
        Trust, //
    },
    prelude::*,
    types::{
        ForeignOwnable,
        Opaque, //
    }, //
};

/// An owned reference to a slab cache.
///
/// The cache stays on the list, and its memory valid, until the reference is given up: by
/// [`PinnedCache::next`], by [`Cursor::pause`], or by dropping it. These take `slab_mutex` for a
/// moment. So they are called in process context where sleeping is allowed, without `slab_mutex`.
/// A cache whose owner has let go of it meanwhile is destroyed by a worker.
#[must_use = "the reference is given up at once when unused"]
pub(crate) struct PinnedCache(ManuallyDrop<Reference>);

impl PinnedCache {
    fn new(reference: Reference) -> Self {
        Self(ManuallyDrop::new(reference))
    }

    /// Pins the first cache on the list, which is the newest.
    #[inline]
    pub(crate) fn first() -> Option<Self> {
        Reference::first().map(Self::new)
    }

    /// Pins the cache that follows, and gives this one up, both in one critical section.
    #[inline]
    pub(crate) fn next(self) -> Option<Self> {
        self.into_reference().next().map(Self::new)
    }

    fn into_reference(self) -> Reference {
        let mut this = ManuallyDrop::new(self);

        // SAFETY: `this` is not used again, and its destructor does not run.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl Drop for PinnedCache {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `self` is not used again.
        unsafe { ManuallyDrop::take(&mut self.0) }.release();
    }
}

/// The place where a walk of the list goes on after it was interrupted. All zero, it is before the
/// first cache.
///
/// Between [`Cursor::pause`] and [`Cursor::resume`] no reference to a cache is held: the cache at
/// which the walk goes on may be destroyed meanwhile, and the cursor then moves to its successor.
/// So a walk from the first [`Cursor::resume`] on sees each cache exactly once that exists all the
/// time, and no cache that is created later, since those are put at the head of the list.
///
/// All functions take `slab_mutex`, and so does dropping a cursor that is paused. They are called
/// where those of [`PinnedCache`] can be.
///
/// C counterpart: `struct slab_cursor` in [`mm/slab.h`](srctree/mm/slab.h)
///
/// # Invariants
///
/// `inner` is zero, or as `slab_cursor_resume()` or `slab_cursor_pause()` left it. While it is
/// paused, only who holds `slab_mutex` changes it, the slab code included. Otherwise only this has
/// it.
#[derive(Zeroable)]
#[pin_data(PinnedDrop)]
pub(crate) struct Cursor {
    #[pin]
    inner: Opaque<bindings::slab_cursor>,
}

// SAFETY: It is tied to no thread: a mutex protects what the slab code shares of it.
unsafe impl Send for Cursor {}

impl Cursor {
    /// Pins the cache at which the walk goes on, or returns [`None`] at the end.
    ///
    /// The walk has ended then, unless it is paused again.
    #[inline]
    pub(crate) fn resume(self: Pin<&mut Self>) -> Option<PinnedCache> {
        // SAFETY: By the type invariants, it is zero or as the slab code left it, and it is pinned.
        unsafe { Reference::resume(self.inner.get()) }.map(PinnedCache::new)
    }

    /// Lets the walk go on at `cache`, and gives the cache up, both in one critical section.
    #[inline]
    pub(crate) fn pause(self: Pin<&mut Self>, cache: PinnedCache) {
        // SAFETY: By the type invariants, it is zero or as the slab code left it. It is pinned, and
        // the walk given up when it is dropped.
        unsafe { cache.into_reference().pause(self.inner.get()) };
    }
}

#[pinned_drop]
impl PinnedDrop for Cursor {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        let cursor = self.inner.get();

        // As `slab_cursor_del()` does. Nearly all files are closed where they are not paused, and
        // this saves the call.
        //
        // SAFETY: By the type invariants, it is a cursor. The slab code may move it to another
        // cache meanwhile, by which the pointer does not become null.
        if unsafe { (&raw const (*cursor).node.pprev).read_volatile() }.is_null() {
            return;
        }
        // SAFETY: By the type invariants, it is a cursor. `slab_mutex` is not held, as for all
        // functions of this type.
        unsafe { bindings::slab_cursor_del(cursor) };
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

// SAFETY: The pointer is to a `struct kmem_cache`, so it is not null, and is aligned like one.
unsafe impl ForeignOwnable for PinnedCache {
    const FOREIGN_ALIGN: usize = align_of::<bindings::kmem_cache>();

    // Rust looks at no cache that it has lent to a BPF program.
    type Borrowed<'a> = ();
    type BorrowedMut<'a> = ();

    fn into_foreign(self) -> *mut c_void {
        self.into_reference().into_raw().as_ptr().cast()
    }

    unsafe fn from_foreign(ptr: *mut c_void) -> Self {
        // SAFETY: By the safety requirements, it comes from `into_foreign`, so it is not null, and
        // comes from `Reference::into_raw` there.
        Self::new(unsafe { Reference::from_raw(NonNull::new_unchecked(ptr.cast())) })
    }

    unsafe fn borrow<'a>(_ptr: *mut c_void) -> Self::Borrowed<'a> {}

    unsafe fn borrow_mut<'a>(_ptr: *mut c_void) -> Self::BorrowedMut<'a> {}
}

/// What helpers.c has of the target `kmem_cache` for BTF.
//
// SAFETY: `DEFINE_BPF_ITER_FUNC()` in helpers.c defines `bpf_iter_kmem_cache()` with the two
// arguments, the second of which is a `struct kmem_cache *`. Of such a cache, a `PinnedCache` is a
// reference that keeps it alive, and anybody can take another one.
pub(crate) const ITER_BTF: TargetBtf<PinnedCache> =
    unsafe { TargetBtf::new(c"kmem_cache", Trust::Trusted) };

#[cfg(CONFIG_BPF_KMEM_CACHE_ITER_RUST_KUNIT_TEST)]
#[kunit_tests(kmem_cache_iter_slab)]
mod tests {
    use super::*;
    use crate::slab_list::with_caches;
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
        // SAFETY: The tests ask for caches on the list alone.
        with_caches(|_| unsafe { (*cache).refcount })
    }

    fn on_list(cache: CachePtr) -> bool {
        with_caches(|mut caches| caches.any(|other| other == cache))
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
        with_caches(|caches| {
            caches
                // SAFETY: It is on the list, of which the mutex is held.
                .map(|cache| (cache, unsafe { (*cache).refcount }))
                .find(|&(_, refcount)| refcount < 0)
        })
    }

    fn is_at(pin: &PinnedCache, cache: CachePtr) -> bool {
        pin.0.as_ptr() == cache
    }

    /// Goes on from `pin` to `cache`, past those that somebody else creates meanwhile.
    fn walk_to(mut pin: Option<PinnedCache>, cache: &OwnedCache) -> Option<PinnedCache> {
        while let Some(other) = pin.take_if(|pin| !is_at(pin, cache.ptr())) {
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
        while let Some(other) = pin.take_if(|pin| !is_at(pin, boot)) {
            pin = other.next();
        }
        assert!(pin.is_some());
        assert_eq!(refcount(boot), before);
        drop(pin);
        assert_eq!(refcount(boot), before);
        assert!(on_list(boot));
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
            // As with SLUB_DEBUG_ON. The next test has a cache of the same name.
            drop(pin);
            assert!(leaves_list(ptr));
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
        assert!(with_caches(|_| check_unlocked()).is_err());
        assert!(check_unlocked().is_ok());
    }

    fn new_cursor() -> Result<Pin<KBox<Cursor>>> {
        KBox::pin_init(pin_init::init_zeroed(), GFP_KERNEL)
    }

    /// Pauses at `cache`, which is expected to be ahead.
    fn pause_at(mut cursor: Pin<&mut Cursor>, cache: &OwnedCache) {
        let pin = walk_to(cursor.as_mut().resume(), cache);

        assert!(pin.is_some());
        if let Some(pin) = pin {
            cursor.pause(pin);
        }
    }

    #[test]
    fn cursor_resumes_where_it_paused() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;
        let mut cursor = new_cursor()?;

        pause_at(cursor.as_mut(), &a);
        assert_eq!((b.refcount(), a.refcount()), (1, 1));
        let pin = cursor.as_mut().resume();
        assert!(pin.as_ref().is_some_and(|pin| is_at(pin, a.ptr())));
        assert!(walk_to(pin, &b).is_none());
        Ok(())
    }

    #[test]
    fn cursor_ends_unless_it_is_paused() -> Result {
        let a = OwnedCache::new(1)?;
        let mut cursor = new_cursor()?;

        assert!(walk_to(cursor.as_mut().resume(), &a).is_some());
        drop(a);
        assert!(cursor.as_mut().resume().is_none());
        let _b = OwnedCache::new(2)?;
        assert!(cursor.as_mut().resume().is_none());
        Ok(())
    }

    #[test]
    fn cursors_move_on_when_their_cache_is_destroyed() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;
        let c = OwnedCache::new(3)?;
        let mut cursor = new_cursor()?;
        let mut other = new_cursor()?;
        let mut gone = new_cursor()?;

        pause_at(cursor.as_mut(), &c);
        pause_at(other.as_mut(), &b);
        pause_at(gone.as_mut(), &c);
        drop(c);
        drop(gone);
        drop(b);
        assert!(walk_to(cursor.as_mut().resume(), &a).is_some());
        assert!(walk_to(other.as_mut().resume(), &a).is_some());
        Ok(())
    }

    /// Whether somebody's walk is paused there. Nobody else reads the iterator meanwhile.
    fn has_cursors(cache: &OwnedCache) -> bool {
        // SAFETY: The cache is on the list, of which the mutex is held.
        with_caches(|_| unsafe { !(*cache.ptr()).cursors.first.is_null() })
    }

    #[test]
    fn only_paused_cursors_are_known() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;
        let mut cursor = new_cursor()?;

        assert!(!has_cursors(&b));
        pause_at(cursor.as_mut(), &b);
        assert!(has_cursors(&b) && !has_cursors(&a));
        let pin = cursor.as_mut().resume();
        assert!(!has_cursors(&b));
        if let Some(pin) = pin {
            cursor.as_mut().pause(pin);
        }
        assert!(has_cursors(&b));
        drop(b);
        assert!(has_cursors(&a));
        drop(cursor);
        assert!(!has_cursors(&a));
        Ok(())
    }

    #[test]
    fn cursor_resumed_while_its_cache_goes() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;
        let ptr = b.ptr();
        let mut cursor = new_cursor()?;

        pause_at(cursor.as_mut(), &b);
        let pin = cursor.as_mut().resume();
        drop(b);
        assert!(on_list(ptr));
        if let Some(pin) = pin {
            cursor.as_mut().pause(pin);
        }
        assert!(leaves_list(ptr));
        let pin = walk_to(cursor.as_mut().resume(), &a);
        assert!(pin.is_some());
        Ok(())
    }

    /// An owner of a merged cache lets go: the cursor stays, since the cache does.
    #[test]
    fn cursor_at_what_has_another_owner() -> Result {
        let cache = OwnedCache::with_flags(1, 0)?;
        let alias = OwnedCache::with_flags(2, 0)?;
        let mut cursor = new_cursor()?;

        if alias.ptr() != cache.ptr() {
            // As with SLUB_DEBUG_ON.
            skip();
            return Ok(());
        }
        pause_at(cursor.as_mut(), &cache);
        drop(alias);
        assert!(has_cursors(&cache));
        let pin = cursor.as_mut().resume();
        assert!(pin.is_some_and(|pin| is_at(&pin, cache.ptr())));
        Ok(())
    }

    #[test]
    fn cursor_drops_without_the_mutex_unless_it_is_paused() -> Result {
        let a = OwnedCache::new(1)?;
        let mut cursor = new_cursor()?;

        assert!(walk_to(cursor.as_mut().resume(), &a).is_some());
        // If it took the mutex, it would wait for itself.
        with_caches(|_| drop(cursor));
        Ok(())
    }

    #[test]
    fn cursor_passes_no_new_cache() -> Result {
        let a = OwnedCache::new(1)?;
        let b = OwnedCache::new(2)?;
        let mut cursor = new_cursor()?;

        pause_at(cursor.as_mut(), &b);
        let c = OwnedCache::new(3)?;
        let pin = cursor.as_mut().resume();
        assert!(pin.as_ref().is_some_and(|pin| is_at(pin, b.ptr())));
        let pin = walk_to(pin, &a);
        assert!(pin.is_some());
        assert!(walk_to(pin, &c).is_none());
        Ok(())
    }
}
