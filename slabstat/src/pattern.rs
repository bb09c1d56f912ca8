// SPDX-License-Identifier: GPL-2.0

//! Patterns of names, as the BPF program takes them.

/// In which places of a pattern one can be, as bits: bit n is where n characters were found.
#[derive(Clone)]
pub struct Pattern {
    /// Of each character: the places where the pattern goes on with it.
    pub accepts: [u64; 256],
    /// The places with a star, where any character may come.
    pub stars: u64,
    /// The place where the pattern ends.
    pub end: u64,
}

impl Pattern {
    /// There is a bit for each place, the one at the end included.
    pub const MOST: usize = 63;

    /// `*` is any text and `?` any character.
    pub fn new(text: &str) -> Option<Self> {
        let mut pattern = Self {
            accepts: [0; 256],
            stars: 0,
            end: 1,
        };

        for byte in text.bytes() {
            match byte {
                b'*' => pattern.stars |= pattern.end,
                _ if pattern.end == 1 << Self::MOST => return None,
                _ => {
                    for (character, places) in (0..=u8::MAX).zip(&mut pattern.accepts) {
                        if byte == b'?' || byte == character {
                            *places |= pattern.end;
                        }
                    }
                    pattern.end <<= 1;
                }
            }
        }
        Some(pattern)
    }

    /// Whether a name fits. The BPF program does the same.
    pub fn matches(&self, name: &str) -> bool {
        let reached = name.bytes().fold(1, |reached, byte| {
            (reached & self.accepts[usize::from(byte)]) << 1 | (reached & self.stars)
        });
        reached & self.end != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).unwrap().matches(name)
    }

    #[test]
    fn globs() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "dentry"),
            ("dentry", "dentry"),
            ("kmalloc-*", "kmalloc-"),
            ("kmalloc-*", "kmalloc-8k"),
            ("*inode*cache", "ext4_inode_cache"),
            ("*_cache", "a_cache_cache"),
            ("k?alloc-??", "kmalloc-64"),
            ("**a**", "a"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "a"),
            ("a", ""),
            ("a", "ab"),
            ("b", "ab"),
            ("kmalloc-??", "kmalloc-8"),
            ("*_cache", "a_cache_"),
            ("a*b*c", "acb"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_longest() {
        let name = "n".repeat(Pattern::MOST);
        assert!(matches(&name, &name));
        assert!(!matches(&name, &name[1..]));
        assert!(Pattern::new(&(name + "n")).is_none());
    }
}
