// SPDX-License-Identifier: GPL-2.0

//! The kernel's list of slab caches, with `slab_mutex` held.
//!
//! Every slab cache is on the list `slab_caches`, which the mutex protects. `SlabCaches` is the
//! list with the mutex held: only through it is the list walked and a cache's reference count
//! changed. It does not leave this file. What others get is [`Reference`], each function of which
//! is one critical section.
//!
//! Nothing here takes the mutex when it is dropped: see [`slab`](crate::slab) for that.
//!
//! C header: [`mm/slab.h`](srctree/mm/slab.h)

use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    container_of,
    interop::list::CListHead,
    prelude::*,
    sync::{
        Mutex,
        MutexGuard, //
    }, //
};

/// An owned reference to a slab cache, which keeps it on the list.
///
/// It is lost when it is dropped: only [`Reference::release`] and its like give it up.
///
/// All functions but the conversions take `slab_mutex` for a moment. So they are called in process
/// context where sleeping is allowed, without `slab_mutex`.
///
/// # Invariants
///
/// The cache is on `slab_caches`, and either this owns one of the references that `refcount`
/// counts, or `refcount` is negative and the cache is never destroyed.
#[must_use = "the reference is lost when unused"]
pub(crate) struct Reference(NonNull<bindings::kmem_cache>);

// SAFETY: Any thread can give it up: `slab_mutex` protects the count.
unsafe impl Send for Reference {}

impl Reference {
    /// Takes a reference to the first cache on the list, which is the newest.
    #[inline]
    pub(crate) fn first() -> Option<Self> {
        let caches = SlabCaches::lock();

        caches.first().map(|cache| caches.pin(cache))
    }

    /// Takes a reference to the cache that follows, and gives this one up.
    #[inline]
    pub(crate) fn next(self) -> Option<Self> {
        let caches = SlabCaches::lock();
        let next = caches.after(&self).map(|cache| caches.pin(cache));

        caches.release(self);
        next
    }

    /// Gives the reference up.
    #[inline]
    pub(crate) fn release(self) {
        SlabCaches::lock().release(self);
    }

    /// Takes a reference to the cache at which the walk of `cursor` goes on.
    ///
    /// # Safety
    ///
    /// `cursor` must be zero, or as `slab_cursor_resume()` or `slab_cursor_pause()` left it, and
    /// only the slab code may use it meanwhile.
    #[inline]
    pub(crate) unsafe fn resume(cursor: *mut bindings::slab_cursor) -> Option<Self> {
        let caches = SlabCaches::lock();

        // SAFETY: By the safety requirements, it is zero or as the slab code left it, and nobody
        // else uses it.
        unsafe { caches.resume(cursor) }.map(|cache| caches.pin(cache))
    }

    /// Lets the walk of `cursor` go on at this cache, and gives the reference up.
    ///
    /// # Safety
    ///
    /// As for [`Reference::resume`]. Until the walk is resumed or given up, `cursor` must not move.
    #[inline]
    pub(crate) unsafe fn pause(self, cursor: *mut bindings::slab_cursor) {
        let caches = SlabCaches::lock();

        // SAFETY: By the safety requirements, it is a cursor that does not move. `slab_mutex` is
        // held, and the cache is on the list by the type invariants.
        unsafe { bindings::slab_cursor_pause(cursor, self.0.as_ptr()) };
        caches.release(self);
    }

    /// Returns the pointer to the cache, for tests.
    #[cfg(CONFIG_BPF_KMEM_CACHE_ITER_RUST_KUNIT_TEST)]
    pub(crate) fn as_ptr(&self) -> *mut bindings::kmem_cache {
        self.0.as_ptr()
    }

    /// Turns the reference into the pointer to its cache.
    pub(crate) fn into_raw(self) -> NonNull<bindings::kmem_cache> {
        self.0
    }

    /// Turns the pointer into the reference again.
    ///
    /// # Safety
    ///
    /// `cache` must come from [`Reference::into_raw`], and must not be used again.
    pub(crate) unsafe fn from_raw(cache: NonNull<bindings::kmem_cache>) -> Self {
        // INVARIANT: By the safety requirements, the reference that went into `into_raw` comes back
        // here, once.
        Self(cache)
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

    /// Finds the newest cache.
    fn first(&self) -> Option<KmemCache<'_>> {
        self.cache_at(self.head().next())
    }

    /// Finds the cache that follows, which is older.
    fn after(&self, cache: &Reference) -> Option<KmemCache<'_>> {
        // SAFETY: By the invariants of `Reference`, this is an initialised member of the list.
        // `slab_mutex` is held by the type invariants, so nobody changes the list.
        let node = unsafe { CListHead::from_raw(&raw mut (*cache.0.as_ptr()).list) };

