// SPDX-License-Identifier: GPL-2.0

//! Rust BPF iterator sample.
//!
//! The module has items, each of which has a number and a value. A person creates and removes them
//! by writing to a device, and reads them by two BPF iterator targets:
//!
//! - `rust_item` shows all items in the order of their numbers.
//! - `rust_item_high` shows those whose value is above the average of all before them. It fails with
//!   `EOVERFLOW` at a value with which the sum of all values is too large, and then goes on behind it.
//!
//! ```sh
//! echo +30 > /dev/rust_item    # creates item 1
//! echo +10 > /dev/rust_item    # creates item 2
//! echo +40 > /dev/rust_item    # creates item 3
//! echo -1 > /dev/rust_item     # removes item 1
//!
//! bpftool iter pin items.bpf.o /sys/fs/bpf/items
//! cat /sys/fs/bpf/items
//! ```

use core::{
    mem::offset_of,
    ptr::NonNull, //
};
use kernel::{
    bpf::iter::{
        BtfId,
        Registration,
        Target,
        TargetBtf,
        Trust, //
    },
    fs::{
        File,
        Kiocb, //
    },
    iov::IovIterSource,
    miscdevice::{
        MiscDevice,
        MiscDeviceOptions,
        MiscDeviceRegistration, //
    },
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        Refcount, //
    },
};

module! {
    type: RustBpfIter,
    name: "rust_bpf_iter",
    description: "Rust BPF iterator sample",
    license: "GPL",
}

/// What programs are called for: `struct rust_item` in rust_bpf_iter_btf.c.
#[repr(C)]
struct Item {
    refs: Refcount,
    number: u64,
    value: u64,
}

// The layout that programs know.
static_assert!(offset_of!(Item, number) == 8 && offset_of!(Item, value) == 16);

impl Item {
    fn new(number: u64, value: u64) -> Result<ARef<Self>> {
        let item = KBox::new(
            Self {
                refs: Refcount::new(1),
                number,
                value,
            },
            GFP_KERNEL,
        )?;

        // SAFETY: The count has the reference that the `ARef` owns.
        Ok(unsafe { ARef::from_raw(NonNull::from(KBox::leak(item))) })
    }

    /// Returns the first item whose number is `number` or higher.
    fn from(number: u64) -> Option<ARef<Self>> {
        ITEMS.lock().find(|item| item.number >= number)
    }
}

// SAFETY: `Item::new` begins with one reference, and the item is freed when there is none.
unsafe impl AlwaysRefCounted for Item {
    fn inc_ref(&self) {
        self.refs.inc();
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: By the safety requirements, there is a reference, which keeps the item.
        if unsafe { obj.as_ref() }.refs.dec_and_test() {
            // SAFETY: It is a box that `Item::new` has leaked, and the last reference is gone.
            drop(unsafe { KBox::from_raw(obj.as_ptr()) });
        }
    }
}

/// All items, in the order of their numbers.
struct Items {
    items: KVec<ARef<Item>>,
    last_number: u64,
}

kernel::sync::global_lock! {
    // SAFETY: It is initialised by the module's `init`, before anybody can use it.
    unsafe(uninit) static ITEMS: Mutex<Items> = Items {
        items: KVec::new(),
        last_number: 0,
    };
}

impl Items {
    fn find(&self, condition: impl Fn(&Item) -> bool) -> Option<ARef<Item>> {
        self.items.iter().find(|item| condition(item)).cloned()
    }

    fn add(&mut self, value: u64) -> Result {
        let number = self.last_number + 1;

        self.items.push(Item::new(number, value)?, GFP_KERNEL)?;
        self.last_number = number;
        Ok(())
    }

    fn remove(&mut self, number: u64) -> Result {
        self.find(|item| item.number == number).ok_or(ENOENT)?;
        self.items.retain(|item| item.number != number);
        Ok(())
    }
}

extern "C" {
    static rust_item_btf_id: BtfId;
}

/// An open file of `rust_item`: the lowest number that it can go on with.
#[derive(Zeroable)]
struct AllItems {
    next: u64,
}

