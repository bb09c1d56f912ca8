// SPDX-License-Identifier: GPL-2.0

//! The cursor of a target cannot be used by another thread than the one that opened the file.
//
// in: bpf_iter.rs
// expect: error[E0277]: `*mut u8` cannot be sent between threads safely

use super::*;

#[derive(Zeroable)]
struct Place<T>(T);

struct Nothing<P>(PhantomData<P>);

impl<E: Entry + 'static> Target for Nothing<(E, u8)> {
    const RESCHED: bool = false;

    type Entry = E;
    #[cfg(not(misuse))]
    type Cursor = Place<u8>;
    #[cfg(misuse)]
    type Cursor = Place<*mut u8>;

    fn start(_cursor: Pin<&mut Self::Cursor>) -> Option<E> {
        None
    }

    fn next(_entry: E) -> Option<E> {
        None
    }

    fn stop(_cursor: Pin<&mut Self::Cursor>, _entry: Option<E>) {}

    fn first() -> Option<E> {
        None
    }

    fn show_fdinfo(_seq: &SeqFile) {}

    fn table() -> &'static TargetTable<Self> {
        loop {}
    }
}
