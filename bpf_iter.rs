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
    error::to_result,
    prelude::*,
    seq_file::SeqFile,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    types::Opaque,
    Module, //
};

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

    /// Returns the id that the type of the object has in the BTF of the module, or of vmlinux for
    /// one that is built in, as `BTF_ID()` has it there.
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
/// All functions are called in process context and may sleep. In a read, the lock of its `seq_file`
/// is held. In a `bpf_for_each()` loop, the caller is a sleepable BPF program.
pub(crate) trait Target: Sized + 'static {
    /// Whether a read may be long: it then gives way to other tasks between two entries, and
    /// programs may be sleepable.
    const RESCHED: bool;

    /// What the program is called for.
    type Entry: Entry;

    /// Where an open file has come to, between two reads. All zero, it is before the first entry.
    ///
    /// It is used by one reader at a time, but that may be another thread each time. Whatever else
    /// changes it must be allowed to do so beside a unique reference, as in [`Opaque`].
    type Cursor: Zeroable + Send + 'static;

    /// Returns the entry at `cursor`, or [`None`] at the end.
    ///
    /// Each read begins with it, unless there is still output of the last one.
    fn start(cursor: Pin<&mut Self::Cursor>) -> Option<Self::Entry>;

    /// Gives up `entry`, and returns the one that follows it, or [`None`] at the end.
    fn next(entry: Self::Entry) -> Option<Self::Entry>;

    /// Ends a read: the next one goes on at `entry`, which is given up, or has come to the end.
    fn stop(cursor: Pin<&mut Self::Cursor>, entry: Option<Self::Entry>);

    /// Checks that a `bpf_for_each()` loop can walk the entries where its program was called.
    ///
    /// # Errors
    ///
    /// With any error, the loop has no elements.
    fn check_context() -> Result {
        Ok(())
    }

    /// Returns the first entry, for a walk that is not interrupted.
    fn first() -> Option<Self::Entry>;

    /// Describes the target in the `fdinfo` of a link.
    fn show_fdinfo(seq: &SeqFile);

    /// Returns the table of the target.
    fn table() -> &'static TargetTable<Self>;

    /// Prepares what has to be there before BPF knows the target.
    ///
    /// # Errors
    ///
    /// With any error, the module of the target is not loaded.
    fn init() -> Result {
        Ok(())
    }
}

/// A module that is an iterator target, for the `type` of [`module!`] alone.
///
/// The target is known to BPF from the end of the module's initialisation until its exit. A program
/// that is attached to the target keeps the module from being unloaded. Links and files of the
/// iterator keep their program, and so the module, too.
///
/// # Invariants
///
/// It is dropped only when the module is unloaded, or when its initialisation has failed.
pub(crate) struct TargetModule<T: Target> {
    _registration: Registration<T>,
}

impl<T: Target> Module for TargetModule<T> {
    fn init(module: &'static ThisModule) -> Result<Self> {
        // One for all targets: it is `module!` that comes first.
        static IS_CALLED: Atomic<bool> = Atomic::new(false);

        if IS_CALLED.xchg(true, Relaxed) {
            return Err(EBUSY);
        }
        T::init()?;
        // INVARIANT: `module!` has called this, and keeps what it returns until the module's exit.
        Ok(Self {
            // SAFETY: `module` is this module, and nothing else registers the table. The
            // registration is dropped when this is.
            _registration: unsafe { Registration::new(T::table(), module) }?,
        })
    }
}

/// The table by which BPF knows a [`Target`], for a `static`.
///
/// # Invariants
///
/// It is written by [`Registration::new`] alone, by one thread at a time, before it is registered.
/// From then on it is only read, until it is not registered any more.
pub(crate) struct TargetTable<T: Target>(Opaque<bindings::bpf_iter_reg>, PhantomData<fn() -> T>);

// SAFETY: By the type invariants, nobody else uses it while it is written.
unsafe impl<T: Target> Sync for TargetTable<T> {}

impl<T: Target> TargetTable<T> {
    /// Creates a table that is not registered.
    pub(crate) const fn new() -> Self {
        Self(Opaque::new(TargetVTable::<T>::REG), PhantomData)
    }
}

