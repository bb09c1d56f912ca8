// SPDX-License-Identifier: GPL-2.0

//! Which slab cache of the kernel eats the memory, and which one grows.

mod aliases;
mod cache;
mod cli;
mod kernel;
mod output;
mod pattern;
mod table;
mod watch;

use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Parser;
use nix::unistd::{sysconf, SysconfVar};
use serde::Serialize;

use cache::Cache;
use cli::Cli;
use kernel::{Question, Source};
use pattern::Pattern;

/// A cache, and what follows from it: a row of the table, and an object in JSON.
#[derive(Serialize)]
pub struct Row {
    name: String,
    nth: u32,
    node: Option<u32>,
    memory: Option<u64>,
    objects: Option<u64>,
    in_use: Option<u64>,
    parked: Option<u64>,
    free: Option<u64>,
    object_size: u64,
    slabs: Option<u64>,
    objects_per_slab: u64,
    flags: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aliases: Option<Vec<String>>,
    #[serde(skip)]
    cache: Cache,
}

impl Row {
    pub fn new(cache: Cache, page_size: u64) -> Self {
        Self {
            name: cache.name.clone(),
            nth: cache.nth,
            node: cache.node,
            memory: cache.memory(page_size),
            objects: cache.objects,
            in_use: cache.in_use(),
            parked: cache.parked,
            free: cache.free,
            object_size: cache.object_size,
            slabs: cache.slabs,
            objects_per_slab: cache.objects_per_slab,
            flags: cache.flags.clone(),
            aliases: None,
            cache,
        }
    }
}

fn page_size() -> Result<u64> {
    let size = sysconf(SysconfVar::PAGE_SIZE)?;
    size.and_then(|size| size.try_into().ok())
        .context("the size of a page is not known")
}

/// All caches, numbered and sorted.
fn read(source: &mut Source, cli: &Cli, page_size: u64) -> Result<Vec<Cache>> {
    let mut caches = source.read()?;
    cache::number_namesakes(&mut caches);
    cache::sort(&mut caches, cli.sort, page_size);
    Ok(caches)
}

fn run(cli: &Cli) -> Result<()> {
    let page_size = page_size()?;
    let pattern = cli.pattern.as_deref().map(|text| {
        Pattern::new(text).with_context(|| {
            format!(
                "the pattern {text} has more than {} characters",
                Pattern::MOST
            )
        })
    });
    let pattern = pattern.transpose()?;
    let question = Question {
        pattern: pattern.as_ref(),
        by_node: cli.nodes,
    };
    let mut source = match &cli.read {
        Some(path) => Source::open(path)?,
        None => Source::attach(&question)?,
    };
    if let Some(path) = &cli.pin {
        return source.pin(path, cli.mode, cli.group.as_deref());
    }
    if let Some(interval) = cli.watch {
        return watch::watch(&mut source, cli, page_size, interval);
    }

    let mut rows: Vec<Row> = read(&mut source, cli, page_size)?
        .into_iter()
        .map(|cache| Row::new(cache, page_size))
        .collect();
    if cli.aliases {
        let names = aliases::read()?;
        for row in &mut rows {
            row.aliases = Some(names.of(&row.name));
        }
    }
    let shown = &rows[..cli.top.unwrap_or(rows.len()).min(rows.len())];
    let text = if cli.json {
        output::json(shown)?
    } else if cli.prometheus {
        output::prometheus(shown)
    } else {
        table::table(shown, &rows, cli.flags, cli.aliases).text(table::screen_width())?
    };
    print(&text)
}

fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write")
}

fn main() -> ExitCode {
    let Err(error) = run(&Cli::parse()) else {
        return ExitCode::SUCCESS;
    };
    // Whoever reads has seen enough.
    if error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    {
        return ExitCode::SUCCESS;
    }
    let mut lines = format!("{error:#}");
    lines = lines.trim_end().replace('\n', "\n       ");
    eprintln!("error: {lines}");
    ExitCode::FAILURE
}
