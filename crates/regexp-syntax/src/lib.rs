//! What an ECMAScript regular expression means: from its text to an intermediate representation.
//!
//! A pattern is spelt for `oxc_regular_expression` ([`source`]), parsed, and lowered to [`Node`]s: notation, flags and
//! letter case are resolved, sets of characters computed. V8 has accepted the pattern before, so nothing here says that
//! one is wrong. The engine and the analysis of backtracking both begin with this.
//!
//! Offsets in patterns are UTF-16 code units.
#![forbid(unsafe_code)]

mod characters;
mod class;
mod depth;
mod flags;
mod ir;
mod lower;
mod set;
mod source;
mod trie;

pub use characters::Characters;
pub use depth::MAX_DEPTH;
pub use flags::Flags;
pub use ir::{Assertion, Node, Span};
#[doc(hidden)]
pub use lower::{ClassMembers, class_members};
pub use lower::{Lowered, lower};
pub use set::{LAST_CODE_POINT, LAST_CODE_UNIT, Set};
pub use source::Name;

/// Why a pattern was refused. The texts name constructs, never the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The pattern has a back-reference, and whoever asked wants none.
    BackReference,
    /// The pattern cannot be lowered exactly in this version; the text is the construct, as a noun phrase.
    Unsupported(&'static str),
    /// The pattern is over a limit; the text says which, as a clause.
    TooLarge(&'static str),
}
