//! Where a match can start: what lets the backtracking engine pass over the rest of a text.

use crate::ir::{Assertion, Node};
use crate::set::{LAST_CODE_POINT, Set};
use crate::units::{Unit, UnitSet, is_line_terminator, next};

pub(crate) enum Start {
    Anywhere,
    /// Only where the text starts.
    Input,
    /// Only where a line starts.
    Line,
    /// Only before one of these.
    OneOf(Box<UnitSet>),
}

impl Start {
    pub(crate) fn of(root: &Node) -> Start {
        if leads_with(root, &[Assertion::InputStart]) {
            return Start::Input;
        }
        if leads_with(root, &[Assertion::InputStart, Assertion::LineStart]) {
            return Start::Line;
        }
        if root.is_nullable() {
            return Start::Anywhere;
        }
        match first(root) {
            Some(set) if set.ranges() != [(0, LAST_CODE_POINT)] => Start::OneOf(Box::new(UnitSet::new(&set))),
            _ => Start::Anywhere,
        }
    }

    /// The first place at or after `at` where a match may start.
    pub(crate) fn next<U: Unit, const PAIRS: bool>(&self, text: &[U], mut at: usize) -> Option<usize> {
        match self {
            Start::Anywhere => Some(at),
            Start::Input => (at == 0).then_some(0),
            Start::Line => {
                if at == 0 {
                    return Some(0);
                }
                let rest = text[at - 1..].iter().position(|unit| is_line_terminator(unit.code()))?;
                Some(at + rest)
            }
            Start::OneOf(set) if !PAIRS => {
                text[at..].iter().position(|unit| set.contains(unit.code())).map(|rest| at + rest)
            }
            Start::OneOf(set) => {
                while at < text.len() {
                    let (code, after) = next::<U, PAIRS>(text, at);
                    if set.contains(code) {
                        return Some(at);
                    }
                    // No match starts with half a pair.
                    at = after;
                }
                None
            }
        }
    }
}

/// Whether every match starts with one of these assertions holding where it starts.
fn leads_with(node: &Node, assertions: &[Assertion]) -> bool {
    match node {
        Node::Assertion(assertion) => assertions.contains(assertion),
        Node::Concatenation(parts) => {
            for part in parts {
                if leads_with(part, assertions) {
                    return true;
                }
                // Only what consumes nothing may stand before it.
                if !matches!(part, Node::Empty | Node::Assertion(_) | Node::Look { .. }) {
                    return false;
                }
            }
            false
        }
        Node::Alternation(branches) => branches.iter().all(|branch| leads_with(branch, assertions)),
        Node::Repetition { min, body, .. } => *min > 0 && leads_with(body, assertions),
        Node::Capture(_, body) => leads_with(body, assertions),
        Node::Empty | Node::Class(_) | Node::Look { .. } | Node::BackReference { .. } => false,
    }
}

/// The characters that a non-empty match of the node may start with; nothing when that is not known.
fn first(node: &Node) -> Option<Set> {
    match node {
        Node::Empty | Node::Assertion(_) | Node::Look { .. } => Some(Set::default()),
        Node::BackReference { .. } => None,
        Node::Class(set) => Some(set.clone()),
        Node::Concatenation(parts) => {
            let mut all = Set::default();
            for part in parts {
                all = all.union(&first(part)?);
                if !part.is_nullable() {
                    break;
                }
            }
            Some(all)
        }
        Node::Alternation(branches) => {
            branches.iter().try_fold(Set::default(), |all, branch| Some(all.union(&first(branch)?)))
        }
        Node::Repetition { max: Some(0), .. } => Some(Set::default()),
        Node::Repetition { body, .. } | Node::Capture(_, body) => first(body),
    }
}
