// SPDX-License-Identifier: GPL-2.0

//! Open-coded iterators: `bpf_for_each()` loops.
//!
//! A BPF program of any type can loop over kernel objects, by three kfuncs of which the macro
//! `bpf_for_each(NAME, object)` makes a loop. [`Walk`] is what the objects are, and [`OpenCoded`]
//! does the work of the kfuncs.
//!
//! Objects that are freed when the loop has given them up are not supported: the verifier does not
//! know that, and lets the program use them until it ends.
//!
//! # The C side
//!
//! The kfuncs are in C, since the verifier looks at their types. For objects of type `struct item`,
//! each calls what the module exports from Rust:
//!
//! ```c
//! struct bpf_iter_item {
//!         __u64 __opaque[1];
//! } __aligned(8);
//!
//! __bpf_kfunc_start_defs();
//!
//! __bpf_kfunc int bpf_iter_item_new(struct bpf_iter_item *it)
//! {
//!         return item_new(it);
//! }
//!
//! __bpf_kfunc struct item *bpf_iter_item_next(struct bpf_iter_item *it)
//! {
//!         return item_next(it);
//! }
//!
//! __bpf_kfunc void bpf_iter_item_destroy(struct bpf_iter_item *it)
//! {
//!         item_destroy(it);
//! }
//!
//! __bpf_kfunc_end_defs();
//!
//! BTF_KFUNCS_START(item_kfunc_ids)
//! BTF_ID_FLAGS(func, bpf_iter_item_new, KF_ITER_NEW | KF_SLEEPABLE)
//! BTF_ID_FLAGS(func, bpf_iter_item_next, KF_ITER_NEXT | KF_RET_NULL | KF_SLEEPABLE)
//! BTF_ID_FLAGS(func, bpf_iter_item_destroy, KF_ITER_DESTROY | KF_SLEEPABLE)
//! BTF_KFUNCS_END(item_kfunc_ids)
//! ```
//!
//! The module makes the set known by `register_btf_kfunc_id_set()`. Without `KF_SLEEPABLE`, the
//! functions of [`Walk`] must not sleep, nor must it to drop an object.
//!
//! Reference: <https://docs.kernel.org/bpf/kfuncs.html>
//!
//! # Examples
//!
//! The bodies of the kfuncs. In a module they are exported to C, by `#[export]`.
//!
//! ```
//! use kernel::{
//!     bpf::iter::open_coded::{
//!         OpenCoded,
//!         Walk, //
//!     },
//!     prelude::*,
//!     types::ForeignOwnable, //
//! };
//!
//! /// `struct item` of the C side.
//! #[repr(C)]
//! struct Item {
//!     number: usize,
//! }
//!
//! static ITEMS: [Item; 2] = [Item { number: 0 }, Item { number: 1 }];
//!
//! /// One of `ITEMS`.
//! struct Listed(&'static Item);
//!
//! // SAFETY: It is turned into the address of an `Item`, which is aligned as that.
//! unsafe impl ForeignOwnable for Listed {
//!     const FOREIGN_ALIGN: usize = align_of::<Item>();
//!
//!     type Borrowed<'a> = ();
//!     type BorrowedMut<'a> = ();
//!
//!     fn into_foreign(self) -> *mut c_void {
//!         core::ptr::from_ref(self.0).cast_mut().cast()
//!     }
//!
//!     unsafe fn from_foreign(ptr: *mut c_void) -> Self {
//!         // SAFETY: By the safety requirements, it comes from `into_foreign`.
//!         Self(unsafe { &*ptr.cast() })
//!     }
//!
//!     unsafe fn borrow<'a>(_ptr: *mut c_void) -> Self::Borrowed<'a> {}
//!
//!     unsafe fn borrow_mut<'a>(_ptr: *mut c_void) -> Self::BorrowedMut<'a> {}
//! }
//!
//! struct List;
//!
//! impl Walk for List {
//!     type Object = Listed;
//!
//!     fn first() -> Option<Listed> {
//!         ITEMS.first().map(Listed)
//!     }
//!
//!     fn next(current: Listed) -> Option<Listed> {
//!         ITEMS.get(current.0.number + 1).map(Listed)
//!     }
//! }
//!
//! unsafe extern "C" fn item_new(it: *mut c_void) -> c_int {
//!     // SAFETY: `it` is the state of a loop that begins, which has 8 bytes.
//!     unsafe { OpenCoded::<List>::kfunc_new(it) }
//! }
//!
//! unsafe extern "C" fn item_next(it: *mut c_void) -> *mut c_void {
//!     // SAFETY: The verifier sees to it that `item_new()` comes first. In C, this returns a
//!     // `struct item *`, which an `Item` is, and which is never freed.
//!     unsafe { OpenCoded::<List>::kfunc_next(it) }
//! }
//!
//! unsafe extern "C" fn item_destroy(it: *mut c_void) {
//!     // SAFETY: As in `item_next()`. The verifier lets the program do this once.
//!     unsafe { OpenCoded::<List>::kfunc_destroy(it) }
//! }
//!
//! let mut it = 0u64;
//! let it: *mut c_void = (&raw mut it).cast();
//!
//! // SAFETY: In the order in which the verifier has it.
//! unsafe {
//!     assert_eq!(item_new(it), 0);
//!     assert!(!item_next(it).is_null());
//!     item_destroy(it);
//! }
//! ```

