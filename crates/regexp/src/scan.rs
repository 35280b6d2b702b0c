//! Passing over units that cannot be wanted, many at a time: loops without branches become vector instructions.

use crate::units::{Unit, UnitSet, next};
use holdfast_regexp_syntax::{LAST_CODE_POINT, Set};

/// Units that are looked at together.
const BLOCK: usize = 32;
/// Units that are looked at one by one before: what is wanted is often near.
const NEAR: usize = 8;
/// Ranges that a cover is made of. So many are tried on every unit.
const MAX_RANGES: usize = 6;
/// Characters that most texts are full of, from the first one to before the second: ASCII, and punctuation as it is printed.
const COMMON: [(u32, u32); 2] = [(0, 0x80), (0x2010, 0x2030)];
/// What one of these costs when it is covered in vain, counted in others.
const COMMON_COST: u32 = 0x1000;

/// A few units; the first one fills up.
#[derive(Clone, Copy)]
pub(crate) struct Few([u16; 4]);

impl Few {
    /// The characters of a small set that are a unit each, whatever the text.
    pub(crate) fn of(set: &Set) -> Option<Few> {
        let mut units = Vec::new();
        for code in set.ranges().iter().flat_map(|&(low, high)| low..=high.min(low.saturating_add(4))) {
            units.push(u16::try_from(code).ok().filter(|unit| unit & 0xF800 != 0xD800)?);
        }
        let first = *units.first()?;
        units.resize(units.len().max(4), first);
        Some(Few(units.try_into().ok()?))
    }

    /// How many others there are than the first.
    pub(crate) fn others(&self) -> usize {
        self.0.iter().filter(|&unit| *unit != self.0[0]).count()
    }

    /// How often the most common of them is met in texts, roughly.
    pub(crate) fn frequency(&self) -> u32 {
        self.0.iter().map(|&unit| frequency(unit)).max().unwrap_or(0)
    }

    /// Those that such a text can hold; nothing if it can hold none.
    fn narrowed<U: Unit>(&self) -> Option<[U; 4]> {
        let mut units = self.0.iter().filter_map(|&unit| U::narrow(u32::from(unit)));
        let first = units.next()?;
        let mut narrowed = [first; 4];
        for (place, unit) in narrowed[1..].iter_mut().zip(units) {
            *place = unit;
        }
        Some(narrowed)
    }

    /// The first place at or after `at` of one of them.
    pub(crate) fn find<U: Unit>(&self, text: &[U], at: usize) -> Option<usize> {
        let few = self.narrowed::<U>()?;
        let is = |unit: U| is_one(unit, &few);
        find(text, at, is, |at| is(text[at]))
    }
}

/// The first place at which `ones` has one of the first few units, `others` one of the second few, and `fits` agrees. The two
/// are of one length.
pub(crate) fn find_pair<U: Unit>(
    (ones, first): (&[U], &Few),
    (others, second): (&[U], &Few),
    fits: impl Fn(usize) -> bool,
) -> Option<usize> {
    let (first, second) = (first.narrowed::<U>()?, second.narrowed::<U>()?);
    let is = |one: U, other: U| is_one(one, &first) & is_one(other, &second);
    let (one_blocks, one_rest) = ones.as_chunks::<BLOCK>();
    let (other_blocks, other_rest) = others.as_chunks::<BLOCK>();
    let mut at = 0;
    for (one, other) in one_blocks.iter().zip(other_blocks) {
        if one.iter().zip(other).fold(false, |seen, (&one, &other)| seen | is(one, other)) {
            let mut hits = [0; BLOCK];
            for ((hit, &one), &other) in hits.iter_mut().zip(one).zip(other) {
                *hit = u8::from(is(one, other));
            }
            if let Some(place) = first_of(&hits, |place| fits(at + place)) {
                return Some(at + place);
            }
        }
        at += BLOCK;
    }
    let mut rest = one_rest.iter().zip(other_rest).enumerate();
    rest.find_map(|(place, (&one, &other))| (is(one, other) && fits(at + place)).then_some(at + place))
}

/// Finds the members of a set.
pub(crate) struct Finder {
    set: UnitSet,
    /// For texts of one-byte units, and for others.
    covers: [Cover; 2],
}

impl Finder {
    pub(crate) fn new(set: &Set) -> Finder {
        Finder { set: UnitSet::new(set), covers: [Cover::new(&set.within(0, 0xFF)), Cover::new(set)] }
    }

