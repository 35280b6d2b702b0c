//! The three forms of text that [`crate::pattern_set`] reads, each in units of its own: Latin-1, UTF-16 and UTF-8.

use std::borrow::Cow;

use crate::automaton::Alphabet;
use crate::encode::encode;
use crate::literals::Hull;
use crate::matcher::Matcher;
use crate::pattern::{Error, Haystack};

pub(crate) trait Text {
    /// Which automata read it, when it is [encoded](Text::encoded).
    const ALPHABET: Alphabet;

    /// In units.
    fn len(&self) -> usize;

    /// The unit at `place` in lower case where it is ASCII, otherwise a byte outside ASCII.
    fn folded(&self, place: usize) -> u8;

    /// Whether the unit at `place` may be of a character in the hull.
    fn is_in(&self, place: usize, hull: &Hull) -> bool;

    /// The most units that a character of a pattern may take.
    fn units_of_character(unicode: bool) -> usize;

    /// The start of the character that `place` is inside, or `place`.
    fn start_of_character(&self, place: usize) -> usize;

    /// The end of the character that `place` is inside, or `place`.
    fn end_of_character(&self, place: usize) -> usize;

    /// Whether the part from `first` to `last` has a match at or after `start`, characters before that in view.
    fn is_match(&self, matcher: &mut Matcher, first: usize, last: usize, start: usize)
    -> Result<bool, Error>;

    /// The text as automata read it. Nothing when there is no such form, or it might take more than `limit` bytes.
    fn encoded(&self, unicode: bool, limit: usize) -> Option<Cow<'_, [u8]>>;
}

/// A byte is a character up to U+00FF.
pub(crate) struct Latin1<'a>(pub(crate) &'a [u8]);

impl Text for Latin1<'_> {
    const ALPHABET: Alphabet = Alphabet::Latin1;

    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn folded(&self, place: usize) -> u8 {
        self.0[place].to_ascii_lowercase()
    }

    #[inline]
    fn is_in(&self, place: usize, hull: &Hull) -> bool {
        hull.has_latin1(self.0[place])
    }

    fn units_of_character(_: bool) -> usize {
        1
    }

    fn start_of_character(&self, place: usize) -> usize {
        place
    }

    fn end_of_character(&self, place: usize) -> usize {
        place
    }

    fn is_match(
        &self,
        matcher: &mut Matcher,
        first: usize,
        last: usize,
        start: usize,
    ) -> Result<bool, Error> {
        matcher.is_match(Haystack::Latin1(&self.0[first..last]), start - first)
    }

    fn encoded(&self, _: bool, _: usize) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(self.0))
    }
}

/// Code units, lone surrogates included.
pub(crate) struct Utf16<'a>(pub(crate) &'a [u16]);

impl Utf16<'_> {
    fn is_inside_pair(&self, place: usize) -> bool {
        let is = |place: usize, half: u16| self.0.get(place).is_some_and(|unit| unit & 0xFC00 == half);
        place > 0 && is(place, 0xDC00) && is(place - 1, 0xD800)
    }
}

impl Text for Utf16<'_> {
    const ALPHABET: Alphabet = Alphabet::Wide;

    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn folded(&self, place: usize) -> u8 {
        // Never more than 0x80.
        (self.0[place].min(0x80) as u8).to_ascii_lowercase()
    }

    #[inline]
    fn is_in(&self, place: usize, hull: &Hull) -> bool {
        u8::try_from(self.0[place]).map_or(hull.has_beyond(), |unit| hull.has_latin1(unit))
    }

    fn units_of_character(unicode: bool) -> usize {
        if unicode { 2 } else { 1 }
    }

    fn start_of_character(&self, place: usize) -> usize {
        place - usize::from(self.is_inside_pair(place))
    }

    fn end_of_character(&self, place: usize) -> usize {
        place + usize::from(self.is_inside_pair(place))
    }

    fn is_match(
        &self,
        matcher: &mut Matcher,
        first: usize,
        last: usize,
        start: usize,
    ) -> Result<bool, Error> {
        matcher.is_match(Haystack::Utf16(&self.0[first..last]), start - first)
    }

    fn encoded(&self, unicode: bool, limit: usize) -> Option<Cow<'_, [u8]>> {
        // A unit becomes three bytes at the most.
        (self.0.len() <= limit / 3).then(|| Cow::Owned(encode(self.0, unicode)))
    }
}

/// Bytes, which need not be UTF-8 everywhere.
pub(crate) struct Utf8<'a> {
    bytes: &'a [u8],
    /// All of it is UTF-8, and there is no character of four bytes.
    is_basic: bool,
    is_valid: bool,
}

impl<'a> Utf8<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Utf8<'a> {
        let is_valid = std::str::from_utf8(bytes).is_ok();
        Utf8 { bytes, is_valid, is_basic: is_valid && bytes.iter().all(|&byte| byte < 0xF0) }
    }

    fn is_continuation(&self, place: usize) -> bool {
        self.bytes.get(place).is_some_and(|byte| byte & 0xC0 == 0x80)
    }
}

impl Text for Utf8<'_> {
    const ALPHABET: Alphabet = Alphabet::Wide;

    fn len(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    fn folded(&self, place: usize) -> u8 {
        self.bytes[place].to_ascii_lowercase()
    }

    #[inline]
    fn is_in(&self, place: usize, hull: &Hull) -> bool {
        let byte = self.bytes[place];
        if byte < 0x80 { hull.has_latin1(byte) } else { hull.has_wide() }
    }

    fn units_of_character(unicode: bool) -> usize {
        // Without `u` a character of four bytes is two.
        if unicode { 4 } else { 3 }
    }

    fn start_of_character(&self, place: usize) -> usize {
        if !self.is_continuation(place) {
            return place;
        }
        // A continuation that has no lead byte within three is not inside a character.
        let least = place.saturating_sub(3);
        let lead = (least..place).rev().find(|&before| !self.is_continuation(before));
        lead.filter(|&lead| self.bytes[lead] >= 0xC0).unwrap_or(place)
    }

    fn end_of_character(&self, place: usize) -> usize {
        if self.start_of_character(place) == place {
            return place;
        }
        (place..place + 3).find(|&after| !self.is_continuation(after)).unwrap_or(place + 3)
    }

    fn is_match(
        &self,
        matcher: &mut Matcher,
        first: usize,
        last: usize,
        start: usize,
    ) -> Result<bool, Error> {
        matcher.is_match_bytes(&self.bytes[first..last], start - first)
    }

    fn encoded(&self, unicode: bool, _: usize) -> Option<Cow<'_, [u8]>> {
        let is_encoded = if unicode { self.is_valid } else { self.is_basic };
        is_encoded.then_some(Cow::Borrowed(self.bytes))
    }
}