        self.cache_at(node.next())
    }

    /// Finds the cache at which the walk of `cursor` goes on.
    ///
    /// # Safety
    ///
    /// As for [`Reference::resume`].
    #[inline]
    unsafe fn resume(&self, cursor: *mut bindings::slab_cursor) -> Option<KmemCache<'_>> {
        // SAFETY: By the safety requirements, it is a cursor. `slab_mutex` is held by the type
        // invariants.
        let cache = unsafe { bindings::slab_cursor_resume(cursor) };

        // INVARIANT: It is on the list, and stays there while the mutex is held.
        NonNull::new(cache).map(|ptr| KmemCache {
            ptr,
            _caches: PhantomData,
        })
    }

    /// Takes a reference to `cache`, which keeps it on the list after the mutex is released.
    fn pin(&self, cache: KmemCache<'_>) -> Reference {
        let refcount = cache.refcount();

        // The boot caches' count is negative for good: they are never destroyed. If it is 0, a
        // worker is about to destroy the cache, and can do so later.
        if refcount >= 0 {
            // One for each alias and each pin is far from wrapping.
            //
            // SAFETY: The cache is valid by the invariants of `KmemCache`. `slab_mutex` is held by
            // the type invariants, so nobody else uses the field.
            unsafe { (*cache.ptr.as_ptr()).refcount = refcount.wrapping_add(1) };
        }

        // INVARIANT: The reference was just taken, or is not needed.
        Reference(cache.ptr)
    }

    /// Gives a reference up.
    ///
    /// If nobody else is left, its owner has destroyed it while it was pinned, and could not
    /// finish. The same might not be possible here: it takes `cpus_read_lock()` and waits for RCU,
    /// and the caller may be a BPF program. So a worker of the slab code does it.
    #[inline]
    fn release(&self, cache: Reference) {
        let cache = cache.0.as_ptr();

        // SAFETY: The cache is valid by the invariants of `Reference`. `slab_mutex` is held by the
        // type invariants, so nobody changes the field.
        let refcount = unsafe { (*cache).refcount };

        if refcount > 0 {
            // SAFETY: As above. The reference is the one that the argument owned.
            unsafe { (*cache).refcount = refcount - 1 };
        }
        if refcount == 1 {
            // SAFETY: This can be called wherever `slab_mutex` can be taken.
            unsafe { bindings::kmem_cache_destroy_unreferenced() };
        }
    }

    /// Returns the cache whose list node this is, unless it is the head.
    fn cache_at<'a>(&'a self, node: &'a CListHead) -> Option<KmemCache<'a>> {
        if node == self.head() {
            return None;
        }

        // SAFETY: All nodes of the list but its head are the `list` field of a slab cache.
        let ptr = unsafe { container_of!(node.as_raw(), bindings::kmem_cache, list) };
        // INVARIANT: The cache is on the list, and stays there while the mutex is held.
        Some(KmemCache {
            // SAFETY: It is not null, since it contains `node`.
            ptr: unsafe { NonNull::new_unchecked(ptr) },
            _caches: PhantomData,
        })
    }

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
    fn refcount(self) -> c_int {
        // SAFETY: The cache is valid, and nobody changes the field, by the type invariants.
        unsafe { (*self.ptr.as_ptr()).refcount }
    }
}

/// Calls `f` with the mutex held, for all caches in list order.
#[cfg(CONFIG_BPF_KMEM_CACHE_ITER_RUST_KUNIT_TEST)]
pub(crate) fn with_caches<R>(f: impl FnOnce(Caches<'_>) -> R) -> R {
    let caches = SlabCaches::lock();

    f(Caches {
        next: caches.first(),
        caches: &caches,
    })
}

/// All caches, for tests.
#[cfg(CONFIG_BPF_KMEM_CACHE_ITER_RUST_KUNIT_TEST)]
pub(crate) struct Caches<'a> {
    next: Option<KmemCache<'a>>,
    caches: &'a SlabCaches,
}

#[cfg(CONFIG_BPF_KMEM_CACHE_ITER_RUST_KUNIT_TEST)]
impl Iterator for Caches<'_> {
    type Item = *mut bindings::kmem_cache;

    fn next(&mut self) -> Option<Self::Item> {
        let ptr = self.next?.ptr;

        // INVARIANT: Not a reference of its own, but as good as one while the mutex is held.
        self.next = self.caches.after(&Reference(ptr));
        Some(ptr.as_ptr())
    }
}

#[cfg(CONFIG_BPF_KMEM_CACHE_ITER_RUST_KUNIT_TEST)]
#[kunit_tests(kmem_cache_iter_slab_list)]
mod tests {
    use super::*;

    /// What the count becomes by a pin, and when that is given up.
    fn pin_and_release(refcount: c_int) -> Result<(c_int, c_int)> {
        let mut cache = KBox::<bindings::kmem_cache>::new_uninit(GFP_KERNEL)?;
        let ptr = NonNull::from(&mut *cache).cast::<bindings::kmem_cache>();
        let caches = SlabCaches::lock();
        // SAFETY: It is the test's.
        let count = unsafe { &raw mut (*ptr.as_ptr()).refcount };

        // SAFETY: As above.
        unsafe { *count = refcount };
        // It is not on the list, but of the cache the count alone is used.
        let pin = caches.pin(KmemCache {
            ptr,
            _caches: PhantomData,
        });
        // SAFETY: As above.
        let pinned = unsafe { *count };

        caches.release(pin);
        // SAFETY: As above.
        Ok((pinned, unsafe { *count }))
    }

    #[test]
    fn pin_counts() -> Result {
        assert_eq!(pin_and_release(1)?, (2, 1));
        assert_eq!(pin_and_release(2)?, (3, 2));
        Ok(())
    }

    #[test]
    fn boot_cache_is_not_counted() -> Result {
        assert_eq!(pin_and_release(-1)?, (-1, -1));
        Ok(())
    }

    /// The worker comes again after the pin.
    #[test]
    fn pin_of_what_waits_for_the_worker() -> Result {
        assert_eq!(pin_and_release(0)?, (1, 0));
        Ok(())
    }
}