    /// The first place at or after `at` where a member starts.
    pub(crate) fn find<U: Unit, const PAIRS: bool>(&self, text: &[U], at: usize) -> Option<usize> {
        let is = |at: usize| self.set.contains(next::<U, PAIRS>(text, at).0);
        let near = text.len().min(at + NEAR);
        if let Some(found) = (at..near).find(|&at| is(at)) {
            return Some(found);
        }
        self.covers[usize::from(size_of::<U>() > 1)].find(text, near, is)
    }
}

/// A few ranges that hold the first units of all members of a set, and little else.
struct Cover(Vec<(u32, u32)>);

impl Cover {
    fn new(set: &Set) -> Cover {
        let mut ranges: Vec<_> = set.within(0, 0xFFFF).ranges().to_vec();
        let beyond = set.within(0x1_0000, LAST_CODE_POINT);
        if let (Some(&(low, _)), Some(&(_, high))) = (beyond.ranges().first(), beyond.ranges().last()) {
            // As the first halves of pairs, and as they are.
            ranges.push((0xD7C0 + (low >> 10), 0xD7C0 + (high >> 10)));
            ranges.push((low, high));
        }
        let mut ranges = Set::from_ranges(ranges).ranges().to_vec();
        let mut gaps: Vec<_> = ranges.windows(2).map(|pair| cost(pair[0].1 + 1, pair[1].0)).collect();
        gaps.sort_unstable_by(|one, other| other.cmp(one));
        // The largest gaps stay.
        if let Some(&limit) = gaps.get(MAX_RANGES - 1) {
            ranges.dedup_by(|next, before| {
                let merges = cost(before.1 + 1, next.0) <= limit;
                if merges {
                    before.1 = next.1;
                }
                merges
            });
        }
        Cover(ranges)
    }

    fn find<U: Unit>(&self, text: &[U], at: usize, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mut ranges =
            self.0.iter().filter_map(|&(low, high)| U::narrow(low).zip(U::narrow_span(low, high)));
        let first = ranges.next()?;
        let mut narrowed = [first; MAX_RANGES];
        let mut count = 1;
        for (place, range) in narrowed[1..].iter_mut().zip(ranges) {
            *place = range;
            count += 1;
        }
        match count {
            1 => find_in::<U, 1>(&narrowed, text, at, is),
            2 => find_in::<U, 2>(&narrowed, text, at, is),
            3 | 4 => find_in::<U, 4>(&narrowed, text, at, is),
            _ => find_in::<U, MAX_RANGES>(&narrowed, text, at, is),
        }
    }
}

/// What it costs to cover what is from `low` to before `high`, and not in the set.
fn cost(low: u32, high: u32) -> u32 {
    let common = COMMON.iter().map(|&(first, end)| high.min(end).saturating_sub(low.max(first))).sum::<u32>();
    high - low + common * COMMON_COST
}

fn find_in<U: Unit, const N: usize>(
    ranges: &[(U, U); MAX_RANGES],
    text: &[U],
    at: usize,
    is: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mut few = [ranges[0]; N];
    few.copy_from_slice(&ranges[..N]);
    let may = |unit: U| few.iter().fold(false, |is, &(low, span)| is | unit.is_within(low, span));
    find(text, at, may, is)
}

#[inline(always)]
fn find<U: Unit>(
    text: &[U],
    from: usize,
    may: impl Fn(U) -> bool,
    is: impl Fn(usize) -> bool,
) -> Option<usize> {
    let (blocks, _) = text[from..].as_chunks::<BLOCK>();
    let mut at = from;
    for block in blocks {
        if block.iter().fold(false, |seen, &unit| seen | may(unit)) {
            let mut hits = [0; BLOCK];
            for (hit, &unit) in hits.iter_mut().zip(block) {
                *hit = u8::from(may(unit));
            }
            if let Some(place) = first_of(&hits, |place| is(at + place)) {
                return Some(at + place);
            }
        }
        at += BLOCK;
    }
    (at..text.len()).find(|&at| is(at))
}

/// The first of the hits, which are marked by a 1, that `is` one.
#[inline(always)]
fn first_of(hits: &[u8; BLOCK], is: impl Fn(usize) -> bool) -> Option<usize> {
    let (words, _) = hits.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let mut marks = u64::from_le_bytes(*word);
        while marks != 0 {
            let place = 8 * index + marks.trailing_zeros() as usize / 8;
            if is(place) {
                return Some(place);
            }
            marks &= marks - 1;
        }
    }
    None
}

#[inline(always)]
fn is_one<U: Unit>(unit: U, few: &[U; 4]) -> bool {
    few.iter().fold(false, |is, &one| is | (unit == one))
}

