//! A guard scan over JSON text: one pass that builds nothing and says whether the text is something to hand to a JSON
//! parser, and if not, what is wrong and where.
//!
//! The scan accepts exactly the grammar of RFC 8259. It works on bytes that are UTF-8 and on UTF-16 code units alike,
//! and never recurses: depth costs one [`frame`](scan) on a heap stack that the depth limit bounds.
#![forbid(unsafe_code)]

mod key;
mod scan;

pub use scan::{Finding, FindingKind, Options, Policy, Report, Step, Unit, scan, scan_bytes};
