//! What a class stands for: characters, and with the flag `v` strings too. ECMA-262, §22.2.2.8 and §22.2.2.9.
//!
//! Under `i` the specification computes on folded characters with `v` and folds what it compares without. Here sets are
//! closed instead: they hold all of the characters that are equal, or none. Set operations keep them so, and on closed
//! sets the two are the same.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::ir::Node;
use crate::set::Set;

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

    /// Strings come first, the longest before all others, and the empty one last. `close` gives the characters that
    /// equal one of a string's.
    pub(crate) fn into_node<E>(self, mut close: impl FnMut(u32) -> Result<Set, E>) -> Result<Node, E> {
        let characters = Node::Class(self.characters);
        if self.strings.is_empty() {
            return Ok(characters);
        }
        let has_empty = self.strings.contains(&Vec::new());
        let mut strings: Vec<_> = self.strings.into_iter().filter(|string| !string.is_empty()).collect();
        strings.sort_by_key(|string| Reverse(string.len()));
        let mut branches = Vec::with_capacity(strings.len() + 2);
        for string in strings {
            let parts = string.into_iter().map(|character| Ok(Node::Class(close(character)?)));
            branches.push(Node::Concatenation(parts.collect::<Result<_, E>>()?));
        }
        branches.push(characters);
        if has_empty {
            branches.push(Node::Empty);
        }
        Ok(Node::Alternation(branches))
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
        let node = class("q", &["", "ab", "abcd", "abc"])
            .into_node(|character| Ok::<_, Infallible>(Set::from_ranges([(character, character)])));
        let Ok(Node::Alternation(branches)) = node else { panic!("not strings") };
        let lengths: Vec<_> = branches
            .iter()
            .map(|branch| match branch {
                Node::Concatenation(parts) => parts.len(),
                Node::Class(_) => 1,
                _ => 0,
            })
            .collect();
        assert_eq!(lengths, [4, 3, 2, 1, 0]);
    }
}