/// The registration of a [`Target`].
///
/// # Invariants
///
/// The table is registered by `bpf_iter_reg_target()`. When this is dropped, nobody uses the
/// target, and nobody can begin to.
struct Registration<T: Target>(&'static TargetTable<T>);

impl<T: Target> Registration<T> {
    /// Registers the target for `owner`.
    ///
    /// # Safety
    ///
    /// No other registration of `table` may be there, or be made meanwhile. `owner` must be the
    /// module that the target is in, and the registration be dropped only when that is unloaded or
    /// its initialisation has failed; unless no program can be attached to the target.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`] when there is no memory for it, [`EEXIST`] when there is a target of that name.
    unsafe fn new(table: &'static TargetTable<T>, owner: &'static ThisModule) -> Result<Self> {
        let reg = table.0.get();

        // SAFETY: By the safety requirements, nobody else uses `reg`.
        unsafe {
            (*reg).owner = owner.as_ptr();
            (*reg).ctx_arg_info[0].btf_id = T::Entry::btf_id();
        }
        // SAFETY: `reg` is initialised, and is not changed until it is unregistered.
        to_result(unsafe { bindings::bpf_iter_reg_target(reg) })?;

        // INVARIANT: The table is registered. Each file and each link holds a program, and each
        // program of the target a reference to `owner`. There must be none for it to be unloaded,
        // and nobody gets one before its initialisation has succeeded.
        Ok(Self(table))
    }
}

impl<T: Target> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, the table is registered, and no link and no file of the
        // target are left.
        unsafe { bindings::bpf_iter_unreg_target(self.0 .0.get()) };
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
    /// `private` must be the private data of a file of the iterator, and not be used again.
    unsafe extern "C" fn fini_seq_private(private: *mut c_void) {
        // SAFETY: By the safety requirements, it is a cursor: see `cursor`.
        unsafe { drop_in_place(private.cast::<T::Cursor>()) };
    }

    /// # Safety
    ///
    /// `seq` must be a file of the iterator, and the caller must hold its lock for as long as the
    /// cursor is used.
    #[inline]
    unsafe fn cursor<'a>(seq: *mut bindings::seq_file) -> Pin<&'a mut T::Cursor> {
        // SAFETY: The private data has the size `seq_priv_size`, is aligned to 8 bytes, and was all
        // zero when the file was opened, which is a cursor. By the safety requirements, there is no
        // other reference to it. It stays where it is until `fini_seq_private` has dropped it.
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
    #[inline(never)]
    unsafe fn run_prog(seq: *mut bindings::seq_file, entry: *mut c_void, in_stop: bool) -> c_int {
        let mut meta = MaybeUninit::<bindings::bpf_iter_meta>::uninit();
        let meta = meta.as_mut_ptr();

        // SAFETY: This is a field of `meta`, which is valid for writes.
        unsafe { (*meta).__bindgen_anon_1.seq = seq };

        // SAFETY: `meta` is valid for writes, and the `seq_file` in it is valid. The other fields
        // are set here, if a program is to be run.
        let prog = unsafe { bindings::bpf_iter_get_info(meta, in_stop) };
        if prog.is_null() {
            return 0;
        }

        let mut context = Context {
            meta: MetadataPtr::new(meta),
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
        // Zero is what the private data begins as.
        init_seq_private: None,
        fini_seq_private: Some(Self::fini_seq_private),
        seq_priv_size: {
            const_assert!(align_of::<T::Cursor>() <= 8);
            size_of::<T::Cursor>() as u32
        },
    };

    /// All that is known when it is compiled.
    const REG: bindings::bpf_iter_reg = {
        let mut reg: bindings::bpf_iter_reg = pin_init::zeroed();

        reg.target = T::Entry::TARGET.to_bytes_with_nul().as_ptr();
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
        reg.seq_info = const { &Self::SEQ_INFO };
        reg
    };
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
    ///
    /// # Errors
    ///
    /// That of [`Target::check_context`].
    pub(crate) fn begin() -> Result<Self> {
        T::check_context()?;
        // INVARIANT: There is no entry yet.
        Ok(Self(Self::START, PhantomData))
    }

    /// Creates an iterator that is at its end.
    pub(crate) fn ended() -> Self {
        // INVARIANT: It is at its end.
        Self(null_mut(), PhantomData)
    }

    /// Goes to the next entry, and returns its pointer, or null at the end.
    pub(crate) fn next(&mut self) -> *mut c_void {
        // Null is below START, and each entry above.
        let next = if self.0.addr() > Self::START.addr() {
            // SAFETY: This is that of an entry which `self` owns by the type invariants, and gives
            // up here: another one takes its place.
            unsafe { from_nullable(self.0) }.and_then(T::next)
        } else if self.0 == Self::START {
            T::first()
        } else {
            return null_mut();
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

#[cfg(CONFIG_BPF_KMEM_CACHE_ITER_RUST_KUNIT_TEST)]
#[kunit_tests(kmem_cache_iter_target)]
mod tests {
    use super::*;

    static NUMBERS: [u64; 3] = [10, 11, 12];

    /// How many numbers are owned by somebody.
    static OWNED: Atomic<i32> = Atomic::new(0);

    fn owned() -> i32 {
        OWNED.load(Relaxed)
    }

    /// An owned reference to one of [`NUMBERS`].
    #[derive(PartialEq, Debug)]
    struct Number(usize);

    impl Number {
        fn get(index: usize) -> Option<Self> {
            NUMBERS.get(index)?;
            OWNED.add(1, Relaxed);
            Some(Self(index))
        }

        fn ptr(index: usize) -> *mut c_void {
            NUMBERS
                .get(index)
                .map_or(null_mut(), |number| (&raw const *number).cast_mut().cast())
        }
    }

    impl Drop for Number {
        fn drop(&mut self) {
            OWNED.add(-1, Relaxed);
        }
    }

    // SAFETY: The pointer is to one of `NUMBERS`. No program is ever attached.
    unsafe impl Entry for Number {
        const TARGET: &'static CStr = c"kmem_cache_iter_kunit";

        fn btf_id() -> u32 {
            0
        }

        fn into_raw(self) -> NonNull<c_void> {
            let index = mem::ManuallyDrop::new(self).0;

            NonNull::from(&NUMBERS[index]).cast()
        }

        unsafe fn from_raw(ptr: NonNull<c_void>) -> Self {
            let first: NonNull<u64> = NonNull::from(&NUMBERS).cast();

            // SAFETY: By the safety requirements, the pointer is to one of `NUMBERS`.
            Self(unsafe { ptr.cast::<u64>().offset_from(first) } as usize)
        }
    }

    /// How many files were closed.
    static CLOSED: Atomic<i32> = Atomic::new(0);

    #[derive(Zeroable)]
    struct Place(usize);

    impl Drop for Place {
        fn drop(&mut self) {
            CLOSED.add(1, Relaxed);
        }
    }

    struct Numbers;

    /// Whether a loop must not begin.
    static IS_LOCKED: Atomic<bool> = Atomic::new(false);

    static TABLE: TargetTable<Numbers> = TargetTable::new();

    impl Target for Numbers {
        const RESCHED: bool = false;

        type Entry = Number;
        type Cursor = Place;

        fn start(cursor: Pin<&mut Place>) -> Option<Number> {
            Number::get(cursor.0)
        }

        fn next(entry: Number) -> Option<Number> {
            Number::get(entry.0 + 1)
        }

        fn stop(mut cursor: Pin<&mut Place>, entry: Option<Number>) {
            cursor.0 = entry.map_or(NUMBERS.len(), |entry| entry.0);
        }

        fn check_context() -> Result {
            if IS_LOCKED.load(Relaxed) {
                Err(EBUSY)
            } else {
                Ok(())
            }
        }

        fn first() -> Option<Number> {
            Number::get(0)
        }

        fn show_fdinfo(_seq: &SeqFile) {}

        fn table() -> &'static TargetTable<Self> {
            &TABLE
        }
    }

    #[test]
    fn loop_to_its_end() -> Result {
        let mut walk = OpenCoded::<Numbers>::begin()?;

        assert_eq!(walk.next(), Number::ptr(0));
        assert_eq!(owned(), 1);
        assert_eq!(walk.next(), Number::ptr(1));
        assert_eq!(owned(), 1);
        assert_eq!(walk.next(), Number::ptr(2));
        assert!(walk.next().is_null());
        assert_eq!(owned(), 0);
        assert!(walk.next().is_null());
        drop(walk);
        assert_eq!(owned(), 0);
        Ok(())
    }

    #[test]
    fn loop_broken_off() -> Result {
        let mut walk = OpenCoded::<Numbers>::begin()?;

        walk.next();
        walk.next();
        assert_eq!(owned(), 1);
        drop(walk);
        assert_eq!(owned(), 0);
        Ok(())
    }

    #[test]
    fn loop_not_begun() -> Result {
        drop(OpenCoded::<Numbers>::begin()?);
        assert_eq!(owned(), 0);
        Ok(())
    }

    #[test]
    fn loop_refused() {
        IS_LOCKED.store(true, Relaxed);
        let refused = OpenCoded::<Numbers>::begin().err();
        IS_LOCKED.store(false, Relaxed);
        assert_eq!(refused, Some(EBUSY));

        let mut walk = OpenCoded::<Numbers>::ended();
        assert!(walk.next().is_null());
        assert_eq!(owned(), 0);
    }

    /// What the functions of the table need of a file: the private data.
    struct File {
        seq: bindings::seq_file,
        private: KBox<MaybeUninit<Place>>,
    }

    impl File {
        fn open() -> Result<Self> {
            let mut file = Self {
                seq: pin_init::zeroed(),
                private: KBox::new(MaybeUninit::zeroed(), GFP_KERNEL)?,
            };

            file.seq.private = file.private.as_mut_ptr().cast();
            Ok(file)
        }

        fn start(&mut self) -> *mut c_void {
            // SAFETY: Of the file, `start()` uses the private data alone, which is initialised.
            unsafe { TargetVTable::<Numbers>::start(&mut self.seq, &mut 0) }
        }

        /// `v` must be what `start()` or `next()` returned last.
        fn next(&mut self, v: *mut c_void, pos: &mut bindings::loff_t) -> *mut c_void {
            // SAFETY: As the tests have it.
            unsafe { TargetVTable::<Numbers>::next(&mut self.seq, v, pos) }
        }

        /// `v` must be what `start()` or `next()` returned last, and not be null: there is no
        /// program to run at the end.
        fn stop(&mut self, v: *mut c_void) {
            // SAFETY: As the tests have it.
            unsafe { TargetVTable::<Numbers>::stop(&mut self.seq, v) };
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            // SAFETY: It is a cursor since `open`.
            unsafe { TargetVTable::<Numbers>::fini_seq_private(self.seq.private) };
        }
    }

    #[test]
    fn read_owns_one_entry() -> Result {
        let mut file = File::open()?;
        let mut pos = 0;

        let v = file.start();
        assert_eq!((v, owned()), (Number::ptr(0), 1));
        let v = file.next(v, &mut pos);
        assert_eq!((v, owned(), pos), (Number::ptr(1), 1, 1));
        let v = file.next(v, &mut pos);
        assert_eq!((v, owned(), pos), (Number::ptr(2), 1, 2));
        let v = file.next(v, &mut pos);
        assert_eq!((v, owned(), pos), (null_mut(), 0, 3));
        Ok(())
    }

    #[test]
    fn read_goes_on_where_it_stopped() -> Result {
        let mut file = File::open()?;

        let v = file.start();
        let v = file.next(v, &mut 0);
        file.stop(v);
        assert_eq!(owned(), 0);
        let v = file.start();
        assert_eq!(v, Number::ptr(1));
        file.stop(v);
        assert_eq!(owned(), 0);
        Ok(())
    }

    #[test]
    fn cursor_lives_with_its_file() -> Result {
        let file = File::open()?;
        let before = CLOSED.load(Relaxed);

        drop(file);
        assert_eq!(CLOSED.load(Relaxed), before + 1);
        Ok(())
    }

    #[test]
    fn files_are_apart() -> Result {
        let mut file = File::open()?;
        let mut other = File::open()?;

        let v = file.start();
        let v = file.next(v, &mut 0);
        file.stop(v);
        let v = other.start();
        assert_eq!(v, Number::ptr(0));
        other.stop(v);
        Ok(())
    }

    // SAFETY: It is not used as a module.
    static OWNER: ThisModule = unsafe { ThisModule::from_ptr(null_mut()) };

    fn register(table: &'static TargetTable<Numbers>) -> Result<Registration<Numbers>> {
        // SAFETY: The tests run one after the other, and each has a table for one registration at
        // a time. There is no function in BTF that a program of the target could be attached to.
        unsafe { Registration::new(table, &OWNER) }
    }

    #[test]
    fn registered_again() -> Result {
        drop(register(&TABLE)?);
        drop(register(&TABLE)?);
        Ok(())
    }

    #[test]
    fn one_target_of_a_name() -> Result {
        static SECOND: TargetTable<Numbers> = TargetTable::new();
        let _first = register(&TABLE)?;

        assert!(register(&SECOND).is_err_and(|err| err == EEXIST));
        Ok(())
    }

    #[test]
    fn module_initialised_once() {
        // `module!` has done it.
        assert!(TargetModule::<Numbers>::init(&OWNER).is_err_and(|err| err == EBUSY));
    }
}
