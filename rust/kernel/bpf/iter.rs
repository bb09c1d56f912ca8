// SPDX-License-Identifier: GPL-2.0

//! BPF iterator targets.
//!
//! A BPF iterator shows kernel objects of one kind as text or records of its user's choice. The
//! kind is a *target*. The user loads a BPF program for it, and reads a file: the kernel calls the
//! program for each object, and the file contains what the program writes.
//!
//! A module describes a target by implementing [`Target`], and makes it known to BPF by a
//! [`Registration`]. [`open_coded`] is for `bpf_for_each()` loops over the same objects, which are
//! another thing to BPF.
//!
//! The following is not supported:
//!
//! - Parameters of a link, such as the process of a `task` iterator: they are part of
//!   `union bpf_iter_link_info`, which is UAPI and knows the targets of the kernel alone.
//! - Targets for the elements of a map, and other arguments of the program than one object.
//! - Helpers that programs of this target have, and others have not.
//! - Objects that are skipped after the program was called: a target can pass over them before.
//! - Objects whose layout no C type describes: `pahole` leaves Rust out of BTF.
//!
//! C header: [`include/linux/bpf.h`](srctree/include/linux/bpf.h)
//!
//! Reference: <https://docs.kernel.org/bpf/bpf_iterators.html>
//!
//! # The C side
//!
//! BPF knows types and functions by BTF, and so by what is written in C. For a target `square` of
//! objects of type `struct square`, some C file of the module has:
//!
//! ```c
//! DEFINE_BPF_ITER_FUNC(square, struct bpf_iter_meta *meta, struct square *square)
//! ```
//!
//! The function is never called. It stands for the target when a `SEC("iter/square")` program is
//! loaded, and the program is called with its arguments. The file includes what defines
//! `struct square`: a declaration alone does not get its fields into BTF.
//!
//! # Examples
//!
//! The squares of the numbers below ten.
//!
//! ```
//! use kernel::{
//!     bpf::iter::{
//!         Registration,
//!         Target,
//!         TargetBtf,
//!         Trust, //
//!     },
//!     prelude::*, //
//! };
//!
//! /// `struct square` of the C side.
//! #[repr(C)]
//! struct Square {
//!     root: u64,
//!     value: u64,
//! }
//!
//! /// An open file: the number whose square is next.
//! #[derive(Zeroable)]
//! struct Squares {
//!     root: u64,
//! }
//!
//! #[vtable]
//! impl Target for Squares {
//!     // SAFETY: A C file defines `bpf_iter_square()` with the two arguments, the second of which
//!     // is a `struct square *`. A `Square` is one, and a box keeps it.
//!     const BTF: TargetBtf<KBox<Square>> = unsafe { TargetBtf::new(c"square", Trust::Trusted) };
//!
//!     type Object = KBox<Square>;
//!
//!     fn start(self: Pin<&mut Self>) -> Result<Option<KBox<Square>>> {
//!         if self.root == 10 {
//!             return Ok(None);
//!         }
//!
//!         let square = Square {
//!             root: self.root,
//!             value: self.root * self.root,
//!         };
//!         Ok(Some(KBox::new(square, GFP_KERNEL)?))
//!     }
//!
//!     fn next(mut self: Pin<&mut Self>, _current: KBox<Square>) -> Result<Option<KBox<Square>>> {
//!         self.root += 1;
//!         self.start()
//!     }
//! }
//!
//! struct SquaresModule {
//!     _target: Registration<Squares>,
//! }
//!
//! impl kernel::Module for SquaresModule {
//!     fn init(module: &'static ThisModule) -> Result<Self> {
//!         Ok(Self {
//!             _target: Registration::new(module)?,
//!         })
//!     }
//! }
//! ```

use crate::{
    bindings,
    error::{
        from_err_ptr,
        to_result,
        VTABLE_DEFAULT_ERROR, //
    },
    prelude::*,
    seq_file::SeqFile,
    types::ForeignOwnable, //
};
use core::{
    marker::PhantomData,
    mem::{
        needs_drop,
        offset_of,
        MaybeUninit, //
    },
    ptr::{
        drop_in_place,
        null_mut, //
    },
};

pub mod open_coded;

/// What the verifier may believe of the object that it hands to a program.
///
/// In either case, the object stays in memory while the program runs, and the program may read it.
#[derive(Copy, Clone)]
pub enum Trust {
    /// The object is alive. The program may pass it to every kfunc that takes such objects, one
    /// that takes a reference included.
    Trusted,

