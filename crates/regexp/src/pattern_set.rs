//! Many patterns asked at once which of them match somewhere in a text: [`PatternSet`].
//!
//! For most patterns the IR names strings of which every match contains one ([`crate::literals`]). One Aho-Corasick
//! automaton finds all occurrences of all of them in one pass, and a pattern is run only around its own. That is exact:
//! - a match that contains an occurrence lies within its *window*: as far to both sides as the pattern's width allows,
//!   and no further than characters of the pattern reach without a gap;
//! - windows of one pattern that touch are joined before they are searched, so together they are no longer than the text;
//! - a window is searched with as many characters around it as the pattern's assertions may look at. What the matcher
//!   finds there contains an occurrence too, all of whose windows have been joined, so it cannot reach the end of what
//!   the matcher sees: nothing hinges on where the window was cut.
//!
//! Patterns that name no strings are run on the whole text, one by one. Matchers are built when they are first needed,
//! and all dropped when they hold more than the limit. The time is linear in the text, and in the sum of the patterns.

use std::collections::BTreeMap;
use std::sync::Arc;

use aho_corasick::automaton::Automaton;
use aho_corasick::{Anchored, MatchKind, dfa, nfa};

use crate::literals::{Reach, Required, reach, required};
use crate::pattern::{Error, Haystack, Matcher, Pattern};

/// Characters of all strings together; patterns that come later are run on the whole text.
const MAX_STRING_BYTES: usize = 512 << 10;
/// Up to here the strings' automaton has a table of all its transitions: four bytes for each character and class.
const MAX_DENSE_BYTES: usize = 64 << 10;
/// What a matcher holds beyond what it counts.
const UNCOUNTED_BYTES: usize = 8 << 10;

/// An error of one pattern of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetError {
    /// The pattern's place in the set.
    pub index: usize,
    /// What was wrong.
    pub error: Error,
}

/// A set of patterns.
pub struct PatternSet {
    members: Vec<Member>,
    /// Finds the strings that members wait for.
    strings: Option<Arc<Strings>>,
    /// The members that wait for none.
    unconditional: Vec<u32>,
    /// What has been found out about each member in this search.
    states: Vec<State>,
    /// Members that have a window, in the order in which they got their first.
    waiting: Vec<u32>,
    /// Members that have a matcher.
    built: Vec<u32>,
    /// Bytes that matchers hold, and may hold.
    held: usize,
    limit: usize,
}

struct Member {
    pattern: Pattern,
    reach: Reach,
    /// Of its strings: how much of a match may stand before and after one. `None` is any number.
    before: Option<u32>,
    after: Option<u32>,
    /// Built at the first search, with the bytes it held when it was last asked.
    matcher: Option<(Box<Matcher>, usize)>,
}

#[derive(Clone, Copy)]
enum State {
    Unknown,
    /// Not searched yet: the window of the last occurrences.
    Window {
        start: usize,
        end: usize,
    },
    Matches,
}

impl PatternSet {
    /// A set of `patterns`, whose matchers together hold about `limit` bytes at the most between searches.
    pub fn new(patterns: Vec<Pattern>, limit: usize) -> PatternSet {
        let mut builder = StringsBuilder::default();
        let mut unconditional = Vec::new();
        let mut members = Vec::with_capacity(patterns.len());
        for (index, pattern) in (0u32..).zip(patterns) {
            let found = if pattern.flags().sticky { None } else { required(pattern.root()) };
            let (mut before, mut after) = (None, None);
            match found {
                Some(found) if builder.add(&found, index) => (before, after) = (found.before, found.after),
                _ => unconditional.push(index),
            }
            let mut reach = reach(pattern.root());
            if reach.behind.is_none() {
                // Every window would be searched with all the text before it: one window, then.
                reach.ahead = None;
            }
            members.push(Member { pattern, reach, before, after, matcher: None });
        }
        let strings = builder.build().map(Arc::new);
        if strings.is_none() {
            unconditional = (0u32..).take(members.len()).collect();
        }
        let states = vec![State::Unknown; members.len()];
        PatternSet {
            members,
            strings,
            unconditional,
            states,
            waiting: Vec::new(),
            built: Vec::new(),
            held: 0,
            limit,
        }
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Bytes that the set holds now, the patterns themselves not counted.
    pub fn memory_usage(&self) -> usize {
        let own = self.members.len() * (size_of::<Member>() + size_of::<State>());
        own + self.strings.as_ref().map_or(0, |strings| strings.memory_usage()) + self.held
    }

    /// Whether a pattern matches somewhere.
    pub fn is_match(&mut self, haystack: Haystack<'_>) -> Result<bool, SetError> {
        Ok(!self.search(haystack, true)?.is_empty())
    }

    /// The places of the patterns that match somewhere, ascending.
    pub fn matches(&mut self, haystack: Haystack<'_>) -> Result<Vec<usize>, SetError> {
        let mut found = self.search(haystack, false)?;
        found.sort_unstable();
        Ok(found)
    }

    /// The patterns that match; one of them is enough with `any`.
    fn search(&mut self, haystack: Haystack<'_>, any: bool) -> Result<Vec<usize>, SetError> {
        // Not afterwards: a search may have ended in an error.
        for index in self.waiting.drain(..) {
            self.states[index as usize] = State::Unknown;
        }
        let mut search = Search { set: self, found: Vec::new(), any };
        match haystack {
            Haystack::Latin1(bytes) => search.run(bytes)?,
            Haystack::Utf16(units) => search.run(units)?,
        }
        Ok(search.found)
    }

    /// Runs a member, with its matcher built if need be.
    fn is_match_at(&mut self, index: u32, haystack: Haystack<'_>, from: usize) -> Result<bool, SetError> {
        let failed = |error| SetError { index: index as usize, error };
        let member = &mut self.members[index as usize];
        let (matcher, held) = match &mut member.matcher {
            Some(built) => built,
            None => {
                let matcher = Box::new(member.pattern.matcher().map_err(failed)?);
                self.built.push(index);
                member.matcher.insert((matcher, 0))
            }
        };
        let result = matcher.is_match(haystack, from).map_err(failed);
        let now = matcher.memory_usage() + UNCOUNTED_BYTES;
        self.held = self.held + now - *held;
        *held = now;
        if self.held > self.limit {
            for built in self.built.drain(..) {
                self.members[built as usize].matcher = None;
            }
            self.held = 0;
        }
        result
    }
}

impl Member {
    /// A number of characters, at the most, in units of the text.
    fn units<T: Unit>(&self, characters: Option<u32>) -> usize {
        let flags = self.pattern.flags();
        let pairs = T::HAS_PAIRS && (flags.unicode || flags.unicode_sets);
        characters.map_or(usize::MAX, |count| count as usize * if pairs { 2 } else { 1 })
    }
}

/// One search.
struct Search<'a> {
    set: &'a mut PatternSet,
    found: Vec<usize>,
    any: bool,
}

