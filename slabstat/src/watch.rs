// SPDX-License-Identifier: GPL-2.0

//! What has changed from one look to the next.

use std::{cmp::Reverse, collections::HashMap, io::IsTerminal, thread, time::Duration};

use anyhow::Result;

use crate::{
    cache::Cache,
    cli::{Cli, Key},
    kernel::Source,
    print, read,
    table::{kilobytes, name, number, screen_width, Table},
};

/// How a row is found again.
type Id = (String, u32, Option<u32>);

fn id(cache: &Cache) -> Id {
    (cache.name.clone(), cache.nth, cache.node)
}

/// What is shown of each cache: how much that has grown.
const KEYS: [(&str, Key); 5] = [
    ("MEMORY", Key::Memory),
    ("OBJECTS", Key::Objects),
    ("INUSE", Key::Inuse),
    ("PARKED", Key::Parked),
    ("FREE", Key::Free),
];

/// A cache, and by how much it has grown, or shrunk.
struct Growth<'a> {
    cache: &'a Cache,
    values: [i64; KEYS.len()],
}

/// Those that have changed, the fastest growing first. One that is new has grown from nothing.
fn growth<'a>(before: &[Cache], now: &'a [Cache], sort: Key, page_size: u64) -> Vec<Growth<'a>> {
    let before: HashMap<Id, &Cache> = before.iter().map(|cache| (id(cache), cache)).collect();
    let grown = |cache: &Cache, key| {
        let old = before
            .get(&id(cache))
            .and_then(|old| old.value(key, page_size));
        cache.value(key, page_size).unwrap_or(0) as i64 - old.unwrap_or(0) as i64
    };
    let mut all: Vec<Growth<'_>> = now
        .iter()
        .map(|cache| Growth {
            cache,
            values: KEYS.map(|(_, key)| grown(cache, key)),
        })
        .filter(|growth| growth.values != [0; KEYS.len()])
        .collect();

    // By what was asked for, if that can grow, and else by all of it in the order of the columns.
    let first = KEYS.iter().position(|(_, key)| *key == sort).unwrap_or(0);
    all.sort_by_key(|growth| Reverse((growth.values[first], growth.values)));
    all
}

fn table(all: &[Growth<'_>], top: usize, page_size: u64) -> Table {
    let titles: Vec<String> = KEYS.iter().map(|(title, _)| format!("+{title}")).collect();
    let mut titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    titles.extend(["MEMORY", "INUSE"]);
    let mut table = Table::new(&titles, &[]);

    for growth in all.iter().take(top) {
        let [memory, rest @ ..] = growth.values;
        let mut cells = vec![name(growth.cache), signed_kilobytes(memory)];
        cells.extend(rest.map(|value| format!("{value:+}")));
        cells.push(kilobytes(growth.cache.memory(page_size)));
        cells.push(number(growth.cache.in_use()));
        table.add(cells);
    }

    let mut sums = [0; KEYS.len()];
    for growth in all {
        for (sum, value) in sums.iter_mut().zip(growth.values) {
            *sum += value;
        }
    }
    let mut cells = vec![
        format!("{} caches have changed", all.len()),
        signed_kilobytes(sums[0]),
    ];
    cells.extend(sums[1..].iter().map(|value| format!("{value:+}")));
    cells.extend([String::new(), String::new()]);
    table.add(cells);
    table
}

fn signed_kilobytes(value: i64) -> String {
    format!("{:+}K", value / 1024)
}

/// Until it is interrupted.
pub fn watch(source: &mut Source, cli: &Cli, page_size: u64, interval: Duration) -> Result<()> {
    let on_terminal = std::io::stdout().is_terminal();
    let mut before = read(source, cli, page_size)?;

    loop {
        thread::sleep(interval);
        let now = read(source, cli, page_size)?;
        let all = growth(&before, &now, cli.sort, page_size);
        let text = table(&all, cli.top.unwrap_or(usize::MAX), page_size).text(screen_width())?;
        if on_terminal {
            // Home, the text with each line cleared to its end, and nothing below.
            print(&format!(
                "\x1b[H{}\x1b[J",
                fit(&text).replace('\n', "\x1b[K\n")
            ))?;
        } else {
            print(&format!("{text}\n"))?;
        }
        before = now;
    }
}

/// What the screen has lines for. The sums are in the last one.
fn fit(text: &str) -> String {
    let height = terminal_size::terminal_size().map_or(usize::MAX, |(_, height)| height.0.into());
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() < height {
        return text.into();
    }
    let (sums, rows) = lines
        .split_last()
        .map_or(("", &[][..]), |(last, rows)| (*last, rows));
    let shown = &rows[..rows.len().min(height.saturating_sub(2))];
    shown
        .iter()
        .chain([&sums])
        .map(|line| format!("{line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str, slabs: u64) -> Cache {
        Cache {
            name: name.into(),
            slabs: Some(slabs),
            ..Cache::default()
        }
    }

    #[test]
    fn the_fastest_growing_come_first() {
        let before = [
            cache("a", 5),
            cache("b", 5),
            cache("c", 5),
            cache("gone", 9),
        ];
        let now = [cache("a", 4), cache("b", 5), cache("c", 7), cache("new", 1)];
        let all = growth(&before, &now, Key::Memory, 4096);
        let found: Vec<(&str, i64)> = all
            .iter()
            .map(|growth| (growth.cache.name.as_str(), growth.values[0]))
            .collect();
        assert_eq!(found, [("c", 8192), ("new", 4096), ("a", -4096)]);
    }
}