    /// The object may be on its way out, and its refcount 0. The program may pass it to the kfuncs
    /// that expect that (`KF_RCU`), and not to others.
    Rcu,
}

impl Trust {
    const fn reg_type(self) -> u32 {
        // The program must check for NULL, since there is no object at the end.
        bindings::bpf_reg_type_PTR_TO_BTF_ID_OR_NULL
            | match self {
                Trust::Trusted => bindings::bpf_type_flag_PTR_TRUSTED,
                Trust::Rcu => bindings::bpf_type_flag_MEM_RCU,
            }
    }
}

/// What BTF has of a target whose objects are owned as `O`.
///
/// # Invariants
///
/// If the module that registers the target has its function in BTF, then that has the two arguments
/// that a program gets, `O` is turned into a pointer of the type of the second, programs may read
/// the object at any time, and `trust` holds of it.
pub struct TargetBtf<O> {
    name: &'static CStr,
    trust: Trust,
    _object: PhantomData<fn() -> O>,
}

impl<O: ForeignOwnable> TargetBtf<O> {
    /// Says what the C side of a target has.
    ///
    /// `name` is that of the target, as in `SEC("iter/NAME")`.
    ///
    /// # Safety
    ///
    /// If there is a function `bpf_iter_NAME()` in the BTF of the module that registers the target,
    /// or of the kernel if that is built in, then:
    ///
    /// - `DEFINE_BPF_ITER_FUNC()` must define it, with two arguments: a `struct bpf_iter_meta *`,
    ///   and a pointer to the type of the objects.
    /// - [`O::into_foreign`] must return a pointer to an object of this type, which stays in memory
    ///   until [`O::from_foreign`].
    /// - Programs read any part of the object for all that time, and hold no lock. Whatever changes
    ///   it must do so in a way that may race with reads.
    /// - With [`Trust::Trusted`], the object must be alive for all that time. If it is counted,
    ///   then anybody must be able to take a reference of its own.
    ///
    /// [`O::into_foreign`]: ForeignOwnable::into_foreign
    /// [`O::from_foreign`]: ForeignOwnable::from_foreign
    pub const unsafe fn new(name: &'static CStr, trust: Trust) -> Self {
        // INVARIANT: The safety requirements say the same of the arguments.
        Self {
            name,
            trust,
            _object: PhantomData,
        }
    }
}

/// A kind of kernel objects that BPF programs can be called for.
///
/// The type that implements it is what is kept of an open file: where the file has come to, and
/// whatever is needed to go on. It is all zero when the file is opened, and dropped when it is
/// closed. It does not move meanwhile.
///
/// A read calls [`start`], [`next`] as often as there is room for the program's output, and
/// [`stop`]; or nothing, while output of the read before is left. After the end, each read calls
/// [`stop`] alone. All are called in process context with the mutex of the file held, and may
/// sleep. Only one object is owned at a time, by the iterator: the program is called with it,
/// without any lock of the target, between the call that returns it and the one that gives it back.
///
/// # Examples
///
/// See [the module](self#examples).
///
/// [`next`]: Target::next
/// [`start`]: Target::start
/// [`stop`]: Target::stop
#[vtable]
pub trait Target: Zeroable + Send + Sized + 'static {
    /// What BTF has of the target, its name first of all.
    const BTF: TargetBtf<Self::Object>;

    /// Whether a read can take long. Then it gives way to other tasks between two objects, and
    /// programs may be sleepable.
    const RESCHED: bool = false;

    /// The object that the program is called for, owned. It can be given up by any thread, and so
    /// is no lock that the program would run with.
    type Object: ForeignOwnable + Send;

    /// Begins a read: returns the object where the file goes on, or [`None`] at the end.
    ///
    /// After [`None`], it is not called again.
    ///
    /// # Errors
    ///
    /// Any error is that of the read. [`Target::stop`] is not called then.
    fn start(self: Pin<&mut Self>) -> Result<Option<Self::Object>>;

    /// Gives up `current`, and returns the object that follows it, or [`None`] at the end.
    ///
    /// After [`None`], neither it nor [`Target::start`] is called again.
    ///
    /// # Errors
    ///
    /// Any error is that of the read. What the program has written before is there for the next
    /// read, and the one after it begins with [`Target::start`]. To a program, the object that
    /// follows has the `seq_num` of the one before the error.
    fn next(self: Pin<&mut Self>, current: Self::Object) -> Result<Option<Self::Object>>;

    /// Ends a read.
    ///
    /// The next one has to go on at `current`, which was not shown, or whose output had no room. It
    /// is [`None`] at the end, and after an error of [`Target::next`]. A target whose state says
    /// where the next one goes on has nothing to do here.
    fn stop(self: Pin<&mut Self>, current: Option<Self::Object>) {
        drop(current);
    }

    /// Adds to what `/proc/PID/fdinfo` says of a link.
    fn show_fdinfo(_m: &SeqFile) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The registration of a [`Target`].
