//! Rate limiting with a bound on its memory: GCRA over a table of fixed-size sets.
//!
//! Nothing here reads a clock or a source of random numbers: both are given.
#![forbid(unsafe_code)]

mod address;
mod buckets;
mod hash;
mod limiter;
mod rate;
mod table;

pub use address::{Group, group};
pub use limiter::{Answer, Key, Limiter, Stats};
pub use rate::Rate;