#[vtable]
impl Target for AllItems {
    // SAFETY: rust_bpf_iter_btf.c defines `bpf_iter_rust_item()` with the two arguments, and the id of
    // `struct rust_item`. An `Item` is one, and an `ARef<Item>` a counted reference to it.
    const BTF: TargetBtf<ARef<Item>> =
        unsafe { TargetBtf::new(c"rust_item", &raw const rust_item_btf_id, Trust::Trusted) };
    const RESCHED: bool = true;

    type Object = ARef<Item>;

    fn start(self: Pin<&mut Self>) -> Result<Option<ARef<Item>>> {
        Ok(Item::from(self.next))
    }

    fn next(mut self: Pin<&mut Self>, current: ARef<Item>) -> Result<Option<ARef<Item>>> {
        self.next = current.number + 1;
        Ok(Item::from(self.next))
    }

    fn stop(self: Pin<&mut Self>, _current: Option<ARef<Item>>) {}
}

/// An open file of `rust_item_high`: where it goes on, and what it has to know of the items before.
#[derive(Zeroable)]
struct HighItems {
    next: u64,
    count: u64,
    sum: u64,
}

impl HighItems {
    fn is_high(&self, item: &Item) -> bool {
        self.sum
            .checked_div(self.count)
            .is_none_or(|average| item.value > average)
    }

    fn pass(&mut self, item: &Item) -> Result {
        self.next = item.number + 1;
        self.sum = self.sum.checked_add(item.value).ok_or(EOVERFLOW)?;
        self.count += 1;
        Ok(())
    }
}

#[vtable]
impl Target for HighItems {
    // SAFETY: As in `AllItems`, for `bpf_iter_rust_item_high()`.
    const BTF: TargetBtf<ARef<Item>> =
        unsafe { TargetBtf::new(c"rust_item_high", &raw const rust_item_btf_id, Trust::Trusted) };
    const RESCHED: bool = true;

    type Object = ARef<Item>;

    fn start(mut self: Pin<&mut Self>) -> Result<Option<ARef<Item>>> {
        while let Some(item) = Item::from(self.next) {
            if self.is_high(&item) {
                return Ok(Some(item));
            }
            self.pass(&item)?;
        }
        Ok(None)
    }

    fn next(mut self: Pin<&mut Self>, current: ARef<Item>) -> Result<Option<ARef<Item>>> {
        self.pass(&current)?;
        self.start()
    }

    fn stop(self: Pin<&mut Self>, _current: Option<ARef<Item>>) {}
}

/// `/dev/rust_item`.
struct Device;

#[vtable]
impl MiscDevice for Device {
    type Ptr = ();

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result {
        Ok(())
    }

    fn write_iter(_kiocb: Kiocb<'_, ()>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let mut buf = [0; 24];
        let len = iov.copy_from_iter(&mut buf);
        let line = buf.get(..len).and_then(|line| core::str::from_utf8(line).ok());
        let line = line.filter(|_| iov.is_empty()).ok_or(EINVAL)?.trim_end();
        let number = |digits: &str| digits.parse().map_err(|_| EINVAL);

        if let Some(value) = line.strip_prefix('+') {
            ITEMS.lock().add(number(value)?)?;
        } else if let Some(item) = line.strip_prefix('-') {
            ITEMS.lock().remove(number(item)?)?;
        } else {
            return Err(EINVAL);
        }
        Ok(len)
    }
}

#[pin_data(PinnedDrop)]
struct RustBpfIter {
    #[pin]
    _all_items: Registration<AllItems>,
    #[pin]
    _high_items: Registration<HighItems>,
    #[pin]
    _device: MiscDeviceRegistration<Device>,
}

impl kernel::InPlaceModule for RustBpfIter {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        // SAFETY: This is called once.
        unsafe { ITEMS.init() };

        try_pin_init!(Self {
            _all_items <- Registration::new(module),
            _high_items <- Registration::new(module),
            _device <- MiscDeviceRegistration::register(MiscDeviceOptions { name: c"rust_item" }),
        })
    }
}

#[pinned_drop]
impl PinnedDrop for RustBpfIter {
    fn drop(self: Pin<&mut Self>) {
        // Nobody has the device open, and no program is loaded.
        ITEMS.lock().items.clear();
    }
}
