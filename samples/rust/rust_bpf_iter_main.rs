// SPDX-License-Identifier: GPL-2.0

//! Rust BPF iterator sample.
//!
//! The module has items, each of which has a number and a value. A person creates and removes them
//! by writing to a device, and reads them by two BPF iterator targets. A program is called with a
//! copy of an item, so that the item can be removed meanwhile.
//!
//! - `rust_item` shows all items in the order of their numbers.
//! - `rust_item_high` shows those whose value is above the average of all before them. It fails
//!   with `EOVERFLOW` at a value with which the sum of all values is too large, and then goes on
//!   behind it.
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
//!
//! with this program in items.bpf.c:
//!
//! ```c
//! SEC("iter/rust_item")
//! int items(struct bpf_iter__rust_item *ctx)
//! {
//!         struct rust_item *item = ctx->item;
//!
//!         if (item)
//!                 BPF_SEQ_PRINTF(ctx->meta->seq, "item %llu: %llu\n", item->number, item->value);
//!         return 0;
//! }
//! ```

use core::mem::offset_of;
use kernel::{
    bpf::iter::{
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
    prelude::*, //
};

module! {
    type: RustBpfIter,
    name: "rust_bpf_iter",
    description: "Rust BPF iterator sample",
    license: "GPL",
}

/// What programs are called for: `struct rust_item` in rust_bpf_iter_btf.c.
#[derive(Clone, Copy)]
#[repr(C)]
struct Item {
    number: u64,
    value: u64,
}

// The layout that programs know.
static_assert!(offset_of!(Item, number) == 0 && offset_of!(Item, value) == 8);

/// All items, in the order of their numbers.
struct Items {
    items: KVec<Item>,
    last_number: u64,
}

kernel::sync::global_lock! {
    // SAFETY: The module's `init` initialises it before it registers the targets and the device,
    // which alone use it.
    unsafe(uninit) static ITEMS: Mutex<Items> = Items {
        items: KVec::new(),
        last_number: 0,
    };
}

impl Items {
    /// Copies the first item whose number is `number` or higher.
    fn at_or_after(&self, number: u64) -> Option<Item> {
        let index = self.items.partition_point(|item| item.number < number);

        self.items.get(index).copied()
    }

    fn add(&mut self, value: u64) -> Result {
        let number = self.last_number + 1;

        self.items.push(Item { number, value }, GFP_KERNEL)?;
        self.last_number = number;
        Ok(())
    }

    fn remove(&mut self, number: u64) -> Result {
        let before = self.items.len();

        self.items.retain(|item| item.number != number);
        if self.items.len() == before {
            return Err(ENOENT);
        }
        Ok(())
    }
}

/// An open file of `rust_item`: the lowest number that it can go on with.
#[derive(Zeroable)]
struct AllItems {
    next: u64,
}

#[vtable]
impl Target for AllItems {
    // SAFETY: rust_bpf_iter_btf.c defines `bpf_iter_rust_item()` with the two arguments, the second
    // of which is a `struct rust_item *`. An `Item` is one. The program has a copy in a box.
    const BTF: TargetBtf<KBox<Item>> = unsafe { TargetBtf::new(c"rust_item", Trust::Trusted) };
    const RESCHED: bool = true;

    type Object = KBox<Item>;

    fn start(self: Pin<&mut Self>) -> Result<Option<KBox<Item>>> {
        let Some(item) = ITEMS.lock().at_or_after(self.next) else {
            return Ok(None);
        };

        Ok(Some(KBox::new(item, GFP_KERNEL)?))
    }

    fn next(mut self: Pin<&mut Self>, current: KBox<Item>) -> Result<Option<KBox<Item>>> {
        self.next = current.number + 1;
        self.start()
    }
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
    // It promises less than `AllItems`: programs can read an item, and pass it on to few kfuncs.
    //
    // SAFETY: As in `AllItems`, for `bpf_iter_rust_item_high()`.
    const BTF: TargetBtf<KBox<Item>> = unsafe { TargetBtf::new(c"rust_item_high", Trust::Rcu) };
    const RESCHED: bool = true;

    type Object = KBox<Item>;

    fn start(mut self: Pin<&mut Self>) -> Result<Option<KBox<Item>>> {
        loop {
            let Some(item) = ITEMS.lock().at_or_after(self.next) else {
                return Ok(None);
            };

            if self.is_high(&item) {
                return Ok(Some(KBox::new(item, GFP_KERNEL)?));
            }
            self.pass(&item)?;
        }
    }

    fn next(mut self: Pin<&mut Self>, current: KBox<Item>) -> Result<Option<KBox<Item>>> {
        self.pass(&current)?;
        self.start()
    }
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
        let line = buf
            .get(..len)
            .and_then(|line| core::str::from_utf8(line).ok());
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
    _all_items: Registration<AllItems>,
    _high_items: Registration<HighItems>,
    #[pin]
    _device: MiscDeviceRegistration<Device>,
}

impl kernel::InPlaceModule for RustBpfIter {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        // SAFETY: This is called once.
        unsafe { ITEMS.init() };

        try_pin_init!(Self {
            _all_items: Registration::new(module)?,
            _high_items: Registration::new(module)?,
            _device <- MiscDeviceRegistration::register(MiscDeviceOptions { name: c"rust_item" }),
        })
    }
}

#[pinned_drop]
impl PinnedDrop for RustBpfIter {
    fn drop(self: Pin<&mut Self>) {
        // A static is not dropped. No program is loaded, since that keeps the module.
        ITEMS.lock().items = KVec::new();
    }
}
