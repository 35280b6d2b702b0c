//! The members of one open object: which keys it has had, and which members are to be cut out of the text.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::key::units;
use crate::unit::Unit;

/// Keys of one object, to find one that comes twice. The hash is keyed per process, and equal hashes are compared by the
/// keys themselves.
#[derive(Default)]
pub(crate) struct Keys(HashMap<u64, (usize, usize)>);

impl Keys {
    /// Adds the key between `start` and `end` (without its quotes); false when it was there.
    pub(crate) fn add<U: Unit>(
        &mut self,
        text: &[U],
        (start, end): (usize, usize),
        hasher: &RandomState,
    ) -> bool {
        let key = units(&text[start..end]);
        let mut hash = hasher.build_hasher();
        key.clone().for_each(|unit| hash.write_u16(unit));
        let mut place = hash.finish();
        loop {
            match self.0.get(&place) {
                None => {
                    self.0.insert(place, (start, end));
                    return true;
                }
                Some(&(start, end)) if units(&text[start..end]).eq(key.clone()) => return false,
                Some(_) => place = place.wrapping_add(1),
            }
        }
    }
}

/// Where a member stands between its neighbours, to cut it out so that JSON is left.
#[derive(Default)]
pub(crate) struct Cutter {
    /// The comma before the current member.
    comma: Option<usize>,
    /// The current member is to go.
    pub(crate) cuts_current: bool,
    /// A member before it stays.
    keeps_any: bool,
}

impl Cutter {
    /// The current member, which starts at `start`, ends before `end`, where a comma or the closing brace stands. Adds what
    /// is to be cut to `cuts`.
    pub(crate) fn member_ends(
        &mut self,
        start: usize,
        end: usize,
        is_last: bool,
        cuts: &mut Vec<(usize, usize)>,
    ) {
        if std::mem::take(&mut self.cuts_current) {
            let cut = match self.comma {
                Some(comma) if self.keeps_any => (comma, end),
                _ => (start, if is_last { end } else { end + 1 }),
            };
            // What was found inside goes with it.
            while cuts.last().is_some_and(|inner| inner.0 >= cut.0) {
                cuts.pop();
            }
            cuts.push(cut);
        } else {
            self.keeps_any = true;
        }
        self.comma = Some(end);
    }
}
