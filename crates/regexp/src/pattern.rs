//! What the addon uses: a compiled [`Pattern`], and a [`Matcher`] that runs it.

use std::sync::Arc;

use regex_automata::util::primitives::NonMaxUsize;

use crate::automaton::{Alphabet, Automaton, Claims, admit, claims};
use crate::encode::{Place, encode};
use crate::ir::Node;
use crate::lower::{Lowered, lower};
use crate::tester::Tester;

/// The flags of a RegExp that change what it matches. `d` changes only what is returned, `g` only where it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `i`
    pub ignore_case: bool,
    /// `m`
    pub multiline: bool,
    /// `s`
    pub dot_all: bool,
    /// `u`
    pub unicode: bool,
    /// `v`
    pub unicode_sets: bool,
    /// `y`
    pub sticky: bool,
}

impl Flags {
    /// Reads a RegExp's `flags`. `None` when there is one that this crate does not know.
    pub fn parse(text: &str) -> Option<Flags> {
        let mut flags = Flags::default();
        for flag in text.chars() {
            match flag {
                'i' => flags.ignore_case = true,
                'm' => flags.multiline = true,
                's' => flags.dot_all = true,
                'u' => flags.unicode = true,
                'v' => flags.unicode_sets = true,
                'y' => flags.sticky = true,
                'd' | 'g' => {}
                _ => return None,
            }
        }
        Some(flags)
    }
}

