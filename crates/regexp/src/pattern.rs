//! What the addon uses: a compiled [`Pattern`], and a [`Matcher`] that runs it.
//!
//! Which engine runs what: the automaton whatever it gives exactly (see [`crate::automaton`]), the backtracker the rest. On
//! long one-byte texts the automaton also finds matches whose captures only the backtracker gives.

use std::cell::OnceCell;
use std::sync::Arc;

use regex_automata::util::primitives::NonMaxUsize;

use crate::automaton::{Alphabet, Automaton, Claims, admit, claims};
use crate::characters::Characters;
use crate::encode::{Place, encode};
use crate::ir::Node;
use crate::lower::{Lowered, lower};
use crate::overshoot::is_bounded;
use crate::search::{Backtracker, Progress, offset};
use crate::source::Name;
use crate::tester::{Table, Tester};
use crate::utf8::Decoded;
use crate::work::add;

/// The flags of a RegExp that change what it matches. `d` changes only what is returned.
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
    /// `g`: a search from inside a surrogate pair starts at the pair, as with `y`.
    pub global: bool,
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
                'g' => flags.global = true,
                'd' => {}
                _ => return None,
            }
        }
        Some(flags)
    }
}

/// Why a pattern was refused, or a search ended without an answer. The texts name constructs, never the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The pattern has a back-reference, for which no linear algorithm is known.
    BackReference,
    /// The pattern cannot be run exactly in this version; the text is the construct, as a noun phrase.
    Unsupported(&'static str),
    /// The pattern is over a limit; the text says which, as a clause.
    TooLarge(&'static str),
    /// A search would need more than [`Limits::memory`].
    Memory,
    /// A search with back-references has taken [`Limits::backreference_steps`].
    Budget,
}

/// What searches may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that one operation may take: for the text, in the forms that the engines read, and for what they remember.
    pub memory: usize,
    /// Steps that one search with a pattern with back-references may take; without this such patterns are refused.
    pub backreference_steps: Option<u64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory: 64 << 20, backreference_steps: None }
    }
}

/// A tester takes 30 to 110 µs to build for everyday patterns, and saves some 40 ns a test: patterns that are tested a few
/// times do without.
const TESTS_BEFORE_TESTER: u32 = 100;

/// From this length on the automaton looks for the match of which the backtracker then finds the captures.
const LONG: usize = 256;

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

    fn bytes(&self) -> usize {
        match self {
            Haystack::Latin1(bytes) => bytes.len(),
            Haystack::Utf16(units) => 2 * units.len(),
        }
    }
}

/// An offset in UTF-16 code units (in bytes of UTF-8, of the methods that take these), or `None` for a group that took no
/// part.
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
    names: Vec<Name>,
    named: Vec<u32>,
    canonical: Vec<(u32, u32)>,
    claims: Claims,
    limits: Limits,
}

impl Pattern {
    /// Compiles a pattern that V8 has already accepted. Time and memory are linear in its expanded size, which is limited.
    pub fn compile(
        source: &[u16],
        flags: Flags,
        characters: &Characters,
        limits: Limits,
    ) -> Result<Pattern, Error> {
        let backreferences = limits.backreference_steps.is_some();
        let Lowered { root, groups, names, canonical } = lower(source, flags, characters, backreferences)?;
        admit(&root)?;
        let claims = claims(&root, groups);
        let mut named: Vec<u32> = names.iter().flat_map(|(_, numbers)| numbers).copied().collect();
        named.sort_unstable();
        let program = Program { root, flags, groups, names, named, canonical, claims, limits };
        Ok(Pattern { program: Arc::new(program) })
    }

    /// Capturing groups, the whole match not counted.
    pub fn groups(&self) -> u32 {
        self.program.groups
    }

    /// The numbers of the named groups, ascending.
    pub fn named_groups(&self) -> &[u32] {
        &self.program.named
    }

    /// The names of groups in UTF-16, in the order of their first group, each with the numbers of its groups.
    pub fn group_names(&self) -> &[(Vec<u16>, Vec<u32>)] {
        &self.program.names
    }

    /// Whether the pattern is a plain string. V8 searches for some of these in a way of its own.
    pub fn is_literal(&self) -> bool {
        self.program.root.is_literal()
    }

