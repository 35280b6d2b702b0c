//! The intermediate representation: a pattern after all that is only notation has been resolved.

use crate::set::Set;

/// One node. Depth is bounded by [`crate::MAX_DEPTH`], so walking it may recurse.
#[derive(Clone, Debug)]
pub enum Node {
    /// Matches the empty string.
    Empty,
    /// One character of the set, in the pattern's alphabet, case already folded in.
    Class(Set),
    /// A condition on where it stands.
    Assertion(Assertion),
    /// One after the other.
    Concatenation(Vec<Node>),
    /// In order of preference.
    Alternation(Vec<Node>),
    /// A loop.
    Repetition {
        /// Iterations that it takes.
        min: u32,
        /// Iterations that it may take; `None`: any number.
        max: Option<u32>,
        /// Whether it prefers more iterations to fewer.
        greedy: bool,
        /// What is repeated.
        body: Box<Node>,
        /// Where it stands.
        span: Span,
    },
    /// A capturing group; group 0, the whole match, is implicit.
    Capture(u32, Box<Node>),
    /// Lookahead or lookbehind. The body stands as it was written; behind, it is matched from its end to its start.
    Look {
        /// Whether it looks at what is before it.
        behind: bool,
        /// Whether its body must not match.
        negative: bool,
        /// What is looked for.
        body: Box<Node>,
    },
    /// The text of the group of these (one name may stand for several) that has matched; empty when none has.
    BackReference {
        /// Their numbers.
        groups: Vec<u32>,
        /// Whether cases are the same.
        ignore_case: bool,
    },
}

/// A part of a pattern's text, in UTF-16 code units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Its first unit.
    pub start: u32,
    /// The unit after its last.
    pub end: u32,
}

/// A condition on a position in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assertion {
    /// `^`
    InputStart,
    /// `$`
    InputEnd,
    /// `^` with `m`: at the start, or after a line terminator.
    LineStart,
    /// `$` with `m`: at the end, or before a line terminator.
    LineEnd,
    /// `\b`
    WordBoundary,
    /// `\B`
    NotWordBoundary,
    /// `\b` with `i` and `u`, where U+017F and U+212A are word characters too.
    FoldedWordBoundary,
    /// `\B` there.
    NotFoldedWordBoundary,
}

impl Node {
    /// Whether the node can match the empty string somewhere.
    pub fn is_nullable(&self) -> bool {
        match self {
            Node::Empty | Node::Assertion(_) | Node::Look { .. } | Node::BackReference { .. } => true,
            Node::Class(_) => false,
            Node::Concatenation(parts) => parts.iter().all(Node::is_nullable),
            Node::Alternation(branches) => branches.iter().any(Node::is_nullable),
            Node::Repetition { min, body, .. } => *min == 0 || body.is_nullable(),
            Node::Capture(_, body) => body.is_nullable(),
        }
    }

    /// Whether there is a back-reference in the node.
    pub fn has_reference(&self) -> bool {
        match self {
            Node::BackReference { .. } => true,
            Node::Empty | Node::Class(_) | Node::Assertion(_) => false,
            Node::Concatenation(nodes) | Node::Alternation(nodes) => nodes.iter().any(Node::has_reference),
            Node::Repetition { body, .. } | Node::Capture(_, body) | Node::Look { body, .. } => {
                body.has_reference()
            }
        }
    }

    /// Whether the node is a string: one character after the other.
    pub fn is_literal(&self) -> bool {
        match self {
            Node::Class(set) => matches!(set.ranges(), [(low, high)] if low == high),
            Node::Concatenation(parts) => parts.iter().all(Node::is_literal),
            _ => false,
        }
    }

    /// Collects the groups in the node (`all`) and those that take part in every match of it (`always`).
    pub fn captures(&self, all: &mut Vec<u32>, always: &mut Vec<u32>) {
        match self {
            Node::Empty | Node::Assertion(_) | Node::Class(_) | Node::BackReference { .. } => {}
            Node::Look { negative, body, .. } => {
                // A negative one leaves its groups unset when it holds.
                let mut here = Vec::new();
                body.captures(all, &mut here);
                if !negative {
                    always.extend(here);
                }
            }
            Node::Concatenation(parts) => {
                for part in parts {
                    part.captures(all, always);
                }
            }
            Node::Alternation(branches) => {
                let mut common: Option<Vec<u32>> = None;
                for branch in branches {
                    let mut here = Vec::new();
                    branch.captures(all, &mut here);
                    common = Some(match common {
                        None => here,
                        Some(before) => before.into_iter().filter(|group| here.contains(group)).collect(),
                    });
                }
                always.extend(common.unwrap_or_default());
            }
            Node::Repetition { min, body, .. } => {
                let mut here = Vec::new();
                body.captures(all, &mut here);
                if *min > 0 {
                    always.extend(here);
                }
            }
            Node::Capture(group, body) => {
                all.push(*group);
                always.push(*group);
                body.captures(all, always);
            }
        }
    }
}
