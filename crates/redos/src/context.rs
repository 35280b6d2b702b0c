//! What assertions see of the characters beside a position.

use holdfast_regexp_syntax::{Assertion, Set};

/// A kind of character that the assertions of a pattern tell from others; [`EDGE`]: there is none.
pub(crate) type Kind = u8;

/// Before the first character, and after the last.
pub(crate) const EDGE: Kind = 0;

const LINE: u8 = 1;
const WORD: u8 = 2;
const FOLDED_WORD: u8 = 4;

/// The sets that an assertion asks about, each with its bit.
pub(crate) fn sets_of(assertion: Assertion) -> Option<(u8, Set)> {
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

/// Whether the assertion holds between characters of which `before` and `after` are the bits, `None` at an edge.
pub(crate) fn holds(assertion: Assertion, before: Option<u8>, after: Option<u8>) -> bool {
    let is = |side: Option<u8>, bit: u8| side.is_some_and(|bits| bits & bit != 0);
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

/// The bits of one character.
pub(crate) fn bits_of(character: u32) -> u8 {
    let is = |set: Set, bit: u8| if set.contains(character) { bit } else { 0 };
    let word = is(Set::word(), WORD);
    let folded = if character == 0x017F || character == 0x212A { FOLDED_WORD } else { word << 1 };
    is(Set::line_terminators(), LINE) | word | folded
}
