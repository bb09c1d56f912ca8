// SPDX-License-Identifier: GPL-2.0

//! Output for programs: JSON, and the text format of Prometheus.

use std::fmt::Write;

use anyhow::Result;

use crate::Row;

pub fn json(rows: &[Row]) -> Result<String> {
    Ok(serde_json::to_string_pretty(rows)? + "\n")
}

/// More labels, and what is to be told of these.
type Value = (&'static str, Option<u64>);

/// A metric: its name, what it is, and its values of a row.
struct Metric {
    name: &'static str,
    help: &'static str,
    values: fn(&Row) -> Vec<Value>,
}

const METRICS: [Metric; 4] = [
    Metric {
        name: "slab_memory_bytes",
        help: "Memory that the slabs of the cache take.",
        values: |row| vec![("", row.memory)],
    },
    Metric {
        name: "slab_objects",
        help: "Objects that there is room for: in use, parked in sheaves, or free.",
        values: |row| {
            vec![
                (",state=\"in_use\"", row.in_use),
                (",state=\"parked\"", row.cache.parked),
                (",state=\"free\"", row.cache.free),
            ]
        },
    },
    Metric {
        name: "slab_object_size_bytes",
        help: "The size of an object, with what the slab code adds.",
        values: |row| vec![("", Some(row.cache.object_size))],
    },
    Metric {
        name: "slab_slabs",
        help: "The slabs of the cache.",
        values: |row| vec![("", row.cache.slabs)],
    },
];

pub fn prometheus(rows: &[Row]) -> String {
    let mut text = String::new();

    for metric in METRICS {
        let name = metric.name;
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} gauge", metric.help);
        for row in rows {
            let cache = &row.cache;
            let node = cache
                .node
                .map_or(String::new(), |node| format!(",node=\"{node}\""));
            for (more, value) in (metric.values)(row) {
                if let Some(value) = value {
                    let of = escape(&cache.name);
                    let _ = writeln!(
                        text,
                        "{name}{{cache=\"{of}\",nth=\"{}\"{node}{more}}} {value}",
                        cache.nth
                    );
                }
            }
        }
    }
    text
}

fn escape(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;

    #[test]
    fn labels_keep_namesakes_apart() {
        let row = |nth| {
            let cache = Cache {
                name: "a\"b".into(),
                nth,
                slabs: Some(2),
                ..Cache::default()
            };
            Row::new(cache, 4096)
        };
        let text = prometheus(&[row(1), row(2)]);
        assert!(text.contains("slab_slabs{cache=\"a\\\"b\",nth=\"1\"} 2\n"));
        assert!(text.contains("slab_slabs{cache=\"a\\\"b\",nth=\"2\"} 2\n"));
        assert!(text.contains("slab_memory_bytes{cache=\"a\\\"b\",nth=\"1\"} 8192\n"));
        // What is not known is left out.
        assert!(!text.contains("slab_objects{"));
    }

    #[test]
    fn json_has_null_for_what_is_not_known() {
        let text = json(&[Row::new(Cache::default(), 4096)]).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(value[0]["objects"].is_null());
        assert_eq!(value[0]["object_size"], 0);
    }
}
