//! What conditions see of the characters beside a position: assertions, and lookbehinds for one character.

use holdfast_regexp_syntax::{Assertion, Node, Set};

/// A kind of character that the conditions of a pattern tell from others; [`EDGE`]: there is none.
pub(crate) type Kind = u16;

/// Before the first character, and after the last.
pub(crate) const EDGE: Kind = 0;

/// Of a character, in which of the sets it is that conditions ask about.
pub(crate) type Bits = u32;

const LINE: Bits = 1;
const WORD: Bits = 2;
const FOLDED_WORD: Bits = 4;
const FIRST_OWN: Bits = 8;

/// Sets of a pattern's own lookbehinds that are told apart.
const MAX_OWN: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Assertion(Assertion),
    /// A lookbehind for a character of the set with this bit or, with `edge`, for the start of the text.
    Behind {
        negative: bool,
        bit: Bits,
        edge: bool,
    },
}

impl Condition {
    /// The bit of the set that it asks about.
    pub(crate) fn asks(self) -> Bits {
        match self {
            Condition::Assertion(assertion) => set_of(assertion).map_or(0, |(bit, _)| bit),
            Condition::Behind { bit, .. } => bit,
        }
    }

    /// Whether it holds between characters with these bits, `None` at an edge.
    pub(crate) fn holds(self, before: Option<Bits>, after: Option<Bits>) -> bool {
        let is = |side: Option<Bits>, bit: Bits| side.is_some_and(|bits| bits & bit != 0);
        let assertion = match self {
            Condition::Assertion(assertion) => assertion,
            Condition::Behind { negative, bit, edge } => {
                return before.map_or(edge, |bits| bits & bit != 0) != negative;
            }
        };
        match assertion {
            Assertion::InputStart => before.is_none(),
            Assertion::InputEnd => after.is_none(),
            Assertion::LineStart => before.is_none() || is(before, LINE),
            Assertion::LineEnd => after.is_none() || is(after, LINE),
            Assertion::WordBoundary => is(before, WORD) != is(after, WORD),
            Assertion::NotWordBoundary => is(before, WORD) == is(after, WORD),
            Assertion::FoldedWordBoundary => is(before, FOLDED_WORD) != is(after, FOLDED_WORD),
            Assertion::NotFoldedWordBoundary => is(before, FOLDED_WORD) == is(after, FOLDED_WORD),
        }
    }
}

/// The set that an assertion asks about, with its bit.
fn set_of(assertion: Assertion) -> Option<(Bits, Set)> {
    match assertion {
        Assertion::InputStart | Assertion::InputEnd => None,
        Assertion::LineStart | Assertion::LineEnd => Some((LINE, Set::line_terminators())),
        Assertion::WordBoundary | Assertion::NotWordBoundary => Some((WORD, Set::word())),
        Assertion::FoldedWordBoundary | Assertion::NotFoldedWordBoundary => {
            let more = Set::from_ranges([(0x017F, 0x017F), (0x212A, 0x212A)]);
            Some((FOLDED_WORD, Set::word().union(&more)))
        }
    }
}

/// The sets that the conditions of a pattern ask about, each with its bit.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    sets: Vec<(Bits, Set)>,
    own: usize,
}

impl Asked {
    pub(crate) fn sets(&self) -> impl Iterator<Item = &Set> {
        self.sets.iter().map(|(_, set)| set)
    }

    /// Of a character.
    pub(crate) fn bits(&self, character: u32) -> Bits {
        self.sets.iter().filter(|(_, set)| set.contains(character)).fold(0, |bits, &(bit, _)| bits | bit)
    }

    pub(crate) fn assertion(&mut self, assertion: Assertion) -> Condition {
        if let Some((bit, set)) = set_of(assertion)
            && self.sets.iter().all(|&(other, _)| other != bit)
        {
            self.sets.push((bit, set));
        }
        Condition::Assertion(assertion)
    }

    /// A lookbehind as a condition, if it is for one character.
    pub(crate) fn behind(&mut self, negative: bool, body: &Node) -> Option<Condition> {
        let (set, edge) = one_character(body)?;
        let known =
            self.sets.iter().find(|(bit, other)| *bit >= FIRST_OWN && *other == set).map(|&(bit, _)| bit);
        let bit = match known {
            Some(bit) => bit,
            None if self.own == MAX_OWN => return None,
            None => {
                let bit = FIRST_OWN << self.own;
                self.own += 1;
                self.sets.push((bit, set));
                bit
            }
        };
        Some(Condition::Behind { negative, bit, edge })
    }
}

/// The set of the only character that the node matches, and whether it also matches at the start of the text.
fn one_character(node: &Node) -> Option<(Set, bool)> {
    match node {
        Node::Class(set) => Some((set.clone(), false)),
        Node::Assertion(Assertion::InputStart) => Some((Set::default(), true)),
        Node::Assertion(Assertion::LineStart) => Some((Set::line_terminators(), true)),
        Node::Alternation(branches) => {
            branches.iter().try_fold((Set::default(), false), |(set, edge), branch| {
                let (more, also) = one_character(branch)?;
                Some((set.union(&more), edge || also))
            })
        }
        _ => None,
    }
}
