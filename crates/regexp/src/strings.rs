//! The strings that the patterns of a [set](crate::pattern_set) wait for, in one Aho-Corasick automaton.
//!
//! It reads ASCII in lower case, one byte after the other; any byte outside ASCII is as good as any other.

use std::collections::BTreeMap;

use aho_corasick::{MatchKind, dfa, nfa};

use crate::literals::Required;

/// Characters of all strings together.
const MAX_BYTES: usize = 512 << 10;
/// Up to here there is a table of all transitions: four bytes for each character and class, of which there are up to 64.
const MAX_DENSE_BYTES: usize = 32 << 10;

pub(crate) struct Strings {
    pub(crate) automaton: Automaton,
    /// How many patterns wait for strings.
    pub(crate) waiting: usize,
    /// Those that wait for string `i` are `patterns[ends[i - 1]..ends[i]]`.
    patterns: Vec<u32>,
    ends: Vec<u32>,
}

pub(crate) enum Automaton {
    Dense(dfa::DFA),
    Sparse(nfa::contiguous::NFA),
}

impl Strings {
    /// The patterns that wait for a string.
    #[inline]
    pub(crate) fn patterns_of(&self, string: usize) -> &[u32] {
        let start = if string == 0 { 0 } else { self.ends[string - 1] };
        &self.patterns[start as usize..self.ends[string] as usize]
    }

    pub(crate) fn memory_usage(&self) -> usize {
        use aho_corasick::automaton::Automaton as _;
        let lists = 4 * (self.patterns.len() + self.ends.len());
        lists
            + match &self.automaton {
                Automaton::Dense(automaton) => automaton.memory_usage(),
                Automaton::Sparse(automaton) => automaton.memory_usage(),
            }
    }
}

#[derive(Default)]
pub(crate) struct Builder {
    patterns: BTreeMap<Vec<u8>, Vec<u32>>,
    bytes: usize,
    waiting: usize,
}

impl Builder {
    /// False when there would be too many strings.
    pub(crate) fn add(&mut self, required: &Required, pattern: u32) -> bool {
        let bytes = required.strings.iter().map(Vec::len).sum::<usize>();
        if self.bytes + bytes > MAX_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.waiting += 1;
        for string in &required.strings {
            self.patterns.entry(string.clone()).or_default().push(pattern);
        }
        true
    }

    /// Nothing when there are no strings, or more than an automaton can have.
    pub(crate) fn build(self) -> Option<Strings> {
        if self.patterns.is_empty() {
            return None;
        }
        let automaton = if self.patterns.keys().map(Vec::len).sum::<usize>() <= MAX_DENSE_BYTES {
            let mut builder = dfa::DFA::builder();
            builder.match_kind(MatchKind::Standard).prefilter(false);
            Automaton::Dense(builder.build(self.patterns.keys()).ok()?)
        } else {
            let mut builder = nfa::contiguous::NFA::builder();
            builder.match_kind(MatchKind::Standard).prefilter(false);
            Automaton::Sparse(builder.build(self.patterns.keys()).ok()?)
        };
        let (mut patterns, mut ends) = (Vec::new(), Vec::new());
        for waiting in self.patterns.into_values() {
            patterns.extend(waiting);
            ends.push(u32::try_from(patterns.len()).ok()?);
        }
        Some(Strings { automaton, waiting: self.waiting, patterns, ends })
    }
}
