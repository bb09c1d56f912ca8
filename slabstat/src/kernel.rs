// SPDX-License-Identifier: GPL-2.0

//! What the kernel is asked: the BPF program, and the records that it writes.

use std::{
    ffi::CStr,
    fs::{self, File, Permissions},
    io::{self, Read},
    mem::{size_of, MaybeUninit},
    os::unix::fs::{chown, PermissionsExt},
    path::{Path, PathBuf},
    ptr::read_unaligned,
    sync::Mutex,
};

use anyhow::{anyhow, bail, ensure, Context, Result};
use libbpf_rs::{
    skel::{OpenSkel, SkelBuilder},
    ErrorKind, Iter, Link, OpenObject, PrintLevel,
};
use nix::{
    sys::utsname::uname,
    unistd::{sysconf, SysconfVar},
};

mod skel {
    include!(concat!(env!("OUT_DIR"), "/slabstat.skel.rs"));
}
use skel::{
    types::{record_flags, slab_record},
    SlabstatSkelBuilder,
};

use crate::{cache::Cache, pattern::Pattern};

/// What caches are asked for.
#[derive(Default)]
pub struct Question<'a> {
    /// That their names fit.
    pub pattern: Option<&'a Pattern>,
    /// Each node by itself.
    pub by_node: bool,
}

/// The iterator, ready to be read as often as is wanted.
pub enum Source {
    Attached(Link),
    Pinned(PathBuf),
}

impl Source {
    /// Loads the BPF program, and attaches it.
    pub fn attach(question: &Question<'_>) -> Result<Self> {
        ensure!(
            Path::new("/sys/kernel/btf/vmlinux").exists(),
            "this kernel does not say what types it has; it was built without CONFIG_DEBUG_INFO_BTF"
        );
        libbpf_rs::set_print(Some((PrintLevel::Warn, remember)));
        load(question).map(Self::Attached).map_err(explain)
    }

    /// Reads a file that was pinned.
    pub fn open(path: &Path) -> Result<Self> {
        File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::Pinned(path.into()))
    }

    /// Pins it for others.
    pub fn pin(self, path: &Path, mode: u32, group: Option<u32>) -> Result<()> {
        let Self::Attached(mut link) = self else {
            bail!("it is pinned already");
        };

        link.pin(path).with_context(|| {
            format!(
                "cannot pin to {}; it must be a new file in a BPF file system, such as /sys/fs/bpf",
                path.display()
            )
        })?;
        chown(path, None, group)
            .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
            .inspect_err(|_| {
                // Nobody gets what is half done.
                let _ = fs::remove_file(path);
            })
            .with_context(|| format!("cannot set mode and group of {}", path.display()))
    }

    /// All caches, in the order of the kernel's list, the newest first.
    pub fn read(&mut self) -> Result<Vec<Cache>> {
        let bytes = match self {
            Self::Attached(link) => read_all(Iter::new(link).context("cannot open the iterator")?),
            // Each that is opened is a walk of its own.
            Self::Pinned(path) => File::open(path).and_then(read_all),
        }
        .context("cannot read the iterator")?;
        parse(&bytes)
    }
}

/// Reads as much at once as the kernel has a buffer for: where the iterator remembers its place
/// by counting, what is created or destroyed between two reads moves it.
fn read_all(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];

    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(bytes),
            count => bytes.extend(&buffer[..count]),
        }
    }
}

fn load(question: &Question<'_>) -> libbpf_rs::Result<Link> {
    let mut storage = MaybeUninit::uninit();
    load_into(&mut storage, question)
}

