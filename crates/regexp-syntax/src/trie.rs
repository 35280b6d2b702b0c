//! The strings of a class as a tree: what they have in common at their starts is matched once.
//!
//! Of the strings of a class that match at one place each is the start of the next longer one. A tree whose branches come
//! before its own end prefers the longest, as a list by length does (ECMA-262 §22.2.2.3, CharacterClass), whatever the
//! order of the branches: characters that are not equal never match the same text. Behind, where strings are matched from
//! their ends, the same holds for the tree of the reversed strings.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::Node;
use crate::set::Set;

/// Branches on a path; what comes after so many is listed. Whoever walks an IR may recurse.
const MAX_BRANCHES: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tree {
    /// Characters that come next in all of the strings.
    stem: Vec<u32>,
    /// What comes after: each of these characters with the same rest.
    branches: Vec<(Vec<u32>, Tree)>,
    /// Or, too far from the root: the strings, the longest first.
    listed: Vec<Vec<u32>>,
    /// Whether a string ends after the stem.
    ends: bool,
}

/// A node that matches the strings, none of which is empty, the longest preferred. `close` gives the characters that equal
/// one of a string's. `behind`: the node is matched from its end to its start.
pub(crate) fn node<E>(
    strings: BTreeSet<Vec<u32>>,
    behind: bool,
    close: &mut impl FnMut(u32) -> Result<Set, E>,
) -> Result<Node, E> {
    let mut strings: Vec<_> = strings.into_iter().collect();
    if behind {
        strings.iter_mut().for_each(|string| string.reverse());
        strings.sort_unstable();
    }
    let tree = grow(&strings, 0, 0);
    let mut parts = Vec::new();
    write(&tree, behind, close, &mut parts)?;
    Ok(concatenation(parts, behind))
}

/// The tree of what comes after the first `from` characters, which are the same in all strings. These are sorted.
fn grow(strings: &[Vec<u32>], from: usize, depth: usize) -> Tree {
    let (Some(first), Some(last)) = (strings.first(), strings.last()) else {
        return Tree { stem: Vec::new(), branches: Vec::new(), listed: Vec::new(), ends: false };
    };
    let shared = first[from..].iter().zip(&last[from..]).take_while(|(one, other)| one == other).count();
    let at = from + shared;
    // What is the start of others comes before them.
    let ends = first.len() == at;
    let rest = &strings[usize::from(ends)..];
    let mut tree = Tree { stem: first[from..at].to_vec(), branches: Vec::new(), listed: Vec::new(), ends };
    if depth == MAX_BRANCHES {
        tree.listed = rest.iter().map(|string| string[at..].to_vec()).collect();
        tree.listed.sort_by_key(|string| std::cmp::Reverse(string.len()));
        return tree;
    }
    let mut branches: BTreeMap<Tree, Vec<u32>> = BTreeMap::new();
    for branch in rest.chunk_by(|one, other| one[at] == other[at]) {
        branches.entry(grow(branch, at + 1, depth + 1)).or_default().push(branch[0][at]);
    }
    tree.branches = branches.into_iter().map(|(rest, characters)| (characters, rest)).collect();
    tree
}

/// Appends the tree's parts, from its root on.
fn write<E>(
    tree: &Tree,
    behind: bool,
    close: &mut impl FnMut(u32) -> Result<Set, E>,
    parts: &mut Vec<Node>,
) -> Result<(), E> {
    for &character in &tree.stem {
        parts.push(Node::Class(close(character)?));
    }
    let mut ways = Vec::new();
    for (characters, rest) in &tree.branches {
        let mut ranges = Vec::new();
        for &character in characters {
            ranges.extend_from_slice(close(character)?.ranges());
        }
        let mut way = vec![Node::Class(Set::from_ranges(ranges))];
        write(rest, behind, close, &mut way)?;
        ways.push(way);
    }
    for string in &tree.listed {
        ways.push(
            string.iter().map(|&character| Ok(Node::Class(close(character)?))).collect::<Result<_, E>>()?,
        );
    }
    if tree.ends && !ways.is_empty() {
        ways.push(Vec::new());
    }
    match ways.len() {
        0 => {}
        1 => parts.append(&mut ways[0]),
        _ => parts.push(Node::Alternation(ways.into_iter().map(|way| concatenation(way, behind)).collect())),
    }
    Ok(())
}

fn concatenation(mut parts: Vec<Node>, behind: bool) -> Node {
    if behind {
        parts.reverse();
    }
    match parts.len() {
        0 => Node::Empty,
        1 => parts.swap_remove(0),
        _ => Node::Concatenation(parts),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// All strings that the node matches, in the order of preference.
    fn strings(node: &Node) -> Vec<Vec<u32>> {
        match node {
            Node::Empty => vec![vec![]],
            Node::Class(set) => {
                set.ranges().iter().flat_map(|&(low, high)| low..=high).map(|code| vec![code]).collect()
            }
            Node::Alternation(ways) => ways.iter().flat_map(strings).collect(),
            Node::Concatenation(parts) => parts.iter().fold(vec![vec![]], |before, part| {
                let after = strings(part);
                before
                    .iter()
                    .flat_map(|one| after.iter().map(|other| [&one[..], &other[..]].concat()))
                    .collect()
            }),
            _ => unreachable!(),
        }
    }

    fn depth(node: &Node) -> usize {
        match node {
            Node::Alternation(nodes) | Node::Concatenation(nodes) => {
                1 + nodes.iter().map(depth).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    fn build(strings: &BTreeSet<Vec<u32>>, behind: bool) -> Node {
        node(strings.clone(), behind, &mut |code| Ok::<_, Infallible>(Set::from_ranges([(code, code)])))
            .unwrap()
    }

    fn check(all: &BTreeSet<Vec<u32>>) {
        for behind in [false, true] {
            let found = strings(&build(all, behind));
            assert_eq!(found.len(), all.len());
            assert_eq!(&found.iter().cloned().collect::<BTreeSet<_>>(), all);
            for (place, string) in found.iter().enumerate() {
                for later in &found[place + 1..] {
                    let goes_on = if behind { later.ends_with(string) } else { later.starts_with(string) };
                    assert!(!goes_on, "{string:?} is preferred to {later:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn matches_the_strings_and_prefers_the_longest(
            all in prop::collection::btree_set(prop::collection::vec(0..3u32, 1..8), 1..40)
        ) {
            check(&all);
        }
    }

    #[test]
    fn is_no_deeper_than_it_may_be() {
        let all = (1..200).map(|length| vec![7; length]).collect();
        check(&all);
        assert!(depth(&build(&all, false)) <= 2 * MAX_BRANCHES + 4);
    }

    #[test]
    fn what_goes_on_alike_is_one_branch() {
        let all = ["ax", "bx", "cx", "ay"].map(|string| string.chars().map(u32::from).collect()).into();
        let Node::Alternation(ways) = build(&all, false) else { panic!("no choice") };
        assert_eq!(ways.len(), 2);
    }
}
