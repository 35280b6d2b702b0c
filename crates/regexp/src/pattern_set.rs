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
//! Patterns are made [smaller](crate::shorten) first, as only whether they match is asked.
//! Those that name no strings share passes of a lazy DFA ([`crate::joined`]), or are run on the whole text one by one.
//! Matchers are built when they are first needed, and all dropped when they hold more than the limit. The time is linear in
//! the text, and in the sum of the patterns.

use std::borrow::Cow;
use std::sync::Arc;

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton as AhoCorasick;

use crate::automaton::{Alphabet, claims};
use crate::joined::Joined;
use crate::literals::{Reach, reach, required};
use crate::matcher::Matcher;
use crate::pattern::{Error, Haystack, Pattern};
use crate::shorten::shorten;
use crate::strings::{self, Strings};
use crate::text::{Latin1, Text, Utf8, Utf16};

/// Patterns that share one pass.
const MAX_JOINED: usize = 64;
/// In texts longer than `LONG`, patterns that match within the first `PROBE` bytes are better run alone: they end early,
/// and would slow down the pass of the others.
const LONG: usize = 64 << 10;
const PROBE: usize = 4 << 10;
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
    /// What has been found out about each member in this search.
    states: Vec<State>,
    /// Finds the strings that members wait for.
    strings: Option<Arc<Strings>>,
    /// Members that have a window, in the order in which they got their first.
    waiting: Vec<u32>,
    /// Members that wait for no string: those that share a pass, and those that are run alone.
    groups: Vec<Group>,
    alone: Vec<u32>,
    /// Members that have a matcher.
    built: Vec<u32>,
    /// Bytes that matchers and groups hold, and may hold.
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

/// Members with the same alphabet, and their DFA for each kind of text, with the bytes it held when it was last asked.
struct Group {
    unicode: bool,
    members: Vec<u32>,
    joined: [Option<(Box<Joined>, usize)>; 2],
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
        let mut builder = strings::Builder::default();
        let (mut members, mut rest) = (Vec::with_capacity(patterns.len()), Vec::new());
        for (index, mut pattern) in (0u32..).zip(patterns) {
            if !pattern.flags().sticky {
                pattern = pattern.with_root(shorten(pattern.root()));
            }
            let mut reach = reach(pattern.root());
            if reach.behind.is_none() {
                // Every window would be searched with all the text before it: one window, then.
                reach.ahead = None;
            }
            let found = if pattern.flags().sticky { None } else { required(pattern.root()) };
            let (mut before, mut after) = (None, None);
            match found {
                Some(found) if builder.add(&found, index) => (before, after) = (found.before, found.after),
                _ => rest.push(index),
            }
            members.push(Member { pattern, reach, before, after, matcher: None });
        }
        let strings = builder.build().map(Arc::new);
        if strings.is_none() {
            rest = (0u32..).take(members.len()).collect();
        }
        let (joinable, mut alone): (Vec<u32>, Vec<u32>) =
            rest.into_iter().partition(|&index| members[index as usize].is_joinable());
        let mut groups = Vec::new();
        for unicode in [false, true] {
            let alike = joinable.iter().filter(|&&index| members[index as usize].is_unicode() == unicode);
            for members in alike.copied().collect::<Vec<_>>().chunks(MAX_JOINED) {
                match members {
                    [single] => alone.push(*single),
                    _ => groups.push(Group { unicode, members: members.to_vec(), joined: [None, None] }),
                }
            }
        }
        PatternSet {
            states: vec![State::Unknown; members.len()],
            members,
            strings,
            waiting: Vec::new(),
            groups,
            alone,
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
        Ok(!self.search_in(haystack, true)?.is_empty())
    }

    /// The places of the patterns that match somewhere, ascending.
    pub fn matches(&mut self, haystack: Haystack<'_>) -> Result<Vec<usize>, SetError> {
        let mut found = self.search_in(haystack, false)?;
        found.sort_unstable();
        Ok(found)
    }

    /// As [`PatternSet::is_match`], in UTF-8. Bytes that are not UTF-8 are in no character class and no match.
    pub fn is_match_bytes(&mut self, utf8: &[u8]) -> Result<bool, SetError> {
        Ok(!self.search_in_bytes(utf8, true)?.is_empty())
    }

    /// As [`PatternSet::matches`], in UTF-8.
    pub fn matches_bytes(&mut self, utf8: &[u8]) -> Result<Vec<usize>, SetError> {
        let mut found = self.search_in_bytes(utf8, false)?;
        found.sort_unstable();
        Ok(found)
    }

