//! A [`Matcher`] runs a pattern on texts, each with the engine that suits both.
//!
//! The automaton runs whatever it gives exactly (see [`crate::automaton`]), the backtracker the rest. Of wide texts, which the
//! automaton reads encoded, and where captures are wanted in short ones, the backtracker is tried first, as long as it takes
//! few steps. On long one-byte texts the
//! automaton also finds the matches whose captures only the backtracker gives.

use std::cell::OnceCell;

use regex_automata::util::primitives::NonMaxUsize;

use crate::Flags;
use crate::automaton::{Alphabet, Automaton};
use crate::encode::{Place, encode};
use crate::overshoot::is_bounded;
use crate::pattern::{Error, Haystack, Limits, Offset, Pattern, Program};
use crate::search::{Backtracker, Progress, offset};
use crate::tester::{Table, Tester};
use crate::utf8::Decoded;
use crate::work::add;

/// A tester takes 30 to 110 µs to build for everyday patterns, and saves some 40 ns a test: patterns that are tested a few
/// times do without.
const TESTS_BEFORE_TESTER: u32 = 100;

/// From this length on the automaton looks for the match of which the backtracker then finds the captures.
pub(crate) const LONG: usize = 256;

/// Steps for each unit of a text, and some for free, after which the backtracker gives way to the automaton.
const STEPS_A_UNIT: u64 = 6;
const FREE_STEPS: u64 = 512;

/// Runs a [`Pattern`]; holds the memory that searches reuse.
pub struct Matcher {
    pub(crate) pattern: Pattern,
    /// There if the automaton finds the pattern's matches.
    pub(crate) latin1: Option<Automaton>,
    /// Built when a wide text needs it; nothing if the automaton does not run the pattern, or is too large.
    wide: OnceCell<Option<Automaton>>,
    backtracker: Backtracker,
    /// Whether finding all matches is linear on the automata, for Latin-1 and for wide text.
    finds_all: [OnceCell<bool>; 2],
    /// Built when the pattern has been tested [`TESTS_BEFORE_TESTER`] times, if it can be.
    tester: Option<Tester>,
    tests: u32,
    slots: Vec<Option<NonMaxUsize>>,
}

impl Matcher {
    pub(crate) fn new(pattern: &Pattern) -> Matcher {
        let Program { root, flags, groups, canonical, claims, .. } = &*pattern.program;
        let unicode = flags.unicode || flags.unicode_sets;
        Matcher {
            pattern: pattern.clone(),
            // What is too large for the automaton, the backtracker runs.
            latin1: claims.bounds.then(|| Automaton::build(root, Alphabet::Latin1).ok()).flatten(),
            wide: OnceCell::new(),
            backtracker: Backtracker::new(root, *groups, unicode, canonical.clone()),
            finds_all: [const { OnceCell::new() }; 2],
            tester: None,
            tests: 0,
            slots: vec![None; 2 * (*groups as usize + 1)],
        }
    }

