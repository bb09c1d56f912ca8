// SPDX-License-Identifier: GPL-2.0

//! BPF iterator targets.
//!
//! A target is a kind of kernel object that a BPF program can be attached to, to be called for each
//! of them whenever the file of the iterator is read. [`Target`] says which objects and in which
//! order, [`TargetModule`] makes the target known to BPF, and [`OpenCoded`] walks the same objects
//! for a `bpf_for_each()` loop.
//!
//! C header: [`include/linux/bpf.h`](srctree/include/linux/bpf.h)

use core::{
    marker::PhantomData,
    mem::{
        self,
        MaybeUninit, //
    },
    ptr::{
        drop_in_place,
        null_mut,
        without_provenance_mut,
        NonNull, //
    },
};
use kernel::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    seq_file::SeqFile,
    types::Opaque,
    InPlaceModule, //
};
use pin_init::InPlaceWrite;

/// An object that BPF programs are called for, in the form in which the iterator owns it.
///
/// # Safety
///
/// - The pointer that [`into_raw`] returns must be to an object of the type that [`btf_id`] names,
///   must be aligned to 2 bytes at least, and must be valid until it is given to [`from_raw`].
/// - In the BTF of the module, or of vmlinux for one that is built in, the function
///   `bpf_iter_TARGET` must have two arguments: a `struct bpf_iter_meta *`, and a pointer to that
///   type.
///
/// [`btf_id`]: Entry::btf_id
/// [`from_raw`]: Entry::from_raw
/// [`into_raw`]: Entry::into_raw
pub(crate) unsafe trait Entry: Sized {
    /// The name of the target, as in `SEC("iter/TARGET")`.
    const TARGET: &'static CStr;

    /// Returns the id that the type of the object has in the BTF of vmlinux.
    fn btf_id() -> u32;

    /// Turns the entry into the pointer that C and BPF programs know it by.
    fn into_raw(self) -> NonNull<c_void>;

    /// Turns the pointer into the entry again.
    ///
    /// # Safety
    ///
    /// `ptr` must come from [`Entry::into_raw`], and must not be used again.
    unsafe fn from_raw(ptr: NonNull<c_void>) -> Self;
}

/// Turns an entry, or the lack of one, into what C knows it by.
#[inline]
fn into_nullable<E: Entry>(entry: Option<E>) -> *mut c_void {
    entry.map_or(null_mut(), |entry| entry.into_raw().as_ptr())
}

/// The reverse of [`into_nullable`].
///
/// # Safety
///
/// `ptr` must be null, or as [`Entry::from_raw`] requires.
#[inline]
unsafe fn from_nullable<E: Entry>(ptr: *mut c_void) -> Option<E> {
    // SAFETY: By the safety requirements.
    NonNull::new(ptr).map(|ptr| unsafe { E::from_raw(ptr) })
}

/// A kind of kernel objects that BPF programs can iterate over.
///
/// All functions are called in process context and may sleep. The caller holds the lock of the
/// reader's `seq_file`, or runs inside a sleepable BPF program.
pub(crate) trait Target {
    /// Whether a read may be long: it then gives way to other tasks between two entries, and
    /// programs may be sleepable.
    const RESCHED: bool;

    /// What the program is called for.
    type Entry: Entry;

    /// Where an open file has come to, between two reads.
    ///
    /// It is used by one reader at a time, but that may be another thread each time. Whatever else
    /// changes it must be allowed to do so beside a unique reference, as in [`Opaque`].
    type Cursor: Send + 'static;

    /// Creates the cursor of a file that is being opened.
    ///
    /// # Errors
    ///
    /// With any error, the file is not opened.
    fn open() -> impl PinInit<Self::Cursor, Error>;

    /// Returns the entry at `cursor`, or [`None`] at the end.
    ///
    /// Each read begins with it, unless there is still output of the last one.
    fn start(cursor: Pin<&mut Self::Cursor>) -> Option<Self::Entry>;

    /// Gives up `entry`, and returns the one that follows it, or [`None`] at the end.
    fn next(entry: Self::Entry) -> Option<Self::Entry>;