    /// The engine that decides whether and where there is a match.
    pub fn engine(&self) -> &'static str {
        if self.program.claims.bounds { "automaton" } else { "backtracker" }
    }

    pub(crate) fn root(&self) -> &Node {
        &self.program.root
    }

    pub(crate) fn flags(&self) -> Flags {
        self.program.flags
    }

    /// The same with another tree, which has no other groups.
    pub(crate) fn with_root(&self, root: Node) -> Pattern {
        let Program { flags, groups, limits, .. } = *self.program;
        let (names, named) = (self.program.names.clone(), self.program.named.clone());
        let (canonical, claims) = (self.program.canonical.clone(), claims(&root, self.program.groups));
        let program = Program { root, flags, groups, names, named, canonical, claims, limits };
        Pattern { program: Arc::new(program) }
    }

    /// A matcher of its own for one thread.
    pub fn matcher(&self) -> Result<Matcher, Error> {
        let Program { root, flags, groups, canonical, claims, .. } = &*self.program;
        // What is too large for the automaton, the backtracker runs.
        let latin1 = claims.bounds.then(|| Automaton::build(root, Alphabet::Latin1).ok()).flatten();
        let unicode = flags.unicode || flags.unicode_sets;
        Ok(Matcher {
            pattern: self.clone(),
            latin1,
            wide: OnceCell::new(),
            finds_all: [const { OnceCell::new() }; 2],
            backtracker: Backtracker::new(root, *groups, unicode, canonical.clone()),
            tester: None,
            tests: 0,
            slots: vec![None; 2 * (*groups as usize + 1)],
        })
    }
}

/// A text to be searched many times.
pub struct Subject {
    text: Text,
    units: usize,
    automaton_reads: bool,
    /// Where the last search of encoded text started.
    from: Place,
    progress: Progress,
}

enum Text {
    Latin1(Vec<u8>),
    Utf16(Vec<u16>),
    /// For the wide automaton.
    Encoded(Vec<u8>),
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

    /// Whether `at` lies between the halves of a surrogate pair.
    pub fn is_inside_pair(&self, at: usize) -> bool {
        match &self.text {
            Text::Latin1(_) => false,
            Text::Utf16(units) => start_of_pair(units, at) < at,
            Text::Encoded(bytes) => {
                let known = if self.from.unit <= at { self.from } else { Place::default() };
                known.forward_to_unit(bytes, at).unit < at
            }
        }
    }

    /// Bytes that the copy takes.
    pub fn memory_usage(&self) -> usize {
        let text = match &self.text {
            Text::Latin1(bytes) | Text::Encoded(bytes) => bytes.capacity(),
            Text::Utf16(units) => 2 * units.capacity(),
        };
        text + self.progress.memory_usage()
    }
}

/// Runs a [`Pattern`]; holds the memory that searches reuse.
pub struct Matcher {
    pattern: Pattern,
    /// There if the automaton finds the pattern's matches.
    latin1: Option<Automaton>,
    /// Built when the first haystack outside Latin-1 comes; nothing if the automaton does not run the pattern, or is too
    /// large.
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
    /// Bytes that the matcher holds now. Searching can make it grow, by some megabytes at the most.
    pub fn memory_usage(&self) -> usize {
        let automata = [self.latin1.as_ref(), self.wide.get().and_then(Option::as_ref)];
        automata.into_iter().flatten().map(Automaton::memory_usage).sum::<usize>()
            + self.backtracker.memory_usage()
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
        let Flags { sticky, .. } = self.pattern.program.flags;
        let limits = self.limits_with(haystack)?;
        if self.pattern.program.claims.cover(haystack) {
            match haystack {
                Haystack::Latin1(bytes) => {
                    if let Some(latin1) = &mut self.latin1 {
                        if from == 0 && bytes.len() <= Tester::MAX_HAYSTACK {
                            self.tests = self.tests.saturating_add(1);
                            if self.tests == TESTS_BEFORE_TESTER {
                                self.tester = Tester::build(&self.pattern.program.root, sticky);
                            }
                        }
                        add((bytes.len() - from) as u64);
                        return Ok(latin1.is_match(bytes, from, sticky));
                    }
                }
                Haystack::Utf16(units) if self.has_wide() => {
                    let bytes = self.encoded(units, limits)?;
                    let from = Place::default().forward_to_unit(&bytes, from).byte;
                    add((bytes.len() - from) as u64);
                    if let Some(wide) = self.wide() {
                        return Ok(wide.is_match(&bytes, from, sticky));
                    }
                }
                Haystack::Utf16(_) => {}
            }
        }
        self.backtrack(haystack, from, &mut Progress::new(false), limits)
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
        let limits = self.limits_with(haystack)?;
        match haystack {
            Haystack::Latin1(bytes) if claims.cover(haystack) => {
                self.find_latin1(bytes, from, &mut Progress::new(*groups > 0), limits, offsets)
            }
            Haystack::Utf16(units) if claims.captures && claims.cover(haystack) && self.has_wide() => {
                let bytes = self.encoded(units, limits)?;
                let start = Place::default().forward_to_unit(&bytes, from);
                self.find_encoded(&bytes, start, offsets)
            }
            _ => {
                let mut progress = Progress::new(*groups > 0);
                self.find_by_backtracking(haystack, from, &mut progress, limits, offsets)
            }
        }
    }

