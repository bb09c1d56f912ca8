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
    collections::HashSet,
    fs,
    io::{self, ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{error::ErrorKind::ArgumentConflict, CommandFactory, Parser};

use cache::Cache;
use cli::Cli;
use kernel::{Question, Source};
use pattern::Pattern;

/// All caches, numbered and sorted.
fn read(source: &mut Source, cli: &Cli) -> Result<Vec<Cache>> {
    let mut caches = source.read()?;
    cache::drop_repeated(&mut caches);
    cache::number_namesakes(&mut caches);
    cache::sort(&mut caches, cli.sort);
    Ok(caches)
}

fn run(cli: &Cli) -> Result<()> {
    let group = cli.group.as_deref().map(group_id).transpose()?;
    let question = Question {
        pattern: cli.pattern.as_ref(),
        by_node: cli.nodes,
    };
    let mut source = match &cli.read {
        Some(path) => Source::open(path)?,
        None => Source::attach(&question)?,
    };
    if let Some(path) = &cli.pin {
        source.pin(path, cli.mode, group)?;
        warn_of_closed_directories(path, cli.mode);
        return Ok(());
    }
    if let Some(interval) = cli.watch {
        if !watch::can_sort_by(cli.sort) {
            let what = "what has changed can be sorted by memory, objects, inuse, parked and free";
            Cli::command().error(ArgumentConflict, what).exit();
        }
        return watch::watch(&mut source, cli, interval);
    }

    let mut caches = read(&mut source, cli)?;
    if cli.aliases {
        let names = aliases::read()?;
        for cache in &mut caches {
            cache.aliases = Some(names.of(&cache.name));
        }
    }
    let shown = &caches[..cli.top.unwrap_or(caches.len()).min(caches.len())];
    let text = if cli.json {
        output::json(shown)?
    } else if cli.prometheus {
        output::prometheus(shown)
    } else {
        if let Some(pattern) = &cli.pattern {
            say_where_names_are(pattern);
        }
        let width = table::screen().map(|(width, _)| width);
        table::table(shown, &caches, cli.flags, cli.aliases).text(width)?
    };
    print(&text)
}

/// The number of a group, which may be one already. The program has no library that would ask
/// anybody else than the file.
fn group_id(name: &str) -> Result<u32> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let groups = fs::read_to_string("/etc/group").context("cannot read /etc/group")?;
    let mut ids = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    });
    ids.next().with_context(|| {
        format!("there is no group {name} in /etc/group; its number will do, as by: getent group {name}")
    })
}

/// Others may be meant to read the file, and not reach it.
fn warn_of_closed_directories(path: &Path, mode: u32) {
    if mode & 0o044 == 0 {
        return;
    }
    for directory in path.ancestors().skip(1) {
        let Ok(data) = directory.metadata() else {
            continue;
        };
        if data.permissions().mode() & 0o001 == 0 {
            let shown = directory.display();
            eprintln!(
                "warning: others cannot reach the file in {shown}; to let them: chmod o+x {shown}"
            );
        }
    }
}

/// A cache that was merged into another one is there under that one's name alone.
fn say_where_names_are(pattern: &Pattern) {
    let Ok(aliases) = aliases::read() else {
        return;
    };
    if aliases.matching(pattern).next().is_none() {
        return;
    }
    let all = Source::attach(&Question::default()).and_then(|mut source| source.read());
    let caches: HashSet<String> = all.into_iter().flatten().map(|cache| cache.name).collect();
    for (alias, name) in aliases.merged(pattern, &caches) {
        eprintln!("{alias} is merged into {name}");
    }
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
    let cause = error.downcast_ref::<io::Error>().map(io::Error::kind);
    if cause == Some(ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "error: {}",
        format!("{error:#}").trim_end().replace('\n', "\n       ")
    );
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        assert_eq!(group_id("root").unwrap(), 0);
        assert_eq!(group_id("65534").unwrap(), 65534);
        assert!(group_id("no such group").is_err());
    }
}