    /// The engine that long one-byte texts start on.
    pub fn engine(&self) -> &'static str {
        if self.latin1.is_some() { "automaton" } else { "backtracker" }
    }

    /// Bytes that the matcher holds now. Searching can make it grow, by some megabytes at the most.
    pub fn memory_usage(&self) -> usize {
        let automata = [self.latin1.as_ref(), self.wide.get().and_then(Option::as_ref)];
        automata.into_iter().flatten().map(Automaton::memory_usage).sum::<usize>()
            + self.backtracker.memory_usage()
            + self.tester.as_ref().map_or(0, Tester::memory_usage)
    }

    /// Whether the pattern matches at or (unless sticky) after `from`, which is at most the haystack's length.
    #[inline]
    pub fn is_match(&mut self, haystack: Haystack<'_>, from: usize) -> Result<bool, Error> {
        if let (Haystack::Latin1(bytes), Some(tester)) = (haystack, &self.tester)
            && from == 0
            && bytes.len() <= Tester::MAX_HAYSTACK
            && self.pattern.program.claims.cover(haystack)
        {
            return Ok(tester.is_match(bytes));
        }
        self.is_match_slowly(haystack, from)
    }

    fn is_match_slowly(&mut self, haystack: Haystack<'_>, from: usize) -> Result<bool, Error> {
        let Program { root, flags: Flags { sticky, .. }, claims, .. } = &*self.pattern.program;
        let (sticky, covers) = (*sticky, claims.cover(haystack));
        let limits = self.limits_with(haystack)?;
        let mut progress = Progress::new(false);
        match haystack {
            Haystack::Latin1(bytes) => {
                if let Some(latin1) = self.latin1.as_mut().filter(|_| covers) {
                    if from == 0 && bytes.len() <= Tester::MAX_HAYSTACK {
                        self.tests = self.tests.saturating_add(1);
                        if self.tests == TESTS_BEFORE_TESTER {
                            self.tester = Tester::build(root, sticky);
                        }
                    }
                    add((bytes.len() - from) as u64);
                    return Ok(latin1.is_match(bytes, from, sticky));
                }
            }
            Haystack::Utf16(units) if covers && claims.bounds => {
                let steps = FREE_STEPS + STEPS_A_UNIT * units.len() as u64;
                if let Some(found) = self.backtrack_within(haystack, from, &mut progress, limits, steps)? {
                    return Ok(found);
                }
                if self.has_wide() {
                    let bytes = self.encoded(units, limits)?;
                    let from = Place::default().forward_to_unit(&bytes, from).byte;
                    add((bytes.len() - from) as u64);
                    return Ok(self.wide().is_some_and(|wide| wide.is_match(&bytes, from, sticky)));
                }
            }
            Haystack::Utf16(_) => {}
        }
        self.backtrack(haystack, from, &mut progress, limits)
    }

    /// Whether a Latin-1 text matches, searched from its start, as a table; nothing when that would be too large.
    pub fn table(&mut self) -> Option<Table> {
        // The automaton that the table is of runs the pattern's tests, or there is none.
        self.latin1.as_ref().filter(|_| !self.pattern.program.claims.only_line_feeds)?;
        if self.tester.is_none() {
            self.tester = Tester::build(&self.pattern.program.root, self.pattern.program.flags.sticky);
        }
        self.tester.as_ref().map(Tester::table)
    }

    /// The first match at or (unless sticky) after `from`: `offsets` gets start and end of the whole match, then of
    /// each group, and holds `2 * (groups + 1)` places. False, with `offsets` undefined, when there is none.
    ///
    /// With `u` and `from` inside a surrogate pair the search starts at the pair, as ECMA-262 §22.2.7.2 has it, and goes on
    /// between its halves, as V8 does.
    pub fn find(
        &mut self,
        haystack: Haystack<'_>,
        from: usize,
        offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let Program { claims, groups, .. } = &*self.pattern.program;
        let covers = claims.cover(haystack);
        let limits = self.limits_with(haystack)?;
        let mut progress = Progress::new(*groups > 0);
        match haystack {
            // Of short texts the backtracker tells captures sooner.
            Haystack::Latin1(bytes) if covers && *groups > 0 && bytes.len() < LONG => {
                let steps = FREE_STEPS + STEPS_A_UNIT * bytes.len() as u64;
                if let Some(found) = self.backtrack_within(haystack, from, &mut progress, limits, steps)? {
                    if found {
                        self.report(true, offsets);
                    }
                    return Ok(found);
                }
                if self.latin1.is_some() {
                    return self.find_latin1(bytes, from, &mut progress, limits, offsets);
                }
            }
            Haystack::Latin1(bytes) if covers && self.latin1.is_some() => {
                return self.find_latin1(bytes, from, &mut progress, limits, offsets);
            }
            Haystack::Utf16(units) if covers && claims.captures => {
                let steps = FREE_STEPS + STEPS_A_UNIT * units.len() as u64;
                if let Some(found) = self.backtrack_within(haystack, from, &mut progress, limits, steps)? {
                    if found {
                        self.report(true, offsets);
                    }
                    return Ok(found);
                }
                if self.has_wide() {
                    let bytes = self.encoded(units, limits)?;
                    let start = Place::default().forward_to_unit(&bytes, from);
                    return Ok(self.find_encoded(&bytes, start, true, offsets));
                }
            }
            _ => {}
        }
        self.find_by_backtracking(haystack, from, &mut progress, limits, offsets)
    }

    /// As [`Matcher::find`] from the start, where only the first part of the text is there. False when there is no match in
    /// it, and when there is one that the rest might change.
    pub fn find_early(
        &mut self,
        part: Haystack<'_>,
        captures: bool,
        offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let Program { root, flags, groups, limits, .. } = &*self.pattern.program;
        let (sticky, captures) = (flags.sticky, captures && *groups > 0);
        let engine = &mut self.backtracker;
        let found = match part {
            Haystack::Latin1(bytes) => engine.find_early::<u8, false>(root, bytes, sticky, captures, *limits),
            Haystack::Utf16(units) => {
                // What may be half of a pair is left out.
                let units =
                    units.split_last().filter(|(last, _)| **last & 0xFC00 == 0xD800).map_or(units, |it| it.1);
                if flags.unicode || flags.unicode_sets {
                    engine.find_early::<u16, true>(root, units, sticky, captures, *limits)
                } else {
                    engine.find_early::<u16, false>(root, units, sticky, captures, *limits)
                }
            }
        }?;
        if found {
            self.report(captures, offsets);
        }
        Ok(found)
    }

    /// As [`Matcher::is_match`], in UTF-8. Bytes that are not UTF-8 are in no character class and no match.
    pub fn is_match_bytes(&mut self, utf8: &[u8], from: usize) -> Result<bool, Error> {
        self.find_bytes(utf8, from, |_, _| ())
    }

    /// As [`Matcher::find`], in UTF-8: offsets are bytes. Without `u` and `v` a character outside the BMP is two code
    /// units; the offset between these is two bytes into the character. A search from inside a character starts after it.
    pub fn find_bytes(
        &mut self,
        utf8: &[u8],
        from: usize,
        mut offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        if utf8.is_ascii() {
            return self.find(Haystack::Latin1(utf8), from, offsets);
        }
        let Program { root, flags, claims, groups, limits, .. } = &*self.pattern.program;
        let (sticky, unicode) = (flags.sticky, flags.unicode || flags.unicode_sets);
        if claims.captures
            && (!claims.only_line_feeds || has_only_line_feeds(utf8))
            && (unicode || !utf8.iter().any(|&byte| byte >= 0xF0))
            && std::str::from_utf8(utf8).is_ok()
            && self.has_wide()
        {
            let from = (from..utf8.len()).find(|&at| utf8[at] & 0xC0 != 0x80).unwrap_or(utf8.len());
            add((utf8.len() - from) as u64);
            let mut slots = std::mem::take(&mut self.slots);
            let found = self.wide().is_some_and(|wide| wide.find(utf8, from, sticky, &mut slots));
            if found {
                for (place, slot) in slots.iter().enumerate() {
                    offsets(place, slot.map(NonMaxUsize::get));
                }
            }
            self.slots = slots;
            return Ok(found);
        }
        let decoded = Decoded::new(utf8, unicode, limits.memory)?;
        let limits = Limits { memory: limits.memory.saturating_sub(decoded.memory_usage()), ..*limits };
        let from = decoded.unit_at(from);
        let mut progress = Progress::new(*groups > 0);
        let engine = &mut self.backtracker;
        let found = engine.find::<u32, false>(root, decoded.units(), from, sticky, &mut progress, limits)?;
        add(progress.steps());
        if found {
            for (place, &slot) in self.backtracker.slots().iter().enumerate() {
                offsets(place, offset(slot).map(|unit| decoded.byte_at(unit)));
            }
        }
        Ok(found)
    }

    /// On the automaton, which there is.
    pub(crate) fn find_latin1(
        &mut self,
        bytes: &[u8],
        from: usize,
        progress: &mut Progress,
        limits: Limits,
        mut offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let Program { flags: Flags { sticky, .. }, claims, .. } = self.pattern.program.as_ref();
        let sticky = *sticky;
        let mut start = from;
        if let Some(latin1) = &mut self.latin1 {
            if claims.captures || !progress.captures() {
                let width = if progress.captures() { self.slots.len() } else { 2 };
                let slots = &mut self.slots[..width];
                let found = latin1.find(bytes, from, sticky, slots);
                if found {
                    for (place, slot) in slots.iter().enumerate() {
                        offsets(place, slot.map(NonMaxUsize::get));
                    }
                }
                let end = slots[1].filter(|_| found).map_or(bytes.len(), NonMaxUsize::get);
                add((end - from) as u64);
                return Ok(found);
            }
            if bytes.len() - from >= LONG && !sticky {
                let found = latin1.find(bytes, from, sticky, &mut self.slots[..2]);
                start = self.slots[0].filter(|_| found).map_or(bytes.len(), NonMaxUsize::get);
                add((start - from) as u64);
                if !found {
                    return Ok(false);
                }
            }
        }
        self.find_by_backtracking(Haystack::Latin1(bytes), start, progress, limits, offsets)
    }

    /// On the wide automaton, which there is.
    pub(crate) fn find_encoded(
        &mut self,
        bytes: &[u8],
        start: Place,
        captures: bool,
        mut offsets: impl FnMut(usize, Offset),
    ) -> bool {
        let sticky = self.pattern.program.flags.sticky;
        let mut slots = std::mem::take(&mut self.slots);
        let width = if captures { slots.len() } else { 2 };
        let found = self.wide().is_some_and(|wide| wide.find(bytes, start.byte, sticky, &mut slots[..width]));
        let end = slots[1].filter(|_| found).map_or(bytes.len(), NonMaxUsize::get);
        add((end - start.byte) as u64);
        if found {
            let mut place = start;
            for (index, slot) in slots[..width].iter().enumerate() {
                offsets(
                    index,
                    slot.map(|slot| {
                        // Groups come in any order, none of them before the start.
                        let known = if place.byte <= slot.get() { place } else { start };
                        place = known.forward_to_byte(bytes, slot.get());
                        place.unit
                    }),
                );
            }
        }
        self.slots = slots;
        found
    }

    pub(crate) fn find_by_backtracking(
        &mut self,
        haystack: Haystack<'_>,
        from: usize,
        progress: &mut Progress,
        limits: Limits,
        offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let found = self.backtrack(haystack, from, progress, limits)?;
        if found {
            self.report(progress.captures(), offsets);
        }
        Ok(found)
    }

    /// The backtracker's last match.
    pub(crate) fn report(&self, captures: bool, mut offsets: impl FnMut(usize, Offset)) {
        let slots = self.backtracker.slots();
        let width = if captures { 2 * (self.pattern.program.groups as usize + 1) } else { 2 };
        for place in 0..width {
            offsets(place, slots.get(place).and_then(|&slot| offset(slot)));
        }
    }

    fn backtrack(
        &mut self,
        haystack: Haystack<'_>,
        from: usize,
        progress: &mut Progress,
        limits: Limits,
    ) -> Result<bool, Error> {
        // Without a bound of its own a search always ends.
        self.backtrack_within(haystack, from, progress, limits, u64::MAX).map(|found| found == Some(true))
    }

    /// As long as the text has taken no more than `max_steps` in all; nothing then.
    pub(crate) fn backtrack_within(
        &mut self,
        haystack: Haystack<'_>,
        from: usize,
        progress: &mut Progress,
        limits: Limits,
        max_steps: u64,
    ) -> Result<Option<bool>, Error> {
        let Program { root, flags, .. } = self.pattern.program.as_ref();
        let (sticky, before) = (flags.sticky, progress.steps());
        let engine = &mut self.backtracker;
        let found = match haystack {
            Haystack::Latin1(bytes) => {
                engine.find_within::<u8, false>(root, bytes, from, sticky, progress, limits, max_steps)
            }
            Haystack::Utf16(units) if flags.unicode || flags.unicode_sets => {
                let pair = if sticky || flags.global { start_of_pair(units, from) } else { from };
                let found =
                    engine.find_within::<u16, true>(root, units, pair, sticky, progress, limits, max_steps);
                if found == Ok(Some(false)) && sticky && pair < from {
                    engine.find_within::<u16, true>(root, units, from, sticky, progress, limits, max_steps)
                } else {
                    found
                }
            }
            Haystack::Utf16(units) => {
                engine.find_within::<u16, false>(root, units, from, sticky, progress, limits, max_steps)
            }
        };
        add(progress.steps() - before);
        found
    }

    /// What is left when the text has been paid for.
    pub(crate) fn limits_with(&self, haystack: Haystack<'_>) -> Result<Limits, Error> {
        let limits = self.pattern.program.limits;
        let memory = limits.memory.checked_sub(haystack.bytes()).ok_or(Error::Memory)?;
        Ok(Limits { memory, ..limits })
    }

    pub(crate) fn encoded(&self, units: &[u16], limits: Limits) -> Result<Vec<u8>, Error> {
        let Flags { unicode, unicode_sets, .. } = self.pattern.program.flags;
        // A unit becomes three bytes at the most.
        limits.memory.checked_sub(3 * units.len()).ok_or(Error::Memory)?;
        Ok(encode(units, unicode || unicode_sets))
    }

    /// Whether finding all matches is linear on the automaton for such texts.
    pub(crate) fn finds_all(&self, alphabet: Alphabet) -> bool {
        let root = &self.pattern.program.root;
        *self.finds_all[alphabet as usize].get_or_init(|| is_bounded(root, alphabet))
    }

    pub(crate) fn has_wide(&self) -> bool {
        let Program { root, claims, .. } = &*self.pattern.program;
        let build = || claims.bounds.then(|| Automaton::build(root, Alphabet::Wide).ok()).flatten();
        self.wide.get_or_init(build).is_some()
    }

    fn wide(&mut self) -> Option<&mut Automaton> {
        self.has_wide();
        self.wide.get_mut()?.as_mut()
    }
}

/// Whether UTF-8 has no line terminator but U+000A.
fn has_only_line_feeds(utf8: &[u8]) -> bool {
    !utf8.contains(&b'\r') && !utf8.windows(3).any(|bytes| matches!(bytes, [0xE2, 0x80, 0xA8 | 0xA9]))
}

/// `at`, or one less when that is between the halves of a surrogate pair.
pub(crate) fn start_of_pair(units: &[u16], at: usize) -> usize {
    let is = |at: usize, mask: u16| units.get(at).is_some_and(|unit| unit & 0xFC00 == mask);
    if at > 0 && is(at, 0xDC00) && is(at - 1, 0xD800) { at - 1 } else { at }
}