///
/// Programs can be loaded for the target from the end of the module's initialisation (or from now
/// on, if it is built in) until this is dropped, which can sleep. A program keeps the module, and
/// links and files keep their program. So in a module's data it is dropped when there is none. If
/// it is dropped earlier, then no new program can be loaded, while those that are there work as
/// before, and can be attached. If it is forgotten, the target is gone with its module.
///
/// # Invariants
///
/// The target is registered, by the address `reg`.
#[must_use = "the target is unregistered when this is dropped"]
pub struct Registration<T: Target> {
    reg: *const bindings::bpf_iter_reg,
    _target: PhantomData<fn() -> T>,
}

// SAFETY: The target can be unregistered by any thread.
unsafe impl<T: Target> Send for Registration<T> {}
// SAFETY: There is nothing to be done by a shared reference.
unsafe impl<T: Target> Sync for Registration<T> {}

impl<T: Target> Registration<T> {
    /// Registers the target for `module`, which is the argument of the `init` of the module that
    /// `T` is in.
    ///
    /// # Errors
    ///
    /// [`EEXIST`] if there is a target of this name, [`ENODEV`] if the module is going away, and
    /// [`ENOMEM`].
    pub fn new(module: &'static ThisModule) -> Result<Self> {
        let reg = const { &TargetVTable::<T>::REG };

        // SAFETY: The table and what it points to are as static as the module, which is the owner:
        // safe code has no `ThisModule` but that of its own module, and names no types but those of
        // that and of the kernel. Each program of the target keeps the owner, and only by a program
        // its code is called. What is left when the module goes away, the kernel unregisters.
        to_result(unsafe { bindings::__bpf_iter_reg_target(reg, module.as_ptr()) })?;
        // INVARIANT: It was registered.
        Ok(Self {
            reg,
            _target: PhantomData,
        })
    }
}

impl<T: Target> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, the target is registered by this address.
        unsafe { bindings::bpf_iter_unreg_target(self.reg) };
    }
}

/// What a program is called with: the arguments of `bpf_iter_NAME()`.
#[repr(C)]
struct Context {
    meta: MetadataPtr<bindings::bpf_iter_meta>,
    object: MetadataPtr<c_void>,
}

/// `__bpf_md_ptr()`: a pointer that BPF programs load as 64 bits, on 32-bit machines too.
#[repr(C, align(8))]
union MetadataPtr<T> {
    ptr: *mut T,
    bits: u64,
}

impl<T> MetadataPtr<T> {
    fn new(ptr: *mut T) -> Self {
        let mut this = Self { bits: 0 };

        this.ptr = ptr;
        this
    }
}

/// The position of a file after an error of [`Target::next`]. `bpf_seq_read()` calls `stop` as at
/// the end then.
const FAILED: bindings::loff_t = -1;

/// The position of a file after its end. The program was told of that, so what is created later is
/// not shown.
const ENDED: bindings::loff_t = -2;

/// The tables of function pointers by which BPF knows a [`Target`].
struct TargetVTable<T: Target>(PhantomData<T>);

impl<T: Target> TargetVTable<T> {
    /// # Safety
    ///
    /// `seq` must be a file of the iterator, and its mutex be held for `'a`. Nothing else may use
    /// its private data meanwhile.
    unsafe fn file<'a>(seq: *mut bindings::seq_file) -> Pin<&'a mut T> {
        // SAFETY: The private data has the size and alignment of `T`, see `SEQ_INFO`. It was all
        // zero when the file was opened, which is a `T` since that is `Zeroable`. It stays where it
        // is until `fini_seq_private` drops it, which is after the last read. By the safety
        // requirements, there is no other reference to it.
        unsafe { Pin::new_unchecked(&mut *(*seq).private.cast::<T>()) }
    }