    /// Ends a read: the next one goes on at `entry`, which is given up, or has come to the end.
    fn stop(cursor: Pin<&mut Self::Cursor>, entry: Option<Self::Entry>);

    /// Returns the first entry, for a walk that is not interrupted.
    fn first() -> Option<Self::Entry>;

    /// Describes the target in the `fdinfo` of a link.
    fn show_fdinfo(seq: &SeqFile);

    /// Prepares what has to be there before BPF knows the target.
    ///
    /// # Errors
    ///
    /// With any error, the module of the target is not loaded.
    fn init() -> Result {
        Ok(())
    }
}

/// A module that is an iterator target.
///
/// The target is known to BPF from the end of the module's initialisation until its exit. A program
/// that is attached to the target keeps the module from being unloaded. Links and files of the
/// iterator keep their program, and so the module, too.
#[pin_data]
pub(crate) struct TargetModule<T: Target> {
    #[pin]
    registration: Registration<T>,
}

impl<T: Target> InPlaceModule for TargetModule<T> {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _: { T::init()? },
            registration <- Registration::new(module),
        })
    }
}

/// The registration of a [`Target`].
///
/// # Invariants
///
/// `reg` is registered by `bpf_iter_reg_target()`. Its owner is the module that this is a part of.
#[pin_data(PinnedDrop)]
struct Registration<T: Target> {
    #[pin]
    reg: Opaque<bindings::bpf_iter_reg>,
    _target: PhantomData<T>,
}

// SAFETY: `bpf_iter_unreg_target()` can be called from any thread.
unsafe impl<T: Target> Send for Registration<T> {}
// SAFETY: Nothing can be done with a shared reference.
unsafe impl<T: Target> Sync for Registration<T> {}

impl<T: Target> Registration<T> {
    /// Registers the target for `owner`, of which the registration is to be a part.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`] when there is no memory for it, [`EEXIST`] when there is a target of that name.
    fn new(owner: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            reg <- Opaque::try_ffi_init(|slot: *mut bindings::bpf_iter_reg| {
                // SAFETY: `slot` is valid for writes.
                unsafe { slot.write(TargetVTable::<T>::reg(owner)) };
                // SAFETY: `slot` was just initialised. It is pinned, and unregistered before it
                // goes away.
                //
                // INVARIANT: On success the target is registered.
                to_result(unsafe { bindings::bpf_iter_reg_target(slot) })
            }),
            _target: PhantomData,
        })
    }
}

#[pinned_drop]
impl<T: Target> PinnedDrop for Registration<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The target is registered by the type invariants. No link and no file of it are
        // left: each of them holds a program, and each program of the target a reference to the
        // module that this is a part of. It is dropped when that is unloaded, for which there must
        // be no reference, or when its initialisation has failed, up to which nobody gets one.
        unsafe { bindings::bpf_iter_unreg_target(self.reg.get()) };
    }
}

/// The context that a program is called with: `struct bpf_iter__TARGET`.
#[repr(C)]
pub(crate) struct Context {
    meta: MetadataPtr<bindings::bpf_iter_meta>,
    entry: MetadataPtr<c_void>,
}

impl Context {
    /// Where the entry is.
    pub(crate) const ENTRY_OFFSET: usize = mem::offset_of!(Self, entry);
}

/// `__bpf_md_ptr()`: a pointer that BPF programs load as 64 bits, on 32-bit machines too.
#[repr(C, align(8))]
union MetadataPtr<T> {
    ptr: *mut T,
    bits: u64,
}

impl<T> MetadataPtr<T> {
    #[inline]
    fn new(ptr: *mut T) -> Self {
        let mut this = Self { bits: 0 };

        this.ptr = ptr;
        this
    }
}

/// The tables of function pointers by which BPF knows a [`Target`].
struct TargetVTable<T: Target>(PhantomData<T>);