/// Roughly, how often texts have a member of the set.
pub(crate) fn weight(set: &Set) -> u32 {
    let ascii = set.within(0, 0x7F);
    ascii.ranges().iter().flat_map(|&(low, high)| low..=high).map(|code| 1 + frequency(code as u16)).sum()
}

/// Roughly, how often a unit is met in texts.
fn frequency(unit: u16) -> u32 {
    match u8::try_from(unit) {
        Ok(b' ' | b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r') => 3,
        Ok(b'a'..=b'z') => 2,
        Ok(b'0'..=b'9' | b'A'..=b'Z') => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sets() -> impl Strategy<Value = Set> {
        let point = prop_oneof![
            0x20..0x80u32,
            0x80..0x180u32,
            0x370..0x500u32,
            0xD7F0..0xE010u32,
            0xFFF0..0x1_0010u32,
            0x1_0000..=LAST_CODE_POINT
        ];
        let span = prop_oneof![Just(0), 0..4u32, 0..600u32];
        prop::collection::vec((point, span), 0..12).prop_map(|ranges| {
            Set::from_ranges(ranges.into_iter().map(|(low, span)| (low, (low + span).min(LAST_CODE_POINT))))
        })
    }

    fn units() -> impl Strategy<Value = Vec<u16>> {
        let unit = prop_oneof![0x20..0x80u16, 0x80..0x500u16, 0xD7F0..0xE010u16, any::<u16>()];
        // Mostly the same, so that there is something to pass over.
        prop::collection::vec((0..40usize, unit), 1..200).prop_map(|parts| {
            let mut units = Vec::new();
            for (filler, unit) in parts {
                units.extend(std::iter::repeat_n(u16::from(b'~'), filler));
                units.push(unit);
            }
            units
        })
    }

    fn agrees<U: Unit, const PAIRS: bool>(set: &Set, text: &[U]) {
        let finder = Finder::new(set);
        let is = |at: usize| {
            let (code, _) = next::<U, PAIRS>(text, at);
            set.ranges().iter().any(|&(low, high)| (low..=high).contains(&code))
        };
        let mut at = 0;
        loop {
            let expected = (at..text.len()).find(|&at| is(at));
            assert_eq!(finder.find::<U, PAIRS>(text, at), expected);
            match expected {
                Some(found) => at = found + 1,
                None => return,
            }
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_loop_finds(set in sets(), text in units()) {
            let bytes: Vec<u8> = text.iter().map(|&unit| unit as u8).collect();
            let characters: Vec<u32> = text.iter().map(|&unit| u32::from(unit) * 7).collect();
            agrees::<u8, false>(&set, &bytes);
            agrees::<u16, false>(&set, &text);
            agrees::<u16, true>(&set, &text);
            agrees::<u32, false>(&set, &characters);
        }

        #[test]
        fn finds_the_few(text in units(), picks in prop::collection::vec(any::<prop::sample::Index>(), 1..4)) {
            let set = Set::from_ranges(picks.iter().map(|pick| (u32::from(*pick.get(&text)), u32::from(*pick.get(&text)))));
            prop_assume!(Few::of(&set).is_some());
            let few = Few::of(&set).unwrap();
            let bytes: Vec<u8> = text.iter().map(|&unit| unit as u8).collect();
            let is = |code: u32| set.ranges().iter().any(|&(low, high)| (low..=high).contains(&code));
            for at in 0..text.len() {
                prop_assert_eq!(few.find(&text, at), (at..text.len()).find(|&at| is(text[at].code())));
                prop_assert_eq!(few.find(&bytes, at), (at..text.len()).find(|&at| is(bytes[at].code())));
                let pair = find_pair((&text[at..], &few), (&text[..text.len() - at], &few), |_| true);
                let expected = (at..text.len()).find(|&it| is(text[it].code()) && is(text[it - at].code()));
                prop_assert_eq!(pair.map(|place| place + at), expected);
            }
        }
    }

    #[test]
    fn covers_with_few_ranges() {
        let many = Set::from_ranges(
            (0..100).map(|index| (0x400 + 3 * index, 0x401 + 3 * index)).chain([(0x30, 0x39)]),
        );
        let cover = Cover::new(&many);
        assert!(cover.0.len() <= MAX_RANGES);
        assert_eq!(cover.0[0], (0x30, 0x39));
        assert_eq!(cover.0.last(), Some(&(0x400, 0x401 + 3 * 99)));
    }
}
