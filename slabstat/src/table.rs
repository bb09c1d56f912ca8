// SPDX-License-Identifier: GPL-2.0

//! The table for people.

use std::{fmt::Write, io::IsTerminal};

use anyhow::{ensure, Result};
use terminal_size::{terminal_size, Width};

use crate::{cache::Cache, Row};

/// Columns of text, the first one for names. Numbers are aligned to the right.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The columns behind this one are text, too, and are not aligned.
    numbers: usize,
}

/// A name is not cut off to less.
const NAME_LEAST: usize = 12;

impl Table {
    pub fn new(numbers: &[&str], texts: &[&str]) -> Self {
        let head = ["CACHE"].iter().chain(numbers).chain(texts);
        Self {
            head: head.map(|title| title.to_string()).collect(),
            rows: Vec::new(),
            numbers: numbers.len(),
        }
    }

    pub fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The text of it, in so many columns of a screen if it is for one.
    pub fn text(&self, width: Option<usize>) -> Result<String> {
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let wide = |column: usize| {
            all()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let numbers: Vec<usize> = (1..=self.numbers).map(wide).collect();
        let taken: usize = numbers.iter().map(|number| number + 2).sum();
        let mut name = wide(0);

        if let Some(width) = width {
            ensure!(
                width >= taken + NAME_LEAST.min(name),
                "the screen is {width} columns wide, and the table takes {}\n\
                 Make it wider, or look at it with: slabstat | less -S",
                taken + NAME_LEAST.min(name)
            );
            name = name.min(width - taken);
        }

        let mut text = String::new();
        for row in all() {
            let mut line = format!("{:name$}", row[0].chars().take(name).collect::<String>());
            for (cell, width) in row[1..].iter().zip(&numbers) {
                let _ = write!(line, "  {cell:>width$}");
            }
            for cell in &row[1 + self.numbers..] {
                let _ = write!(line, "  {cell}");
            }
            let line = line.trim_end();
            let line: String = line.chars().take(width.unwrap_or(usize::MAX)).collect();
            text.push_str(&line);
            text.push('\n');
        }
        Ok(text)
    }
}

/// How wide the screen is that the output goes to.
pub fn screen_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size().map(|(Width(width), _)| width.into())
}

/// What is not known is a dash.
pub fn number(value: Option<u64>) -> String {
    value.map_or("-".into(), |value| value.to_string())
}

pub fn kilobytes(value: Option<u64>) -> String {
    value.map_or("-".into(), |value| format!("{}K", value / 1024))
}

/// The name, with what keeps it apart from others.
pub fn name(cache: &Cache) -> String {
    let mut name = cache.name.clone();
    if cache.nth > 1 {
        let _ = write!(name, "#{}", cache.nth);
    }
    if let Some(node) = cache.node {
        let _ = write!(name, " node {node}");
    }
    name
}

/// All of `all` are summed up in the last line, and `rows` are shown.
pub fn table(rows: &[Row], all: &[Row], flags: bool, aliases: bool) -> Table {
    let texts: Vec<&str> = [("FLAGS", flags), ("ALIASES", aliases)]
        .iter()
        .filter(|(_, wanted)| *wanted)
        .map(|(title, _)| *title)
        .collect();
    let mut table = Table::new(
        &[
            "MEMORY", "OBJECTS", "INUSE", "PARKED", "FREE", "OBJSIZE", "SLABS", "OBJ/SLAB",
        ],
        &texts,
    );

    for row in rows {
        let cache = &row.cache;
        let mut cells = vec![
            name(cache),
            kilobytes(row.memory),
            number(cache.objects),
            number(row.in_use),
            number(cache.parked),
            number(cache.free),
            cache.object_size.to_string(),
            number(cache.slabs),
            cache.objects_per_slab.to_string(),
        ];
        if flags {
            cells.push(cache.flags.join(" "));
        }
        if aliases {
            cells.push(row.aliases.as_deref().unwrap_or_default().join(" "));
        }
        table.add(cells);
    }

    let sum = |value: fn(&Row) -> Option<u64>| all.iter().map(value).sum::<Option<u64>>();
    let mut caches: Vec<u32> = all.iter().map(|row| row.cache.number).collect();
    caches.dedup();
    caches.sort_unstable();
    caches.dedup();
    let mut cells = vec![
        format!("{} caches", caches.len()),
        kilobytes(sum(|row| row.memory)),
        number(sum(|row| row.cache.objects)),
        number(sum(|row| row.in_use)),
        number(sum(|row| row.cache.parked)),
        number(sum(|row| row.cache.free)),
        String::new(),
        number(sum(|row| row.cache.slabs)),
        String::new(),
    ];
    cells.extend(texts.iter().map(|_| String::new()));
    table.add(cells);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = Table::new(&["ONE", "TWO"], &["WORDS"]);
        let row = |cells: [&str; 4]| cells.map(String::from).to_vec();
        table.add(row(["a_rather_long_name", "1", "22222", "x y"]));
        table.add(row(["b", "-", "3", ""]));
        table
    }

    #[test]
    fn numbers_are_aligned() {
        assert_eq!(
            example().text(None).unwrap(),
            "CACHE               ONE    TWO  WORDS\n\
             a_rather_long_name    1  22222  x y\n\
             b                     -      3\n"
        );
    }

    #[test]
    fn names_give_way_on_a_screen() {
        assert_eq!(
            example().text(Some(28)).unwrap(),
            "CACHE             ONE    TWO\n\
             a_rather_long_na    1  22222\n\
             b                   -      3\n"
        );
        assert!(example().text(Some(23)).is_err());
    }
}
