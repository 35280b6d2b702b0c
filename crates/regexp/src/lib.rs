//! ECMAScript regular expressions in time linear in the input.
//!
//! A pattern is parsed and lowered to an IR (the crate `holdfast_regexp_syntax`), and run on a finite automaton
//! ([`automaton`]) where that provably gives the results ECMAScript asks for, on a backtracking engine that remembers
//! ([`backtracker`]) otherwise. Nothing is approximated; only back-references are refused, or have a budget.
//!
//! Offsets are UTF-16 code units of the haystack throughout.
#![forbid(unsafe_code)]

#[cfg(test)]
mod agreement;
mod automaton;
mod backtracker;
mod encode;
mod joined;
mod lead;
mod literals;
mod matcher;
mod memo;
mod overshoot;
mod pattern;
mod pattern_set;
mod prefilter;
mod program;
mod scan;
mod search;
mod shorten;
mod stack;
mod start;
mod strings;
mod subject;
mod tester;
mod text;
mod units;
mod utf8;
mod work;

pub use holdfast_regexp_syntax::{Characters, Flags};
pub use matcher::Matcher;
pub use pattern::{Error, Haystack, Limits, Offset, Pattern};
pub use pattern_set::{PatternSet, SetError};
pub use subject::Subject;
pub use tester::Table;
#[cfg(feature = "count-work")]
pub use work::take_work;
