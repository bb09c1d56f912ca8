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
use nix::{sys::utsname::uname, unistd::Group};

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
    pub fn pin(self, path: &Path, mode: u32, group: Option<&str>) -> Result<()> {
        let Self::Attached(mut link) = self else {
            bail!("it is pinned already");
        };
        let group = group
            .map(|name| {
                Group::from_name(name)?
                    .ok_or_else(|| anyhow!("there is no group {name}"))
                    .map(|group| group.gid.as_raw())
            })
            .transpose()?;

        link.pin(path).with_context(|| {
            format!(
                "cannot pin to {}; it must be a new file in a BPF file system, such as /sys/fs/bpf",
                path.display()
            )
        })?;
        let set = || -> io::Result<()> {
            chown(path, None, group)?;
            fs::set_permissions(path, Permissions::from_mode(mode))
        };
        set()
            .inspect_err(|_| {
                // Nobody gets what is half done.
                let _ = fs::remove_file(path);
            })
            .with_context(|| format!("cannot set mode and group of {}", path.display()))
    }

    /// All caches, in the order of the kernel's list, the newest first.
    pub fn read(&mut self) -> Result<Vec<Cache>> {
        let mut bytes = Vec::new();
        match self {
            Self::Attached(link) => Iter::new(link)
                .context("cannot open the iterator")?
                .read_to_end(&mut bytes),
            // Each that is opened is a walk of its own.
            Self::Pinned(path) => {
                File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
            }
        }
        .context("cannot read the iterator")?;
        parse(&bytes)
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
        data.nr_cpus = libbpf_rs::num_possible_cpus()? as u32;
        for (node, cpus) in nodes {
            for cpu in cpus {
                if let Some(to) = data.node_of_cpu.get_mut(cpu as usize) {
                    *to = node as u16;
                }
            }
        }
    }
    skel.load()?.progs.slabstat.attach()
}

/// The NUMA nodes, and the CPUs of each.
fn nodes() -> Vec<(u32, Vec<u32>)> {
    let Ok(possible) = fs::read_to_string("/sys/devices/system/node/possible") else {
        return Vec::new();
    };
    numbers(&possible)
        .into_iter()
        .map(|node| {
            let cpus = fs::read_to_string(format!("/sys/devices/system/node/node{node}/cpulist"));
            (node, numbers(&cpus.unwrap_or_default()))
        })
        .collect()
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
             Linux has it since 6.13. If it is a module here, load it: modprobe kmem_cache_iter_rust"
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
    let mut records = bytes.chunks_exact(size_of::<slab_record>());
    let caches = records
        .by_ref()
        .map(|chunk| {
            // SAFETY: The chunk is as long as a record, which any bytes are one of.
            cache(&unsafe { read_unaligned(chunk.as_ptr().cast::<slab_record>()) })
        })
        .collect::<Option<Vec<_>>>();
    caches
        .filter(|_| records.remainder().is_empty())
        .context("what was read is not from this version of slabstat; pin it again")
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
fn cache(record: &slab_record) -> Option<Cache> {
    let is_set = |flag: record_flags| record.flags.0 & flag.0 != 0;
    let has = |flag, value| is_set(flag).then_some(value);
    let flags = FLAGS
        .into_iter()
        .filter_map(|(flag, name)| is_set(flag).then_some(name))
        .collect();
    let name = record.name.map(|byte| byte as u8);

    (record.size as usize == size_of::<slab_record>()).then(|| Cache {
        name: CStr::from_bytes_until_nul(&name)
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        number: record.number,
        node: u32::try_from(record.node).ok(),
        nth: 1,
        object_size: record.object_size.into(),
        objects_per_slab: record.objects_per_slab.into(),
        order: record.order,
        merged: record.aliases,
        flags,
        slabs: has(record_flags::HAS_SLABS, record.slabs),
        objects: has(record_flags::HAS_SLABS, record.objects),
        free: has(record_flags::HAS_SLABS, record.free),
        parked: has(record_flags::HAS_SHEAVES, record.parked),
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

    #[test]
    fn records_of_another_version() {
        assert!(parse(&[]).is_ok_and(|caches| caches.is_empty()));
        assert!(parse(&[0; size_of::<slab_record>()]).is_err());
        assert!(parse(&[0; 7]).is_err());
    }
}
