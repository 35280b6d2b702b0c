//! Why a regular expression can blow up a backtracking matcher, with a proof.
//!
//! [`analyze`] says how the steps of such a matcher, V8's for one, grow with the text: in proportion to it, as a power of its
//! length, or exponentially. Of the latter two it says so only with a text that makes it happen, and only after the
//! steps on that text have been counted; of the first only when it is certain for every text. What cannot be decided within
//! the limits is unknown, and says why.
//!
//! - [`program`]: the pattern as a backtracking matcher takes it; [`machine`] runs it, [`count`] counts what it would do.
//! - [`graph`], [`futures`], [`runs`]: everything that the matcher tries on any text, as an automaton.
//! - [`ambiguity`]: where the number of ways through it grows.
//! - [`attack`]: from there to a text, and the proof.
#![forbid(unsafe_code)]

mod alphabet;
mod ambiguity;
mod analysis;
mod attack;
mod bits;
mod budget;
mod components;
mod context;
mod count;
mod futures;
mod graph;
mod growth;
mod machine;
mod program;
mod runs;

pub use analysis::{Analysis, Attack, Complexity, Limits, Reason, analyze};

#[cfg(test)]
mod analysis_tests;
#[cfg(test)]
mod ground_truth;