impl Search<'_> {
    fn run<T: Unit>(&mut self, text: &[T]) -> Result<(), SetError> {
        if let Some(strings) = self.set.strings.clone() {
            match &strings.automaton {
                StringsAutomaton::Dense(automaton) => self.occurrences(automaton, &strings, text)?,
                StringsAutomaton::Sparse(automaton) => self.occurrences(automaton, &strings, text)?,
            }
        }
        for place in 0..self.set.waiting.len() {
            if self.is_over() {
                return Ok(());
            }
            let index = self.set.waiting[place];
            if let State::Window { start, end } = self.set.states[index as usize] {
                self.look(text, index, start, end)?;
            }
        }
        for place in 0..self.set.unconditional.len() {
            if self.is_over() {
                return Ok(());
            }
            let index = self.set.unconditional[place];
            if self.set.is_match_at(index, T::haystack(text), 0)? {
                self.found.push(index as usize);
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.any && !self.found.is_empty()
    }

    /// Goes through all occurrences of strings, as long as there is a member left that waits for one.
    fn occurrences<A: Automaton, T: Unit>(
        &mut self,
        automaton: &A,
        strings: &Strings,
        text: &[T],
    ) -> Result<(), SetError> {
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return Ok(()) };
        for (place, unit) in text.iter().enumerate() {
            state = automaton.next_state(Anchored::No, state, unit.folded());
            if !automaton.is_special(state) || !automaton.is_match(state) {
                continue;
            }
            for which in 0..automaton.match_len(state) {
                let string = automaton.match_pattern(state, which);
                let start = place + 1 - automaton.pattern_len(string);
                for &index in strings.members_of(string.as_usize()) {
                    self.occurrence(text, index, start, place + 1)?;
                }
            }
            if self.is_over() || self.found.len() == strings.waiting {
                break;
            }
        }
        Ok(())
    }

    /// Joins the window of an occurrence to the member's last one, or searches that one when they do not touch.
    #[inline]
    fn occurrence<T: Unit>(
        &mut self,
        text: &[T],
        index: u32,
        start: usize,
        end: usize,
    ) -> Result<(), SetError> {
        let member = &self.set.members[index as usize];
        let state = &mut self.set.states[index as usize];
        let least = start.saturating_sub(member.units::<T>(member.before));
        let most = end.saturating_add(member.units::<T>(member.after)).min(text.len());
        let back = |from: usize, to: usize| member.reach.back(text, from, to);
        let forth = |from: usize, to: usize| member.reach.forth(text, from, to);
        match *state {
            State::Matches => Ok(()),
            State::Unknown => {
                *state = State::Window { start: back(start, least), end: forth(end, most) };
                self.set.waiting.push(index);
                Ok(())
            }
            // What lies in the last window, or between it and this one, is looked at once.
            State::Window { start: first, end: last } => {
                let visible = last.saturating_add(member.units::<T>(member.reach.ahead));
                if start <= visible {
                    *state = State::Window {
                        start: back(start.min(first), least),
                        end: forth(end.max(last), most),
                    };
                    return Ok(());
                }
                let begin = back(start, least.max(visible));
                let finish = forth(end, most);
                if begin <= visible {
                    *state = State::Window { start: first, end: finish };
                    return Ok(());
                }
                *state = State::Window { start: begin, end: finish };
                self.look(text, index, first, last)
            }
        }
    }

    /// Whether the member has a match in the window.
    fn look<T: Unit>(&mut self, text: &[T], index: u32, start: usize, end: usize) -> Result<(), SetError> {
        let member = &self.set.members[index as usize];
        let mut first = start.saturating_sub(member.units::<T>(member.reach.behind));
        let mut last = end.saturating_add(member.units::<T>(member.reach.ahead)).min(text.len());
        // No surrogate pair is cut in two.
        first -= usize::from(T::is_inside_pair(text, first));
        last += usize::from(T::is_inside_pair(text, last));
        if self.set.is_match_at(index, T::haystack(&text[first..last]), start - first)? {
            self.set.states[index as usize] = State::Matches;
            self.found.push(index as usize);
        }
        Ok(())
    }
}

