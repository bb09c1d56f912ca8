// SPDX-License-Identifier: GPL-2.0

//! Output for programs: JSON, and the text format of Prometheus.

use std::fmt::Write;

use anyhow::Result;

use crate::cache::Cache;

pub fn json(caches: &[Cache]) -> Result<String> {
    Ok(serde_json::to_string_pretty(caches)? + "\n")
}

/// More labels, and what is to be told of these.
type Value = (&'static str, Option<u64>);

/// A metric: its name, what it is, and its values of a cache.
struct Metric {
    name: &'static str,
    help: &'static str,
    values: fn(&Cache) -> Vec<Value>,
}

const METRICS: [Metric; 4] = [
    Metric {
        name: "slab_memory_bytes",
        help: "Memory that the slabs of the cache take.",
        values: |cache| vec![("", cache.memory)],
    },
    Metric {
        name: "slab_objects",
        help: "Objects that there is room for: in use, parked in sheaves, or free.",
        values: |cache| {
            vec![
                (",state=\"in_use\"", cache.in_use),
                (",state=\"parked\"", cache.parked),
                (",state=\"free\"", cache.free),
            ]
        },
    },
    Metric {
        name: "slab_object_size_bytes",
        help: "The size of an object, with what the slab code adds.",
        values: |cache| vec![("", Some(cache.object_size))],
    },
    Metric {
        name: "slab_slabs",
        help: "The slabs of the cache.",
        values: |cache| vec![("", cache.slabs)],
    },
];

pub fn prometheus(caches: &[Cache]) -> String {
    let mut text = String::new();

    for Metric { name, help, values } in METRICS {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for cache in caches {
            let of = escape(&cache.name);
            let nth = cache.nth;
            let node = cache
                .node
                .map_or(String::new(), |node| format!(",node=\"{node}\""));
            for (more, value) in values(cache) {
                if let Some(value) = value {
                    let _ = writeln!(
                        text,
                        "{name}{{cache=\"{of}\",nth=\"{nth}\"{node}{more}}} {value}"
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

    #[test]
    fn labels_keep_namesakes_apart() {
        let cache = |nth| Cache {
            name: "a\"b".into(),
            nth,
            slabs: Some(2),
            ..Cache::default()
        };
        let text = prometheus(&[cache(1), cache(2)]);
        assert!(text.contains("slab_slabs{cache=\"a\\\"b\",nth=\"1\"} 2\n"));
        assert!(text.contains("slab_slabs{cache=\"a\\\"b\",nth=\"2\"} 2\n"));
        // What is not known is left out.
        assert!(!text.contains("slab_objects{"));
    }

    #[test]
    fn json_has_null_for_what_is_not_known() {
        let text = json(&[Cache::default()]).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(value[0]["objects"].is_null());
        assert_eq!(value[0]["object_size"], 0);
        assert!(value[0].get("aliases").is_none());
    }
}