    fn search_in(&mut self, haystack: Haystack<'_>, any: bool) -> Result<Vec<usize>, SetError> {
        match haystack {
            Haystack::Latin1(bytes) => Search::run(self, &Latin1(bytes), any),
            Haystack::Utf16(units) => Search::run(self, &Utf16(units), any),
        }
    }

    fn search_in_bytes(&mut self, utf8: &[u8], any: bool) -> Result<Vec<usize>, SetError> {
        if utf8.is_ascii() {
            return Search::run(self, &Latin1(utf8), any);
        }
        Search::run(self, &Utf8::new(utf8), any)
    }

    /// Runs a member on a part of the text, with its matcher built if need be.
    fn is_match_in<T: Text>(
        &mut self,
        index: u32,
        text: &T,
        (first, last): (usize, usize),
        start: usize,
    ) -> Result<bool, SetError> {
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
        let result = text.is_match(matcher, first, last, start).map_err(failed);
        let now = matcher.memory_usage() + UNCOUNTED_BYTES;
        self.held = self.held + now - *held;
        *held = now;
        self.keep_within_limit();
        result
    }

    /// Which members of the group match, by one pass over the encoded text. Nothing when that is not possible.
    fn is_match_joined(
        &mut self,
        place: usize,
        alphabet: Alphabet,
        text: &[u8],
        any: bool,
    ) -> Option<Vec<u32>> {
        if self.groups[place].members.is_empty() {
            return Some(Vec::new());
        }
        if text.len() > LONG {
            let early = self.pass(place, alphabet, &text[..PROBE], false)?;
            let group = &mut self.groups[place];
            if !early.is_empty() {
                group.members.retain(|member| !early.contains(member));
                self.alone.extend(early);
                self.drop_joined(place);
            }
        }
        if self.groups[place].members.is_empty() {
            return Some(Vec::new());
        }
        self.pass(place, alphabet, text, any)
    }

    fn pass(&mut self, place: usize, alphabet: Alphabet, text: &[u8], any: bool) -> Option<Vec<u32>> {
        let Group { members, joined, .. } = &mut self.groups[place];
        let slot = &mut joined[alphabet as usize];
        if slot.is_none() {
            let roots = members.iter().map(|&index| self.members[index as usize].pattern.root());
            *slot = Some((Box::new(Joined::build(roots, alphabet)?), 0));
        }
        let (joined, held) = slot.as_mut()?;
        let found = joined.matches(text, any).map(|found| found.map(|which| members[which]).collect());
        let now = joined.memory_usage();
        self.held = self.held + now - *held;
        *held = now;
        self.keep_within_limit();
        found
    }

    fn drop_joined(&mut self, place: usize) {
        for slot in &mut self.groups[place].joined {
            self.held -= slot.take().map_or(0, |(_, held)| held);
        }
    }

    fn keep_within_limit(&mut self) {
        if self.held <= self.limit {
            return;
        }
        for built in self.built.drain(..) {
            self.members[built as usize].matcher = None;
        }
        for group in &mut self.groups {
            group.joined = [None, None];
        }
        self.held = 0;
    }
}

impl Member {
    fn is_unicode(&self) -> bool {
        let flags = self.pattern.flags();
        flags.unicode || flags.unicode_sets
    }

    fn is_joinable(&self) -> bool {
        let claims = claims(self.pattern.root(), self.pattern.groups());
        claims.bounds && !claims.only_line_feeds && !self.pattern.flags().sticky
    }

    /// A number of characters, at the most, in units of the text.
    fn units<T: Text>(&self, characters: Option<u32>) -> usize {
        let each = T::units_of_character(self.is_unicode());
        characters.map_or(usize::MAX, |count| (count as usize).saturating_mul(each))
    }
}

/// One search.
struct Search<'a, T> {
    set: &'a mut PatternSet,
    text: &'a T,
    any: bool,
    found: Vec<usize>,
}

