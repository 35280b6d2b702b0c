//! What a class stands for: characters, and with the flag `v` strings too. ECMA-262, §22.2.2.8 and §22.2.2.9.
//!
//! Under `i` the specification computes on folded characters with `v` and folds what it compares without. Here sets are
//! closed instead: they hold all of the characters that are equal, or none. Set operations keep them so, and on closed
//! sets the two are the same.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::ir::Node;
use crate::set::Set;
use crate::trie;

/// Strings are of no or of several characters, under `i` each in its canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClassSet {
    pub(crate) characters: Set,
    pub(crate) strings: BTreeSet<Vec<u32>>,
}

impl From<Set> for ClassSet {
    fn from(characters: Set) -> ClassSet {
        ClassSet { characters, strings: BTreeSet::new() }
    }
}

impl ClassSet {
    /// Ranges, and characters in strings.
    pub(crate) fn size(&self) -> usize {
        self.characters.ranges().len() + self.strings.iter().map(Vec::len).sum::<usize>()
    }

    pub(crate) fn intersection(&self, other: &ClassSet) -> ClassSet {
        ClassSet {
            characters: self.characters.intersection(&other.characters),
            strings: self.strings.intersection(&other.strings).cloned().collect(),
        }
    }

    pub(crate) fn difference(&self, other: &ClassSet) -> ClassSet {
        ClassSet {
            characters: self.characters.difference(&other.characters),
            strings: self.strings.difference(&other.strings).cloned().collect(),
        }
    }

    /// The longest strings are preferred to all others, and the empty one is tried last. `close` gives the characters that
    /// equal one of a string's. `behind`: the node is matched from its end to its start.
    pub(crate) fn into_node<E>(
        self,
        behind: bool,
        mut close: impl FnMut(u32) -> Result<Set, E>,
    ) -> Result<Node, E> {
        let ClassSet { mut characters, mut strings } = self;
        let has_empty = strings.remove(&Vec::new());
        if strings.is_empty() && !has_empty {
            return Ok(Node::Class(characters));
        }
        // Characters that strings start with, and behind end with, are strings of one.
        let heads: BTreeSet<_> =
            strings.iter().filter_map(|string| if behind { string.last() } else { string.first() }).collect();
        let mut alone = Vec::new();
        for &head in heads {
            if characters.contains(head) {
                alone.push(head);
            }
        }
        let mut taken = Vec::new();
        for head in alone {
            taken.extend_from_slice(close(head)?.ranges());
            strings.insert(vec![head]);
        }
        characters = characters.difference(&Set::from_ranges(taken));
        let mut ways = Vec::new();
        if !strings.is_empty() {
            ways.push(trie::node(strings, behind, &mut close)?);
        }
        if !characters.ranges().is_empty() {
            ways.push(Node::Class(characters));
        }
        if has_empty {
            ways.push(Node::Empty);
        }
        Ok(if ways.len() == 1 { ways.swap_remove(0) } else { Node::Alternation(ways) })
    }

    /// Its members: characters, and strings in the order of preference.
    pub(crate) fn members(self) -> (Vec<(u32, u32)>, Vec<Vec<u32>>) {
        let mut strings: Vec<_> = self.strings.into_iter().collect();
        strings.sort_by_key(|string| Reverse(string.len()));
        (self.characters.ranges().to_vec(), strings)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn class(characters: &str, strings: &[&str]) -> ClassSet {
        ClassSet {
            characters: Set::from_ranges(characters.chars().map(|c| (u32::from(c), u32::from(c)))),
            strings: strings.iter().map(|string| string.chars().map(u32::from).collect()).collect(),
        }
    }

    #[test]
    fn operations_take_characters_and_strings_apart() {
        let (left, right) = (class("abc", &["ab", "xyz", ""]), class("bd", &["ab"]));
        assert_eq!(left.intersection(&right), class("b", &["ab"]));
        assert_eq!(left.difference(&right), class("ac", &["xyz", ""]));
    }

    #[test]
    fn longer_strings_are_preferred() {
        let class = class("aq", &["", "ab", "abcd", "abc"]);
        let node = class
            .clone()
            .into_node(false, |character| Ok::<_, Infallible>(Set::from_ranges([(character, character)])));
        // abcd, abc, ab or a; q; or nothing.
        let Ok(Node::Alternation(ways)) = node else { panic!("not strings") };
        assert!(matches!(&ways[..], [Node::Concatenation(_), Node::Class(_), Node::Empty]));
        let (ranges, strings) = class.members();
        assert_eq!(ranges, [(0x61, 0x61), (0x71, 0x71)]);
        assert_eq!(strings.iter().map(Vec::len).collect::<Vec<_>>(), [4, 3, 2, 0]);
    }
}