/// Why a pattern was refused. The texts name constructs, never the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The pattern has a back-reference, for which no linear algorithm is known.
    BackReference,
    /// The pattern cannot be run exactly in this version; the text is the construct, as a noun phrase.
    Unsupported(&'static str),
    /// The pattern is over a limit; the text says which, as a clause.
    TooLarge(&'static str),
}

/// A tester takes 30 to 110 µs to build for everyday patterns, and saves some 40 ns a test: patterns that are tested a few
/// times do without.
const TESTS_BEFORE_TESTER: u32 = 100;

/// Text to search in. Both forms have the same offsets.
#[derive(Clone, Copy, Debug)]
pub enum Haystack<'a> {
    /// Characters up to U+00FF, a byte each.
    Latin1(&'a [u8]),
    /// UTF-16 code units, lone surrogates included.
    Utf16(&'a [u16]),
}

impl Haystack<'_> {
    /// In UTF-16 code units.
    pub fn len(&self) -> usize {
        match self {
            Haystack::Latin1(bytes) => bytes.len(),
            Haystack::Utf16(units) => units.len(),
        }
    }

    /// Whether there is nothing to search in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An offset in UTF-16 code units, or `None` for a group that took no part.
pub type Offset = Option<usize>;

/// A compiled pattern. Cheap to clone; shared by the matchers made from it.
#[derive(Clone)]
pub struct Pattern {
    program: Arc<Program>,
}

struct Program {
    root: Node,
    flags: Flags,
    groups: u32,
    named: Vec<u32>,
}

impl Pattern {
    /// Compiles a pattern that V8 has already accepted. Time and memory are linear in its expanded size, which is limited.
    pub fn compile(source: &str, flags: Flags) -> Result<Pattern, Error> {
        let Lowered { root, groups, named } = lower(source, flags)?;
        admit(&root, groups)?;
        if claims(&root) != (Claims { bounds: true, captures: true }) {
            return Err(Error::Unsupported("this construct"));
        }
        Ok(Pattern { program: Arc::new(Program { root, flags, groups, named }) })
    }

    /// Capturing groups, the whole match not counted.
    pub fn groups(&self) -> u32 {
        self.program.groups
    }

    /// The numbers of the named groups, ascending.
    pub fn named_groups(&self) -> &[u32] {
        &self.program.named
    }

    /// Whether the pattern is a plain string. V8 searches for some of these in a way of its own.
    pub fn is_literal(&self) -> bool {
        self.program.root.is_literal()
    }

    /// A matcher of its own for one thread.
    pub fn matcher(&self) -> Result<Matcher, Error> {
        let latin1 = Automaton::build(&self.program.root, Alphabet::Latin1)?;
        let slots = vec![None; 2 * (self.program.groups as usize + 1)];
        Ok(Matcher { pattern: self.clone(), latin1, wide: None, tester: None, tests: 0, slots })
    }
}

/// A text to be searched many times.
pub struct Subject {
    bytes: Vec<u8>,
    is_latin1: bool,
    units: usize,
    /// Where the last search started.
    from: Place,
}

impl Subject {
    /// In UTF-16 code units.
    pub fn len(&self) -> usize {
        self.units
    }

    /// Whether there is nothing to search in.
    pub fn is_empty(&self) -> bool {
        self.units == 0
    }

    /// Bytes that the copy takes.
    pub fn memory_usage(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Runs a [`Pattern`]; holds the memory that searches reuse.
pub struct Matcher {
    pattern: Pattern,
    latin1: Automaton,
    /// Built when the first haystack outside ASCII comes.
    wide: Option<Automaton>,
    /// Built when the pattern has been tested [`TESTS_BEFORE_TESTER`] times, if it can be.
    tester: Option<Tester>,
    tests: u32,
    slots: Vec<Option<NonMaxUsize>>,
}

impl Matcher {
    /// Bytes that the matcher holds now. Searching can make it grow, by some megabytes at the most.
    pub fn memory_usage(&self) -> usize {
        self.latin1.memory_usage() + self.wide.as_ref().map_or(0, Automaton::memory_usage)
    }

    /// Whether the pattern matches at or (unless sticky) after `from`, which is at most the haystack's length.
    #[inline]
    pub fn is_match(&mut self, haystack: Haystack<'_>, from: usize) -> Result<bool, Error> {
        let Flags { sticky, unicode, .. } = self.pattern.program.flags;
        match haystack {
            Haystack::Latin1(bytes) => {
                if from == 0 && bytes.len() <= Tester::MAX_HAYSTACK {
                    if let Some(tester) = &self.tester {
                        return Ok(tester.is_match(bytes));
                    }
                    self.tests = self.tests.saturating_add(1);
                    if self.tests == TESTS_BEFORE_TESTER {
                        self.tester = Tester::build(&self.pattern.program.root, sticky);
                    }
                }
                Ok(self.latin1.is_match(bytes, from, sticky))
            }
            Haystack::Utf16(units) => {
                let bytes = encode(units, unicode);
                let from = Place::default().forward_to_unit(&bytes, from).byte;
                Ok(self.wide()?.is_match(&bytes, from, sticky))
            }
        }
    }

    /// The first match at or (unless sticky) after `from`: `offsets` gets start and end of the whole match, then of
    /// each group, and holds `2 * (groups + 1)` places. False, with `offsets` undefined, when there is none.
    ///
    /// With `u` and `from` inside a surrogate pair the search starts at the pair, as ECMA-262 §22.2.7.2 has it.
    pub fn find(
        &mut self,
        haystack: Haystack<'_>,
        from: usize,
        mut offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let Flags { sticky, unicode, .. } = self.pattern.program.flags;
        match haystack {
            Haystack::Latin1(bytes) => {
                let found = self.latin1.find(bytes, from, sticky, &mut self.slots);
                if found {
                    for (place, slot) in self.slots.iter().enumerate() {
                        offsets(place, slot.map(NonMaxUsize::get));
                    }
                }
                Ok(found)
            }
            Haystack::Utf16(units) => {
                let bytes = encode(units, unicode);
                let mut subject =
                    Subject { bytes, is_latin1: false, units: units.len(), from: Place::default() };
                self.find_in(&mut subject, from, offsets)
            }
        }
    }

    /// A copy of `haystack`, ready to be searched many times by this matcher.
    pub fn subject(&self, haystack: Haystack<'_>) -> Subject {
        let (mut bytes, is_latin1) = match haystack {
            Haystack::Latin1(bytes) => (bytes.to_vec(), true),
            Haystack::Utf16(units) => (encode(units, self.pattern.program.flags.unicode), false),
        };
        bytes.shrink_to_fit();
        Subject { bytes, is_latin1, units: haystack.len(), from: Place::default() }
    }

    /// As [`Matcher::find`], in a subject. Successive searches that go forward cost what they search, and no more.
    pub fn find_in(
        &mut self,
        subject: &mut Subject,
        from: usize,
        mut offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        if subject.is_latin1 {
            return self.find(Haystack::Latin1(&subject.bytes), from, offsets);
        }
        let sticky = self.pattern.program.flags.sticky;
        let known = if subject.from.unit <= from { subject.from } else { Place::default() };
        let start = known.forward_to_unit(&subject.bytes, from);
        subject.from = start;
        let mut slots = std::mem::take(&mut self.slots);
        let found = self.wide().map(|wide| wide.find(&subject.bytes, start.byte, sticky, &mut slots));
        if found == Ok(true) {
            let mut place = start;
            for (index, slot) in slots.iter().enumerate() {
                offsets(
                    index,
                    slot.map(|slot| {
                        // Groups come in any order, none of them before the start.
                        let known = if place.byte <= slot.get() { place } else { start };
                        place = known.forward_to_byte(&subject.bytes, slot.get());
                        place.unit
                    }),
                );
            }
        }
        self.slots = slots;
        found
    }

    fn wide(&mut self) -> Result<&mut Automaton, Error> {
        let automaton = match self.wide.take() {
            Some(automaton) => automaton,
            None => Automaton::build(&self.pattern.program.root, Alphabet::Wide)?,
        };
        Ok(self.wide.insert(automaton))
    }
}