impl<T: Text> Search<'_, T> {
    /// The patterns that match; one of them is enough with `any`.
    fn run(set: &mut PatternSet, text: &T, any: bool) -> Result<Vec<usize>, SetError> {
        // Not afterwards: the last search may have ended in an error.
        for index in set.waiting.drain(..) {
            set.states[index as usize] = State::Unknown;
        }
        let mut search = Search { set, text, any, found: Vec::new() };
        search.for_strings()?;
        search.in_groups()?;
        search.alone()?;
        Ok(search.found)
    }

    fn is_over(&self) -> bool {
        self.any && !self.found.is_empty()
    }

    fn for_strings(&mut self) -> Result<(), SetError> {
        let Some(strings) = self.set.strings.clone() else { return Ok(()) };
        match &strings.automaton {
            strings::Automaton::Dense(automaton) => self.occurrences(automaton, &strings)?,
            strings::Automaton::Sparse(automaton) => self.occurrences(automaton, &strings)?,
        }
        for place in 0..self.set.waiting.len() {
            if self.is_over() {
                return Ok(());
            }
            let index = self.set.waiting[place];
            if let State::Window { start, end } = self.set.states[index as usize] {
                self.look(index, start, end)?;
            }
        }
        Ok(())
    }

    /// Goes through all occurrences of strings, as long as there is a member left that waits for one.
    fn occurrences<A: AhoCorasick>(&mut self, automaton: &A, strings: &Strings) -> Result<(), SetError> {
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return Ok(()) };
        for place in 0..self.text.len() {
            state = automaton.next_state(Anchored::No, state, self.text.folded(place));
            if !automaton.is_special(state) || !automaton.is_match(state) {
                continue;
            }
            for which in 0..automaton.match_len(state) {
                let string = automaton.match_pattern(state, which);
                let start = place + 1 - automaton.pattern_len(string);
                for &index in strings.patterns_of(string.as_usize()) {
                    self.occurrence(index, start, place + 1)?;
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
    fn occurrence(&mut self, index: u32, start: usize, end: usize) -> Result<(), SetError> {
        let (text, member) = (self.text, &self.set.members[index as usize]);
        let state = &mut self.set.states[index as usize];
        let least = start.saturating_sub(member.units::<T>(member.before));
        let most = end.saturating_add(member.units::<T>(member.after)).min(text.len());
        let is_in = |place: usize| text.is_in(place, &member.reach.hull);
        let back = |from: usize, to: usize| {
            (to..from).rev().find(|&place| !is_in(place)).map_or(to.min(from), |gap| gap + 1)
        };
        let forth = |from: usize, to: usize| (from..to).find(|&place| !is_in(place)).unwrap_or(to.max(from));
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
                    let (start, end) = (start.min(first), end.max(last));
                    *state = State::Window { start: back(start, least), end: forth(end, most) };
                    return Ok(());
                }
                let (begin, finish) = (back(start, least.max(visible)), forth(end, most));
                if begin <= visible {
                    *state = State::Window { start: first, end: finish };
                    return Ok(());
                }
                *state = State::Window { start: begin, end: finish };
                self.look(index, first, last)
            }
        }
    }

    /// Whether the member has a match in the window.
    fn look(&mut self, index: u32, start: usize, end: usize) -> Result<(), SetError> {
        let (text, member) = (self.text, &self.set.members[index as usize]);
        let first = start.saturating_sub(member.units::<T>(member.reach.behind));
        let last = end.saturating_add(member.units::<T>(member.reach.ahead)).min(text.len());
        let part = (text.start_of_character(first), text.end_of_character(last));
        if self.set.is_match_in(index, text, part, text.start_of_character(start))? {
            self.set.states[index as usize] = State::Matches;
            self.found.push(index as usize);
        }
        Ok(())
    }

    fn in_groups(&mut self) -> Result<(), SetError> {
        let (text, limit) = (self.text, self.set.limit);
        let mut encoded: [Option<Option<Cow<'_, [u8]>>>; 2] = [None, None];
        for place in 0..self.set.groups.len() {
            if self.is_over() {
                break;
            }
            let unicode = self.set.groups[place].unicode;
            let encoded = encoded[usize::from(unicode)].get_or_insert_with(|| text.encoded(unicode, limit));
            let Some(encoded) = encoded else {
                for index in self.set.groups[place].members.clone() {
                    self.whole(index)?;
                }
                continue;
            };
            match self.set.is_match_joined(place, T::ALPHABET, encoded, self.any) {
                Some(found) => self.found.extend(found.into_iter().map(|index| index as usize)),
                // One by one, from now on.
                None => {
                    self.set.drop_joined(place);
                    let members = std::mem::take(&mut self.set.groups[place].members);
                    self.set.alone.extend(members);
                }
            }
        }
        Ok(())
    }

    fn alone(&mut self) -> Result<(), SetError> {
        for place in 0..self.set.alone.len() {
            self.whole(self.set.alone[place])?;
        }
        Ok(())
    }

    /// Runs a member on the whole text, unless the answer is known.
    fn whole(&mut self, index: u32) -> Result<(), SetError> {
        if !self.is_over() && self.set.is_match_in(index, self.text, (0, self.text.len()), 0)? {
            self.found.push(index as usize);
        }
        Ok(())
    }
}