use crate::{
    prelude::*,
    types::ForeignOwnable, //
};
use core::{
    marker::PhantomData,
    ptr::{
        drop_in_place,
        null_mut,
        without_provenance_mut, //
    },
};

/// Kernel objects that BPF programs can loop over.
///
/// The functions are called by a BPF program, in the context that its kfuncs have asked for.
pub trait Walk: 'static {
    /// The object that the program has in the body of the loop, owned. It can be given up by any
    /// thread, and so is no lock that the program would run with.
    type Object: ForeignOwnable + Send;

    /// Checks that a loop can begin in this context.
    ///
    /// # Errors
    ///
    /// With any error, the loop has no objects. The program gets it from `new()`, which
    /// `bpf_for_each()` passes over.
    fn check_context() -> Result {
        Ok(())
    }

    /// Returns the first object.
    fn first() -> Option<Self::Object>;

    /// Gives up `current`, and returns the object that follows it, or [`None`] at the end.
    fn next(current: Self::Object) -> Option<Self::Object>;
}

/// The state of a loop over the objects of a [`Walk`], which is 8 bytes on the stack of a program.
///
/// # Invariants
///
/// The pointer is `Self::START`, or null at the end, or comes from the `into_foreign` of an
/// object that this owns.
#[repr(transparent)]
pub struct OpenCoded<W: Walk>(*mut c_void, PhantomData<W::Object>);

impl<W: Walk> OpenCoded<W> {
    /// Before the first object. No object is at an odd address.
    const START: *mut c_void = {
        const_assert!(W::Object::FOREIGN_ALIGN >= 2);
        without_provenance_mut(1)
    };

    fn new() -> Result<Self> {
        W::check_context()?;
        // INVARIANT: It is before the first object.
        Ok(Self(Self::START, PhantomData))
    }

    const fn ended() -> Self {
        // INVARIANT: It is at the end.
        Self(null_mut(), PhantomData)
    }

    fn next(&mut self) -> *mut c_void {
        // Null is below START, and each object above.
        let next = if self.0.addr() > Self::START.addr() {
            // SAFETY: By the type invariants, it comes from an `into_foreign`, and `self` owns the
            // object. `W::next` does not see `self`, which gets another pointer below.
            W::next(unsafe { W::Object::from_foreign(self.0) })
        } else if self.0 == Self::START {
            W::first()
        } else {
            return null_mut();
        };

        // INVARIANT: It is at the end, or the object is owned from now on.
        self.0 = next.map_or(null_mut(), W::Object::into_foreign);
        self.0
    }

    /// The body of `bpf_iter_NAME_new()`: begins a loop.
    ///
    /// Returns 0, or the errno of [`Walk::check_context`]. The loop has no objects then.
    ///
    /// # Safety
    ///
    /// `it` must be valid for writes of 8 bytes, and be aligned to 8 bytes.
    pub unsafe fn kfunc_new(it: *mut c_void) -> c_int {
        let (state, ret) = match Self::new() {
            Ok(state) => (state, 0),
            Err(error) => (Self::ended(), error.to_errno()),
        };

        // SAFETY: `it` is valid for writes by the safety requirements, and a pointer has 8 bytes at
        // most.
        unsafe { it.cast::<Self>().write(state) };
        ret
    }