/// The link keeps the program, which needs no more of what is in `storage`.
fn load_into(
    storage: &mut MaybeUninit<OpenObject>,
    question: &Question<'_>,
) -> libbpf_rs::Result<Link> {
    let mut skel = SlabstatSkelBuilder::default().open(storage)?;
    let nodes = nodes();

    if let Some(data) = skel.maps.rodata_data.as_deref_mut() {
        if let Some(pattern) = question.pattern {
            data.accepts = pattern.accepts;
            data.stars = pattern.stars;
            data.end = pattern.end;
        }
        data.by_node = question.by_node;
        data.nr_nodes = nodes.iter().map(|(node, _)| node + 1).max().unwrap_or(1);
        let cpus = numbers_in("/sys/devices/system/cpu/possible");
        data.nr_cpus = cpus.iter().map(|cpu| cpu + 1).max().unwrap_or(1);
        data.node_of_cpu.fill(NOT_A_CPU);
        // Those that are offline have nothing in their sheaves.
        let online = nodes
            .into_iter()
            .flat_map(|(node, cpus)| cpus.into_iter().map(move |cpu| (cpu, node)));
        for (cpu, node) in cpus.into_iter().map(|cpu| (cpu, 0)).chain(online) {
            if let Some(to) = data.node_of_cpu.get_mut(cpu as usize) {
                *to = node as u16;
            }
        }
    }
    skel.load()?.progs.slabstat.attach()
}

/// As slabstat.bpf.c has it.
const NOT_A_CPU: u16 = u16::MAX;

/// The NUMA nodes, and the CPUs of each.
fn nodes() -> Vec<(u32, Vec<u32>)> {
    numbers_in("/sys/devices/system/node/possible")
        .into_iter()
        .map(|node| {
            (
                node,
                numbers_in(&format!("/sys/devices/system/node/node{node}/cpulist")),
            )
        })
        .collect()
}

/// Those of a file with a list. A kernel that has none of a kind has no file.
fn numbers_in(path: &str) -> Vec<u32> {
    numbers(&fs::read_to_string(path).unwrap_or_default())
}

/// Those of a list such as 0-3,5.
fn numbers(list: &str) -> Vec<u32> {
    list.trim()
        .split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(first.parse().ok()?..=last.parse().ok()?)
        })
        .flatten()
        .collect()
}

/// What libbpf has said, which is of use only if something has failed.
static LOG: Mutex<String> = Mutex::new(String::new());

/// How many lines of that are shown.
const LAST_WORDS: usize = 12;

fn remember(_level: PrintLevel, line: String) {
    if let Ok(mut log) = LOG.lock() {
        log.push_str(&line);
    }
}