    /// # Safety
    ///
    /// `private` must be the private data of a file of the iterator, and not be used again.
    unsafe extern "C" fn fini_seq_private(private: *mut c_void) {
        // SAFETY: It is a `T`, see `file`, and not used again by the safety requirements.
        unsafe { drop_in_place(private.cast::<T>()) };
    }

    /// # Safety
    ///
    /// `seq` must be a file of the iterator whose mutex is held, and `pos` its position.
    unsafe extern "C" fn start(
        seq: *mut bindings::seq_file,
        pos: *mut bindings::loff_t,
    ) -> *mut c_void {
        // SAFETY: By the safety requirements, it is the position of a file whose mutex is held.
        let pos = unsafe { &mut *pos };
        match *pos {
            ENDED => return null_mut(),
            FAILED => *pos = 0,
            _ => {}
        }

        // SAFETY: By the safety requirements, it is a file whose mutex is held. These
        // functions alone use its private data, one after the other.
        match T::start(unsafe { Self::file(seq) }) {
            Ok(object) => object.map_or(null_mut(), T::Object::into_foreign),
            Err(error) => error.to_ptr(),
        }
    }

    /// # Safety
    ///
    /// As for [`Self::start`]. `v` must be an object that `start` or `next` returned last.
    unsafe extern "C" fn next(
        seq: *mut bindings::seq_file,
        v: *mut c_void,
        pos: *mut bindings::loff_t,
    ) -> *mut c_void {
        // SAFETY: As in `start`.
        let pos = unsafe { &mut *pos };
        // SAFETY: By the safety requirements, it comes from `into_foreign`. The caller does not use
        // it again.
        let current = unsafe { T::Object::from_foreign(v) };

        // SAFETY: As in `start`.
        match T::next(unsafe { Self::file(seq) }, current) {
            Ok(object) => {
                // `bpf_seq_read()` wants to see progress. It is not negative here.
                *pos = pos.wrapping_add(1);
                object.map_or(null_mut(), T::Object::into_foreign)
            }
            Err(error) => {
                *pos = FAILED;
                error.to_ptr()
            }
        }
    }

    /// # Safety
    ///
    /// `seq` must be a file of the iterator whose mutex is held, and `v` be an object that `start`
    /// or `next` returned last.
    unsafe extern "C" fn show(seq: *mut bindings::seq_file, v: *mut c_void) -> c_int {
        // SAFETY: The caller provides a file, holds its mutex, and gives `v` back only afterwards.
        unsafe { Self::run_prog(seq, v, false) }
    }

    /// # Safety
    ///
    /// `seq` must be a file of the iterator whose mutex is held. `v` must be what `start` or `next`
    /// returned last, or null after an error of `next`.
    unsafe extern "C" fn stop(seq: *mut bindings::seq_file, v: *mut c_void) {
        if from_err_ptr(v).is_err() {
            // `start` has failed.
            return;
        }

        // SAFETY: By the safety requirements, it is a file whose mutex is held.
        if v.is_null() && unsafe { (*seq).index } != FAILED {
            // SAFETY: As above.
            unsafe { (*seq).index = ENDED };
            // At the end, the program runs once without an object. What it returns is of no use:
            // there is nothing to repeat.
            //
            // SAFETY: The caller provides a file, and holds its mutex. There is no object in
            // `stop`.
            unsafe { Self::run_prog(seq, null_mut(), true) };
        }

        // SAFETY: It is null, or comes from `into_foreign`. The caller does not use it again.
        let current = unsafe { T::Object::try_from_foreign(v) };
        // SAFETY: As in `start`.
        T::stop(unsafe { Self::file(seq) }, current);
    }

    /// # Safety
    ///
    /// `seq` must be a file of the iterator whose mutex is held. `object` must come from
    /// `into_foreign`, and not be given back meanwhile, or be null in `stop`.
    // Not twice in a target, in `show` and in `stop`: that takes 16 bytes less.
    #[inline(never)]
    unsafe fn run_prog(seq: *mut bindings::seq_file, object: *mut c_void, in_stop: bool) -> c_int {
        let mut meta = MaybeUninit::<bindings::bpf_iter_meta>::uninit();
        let meta = meta.as_mut_ptr();

        // SAFETY: This is a field of `meta`, which is valid for writes.
        unsafe { (*meta).__bindgen_anon_1.seq = seq };

        // SAFETY: The `seq_file` in `meta` is one of an iterator. The other fields are set here, if
        // a program is to be run.
        let prog = unsafe { bindings::bpf_iter_get_info(meta, in_stop) };
        if prog.is_null() {
            return 0;
        }

        let mut context = Context {
            meta: MetadataPtr::new(meta),
            object: MetadataPtr::new(object),
        };

        // SAFETY: The file has a reference to the program. It was verified against the arguments of
        // `bpf_iter_NAME()`, and by the invariants of `TargetBtf` they are what is in the context.
        unsafe { bindings::bpf_iter_run_prog(prog, (&raw mut context).cast()) }
    }