/// Finds the strings that the members wait for.
struct Strings {
    automaton: StringsAutomaton,
    /// The members that wait for string `i` are `members[ends[i - 1]..ends[i]]`.
    members: Vec<u32>,
    ends: Vec<u32>,
    /// How many members there are.
    waiting: usize,
}

enum StringsAutomaton {
    Dense(dfa::DFA),
    Sparse(nfa::contiguous::NFA),
}

impl Strings {
    #[inline]
    fn members_of(&self, string: usize) -> &[u32] {
        let start = if string == 0 { 0 } else { self.ends[string - 1] };
        &self.members[start as usize..self.ends[string] as usize]
    }

    fn memory_usage(&self) -> usize {
        let lists = 4 * (self.members.len() + self.ends.len());
        lists
            + match &self.automaton {
                StringsAutomaton::Dense(automaton) => automaton.memory_usage(),
                StringsAutomaton::Sparse(automaton) => automaton.memory_usage(),
            }
    }
}

#[derive(Default)]
struct StringsBuilder {
    members: BTreeMap<Vec<u8>, Vec<u32>>,
    bytes: usize,
    waiting: usize,
}

impl StringsBuilder {
    /// False when there are too many strings.
    fn add(&mut self, required: &Required, member: u32) -> bool {
        let bytes = required.strings.iter().map(Vec::len).sum::<usize>();
        if self.bytes + bytes > MAX_STRING_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.waiting += 1;
        for string in &required.strings {
            self.members.entry(string.clone()).or_default().push(member);
        }
        true
    }

    /// Nothing when there are no strings, or more than an automaton can have.
    fn build(self) -> Option<Strings> {
        if self.members.is_empty() {
            return None;
        }
        let bytes = self.members.keys().map(Vec::len).sum::<usize>();
        let automaton = if bytes <= MAX_DENSE_BYTES {
            let mut builder = dfa::DFA::builder();
            builder.match_kind(MatchKind::Standard).prefilter(false);
            StringsAutomaton::Dense(builder.build(self.members.keys()).ok()?)
        } else {
            let mut builder = nfa::contiguous::NFA::builder();
            builder.match_kind(MatchKind::Standard).prefilter(false);
            StringsAutomaton::Sparse(builder.build(self.members.keys()).ok()?)
        };
        let (mut members, mut ends) = (Vec::new(), Vec::new());
        for waiting in self.members.into_values() {
            members.extend(waiting);
            ends.push(u32::try_from(members.len()).ok()?);
        }
        Some(Strings { automaton, members, ends, waiting: self.waiting })
    }
}

/// A unit of a text.
trait Unit: Copy + Into<u16> {
    const HAS_PAIRS: bool;

    /// Itself in lower case where it is ASCII, otherwise a byte outside ASCII.
    fn folded(self) -> u8;

    fn haystack(text: &[Self]) -> Haystack<'_>;

    /// Whether `place` lies between the halves of a surrogate pair.
    fn is_inside_pair(text: &[Self], place: usize) -> bool;
}

impl Unit for u8 {
    const HAS_PAIRS: bool = false;

    #[inline]
    fn folded(self) -> u8 {
        self.to_ascii_lowercase()
    }

    fn haystack(text: &[u8]) -> Haystack<'_> {
        Haystack::Latin1(text)
    }

    fn is_inside_pair(_: &[u8], _: usize) -> bool {
        false
    }
}

impl Unit for u16 {
    const HAS_PAIRS: bool = true;

    #[inline]
    fn folded(self) -> u8 {
        // Never more than 0x80.
        (self.min(0x80) as u8).to_ascii_lowercase()
    }

    fn haystack(text: &[u16]) -> Haystack<'_> {
        Haystack::Utf16(text)
    }

    fn is_inside_pair(text: &[u16], place: usize) -> bool {
        let unit = |place: usize| text.get(place).copied().unwrap_or(0);
        unit(place) & 0xFC00 == 0xDC00 && place > 0 && unit(place - 1) & 0xFC00 == 0xD800
    }
}