    /// The body of `bpf_iter_NAME_next()`: goes on to the next object.
    ///
    /// Returns the object, or null at the end.
    ///
    /// # Safety
    ///
    /// - [`OpenCoded::kfunc_new`] must have been called for `it`, and [`OpenCoded::kfunc_destroy`]
    ///   not yet. Nothing else may use `it` meanwhile.
    /// - The verifier takes what the kfunc returns for a trusted pointer to the type that C
    ///   declares. So `into_foreign` of the object must return a pointer to such a type, and of the
    ///   object must hold what [`TargetBtf::new`](super::TargetBtf::new) says of
    ///   [`Trust::Trusted`](super::Trust::Trusted).
    /// - The verifier lets the program use the object until the program ends, also when the loop
    ///   has gone on or has ended. So it must be in memory until then.
    pub unsafe fn kfunc_next(it: *mut c_void) -> *mut c_void {
        // SAFETY: `kfunc_new` has written it, and this is the only use by the safety requirements.
        unsafe { &mut *it.cast::<Self>() }.next()
    }

    /// The body of `bpf_iter_NAME_destroy()`: ends a loop, wherever it is.
    ///
    /// # Safety
    ///
    /// As for [`OpenCoded::kfunc_next`]. `it` must not be used again.
    pub unsafe fn kfunc_destroy(it: *mut c_void) {
        // SAFETY: `kfunc_new` has written it, and this is the last use by the safety requirements.
        unsafe { drop_in_place(it.cast::<Self>()) };
    }
}

impl<W: Walk> Drop for OpenCoded<W> {
    fn drop(&mut self) {
        if self.0 != Self::START {
            // SAFETY: By the type invariants, it is null, or comes from an `into_foreign`, and
            // `self` owns the object. It is not used again.
            drop(unsafe { W::Object::try_from_foreign(self.0) });
        }
    }
}

#[cfg(CONFIG_RUST_BPF_ITER_KUNIT_TEST)]
#[kunit_tests(rust_bpf_iter_open_coded)]
mod tests {
    use super::{
        super::tests::{
            owned,
            Number, //
        },
        *,
    };
    use crate::sync::atomic::{
        Atomic,
        Relaxed, //
    };

    /// Whether a loop must not begin.
    static IS_LOCKED: Atomic<bool> = Atomic::new(false);

    struct Numbers;

    impl Walk for Numbers {
        type Object = KBox<Number>;

        fn check_context() -> Result {
            if IS_LOCKED.load(Relaxed) {
                Err(EBUSY)
            } else {
                Ok(())
            }
        }

        fn first() -> Option<KBox<Number>> {
            Number::get(0).ok()?
        }

        fn next(current: KBox<Number>) -> Option<KBox<Number>> {
            Number::get(current.after()).ok()?
        }
    }

    /// A loop, as the kfuncs have it.
    struct Loop(u64);

    impl Loop {
        fn it(&mut self) -> *mut c_void {
            (&raw mut self.0).cast()
        }

        fn begin() -> (Self, c_int) {
            let mut this = Self(!0);
            // SAFETY: It has 8 bytes, and a loop begins.
            let ret = unsafe { OpenCoded::<Numbers>::kfunc_new(this.it()) };

            (this, ret)
        }

        fn next(&mut self) -> Option<u64> {
            // SAFETY: The loop has begun. Nobody uses a number but below.
            let number = unsafe { OpenCoded::<Numbers>::kfunc_next(self.it()) };

            // SAFETY: It is null, or comes from the `into_foreign` of a number that is still owned.
            unsafe { number.cast::<Number>().as_ref() }.map(Number::value)
        }
    }

    impl Drop for Loop {
        fn drop(&mut self) {
            // SAFETY: The loop has begun, and ends.
            unsafe { OpenCoded::<Numbers>::kfunc_destroy(self.it()) };
        }
    }

    #[test]
    fn loop_to_its_end() {
        let (mut walk, ret) = Loop::begin();

        assert_eq!(ret, 0);
        assert_eq!((walk.next(), owned()), (Some(10), 1));
        assert_eq!((walk.next(), owned()), (Some(11), 1));
        assert_eq!((walk.next(), owned()), (Some(12), 1));
        assert_eq!((walk.next(), owned()), (None, 0));
        assert_eq!(walk.next(), None);
        drop(walk);
        assert_eq!(owned(), 0);
    }

    #[test]
    fn loop_broken_off() {
        let (mut walk, _) = Loop::begin();

        walk.next();
        walk.next();
        assert_eq!(owned(), 1);
        drop(walk);
        assert_eq!(owned(), 0);
    }

    #[test]
    fn loop_not_begun() {
        drop(Loop::begin());
        assert_eq!(owned(), 0);
    }

    #[test]
    fn loop_refused() {
        IS_LOCKED.store(true, Relaxed);
        let (mut walk, ret) = Loop::begin();
        IS_LOCKED.store(false, Relaxed);

        assert_eq!(ret, EBUSY.to_errno());
        assert_eq!((walk.next(), owned()), (None, 0));
    }
}