/// Says to people why the program cannot be loaded.
fn explain(error: libbpf_rs::Error) -> anyhow::Error {
    let log = LOG.lock().map(|log| log.clone()).unwrap_or_default();
    let linux = uname()
        .map(|name| name.release().to_string_lossy().into_owned())
        .unwrap_or_default();

    if log.contains("kernel BTF type ID of 'kmem_cache'")
        || log.contains("no iterator target kmem_cache")
    {
        anyhow!(
            "Linux {linux} has no BPF iterator \"kmem_cache\"\n\
             Linux has it since 6.13. If it is a module here, load it: modprobe kmem_cache_iter_rust\n\
             and run this as root: the types of modules are for CAP_SYS_ADMIN alone"
        )
    } else if error.kind() == ErrorKind::PermissionDenied {
        anyhow!(
            "no permission to load a BPF program\n\
             It takes CAP_BPF and CAP_PERFMON, so run this as root.\n\
             Others can read what root has pinned: slabstat --pin, and then slabstat --read"
        )
    } else {
        // A verifier has said why in front of its last words.
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n");
        anyhow!("Linux {linux} does not take the BPF program: {error}\n{last}")
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Cache>> {
    let page_size = page_size()?;
    let mut records = bytes.chunks_exact(size_of::<slab_record>());
    let caches = records
        .by_ref()
        .map(|chunk| {
            // SAFETY: The chunk is as long as a record, which any bytes are one of.
            cache(
                &unsafe { read_unaligned(chunk.as_ptr().cast::<slab_record>()) },
                page_size,
            )
        })
        .collect::<Option<Vec<_>>>();
    caches
        .filter(|_| records.remainder().is_empty())
        .context("what was read is not from this version of slabstat; pin it again")
}

fn page_size() -> Result<u64> {
    let size = sysconf(SysconfVar::PAGE_SIZE)?;
    size.and_then(|size| size.try_into().ok())
        .context("the size of a page is not known")
}

/// What the flags are called.
const FLAGS: [(record_flags, &str); 8] = [
    (record_flags::HWALIGN, "hwalign"),
    (record_flags::RECLAIM, "reclaim"),
    (record_flags::RCU, "rcu"),
    (record_flags::DMA, "dma"),
    (record_flags::PANIC, "panic"),
    (record_flags::NOMERGE, "nomerge"),
    (record_flags::ACCOUNT, "account"),
    (record_flags::POISON, "poison"),
];

/// None, if the record is of another version.
fn cache(record: &slab_record, page_size: u64) -> Option<Cache> {
    let is_set = |flag: record_flags| record.flags.0 & flag.0 != 0;
    let has_slabs = is_set(record_flags::HAS_SLABS);
    let has_sheaves = is_set(record_flags::HAS_SHEAVES);
    let name = record.name.map(|byte| byte as u8);
    // The figures are not of one moment, so this could be negative.
    let in_use = record
        .objects
        .saturating_sub(record.free)
        .saturating_sub(record.parked);

    (record.size as usize == size_of::<slab_record>()).then(|| Cache {
        name: CStr::from_bytes_until_nul(&name)
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        nth: 1,
        node: u32::try_from(record.node).ok(),
        memory: has_slabs.then(|| record.slabs * (page_size << record.order)),
        objects: has_slabs.then_some(record.objects),
        in_use: has_slabs.then_some(in_use),
        parked: has_sheaves.then_some(record.parked),
        free: has_slabs.then_some(record.free),
        object_size: record.object_size.into(),
        slabs: has_slabs.then_some(record.slabs),
        objects_per_slab: record.objects_per_slab.into(),
        flags: FLAGS
            .into_iter()
            .filter_map(|(flag, name)| is_set(flag).then_some(name))
            .collect(),
        aliases: None,
        id: record.id,
        number: record.number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbers() {
        assert_eq!(numbers("0-3,5\n"), [0, 1, 2, 3, 5]);
        assert!(numbers("\n").is_empty());
        assert_eq!(numbers("7"), [7]);
    }

    fn record() -> slab_record {
        slab_record {
            size: size_of::<slab_record>() as u32,
            flags: record_flags(
                record_flags::HAS_SLABS.0 | record_flags::HAS_SHEAVES.0 | record_flags::RCU.0,
            ),
            node: -1,
            order: 3,
            slabs: 5,
            objects: 100,
            free: 10,
            parked: 30,
            ..slab_record::default()
        }
    }

    #[test]
    fn in_use_is_what_is_left() {
        let of = |record: &slab_record| cache(record, 4096).and_then(|cache| cache.in_use);
        let mut record = record();
        assert_eq!(of(&record), Some(60));
        // Objects that were freed between the two looks.
        record.parked = 95;
        assert_eq!(of(&record), Some(0));
        record.flags = record_flags(0);
        assert_eq!(of(&record), None);
    }

    #[test]
    fn memory_is_that_of_the_pages() {
        let of = |page_size| cache(&record(), page_size).and_then(|cache| cache.memory);
        assert_eq!(of(4096), Some(5 * 32768));
        assert_eq!(of(65536), Some(5 * 8 * 65536));
    }

    #[test]
    fn flags_have_names() {
        assert_eq!(
            cache(&record(), 4096).map(|cache| cache.flags),
            Some(vec!["rcu"])
        );
    }

    #[test]
    fn records_of_another_version() {
        assert!(parse(&[]).is_ok_and(|caches| caches.is_empty()));
        assert!(parse(&[0; size_of::<slab_record>()]).is_err());
        assert!(parse(&[0; 7]).is_err());
    }
}