    /// A copy of `haystack`, ready to be searched many times by this matcher.
    pub fn subject(&self, haystack: Haystack<'_>) -> Result<Subject, Error> {
        let limits = self.limits_with(haystack)?;
        let Program { root, claims, groups, .. } = &*self.pattern.program;
        let finds_all = |alphabet: Alphabet| {
            claims.cover(haystack)
                && *self.finds_all[alphabet as usize].get_or_init(|| is_bounded(root, alphabet))
        };
        let (text, automaton_reads) = match haystack {
            Haystack::Latin1(bytes) => {
                (Text::Latin1(bytes.to_vec()), self.latin1.is_some() && finds_all(Alphabet::Latin1))
            }
            Haystack::Utf16(units) if claims.captures && self.has_wide() && finds_all(Alphabet::Wide) => {
                let mut bytes = self.encoded(units, limits)?;
                bytes.shrink_to_fit();
                (Text::Encoded(bytes), true)
            }
            Haystack::Utf16(units) => (Text::Utf16(units.to_vec()), false),
        };
        let progress = Progress::new(*groups > 0);
        Ok(Subject { text, units: haystack.len(), automaton_reads, from: Place::default(), progress })
    }

    /// As [`Matcher::find`], in a subject. Successive searches that go forward cost what they search, and no more.
    pub fn find_in(
        &mut self,
        subject: &mut Subject,
        from: usize,
        offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let memory = self.pattern.program.limits.memory;
        let limits = Limits { memory, ..self.pattern.program.limits };
        match &subject.text {
            Text::Latin1(bytes) if subject.automaton_reads => {
                self.find_latin1(bytes, from, &mut subject.progress, limits, offsets)
            }
            Text::Latin1(bytes) => {
                let haystack = Haystack::Latin1(bytes);
                self.find_by_backtracking(haystack, from, &mut subject.progress, limits, offsets)
            }
            Text::Encoded(bytes) => {
                let known = if subject.from.unit <= from { subject.from } else { Place::default() };
                subject.from = known.forward_to_unit(bytes, from);
                self.find_encoded(bytes, subject.from, offsets)
            }
            Text::Utf16(units) => {
                let haystack = Haystack::Utf16(units);
                self.find_by_backtracking(haystack, from, &mut subject.progress, limits, offsets)
            }
        }
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
        let Program { flags, claims, groups, limits, .. } = &*self.pattern.program;
        let (sticky, groups, limits) = (flags.sticky, *groups, *limits);
        let unicode = flags.unicode || flags.unicode_sets;
        if claims.captures
            && !claims.only_line_feeds
            && self.has_wide()
            && (unicode || !utf8.iter().any(|&byte| byte >= 0xF0))
            && std::str::from_utf8(utf8).is_ok()
        {
            let from = (from..utf8.len()).find(|&at| utf8[at] & 0xC0 != 0x80).unwrap_or(utf8.len());
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
        let limits = Limits { memory: limits.memory - decoded.memory_usage(), ..limits };
        let from = decoded.unit_at(from);
        let mut progress = Progress::new(groups > 0);
        let root = &self.pattern.program.root;
        let found = self.backtracker.find::<u32, false>(
            root,
            decoded.units(),
            from,
            sticky,
            &mut progress,
            limits,
        )?;
        add(progress.steps());
        if found {
            for (place, &slot) in self.backtracker.slots().iter().enumerate() {
                offsets(place, offset(slot).map(|unit| decoded.byte_at(unit)));
            }
        }
        Ok(found)
    }

    fn find_latin1(
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
            if claims.captures {
                let found = latin1.find(bytes, from, sticky, &mut self.slots);
                if found {
                    for (place, slot) in self.slots.iter().enumerate() {
                        offsets(place, slot.map(NonMaxUsize::get));
                    }
                }
                let end = self.slots[1].filter(|_| found).map_or(bytes.len(), NonMaxUsize::get);
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

    fn find_encoded(
        &mut self,
        bytes: &[u8],
        start: Place,
        mut offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let sticky = self.pattern.program.flags.sticky;
        let mut slots = std::mem::take(&mut self.slots);
        let found = self.wide().is_some_and(|wide| wide.find(bytes, start.byte, sticky, &mut slots));
        let end = slots[1].filter(|_| found).map_or(bytes.len(), NonMaxUsize::get);
        add((end - start.byte) as u64);
        if found {
            let mut place = start;
            for (index, slot) in slots.iter().enumerate() {
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
        Ok(found)
    }

    fn find_by_backtracking(
        &mut self,
        haystack: Haystack<'_>,
        from: usize,
        progress: &mut Progress,
        limits: Limits,
        mut offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let found = self.backtrack(haystack, from, progress, limits)?;
        if found {
            let slots = self.backtracker.slots();
            for place in 0..2 * (self.pattern.program.groups as usize + 1) {
                offsets(place, slots.get(place).and_then(|&slot| offset(slot)));
            }
        }
        Ok(found)
    }

    fn backtrack(
        &mut self,
        haystack: Haystack<'_>,
        from: usize,
        progress: &mut Progress,
        limits: Limits,
    ) -> Result<bool, Error> {
        let Program { root, flags, .. } = self.pattern.program.as_ref();
        let (sticky, before) = (flags.sticky, progress.steps());
        let engine = &mut self.backtracker;
        let found = match haystack {
            Haystack::Latin1(bytes) => engine.find::<u8, false>(root, bytes, from, sticky, progress, limits),
            Haystack::Utf16(units) if flags.unicode || flags.unicode_sets => {
                let pair = if sticky || flags.global { start_of_pair(units, from) } else { from };
                let found = engine.find::<u16, true>(root, units, pair, sticky, progress, limits);
                if found == Ok(false) && sticky && pair < from {
                    engine.find::<u16, true>(root, units, from, sticky, progress, limits)
                } else {
                    found
                }
            }
            Haystack::Utf16(units) => engine.find::<u16, false>(root, units, from, sticky, progress, limits),
        };
        add(progress.steps() - before);
        found
    }

    /// What is left when the text has been paid for.
    fn limits_with(&self, haystack: Haystack<'_>) -> Result<Limits, Error> {
        let limits = self.pattern.program.limits;
        let memory = limits.memory.checked_sub(haystack.bytes()).ok_or(Error::Memory)?;
        Ok(Limits { memory, ..limits })
    }

    fn encoded(&self, units: &[u16], limits: Limits) -> Result<Vec<u8>, Error> {
        let Flags { unicode, unicode_sets, .. } = self.pattern.program.flags;
        // A unit becomes three bytes at the most.
        limits.memory.checked_sub(3 * units.len()).ok_or(Error::Memory)?;
        Ok(encode(units, unicode || unicode_sets))
    }

    fn has_wide(&self) -> bool {
        let Program { root, claims, .. } = &*self.pattern.program;
        let build = || claims.bounds.then(|| Automaton::build(root, Alphabet::Wide).ok()).flatten();
        self.wide.get_or_init(build).is_some()
    }

    fn wide(&mut self) -> Option<&mut Automaton> {
        self.has_wide();
        self.wide.get_mut()?.as_mut()
    }
}

/// `at`, or one less when that is between the halves of a surrogate pair.
fn start_of_pair(units: &[u16], at: usize) -> usize {
    let is = |at: usize, mask: u16| units.get(at).is_some_and(|unit| unit & 0xFC00 == mask);
    if at > 0 && is(at, 0xDC00) && is(at - 1, 0xD800) { at - 1 } else { at }
}