impl<T: Target> TargetVTable<T> {
    /// # Safety
    ///
    /// `private` must be the private data of a file of the iterator that is being opened.
    unsafe extern "C" fn init_seq_private(
        private: *mut c_void,
        _aux: *mut bindings::bpf_iter_aux_info,
    ) -> c_int {
        from_result(|| {
            // SAFETY: `private` has the size `seq_priv_size`, is aligned to 8 bytes, and is used by
            // nobody else. It stays where it is until the file is closed.
            let slot = unsafe { &mut *private.cast::<MaybeUninit<T::Cursor>>() };

            slot.write_pin_init(T::open())?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// `private` must be initialised by `init_seq_private`, and not be used again.
    unsafe extern "C" fn fini_seq_private(private: *mut c_void) {
        // SAFETY: By the safety requirements.
        unsafe { drop_in_place(private.cast::<T::Cursor>()) };
    }

    /// # Safety
    ///
    /// `seq` must be a file of the iterator, and the caller must hold its lock for as long as the
    /// cursor is used.
    #[inline]
    unsafe fn cursor<'a>(seq: *mut bindings::seq_file) -> Pin<&'a mut T::Cursor> {
        // SAFETY: By the safety requirements, the private data is what `init_seq_private` has
        // initialised, and there is no other reference to it. It stays where it is until the file is
        // closed.
        unsafe { Pin::new_unchecked(&mut *(*seq).private.cast()) }
    }

    /// # Safety
    ///
    /// `seq` must be a file of the iterator whose lock is held.
    unsafe extern "C" fn start(
        seq: *mut bindings::seq_file,
        _pos: *mut bindings::loff_t,
    ) -> *mut c_void {
        // SAFETY: By the safety requirements.
        into_nullable(T::start(unsafe { Self::cursor(seq) }))
    }

    /// # Safety
    ///
    /// `pos` must be valid, and `v` be what `start` or `next` returned last.
    unsafe extern "C" fn next(
        _seq: *mut bindings::seq_file,
        v: *mut c_void,
        pos: *mut bindings::loff_t,
    ) -> *mut c_void {
        // The cursor is what says where a read goes on, but `bpf_seq_read()` wants to see progress.
        //
        // SAFETY: The caller provides a valid pointer.
        unsafe { *pos = (*pos).wrapping_add(1) };

        // SAFETY: `v` is what `start` or `next` returned last. The caller does not use it again.
        into_nullable(unsafe { from_nullable(v) }.and_then(T::next))
    }

    /// # Safety
    ///
    /// `seq` must be a valid `struct seq_file`, and `v` be what `start` or `next` returned last.
    unsafe extern "C" fn show(seq: *mut bindings::seq_file, v: *mut c_void) -> c_int {
        // SAFETY: `seq` is valid. `v` is an entry, since the caller checks for null.
        unsafe { Self::run_prog(seq, v, false) }
    }

    /// # Safety
    ///
    /// `seq` must be a file of the iterator whose lock is held, and `v` be what `start` or `next`
    /// returned last.
    unsafe extern "C" fn stop(seq: *mut bindings::seq_file, v: *mut c_void) {
        // SAFETY: `v` is null or an entry, and the caller does not use it again.
        let entry: Option<T::Entry> = unsafe { from_nullable(v) };

        // At the end, and not when the read merely pauses, the program runs once without an entry.
        if entry.is_none() {
            // The return value is of no use in `stop`: there is nothing to repeat.
            //
            // SAFETY: `seq` is valid.
            unsafe { Self::run_prog(seq, null_mut(), true) };
        }

        // SAFETY: By the safety requirements.
        T::stop(unsafe { Self::cursor(seq) }, entry);
    }

    /// # Safety
    ///
    /// `seq` must be a valid `struct seq_file`, and `entry` an entry that is owned by the iterator,
    /// or null in `stop`.
    #[inline]
    unsafe fn run_prog(seq: *mut bindings::seq_file, entry: *mut c_void, in_stop: bool) -> c_int {
        let mut meta: bindings::bpf_iter_meta = pin_init::zeroed();
        meta.__bindgen_anon_1.seq = seq;

        // SAFETY: `meta` is valid, and so is the `seq_file` in it.
        let prog = unsafe { bindings::bpf_iter_get_info(&mut meta, in_stop) };
        if prog.is_null() {
            return 0;
        }

        let mut context = Context {
            meta: MetadataPtr::new(&mut meta),
            entry: MetadataPtr::new(entry),
        };

        // SAFETY: The file of the iterator holds a reference to the program. It was verified
        // against the arguments of `bpf_iter_TARGET`, and they are in the context by the safety
        // requirements of `Entry`.
        unsafe { bindings::bpf_iter_run_prog(prog, (&raw mut context).cast()) }
    }

    /// # Safety
    ///
    /// `seq` must be a valid `struct seq_file` of which this thread has the use.
    unsafe extern "C" fn show_fdinfo(
        _aux: *const bindings::bpf_iter_aux_info,
        seq: *mut bindings::seq_file,
    ) {
        // SAFETY: By the safety requirements.
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
        init_seq_private: Some(Self::init_seq_private),
        fini_seq_private: Some(Self::fini_seq_private),
        seq_priv_size: {
            const_assert!(align_of::<T::Cursor>() <= 8);
            size_of::<T::Cursor>() as u32
        },
    };

    fn reg(owner: &'static ThisModule) -> bindings::bpf_iter_reg {
        let mut reg: bindings::bpf_iter_reg = pin_init::zeroed();

        reg.target = T::Entry::TARGET.as_char_ptr();
        reg.owner = owner.as_ptr();
        reg.show_fdinfo = Some(Self::show_fdinfo);
        if T::RESCHED {
            reg.feature = bindings::bpf_iter_feature_BPF_ITER_RESCHED;
        }
        // The program gets a trusted pointer, since the iterator owns the entry; it must check it
        // for NULL, since there is none at the end.
        reg.ctx_arg_info_size = 1;
        reg.ctx_arg_info[0].offset = Context::ENTRY_OFFSET as u32;
        reg.ctx_arg_info[0].reg_type =
            bindings::bpf_reg_type_PTR_TO_BTF_ID_OR_NULL | bindings::bpf_type_flag_PTR_TRUSTED;
        reg.ctx_arg_info[0].btf_id = T::Entry::btf_id();
        reg.seq_info = const { &Self::SEQ_INFO };
        reg
    }
}

/// The state of an open-coded iterator: a `bpf_for_each()` loop over the entries of a [`Target`].
///
/// It lives on the stack of a BPF program, and the verifier sees to it that it is initialised
/// first and dropped last. Dropping it gives up the entry at which the loop was broken off.
///
/// # Invariants
///
/// The pointer is [`START`], or null at the end, or that of an entry which this owns.
///
/// [`START`]: Self::START
#[repr(transparent)]
pub(crate) struct OpenCoded<T: Target>(*mut c_void, PhantomData<T>);

impl<T: Target> OpenCoded<T> {
    /// Before the first entry. No entry is at an odd address.
    const START: *mut c_void = without_provenance_mut(1);

    /// Creates an iterator that has not visited an entry yet.
    pub(crate) fn new() -> Self {
        // INVARIANT: There is no entry yet.
        Self(Self::START, PhantomData)
    }

    /// Goes to the next entry, and returns its pointer, or null at the end.
    pub(crate) fn next(&mut self) -> *mut c_void {
        let current = mem::replace(&mut self.0, null_mut());

        let next = if current == Self::START {
            T::first()
        } else {
            // SAFETY: `current` is null, or that of an entry which this owned by the type
            // invariants and does not own any more.
            unsafe { from_nullable(current) }.and_then(T::next)
        };

        // INVARIANT: The entry is owned from now on.
        self.0 = into_nullable(next);
        self.0
    }
}

impl<T: Target> Drop for OpenCoded<T> {
    fn drop(&mut self) {
        if self.0 != Self::START {
            // SAFETY: By the type invariants, this is null, or that of an entry which `self` owns
            // and gives up here.
            drop(unsafe { from_nullable::<T::Entry>(self.0) });
        }
    }
}
