// SPDX-License-Identifier: GPL-2.0

//! The command line. build.rs makes the man page and the completions of it, too.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use crate::pattern::Pattern;

/// What follows the options in `--help`, and is a section each of the man page.
pub const SECTIONS: [(&str, &str); 4] = [
    (
        "Examples",
        "  slabstat --top 10                 the ten caches that take the most memory
  slabstat --sort parked            those with the most objects in sheaves
  slabstat --match 'kmalloc-*'      those of kmalloc()
  slabstat --watch 5                what has grown, each five seconds
  slabstat --json | jq '.[0]'       the largest cache, for programs

  An exporter that has no privilege reads what root has pinned:
    slabstat --pin /sys/fs/bpf/slabstat --mode 440 --group prometheus
    chmod o+x /sys/fs/bpf
    slabstat --read /sys/fs/bpf/slabstat --prometheus",
    ),
    (
        "Columns",
        "  MEMORY    what the slabs take
  OBJECTS   those that there is room for in the slabs
  INUSE     those that are neither parked nor free. Objects that wait for RCU
            outside of sheaves are in use, and until Linux 7.0 the free ones of a
            slab that a CPU has for itself
  PARKED    those that were freed, and are kept in sheaves to be allocated again,
            some of them until RCU allows it; /proc/slabinfo and slabtop show them
            as in use
  FREE      the others. Of caches with more than 10000 slabs that are partly
            free, on a node, it is an estimate, as in /proc/slabinfo
  OBJSIZE   the size of an object, with what the slab code adds
  SLABS     the slabs
  OBJ/SLAB  the objects of a slab
  FLAGS     hwalign: aligned to cache lines, reclaim: memory that can be had back,
            rcu: SLAB_TYPESAFE_BY_RCU, dma: for DMA, panic: the system cannot do
            without, nomerge: not merged with others, account: charged to cgroups,
            poison: debugged
  ALIASES   other caches that are merged into this one

  What this kernel does not tell is shown as -, and is null in JSON. Columns
  that a screen has no room for are left out, and what is cut off ends with ~.
  A cache whose name is that of an older one is NAME#2.

  The iterator in C finds its place by counting. With more than 240 rows, it may
  leave one out when caches are created or destroyed meanwhile.",
    ),
    (
        "JSON",
        "  An array with an object for each row: name, nth, node, memory, objects,
  in_use, parked, free, object_size, slabs, objects_per_slab, flags, and with
  --aliases, aliases. Sizes are in bytes. nth counts the caches of the same
  name, from 1 on, the oldest first. node is null without --nodes. Later
  versions may add to it.",
    ),
    (
        "Exit status",
        "  0 if all went well, 1 if not, 2 if the command line was wrong",
    ),
];

fn more() -> String {
    let sections = SECTIONS.map(|(title, text)| format!("{title}:\n{text}"));
    sections.join("\n\n")
}

/// Which slab cache of the kernel eats the memory, and which one grows.
///
/// The largest come first. It reads the kernel's BPF iterator "kmem_cache", which Linux has since
/// 6.13, and needs CAP_BPF and CAP_PERFMON, or a file that was pinned by --pin. If the iterator is a
/// module, it needs CAP_SYS_ADMIN.
#[derive(Parser)]
#[command(version, after_help = "Examples, and what the columns mean: slabstat --help", after_long_help = more())]
pub struct Cli {
    /// Sort by this, the largest first, and names from a to z
    #[arg(short, long, value_name = "KEY", value_enum, default_value_t = Key::Memory)]
    pub sort: Key,

    /// Show just the first N
    #[arg(short = 'n', long, value_name = "N")]
    pub top: Option<usize>,

    /// Show just caches with such a name, where * is any text, and ? any character
    #[arg(short, long = "match", value_name = "GLOB", value_parser = pattern)]
    pub pattern: Option<Pattern>,

    /// Show the flags of each cache
    #[arg(short, long)]
    pub flags: bool,

    /// Show the names of caches that are merged into another one
    #[arg(short, long)]
    pub aliases: bool,

    /// Show the NUMA nodes by themselves
    #[arg(short = 'N', long)]
    pub nodes: bool,

    /// Show what has changed, the fastest growing first, each so many seconds
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds, conflicts_with_all = ["json", "prometheus", "pin", "flags", "aliases"])]
    pub watch: Option<Duration>,

    /// Print JSON
    #[arg(long, conflicts_with = "prometheus")]
    pub json: bool,

    /// Print the text format of Prometheus
    #[arg(long)]
    pub prometheus: bool,

    /// Pin the iterator to a file in a BPF file system, and print nothing
    ///
    /// Whoever may read the file gets what --match and --nodes say here. Each read is a new walk.
    /// To remove it, remove the file.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["json", "prometheus", "read", "sort", "top", "flags", "aliases"])]
    pub pin: Option<PathBuf>,

    /// The mode of the pinned file, in octal
    #[arg(long, requires = "pin", value_parser = mode, default_value = "400")]
    pub mode: u32,

    /// The group of the pinned file, by name or number
    #[arg(long, requires = "pin")]
    pub group: Option<String>,

    /// Read a file that was pinned by --pin
    #[arg(long, value_name = "PATH", conflicts_with_all = ["pattern", "nodes"])]
    pub read: Option<PathBuf>,
}

/// What rows are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Key {
    /// Memory that the slabs take
    Memory,
    /// Name
    Name,
    /// Objects
    Objects,
    /// Objects that are in use
    Inuse,
    /// Objects that are parked in sheaves
    Parked,
    /// Objects that are free
    Free,
    /// Size of an object
    Objsize,
    /// Slabs
    Slabs,
}

fn pattern(text: &str) -> Result<Pattern, String> {
    if text.contains(['[', ']', '\\']) {
        return Err("only * and ? stand for others".into());
    }
    Pattern::new(text).ok_or_else(|| format!("it has more than {} characters", Pattern::MOST))
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| (0.1..=86400.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "it is not a number of seconds from 0.1 to 86400".into())
}

fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "it is not a mode such as 440".into())
}
