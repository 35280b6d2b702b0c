//! ECMAScript regular expressions in time linear in the input.
//!
//! A pattern is parsed by `oxc_regular_expression`, lowered to an IR of our own ([`ir`]) and run on a finite automaton
//! ([`automaton`]) wherever that provably gives the results ECMAScript asks for. Everything else is refused at
//! compilation with an [`Error`] that names the construct: nothing is approximated.
//!
//! Offsets are UTF-16 code units of the haystack throughout.
#![forbid(unsafe_code)]

mod automaton;
mod depth;
mod encode;
mod ir;
mod lower;
mod pattern;
mod set;
mod tester;

pub use pattern::{Error, Flags, Haystack, Matcher, Offset, Pattern, Subject};
