// SPDX-License-Identifier: GPL-2.0

//! The table for people.

use std::{collections::HashSet, io::IsTerminal};

use anyhow::{bail, Result};
use terminal_size::{terminal_size, Height, Width};

use crate::cache::Cache;

/// Names in the first column, then numbers, and then texts. Numbers are aligned to the right.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Row>,
    /// How many columns of numbers there are.
    numbers: usize,
}

pub struct Row {
    /// What can be cut off, and what has to be there in any case.
    pub name: (String, String),
    pub cells: Vec<String>,
}

/// A name is not cut off to less, nor is a text, before columns of numbers are left out.
const NAME_LEAST: usize = 20;
const TEXT_LEAST: usize = 24;

impl Table {
    pub fn new(numbers: &[&str], texts: &[&str]) -> Self {
        Self {
            head: numbers
                .iter()
                .chain(texts)
                .map(|title| title.to_string())
                .collect(),
            rows: Vec::new(),
            numbers: numbers.len(),
        }
    }

    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// The text of it, in so many columns of a screen if it is for one. Numbers that there is no
    /// room for are left out, from the right. What is cut off ends with a ~.
    pub fn text(&self, width: Option<usize>) -> Result<String> {
        let name_of = |row: &Row, most: usize| {
            row.name.0.chars().count().min(most) + row.name.1.chars().count()
        };
        let longest_name = |most: usize| {
            let names = self.rows.iter().map(|row| name_of(row, most));
            names.max().unwrap_or(0).max("CACHE".len())
        };
        let width = width.unwrap_or(usize::MAX);
        let mut numbers: Vec<usize> = (0..self.numbers)
            .map(|column| self.width_of(column))
            .collect();
        let texts: Vec<usize> = (self.numbers..self.head.len())
            .map(|column| self.width_of(column))
            .collect();
        let room_of_texts: usize = texts.iter().map(|text| text.min(&TEXT_LEAST) + 2).sum();
        let taken = |numbers: &[usize]| {
            numbers.iter().map(|number| number + 2).sum::<usize>() + room_of_texts
        };

        while taken(&numbers) + longest_name(NAME_LEAST) > width {
            if numbers.pop().is_none() {
                bail!("the screen is {width} columns wide, which is not enough for names\nMake it wider, or pipe this to: less -S");
            }
        }
        let name = longest_name(usize::MAX).min(width - taken(&numbers));

        let head = Row {
            name: ("CACHE".into(), String::new()),
            cells: self.head.clone(),
        };
        let lines = std::iter::once(&head).chain(&self.rows).map(|row| {
            let (cut, suffix) = &row.name;
            let cut = cut_off(cut, name - suffix.chars().count());
            let mut line = format!("{:name$}", cut + suffix);
            for (cell, width) in row.cells.iter().zip(&numbers) {
                line += &format!("  {cell:>width$}");
            }
            for (cell, width) in row.cells.iter().skip(self.numbers).zip(&texts) {
                line += &format!("  {cell:width$}");
            }
            cut_off(line.trim_end(), width) + "\n"
        });
        Ok(lines.collect())
    }

    fn width_of(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| &row.cells);
        cells
            .chain([&self.head])
            .filter_map(|cells| cells.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    }
}

/// The text, or so much of it that it has `width` characters.
fn cut_off(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.into();
    }
    let kept = text.chars().take(width.saturating_sub(1));
    kept.chain(['~']).collect()
}

/// How large the screen is that the output goes to, if it does.
pub fn screen() -> Option<(usize, usize)> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size().map(|(Width(width), Height(height))| (width.into(), height.into()))
}

/// What is not known is a dash.
pub fn number(value: Option<u64>) -> String {
    value.map_or("-".into(), |value| value.to_string())
}

pub fn kilobytes(value: Option<u64>) -> String {
    value.map_or("-".into(), |value| format!("{}K", value / 1024))
}

/// Of `all`, the sums are in the last line, and `shown` above.
pub fn table(shown: &[Cache], all: &[Cache], flags: bool, aliases: bool) -> Table {
    let texts: Vec<&str> = [("FLAGS", flags), ("ALIASES", aliases)]
        .into_iter()
        .filter_map(|(title, wanted)| wanted.then_some(title))
        .collect();
    let titles = [
        "MEMORY", "OBJECTS", "INUSE", "PARKED", "FREE", "OBJSIZE", "SLABS", "OBJ/SLAB",
    ];
    let mut table = Table::new(&titles, &texts);

    for cache in shown {
        let mut cells = vec![
            kilobytes(cache.memory),
            number(cache.objects),
            number(cache.in_use),
            number(cache.parked),
            number(cache.free),
            cache.object_size.to_string(),
            number(cache.slabs),
            cache.objects_per_slab.to_string(),
        ];
        if flags {
            cells.push(cache.flags.join(" "));
        }
        cells.extend(cache.aliases.iter().map(|names| names.join(" ")));
        table.add(Row {
            name: (cache.name.clone(), cache.suffix()),
            cells,
        });
    }

    let sum = |value: fn(&Cache) -> Option<u64>| all.iter().map(value).sum::<Option<u64>>();
    let caches: HashSet<u32> = all.iter().map(|cache| cache.number).collect();
    table.add(Row {
        name: (String::new(), counted(caches.len())),
        cells: vec![
            kilobytes(sum(|cache| cache.memory)),
            number(sum(|cache| cache.objects)),
            number(sum(|cache| cache.in_use)),
            number(sum(|cache| cache.parked)),
            number(sum(|cache| cache.free)),
            String::new(),
            number(sum(|cache| cache.slabs)),
        ],
    });
    table
}

pub fn counted(caches: usize) -> String {
    format!("{caches} cache{}", if caches == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = Table::new(&["ONE", "TWO"], &["WORDS"]);
        let row = |name: &str, suffix: &str, cells: [&str; 3]| Row {
            name: (name.into(), suffix.into()),
            cells: cells.map(String::from).to_vec(),
        };
        table.add(row("a_rather_long_name", "#2", ["1", "22222", "x y"]));
        table.add(row("b", "", ["-", "3", ""]));
        table
    }

    #[test]
    fn numbers_are_aligned() {
        assert_eq!(
            example().text(None).unwrap(),
            "CACHE                 ONE    TWO  WORDS\n\
             a_rather_long_name#2    1  22222  x y\n\
             b                       -      3\n"
        );
    }

    #[test]
    fn columns_give_way_on_a_screen() {
        assert_eq!(
            example().text(Some(34)).unwrap(),
            "CACHE                 ONE  WORDS\n\
             a_rather_long_name#2    1  x y\n\
             b                       -\n"
        );
        assert!(example().text(Some(26)).is_err());
    }

    #[test]
    fn names_and_texts_are_cut_off() {
        let mut table = Table::new(&["ONE"], &["WORDS"]);
        for name in [
            "a_name_that_is_much_too_long",
            "a_name_that_is_longer_than_all_others",
        ] {
            table.add(Row {
                name: (name.into(), "#2".into()),
                cells: vec!["1".into(), "words that nobody has any room for".into()],
            });
        }
        assert_eq!(
            table.text(Some(60)).unwrap(),
            "CACHE                          ONE  WORDS\n\
             a_name_that_is_much_too_lo~#2    1  words that nobody has a~\n\
             a_name_that_is_longer_than~#2    1  words that nobody has a~\n"
        );
    }
}