    /// # Safety
    ///
    /// `seq` must be a valid `struct seq_file` that no other thread uses.
    unsafe extern "C" fn show_fdinfo(
        _aux: *const bindings::bpf_iter_aux_info,
        seq: *mut bindings::seq_file,
    ) {
        // SAFETY: The caller provides a valid `struct seq_file`, which this thread alone uses.
        T::show_fdinfo(unsafe { SeqFile::from_raw(seq) });
    }

    const SEQ_OPS: bindings::seq_operations = bindings::seq_operations {
        start: Some(Self::start),
        stop: Some(Self::stop),
        next: Some(Self::next),
        show: Some(Self::show),
    };

    const SEQ_INFO: bindings::bpf_iter_seq_info = bindings::bpf_iter_seq_info {
        seq_ops: const { &Self::SEQ_OPS },
        // It is all zero, and needs no more.
        init_seq_private: None,
        fini_seq_private: if needs_drop::<T>() {
            Some(Self::fini_seq_private)
        } else {
            None
        },
        seq_priv_size: {
            // That of `target_private` in kernel/bpf/bpf_iter.c.
            const_assert!(align_of::<T>() <= 8);
            // Its sum with what is in front of it is a `u32`, too.
            const_assert!(size_of::<T>() <= i32::MAX as usize);
            size_of::<T>() as u32
        },
    };

    // The kernel takes the type of the object from the function of the target.
    const REG: bindings::bpf_iter_reg = {
        let mut reg: bindings::bpf_iter_reg = pin_init::zeroed();

        reg.target = T::BTF.name.to_bytes_with_nul().as_ptr();
        if T::HAS_SHOW_FDINFO {
            reg.show_fdinfo = Some(Self::show_fdinfo);
        }
        if T::RESCHED {
            reg.feature = bindings::bpf_iter_feature_BPF_ITER_RESCHED;
        }
        reg.ctx_arg_info_size = 1;
        reg.ctx_arg_info[0].offset = offset_of!(Context, object) as u32;
        reg.ctx_arg_info[0].reg_type = T::BTF.trust.reg_type();
        reg.seq_info = const { &Self::SEQ_INFO };
        reg
    };
}

#[cfg(CONFIG_RUST_BPF_ITER_KUNIT_TEST)]
#[kunit_tests(rust_bpf_iter)]
mod tests {
    use super::*;
    use crate::sync::atomic::{
        Atomic,
        Relaxed, //
    };

    /// How many numbers are owned by somebody.
    static OWNED: Atomic<i32> = Atomic::new(0);

    pub(super) fn owned() -> i32 {
        OWNED.load(Relaxed)
    }

    /// 10, 11, or 12.
    pub(super) struct Number(u64);

    impl Number {
        pub(super) fn get(index: u64) -> Result<Option<KBox<Self>>> {
            if index == 3 {
                return Ok(None);
            }

            let number = KBox::new(Self(10 + index), GFP_KERNEL)?;

            OWNED.add(1, Relaxed);
            Ok(Some(number))
        }

        /// The index of the one that follows.
        pub(super) fn after(&self) -> u64 {
            self.0 - 9
        }

        pub(super) fn value(&self) -> u64 {
            self.0
        }
    }

    impl Drop for Number {
        fn drop(&mut self) {
            OWNED.add(-1, Relaxed);
        }
    }

    /// What `start` and `next` fail with when they come to the second number.
    static FAILS: Atomic<bool> = Atomic::new(false);

    /// How many files were closed.
    static CLOSED: Atomic<i32> = Atomic::new(0);

    #[derive(Zeroable)]
    struct Numbers {
        index: u64,
        stops: u32,
    }

    impl Numbers {
        fn get(&self) -> Result<Option<KBox<Number>>> {
            if self.index == 1 && FAILS.load(Relaxed) {
                Err(EIO)
            } else {
                Number::get(self.index)
            }
        }
    }

