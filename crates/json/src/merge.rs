//! Two JSON texts spliced into one. Nothing is built: the patch's objects are indexed, the target is walked once, and
//! what neither names is copied as it stands.
//!
//! The walk is linear in both texts, at any depth and for any keys, and never recurses: depth costs a frame on the heap.
//! Both texts must have passed the guard; on anything else the result is meaningless, but nothing panics.

mod edits;
mod index;
mod name;
mod skip;
mod splice;
mod unit;

pub use unit::TextUnit;

use edits::Walk;
use index::Index;
use splice::Splice;

/// How two texts become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Objects are merged, anything else is replaced.
    #[default]
    Deep,
    /// As [`Mode::Deep`], and of two arrays at the same place the patch's elements follow the target's.
    DeepConcat,
    /// RFC 7396, JSON Merge Patch: as [`Mode::Deep`], and a `null` in the patch's objects deletes.
    Patch,
}

/// A text is longer than the merge can address, 2³¹ units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

const MAX_UNITS: usize = 1 << 31;

/// Merges `patch` into `target`, both well-formed. The result goes to `write` in pieces; it is never longer than both
/// texts together, and nests no deeper than the deeper one.
///
/// A key that occurs more than once in one object stands for its last value, in the place of its first, as in
/// `JSON.parse`; where the patch has nothing to say about it, it is copied as it stands, repetitions included.
pub fn merge<U: TextUnit>(
    target: &[U],
    patch: &[U],
    mode: Mode,
    write: impl FnMut(&[U]),
) -> Result<(), TooLong> {
    if target.len() > MAX_UNITS || patch.len() > MAX_UNITS {
        return Err(TooLong);
    }
    let mut index = Index::of(patch, mode == Mode::Patch);
    let edits = Walk::new(target, &mut index, mode).run();
    Splice::new(target, &mut index, &edits, mode, write).run();
    Ok(())
}
