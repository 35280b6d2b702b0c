//! What the backtracking engine reads: texts of several widths, and sets that answer quickly.

use holdfast_regexp_syntax::Set;

/// One place of a text: a byte of Latin-1, a UTF-16 code unit, or a whole character.
pub(crate) trait Unit: Copy + Eq {
    fn code(self) -> u32;
    /// The unit of that code, if there is one.
    fn narrow(code: u32) -> Option<Self>;
    /// Of the units from `low`, which is one, to `high`: how far after the first the last one is.
    fn narrow_span(low: u32, high: u32) -> Option<Self>;
    /// Whether it is `low`, or at most `span` after it.
    fn is_within(self, low: Self, span: Self) -> bool;
    /// A text of bytes.
    fn bytes(_text: &[Self]) -> Option<&[u8]> {
        None
    }
}

macro_rules! unit {
    ($unit:ty $(, $bytes:item)?) => {
        impl Unit for $unit {
            #[inline(always)]
            #[allow(clippy::useless_conversion, reason = "a code is one of the units")]
            fn code(self) -> u32 {
                u32::from(self)
            }

            fn narrow(code: u32) -> Option<Self> {
                Self::try_from(code).ok()
            }

            fn narrow_span(low: u32, high: u32) -> Option<Self> {
                Self::try_from(high.min(Self::MAX.code()).checked_sub(low)?).ok()
            }

            #[inline(always)]
            fn is_within(self, low: Self, span: Self) -> bool {
                self.wrapping_sub(low) <= span
            }

            $($bytes)?
        }
    };
}

unit!(
    u8,
    #[inline(always)]
    fn bytes(text: &[u8]) -> Option<&[u8]> {
        Some(text)
    }
);
unit!(u16);

// A code point, or [`BAD`].
unit!(u32);

/// What is no character: in no set, as sets end at U+10FFFF.
pub(crate) const BAD: u32 = u32::MAX;

/// From so many ranges on, a bitmap answers faster than a search.
const BITMAP_FROM: usize = 6;

/// A [`Set`] for asking, not for computing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnitSet {
    /// A byte is quicker to look up than a bit.
    latin1: Box<[bool; 256]>,
    /// Characters above U+00FF up to U+FFFF, if the ranges are many.
    plane: Option<Box<[u64; 1024]>>,
    ranges: Box<[(u32, u32)]>,
}

impl UnitSet {
    pub(crate) fn new(set: &Set) -> UnitSet {
        let mut latin1 = Box::new([false; 256]);
        for code in set.within(0, 0xFF).ranges().iter().flat_map(|&(low, high)| low..=high) {
            latin1[code as usize & 0xFF] = true;
        }
        let ranges: Box<[_]> = set.within(0x100, u32::MAX).ranges().into();
        let plane = (ranges.len() >= BITMAP_FROM).then(|| {
            let mut plane = Box::new([0u64; 1024]);
            for code in set.within(0, 0xFFFF).ranges().iter().flat_map(|&(low, high)| low..=high) {
                plane[(code >> 6) as usize] |= 1 << (code & 63);
            }
            plane
        });
        UnitSet { latin1, plane, ranges }
    }

    /// The members up to U+00FF as bits, and whether there are others.
    pub(crate) fn lead(&self) -> ([u64; 4], bool) {
        let mut bits = [0; 4];
        for code in (0..256).filter(|&code| self.latin1[code]) {
            bits[code >> 6] |= 1 << (code & 63);
        }
        (bits, !self.ranges.is_empty())
    }

    #[inline(always)]
    pub(crate) fn contains(&self, code: u32) -> bool {
        if code < 0x100 { self.latin1[code as usize & 0xFF] } else { self.contains_wide(code) }
    }

    fn contains_wide(&self, code: u32) -> bool {
        if let (Some(plane), 0..0x1_0000) = (&self.plane, code) {
            return plane[(code >> 6) as usize & 1023] & (1 << (code & 63)) != 0;
        }
        if let [(low, high)] = *self.ranges {
            return (low..=high).contains(&code);
        }
        self.ranges
            .binary_search_by(|&(low, high)| {
                if code < low {
                    std::cmp::Ordering::Greater
                } else if code > high {
                    std::cmp::Ordering::Less
                } else {
                    std::cmp::Ordering::Equal
                }
            })
            .is_ok()
    }

    pub(crate) fn memory_usage(&self) -> usize {
        size_of::<UnitSet>() + 256 + 8 * self.ranges.len() + if self.plane.is_some() { 8192 } else { 0 }
    }
}

pub(crate) fn is_high(code: u32) -> bool {
    code & 0xFFFF_FC00 == 0xD800
}

pub(crate) fn is_low(code: u32) -> bool {
    code & 0xFFFF_FC00 == 0xDC00
}

/// The character at `at`, which is not the end, and where the next one starts. `PAIRS`: surrogate pairs are characters.
/// Between the halves of a pair there is no character: V8 starts searches there too, and so an empty match may be there.
#[inline(always)]
pub(crate) fn next<U: Unit, const PAIRS: bool>(text: &[U], at: usize) -> (u32, usize) {
    let code = text[at].code();
    if PAIRS && code & 0xFFFF_F800 == 0xD800 {
        let neighbour = |at: usize| text.get(at).map(|unit| unit.code());
        if is_high(code) {
            if let Some(low) = neighbour(at + 1).filter(|&low| is_low(low)) {
                return (join(code, low), at + 2);
            }
        } else if at > 0 && neighbour(at - 1).is_some_and(is_high) {
            return (BAD, at + 1);
        }
    }
    (code, at + 1)
}

/// The character before `at`, which is not the start, and where it starts.
#[inline(always)]
pub(crate) fn previous<U: Unit, const PAIRS: bool>(text: &[U], at: usize) -> (u32, usize) {
    let code = text[at - 1].code();
    if PAIRS && code & 0xFFFF_F800 == 0xD800 {
        if is_high(code) {
            if text.get(at).is_some_and(|unit| is_low(unit.code())) {
                return (BAD, at - 1);
            }
        } else if at >= 2 && is_high(text[at - 2].code()) {
            return (join(text[at - 2].code(), code), at - 2);
        }
    }
    (code, at - 1)
}

fn join(high: u32, low: u32) -> u32 {
    0x1_0000 + ((high & 0x3FF) << 10) + (low & 0x3FF)
}

/// LineTerminator, ECMA-262 §12.3.
#[inline]
pub(crate) fn is_line_terminator(code: u32) -> bool {
    matches!(code, 0x0A | 0x0D | 0x2028 | 0x2029)
}

/// `\w` without `i` together with `u`.
#[inline]
pub(crate) fn is_word(code: u32) -> bool {
    code < 0x80 && (code as u8).is_ascii_alphanumeric() || code == 0x5F
}

/// `\w` with both.
#[inline]
pub(crate) fn is_folded_word(code: u32) -> bool {
    is_word(code) || matches!(code, 0x17F | 0x212A)
}
