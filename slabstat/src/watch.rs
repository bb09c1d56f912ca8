// SPDX-License-Identifier: GPL-2.0

//! What has changed from one look to the next.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    thread,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use humantime::format_rfc3339_seconds;

use crate::{
    cache::Cache,
    cli::{Cli, Key},
    kernel::Source,
    print, read,
    table::{counted, kilobytes, number, screen, Row, Table},
};

/// What is shown of each cache: how much that has grown.
const KEYS: [(&str, Key); 5] = [
    ("+MEMORY", Key::Memory),
    ("+OBJECTS", Key::Objects),
    ("+INUSE", Key::Inuse),
    ("+PARKED", Key::Parked),
    ("+FREE", Key::Free),
];

/// A cache, and by how much it has grown, or shrunk.
struct Growth<'a> {
    cache: &'a Cache,
    is_gone: bool,
    values: [i64; KEYS.len()],
}

/// Those that have changed, the fastest growing first. One that is new has grown from nothing, and
/// one that is gone has shrunk to nothing.
fn growth<'a>(before: &'a [Cache], now: &'a [Cache], sort: Key) -> Vec<Growth<'a>> {
    /// The kernel's, or else what makes its name another one.
    fn id(cache: &Cache) -> (&str, u64, Option<u32>) {
        let among_namesakes = match cache.id {
            0 => cache.nth.into(),
            id => id,
        };
        (&cache.name, among_namesakes, cache.node)
    }
    let mut old: HashMap<_, _> = before.iter().map(|cache| (id(cache), cache)).collect();
    let value = |cache: &Cache, key| cache.value(key).unwrap_or(0) as i64;
    let mut all: Vec<Growth<'_>> = now
        .iter()
        .map(|cache| {
            let old = old.remove(&id(cache));
            let grown = |key| value(cache, key) - old.map_or(0, |old| value(old, key));
            Growth {
                cache,
                is_gone: false,
                values: KEYS.map(|(_, key)| grown(key)),
            }
        })
        .collect();

    all.extend(old.into_values().map(|cache| Growth {
        cache,
        is_gone: true,
        values: KEYS.map(|(_, key)| -value(cache, key)),
    }));
    all.retain(|growth| growth.values != [0; KEYS.len()]);
    // By what was asked for, if that can grow, and else by all of it in the order of the columns.
    let first = KEYS.iter().position(|(_, key)| *key == sort).unwrap_or(0);
    all.sort_by_key(|growth| Reverse((growth.values[first], growth.values)));
    all
}

fn cells([memory, rest @ ..]: [i64; KEYS.len()]) -> Vec<String> {
    let mut cells = vec![format!("{:+}K", memory / 1024)];
    cells.extend(rest.map(|value| format!("{value:+}")));
    cells
}

fn table(all: &[Growth<'_>], shown: usize) -> Table {
    let mut titles = KEYS.map(|(title, _)| title).to_vec();
    titles.extend(["MEMORY", "INUSE"]);
    let mut table = Table::new(&titles, &[]);

    for growth in all.iter().take(shown) {
        let mut cells = cells(growth.values);
        let left = (!growth.is_gone).then_some(growth.cache);
        cells.push(left.map_or("gone".into(), |cache| kilobytes(cache.memory)));
        cells.push(left.map_or("gone".into(), |cache| number(cache.in_use)));
        table.add(Row {
            name: (growth.cache.name.clone(), growth.cache.suffix()),
            cells,
        });
    }

    let mut sums = [0; KEYS.len()];
    for growth in all {
        for (sum, value) in sums.iter_mut().zip(growth.values) {
            *sum += value;
        }
    }
    table.add(Row {
        name: (String::new(), format!("{} changed", counted(all.len()))),
        cells: cells(sums),
    });
    table
}

/// Whether rows can be sorted by this.
pub fn can_sort_by(sort: Key) -> bool {
    KEYS.iter().any(|(_, key)| *key == sort)
}

/// When that was, and what there is.
fn heading(caches: &[Cache], seconds: f64) -> String {
    let time = format_rfc3339_seconds(SystemTime::now());
    let numbers: HashSet<u32> = caches.iter().map(|cache| cache.number).collect();
    let memory = caches.iter().map(|cache| cache.memory).sum();

    format!(
        "{time}  {}, {}; changes in {seconds} s:\n",
        counted(numbers.len()),
        kilobytes(memory)
    )
}

/// Until it is interrupted.
pub fn watch(source: &mut Source, cli: &Cli, interval: Duration) -> Result<()> {
    let mut before = read(source, cli)?;
    let seconds = interval.as_secs_f64();

    if screen().is_some() {
        print(&format!("\x1b[H\x1b[2J{}", heading(&before, seconds)))?;
    }
    loop {
        thread::sleep(interval);
        let now = read(source, cli)?;
        let all = growth(&before, &now, cli.sort);
        let shown = cli.top.unwrap_or(usize::MAX);
        if let Some((width, height)) = screen() {
            // The two headings, the sums, and the cursor take a line each.
            let text = heading(&now, seconds)
                + &table(&all, shown.min(height.saturating_sub(4))).text(Some(width))?;
            // Home, the text with each line cleared to its end, and nothing below.
            print(&format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n")))?;
        } else {
            print(&(heading(&now, seconds) + &table(&all, shown).text(None)? + "\n"))?;
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str, memory: u64) -> Cache {
        Cache {
            name: name.into(),
            memory: Some(memory),
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
        let all = growth(&before, &now, Key::Memory);
        let found: Vec<(&str, i64)> = all
            .iter()
            .map(|growth| (growth.cache.name.as_str(), growth.values[0]))
            .collect();
        assert_eq!(found, [("c", 2), ("new", 1), ("a", -1), ("gone", -9)]);
        assert!(all[3].is_gone);
    }
}
