//! Sets of characters, where a character is what ECMAScript matches at a time: a code point with the flags `u` or
//! `v`, a UTF-16 code unit without. Lone surrogates are characters in both alphabets.

use std::sync::Arc;

/// The last character of the alphabet with `u` or `v`.
pub const LAST_CODE_POINT: u32 = 0x10_FFFF;
/// Of the one without `u` and `v`.
pub const LAST_CODE_UNIT: u32 = 0xFFFF;

/// Sorted, disjoint, non-adjacent inclusive ranges. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    ranges: Arc<[(u32, u32)]>,
}

impl Set {
    /// The set of all of them, which may overlap; those that end before they start are empty.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> Set {
        let mut unsorted: Vec<_> = ranges.into_iter().filter(|(low, high)| low <= high).collect();
        unsorted.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::with_capacity(unsorted.len());
        for (low, high) in unsorted {
            match ranges.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => ranges.push((low, high)),
            }
        }
        Set { ranges: ranges.into() }
    }

    /// Sorted, disjoint and not adjacent, both ends included.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// What either has.
    pub fn union(&self, other: &Set) -> Set {
        Set::from_ranges(self.ranges.iter().chain(other.ranges()).copied())
    }

    /// Everything up to `last` that is not in the set.
    pub fn complement(&self, last: u32) -> Set {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = 0;
        for &(low, high) in self.ranges() {
            if low > next {
                ranges.push((next, low - 1));
            }
            next = high + 1;
        }
        if next <= last {
            ranges.push((next, last));
        }
        Set { ranges: ranges.into() }
    }

    /// What both have.
    pub fn intersection(&self, other: &Set) -> Set {
        let (mut left, mut right) = (self.ranges(), other.ranges());
        let mut ranges = Vec::new();
        while let (Some(&(low, high)), Some(&(other_low, other_high))) = (left.first(), right.first()) {
            if low.max(other_low) <= high.min(other_high) {
                ranges.push((low.max(other_low), high.min(other_high)));
            }
            if high < other_high { left = &left[1..] } else { right = &right[1..] }
        }
        Set { ranges: ranges.into() }
    }

    /// What the other does not have.
    pub fn difference(&self, other: &Set) -> Set {
        self.intersection(&other.complement(LAST_CODE_POINT))
    }

    /// Whether it has the character.
    pub fn contains(&self, code: u32) -> bool {
        let after = self.ranges().partition_point(|&(low, _)| low <= code);
        after > 0 && code <= self.ranges()[after - 1].1
    }

    /// Whether the other has all of it.
    pub fn is_subset_of(&self, other: &Set) -> bool {
        self.ranges.iter().all(|&(low, high)| {
            let candidate = other.ranges.partition_point(|&(_, last)| last < low);
            other.ranges.get(candidate).is_some_and(|&(first, last)| first <= low && high <= last)
        })
    }

    /// The members from `low` to `high`.
    pub fn within(&self, low: u32, high: u32) -> Set {
        let clipped = self.ranges.iter().map(|&(a, b)| (a.max(low), b.min(high)));
        Set::from_ranges(clipped)
    }

    /// `\d`.
    pub fn digits() -> Set {
        Set::from_ranges([(0x30, 0x39)])
    }

    /// `\w` without `i` together with `u`.
    pub fn word() -> Set {
        Set::from_ranges([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
    }

    /// `\s`: WhiteSpace and LineTerminator of ECMA-262, §12.2 and §12.3. The category Zs has been stable since Unicode 6.3.
    pub fn space() -> Set {
        Set::from_ranges([
            (0x09, 0x0D),
            (0x20, 0x20),
            (0xA0, 0xA0),
            (0x1680, 0x1680),
            (0x2000, 0x200A),
            (0x2028, 0x2029),
            (0x202F, 0x202F),
            (0x205F, 0x205F),
            (0x3000, 0x3000),
            (0xFEFF, 0xFEFF),
        ])
    }

    /// What `.` does not match without the flag `s`: LineTerminator, §12.3.
    pub fn line_terminators() -> Set {
        Set::from_ranges([(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contains(set: &Set, value: u32) -> bool {
        set.ranges().iter().any(|&(low, high)| (low..=high).contains(&value))
    }

    proptest! {
        #[test]
        fn operations_agree_with_membership(
            a in prop::collection::vec((0u32..300, 0u32..300), 0..8),
            b in prop::collection::vec((0u32..300, 0u32..300), 0..8),
        ) {
            let (left, right) = (Set::from_ranges(a.clone()), Set::from_ranges(b.clone()));
            for value in 0..=300 {
                let in_a = a.iter().any(|&(low, high)| (low..=high).contains(&value));
                let in_b = b.iter().any(|&(low, high)| (low..=high).contains(&value));
                prop_assert_eq!(contains(&left, value), in_a);
                prop_assert_eq!(contains(&left.union(&right), value), in_a || in_b);
                prop_assert_eq!(contains(&left.intersection(&right), value), in_a && in_b);
                prop_assert_eq!(contains(&left.difference(&right), value), in_a && !in_b);
                prop_assert_eq!(contains(&left.complement(300), value), !in_a);
                prop_assert_eq!(contains(&left.within(50, 99), value), in_a && (50..=99).contains(&value));
            }
            prop_assert_eq!(left.is_subset_of(&right), left.difference(&right) == Set::default());
            for set in [&left, &left.intersection(&right), &left.difference(&right), &left.complement(300)] {
                let canonical = set.ranges().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0);
                prop_assert!(canonical, "ranges must be sorted, disjoint and not adjacent");
            }
        }
    }
}