    impl Drop for Numbers {
        fn drop(&mut self) {
            CLOSED.add(1, Relaxed);
        }
    }

    #[vtable]
    impl Target for Numbers {
        // SAFETY: There is no function `bpf_iter_rust_bpf_iter_kunit()`.
        const BTF: TargetBtf<KBox<Number>> =
            unsafe { TargetBtf::new(c"rust_bpf_iter_kunit", Trust::Trusted) };
        const RESCHED: bool = true;

        type Object = KBox<Number>;

        fn start(self: Pin<&mut Self>) -> Result<Option<KBox<Number>>> {
            self.get()
        }

        fn next(mut self: Pin<&mut Self>, current: KBox<Number>) -> Result<Option<KBox<Number>>> {
            self.index = current.after();
            self.get()
        }

        fn stop(mut self: Pin<&mut Self>, _current: Option<KBox<Number>>) {
            self.stops += 1;
        }

        fn show_fdinfo(_m: &SeqFile) {}
    }

    /// With as little as possible.
    #[derive(Zeroable)]
    struct Nothing {}

    #[vtable]
    impl Target for Nothing {
        // SAFETY: There is no function `bpf_iter_rust_bpf_iter_nothing()`.
        const BTF: TargetBtf<KBox<Number>> =
            unsafe { TargetBtf::new(c"rust_bpf_iter_nothing", Trust::Rcu) };

        type Object = KBox<Number>;

        fn start(self: Pin<&mut Self>) -> Result<Option<KBox<Number>>> {
            Ok(None)
        }

        fn next(self: Pin<&mut Self>, _current: KBox<Number>) -> Result<Option<KBox<Number>>> {
            Ok(None)
        }
    }

    type Table = TargetVTable<Numbers>;

    /// What the functions of the table need of a file, which calls them as `bpf_seq_read()` does.
    struct File {
        seq: bindings::seq_file,
        private: KBox<MaybeUninit<Numbers>>,
        /// What `start` or `next` returned last, or null after an error of `next`.
        current: *mut c_void,
    }

    impl File {
        fn open() -> Result<Self> {
            let mut file = Self {
                seq: pin_init::zeroed(),
                private: KBox::new(MaybeUninit::zeroed(), GFP_KERNEL)?,
                current: null_mut(),
            };

            file.seq.private = file.private.as_mut_ptr().cast();
            Ok(file)
        }

        fn state(&self) -> &Numbers {
            // SAFETY: It was all zero, and `Numbers` is `Zeroable`.
            unsafe { self.private.assume_init_ref() }
        }

        /// What a program would be called for.
        fn shown(&self) -> Result<Option<u64>> {
            let v = from_err_ptr(self.current)?;

            // SAFETY: It is null, or comes from the `into_foreign` of a number that is still owned.
            Ok(unsafe { v.cast::<Number>().as_ref() }.map(Number::value))
        }

        fn start(&mut self) -> Result<Option<u64>> {
            let pos = &raw mut self.seq.index;

            // SAFETY: It is a file, and the test alone uses it.
            self.current = unsafe { Table::start(&raw mut self.seq, pos) };
            self.shown()
        }

        fn next(&mut self) -> Result<Option<u64>> {
            let pos = &raw mut self.seq.index;

            // SAFETY: As in `start`. There is a current object in all tests.
            self.current = unsafe { Table::next(&raw mut self.seq, self.current, pos) };
            let shown = self.shown();
            if shown.is_err() {
                self.current = null_mut();
            }
            shown
        }

        /// Not at the end, where a program would be looked for, of which the file has none.
        fn stop(&mut self) {
            // SAFETY: As in `start`, and `current` is what it has to be.
            unsafe { Table::stop(&raw mut self.seq, self.current) };
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            // SAFETY: It is the private data, and not used again.
            unsafe { Table::fini_seq_private(self.seq.private) };
        }
    }

    #[test]
    fn read_owns_one_object() -> Result {
        let mut file = File::open()?;

        assert_eq!(file.start()?, Some(10));
        assert_eq!((owned(), file.seq.index), (1, 0));
        assert_eq!(file.next()?, Some(11));
        assert_eq!((owned(), file.seq.index), (1, 1));
        assert_eq!(file.next()?, Some(12));
        assert_eq!((owned(), file.seq.index), (1, 2));
        assert_eq!(file.next()?, None);
        assert_eq!((owned(), file.seq.index), (0, 3));
        Ok(())
    }

