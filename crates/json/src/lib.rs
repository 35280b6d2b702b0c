//! A guard over JSON text: it builds nothing and says whether the text is something to hand to a JSON parser, and if not,
//! what is wrong and where.
//!
//! Two scans work together. The *sieve* goes over bytes sixty-four at a time with vector instructions and passes what is
//! certainly clean; the *exact scan* goes token by token, knows the place of everything, and decides about the rest. The exact
//! scan accepts exactly the grammar of RFC 8259, on bytes that are UTF-8 and on UTF-16 code units alike. Neither recurses:
//! depth costs one frame on a heap stack that the depth limit bounds.
//!
//! `unsafe` stands in three files, `blocks.rs`, `lanes.rs` and `lists.rs`, for vector instructions; each says why.
#![deny(unsafe_code)]
#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(
        dead_code,
        reason = "without vector instructions there are no blocks: the exact scan does everything"
    )
)]

mod blocks;
mod containers;
mod exact;
mod finding;
mod grammar;
mod guard;
mod hash;
mod key;
mod lanes;
mod lists;
mod members;
mod merge;
mod numbers;
mod options;
mod sieve;
mod strings;
mod unit;

pub use finding::{Finding, FindingKind, Report, Step};
pub use guard::{Guard, exact_only};
pub use merge::{Mode, TextUnit, TooLong, merge};
pub use options::{DEFAULT_DEPTH, Limits, Options, Policy};
pub use sieve::Trust;
pub use unit::Unit;