    /// Whatever there is later.
    #[test]
    fn end_is_the_end() -> Result {
        let mut file = File::open()?;

        file.seq.index = ENDED;
        assert_eq!(file.start()?, None);
        assert_eq!(owned(), 0);
        Ok(())
    }

    #[test]
    fn read_goes_on_where_it_stopped() -> Result {
        let mut file = File::open()?;

        file.start()?;
        file.next()?;
        file.stop();
        assert_eq!((owned(), file.state().stops), (0, 1));
        assert_eq!(file.start()?, Some(11));
        file.stop();
        assert_eq!((owned(), file.state().stops), (0, 2));
        Ok(())
    }

    #[test]
    fn files_are_apart() -> Result {
        let mut file = File::open()?;
        let mut other = File::open()?;

        file.start()?;
        file.next()?;
        file.stop();
        assert_eq!(other.start()?, Some(10));
        other.stop();
        Ok(())
    }

    #[test]
    fn state_lives_with_its_file() -> Result {
        let file = File::open()?;
        let before = CLOSED.load(Relaxed);

        drop(file);
        assert_eq!(CLOSED.load(Relaxed), before + 1);
        Ok(())
    }

    /// `stop` is called as at the end, but no program is looked for.
    #[test]
    fn error_of_next() -> Result {
        let mut file = File::open()?;

        file.start()?;
        FAILS.store(true, Relaxed);
        let shown = file.next();
        FAILS.store(false, Relaxed);
        assert_eq!((shown, owned()), (Err(EIO), 0));
        assert!(file.seq.index != 0);
        file.stop();
        assert_eq!(file.state().stops, 1);

        assert_eq!(file.start()?, Some(11));
        assert_eq!(file.seq.index, 0);
        file.stop();
        Ok(())
    }

    /// `stop` of the target is not called.
    #[test]
    fn error_of_start() -> Result {
        let mut file = File::open()?;

        file.start()?;
        file.next()?;
        file.stop();
        FAILS.store(true, Relaxed);
        let shown = file.start();
        FAILS.store(false, Relaxed);
        assert_eq!((shown, owned()), (Err(EIO), 0));
        file.stop();
        assert_eq!(file.state().stops, 1);

        assert_eq!(file.start()?, Some(11));
        file.stop();
        Ok(())
    }

    #[test]
    fn optional_things() {
        let all = TargetVTable::<Numbers>::REG;
        let least = TargetVTable::<Nothing>::REG;

        assert!(all.show_fdinfo.is_some() && least.show_fdinfo.is_none());
        assert_eq!(all.feature, bindings::bpf_iter_feature_BPF_ITER_RESCHED);
        assert_eq!(least.feature, 0);
        assert!(TargetVTable::<Numbers>::SEQ_INFO.fini_seq_private.is_some());
        assert!(TargetVTable::<Nothing>::SEQ_INFO.fini_seq_private.is_none());
    }

    #[test]
    fn trust() {
        let trusted = TargetVTable::<Numbers>::REG.ctx_arg_info[0].reg_type;
        let rcu = TargetVTable::<Nothing>::REG.ctx_arg_info[0].reg_type;

        assert!(trusted & bindings::bpf_type_flag_PTR_MAYBE_NULL != 0);
        assert!(trusted & bindings::bpf_type_flag_PTR_TRUSTED != 0);
        assert_eq!(trusted & bindings::bpf_type_flag_MEM_RCU, 0);
        assert!(rcu & bindings::bpf_type_flag_MEM_RCU != 0);
        assert_eq!(rcu & bindings::bpf_type_flag_PTR_TRUSTED, 0);
        assert!(rcu & bindings::bpf_type_flag_PTR_MAYBE_NULL != 0);
    }

    // SAFETY: The tests are built in.
    static BUILT_IN: ThisModule = unsafe { ThisModule::from_ptr(null_mut()) };

    fn register<T: Target>() -> Result<Registration<T>> {
        Registration::new(&BUILT_IN)
    }

    #[test]
    fn registered_again() -> Result {
        drop(register::<Numbers>()?);
        drop(register::<Numbers>()?);
        Ok(())
    }

    #[test]
    fn one_target_of_a_name() -> Result {
        let _numbers = register::<Numbers>()?;
        let _nothing = register::<Nothing>()?;

        assert!(register::<Numbers>().is_err_and(|error| error == EEXIST));
        Ok(())
    }
}
