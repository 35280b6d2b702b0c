//! Several patterns in one lazy DFA, which tells in one pass over a text which of them match: for those patterns of a
//! [set](crate::pattern_set) that name no strings to look for.
//!
//! Only patterns whose matches the [automaton](crate::automaton) finds exactly are joined, and only whether they match is
//! asked: the order in which alternatives are preferred means nothing then. The DFA's states are made while it runs and
//! kept in bounded memory; when more and more are needed it gives up, and the patterns are to be run one by one.

use regex_automata::hybrid::dfa::{Builder, Cache, Config, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Input, MatchKind, PatternSet};

use crate::automaton::{Alphabet, translate};
use holdfast_regexp_syntax::Node;

/// Bytes of the program of all patterns.
const MAX_PROGRAM_BYTES: usize = 4 << 20;
/// Bytes of the states that are kept.
const MAX_STATES_BYTES: usize = 4 << 20;
/// After this many times that all states were thrown away, each must have read so many characters to go on.
const CLEARED_BEFORE_GIVING_UP: usize = 3;
const CHARACTERS_PER_STATE: usize = 20;

pub(crate) struct Joined {
    dfa: DFA,
    cache: Cache,
    found: PatternSet,
}

impl Joined {
    /// Nothing when the program would be too large.
    pub(crate) fn build<'a>(roots: impl Iterator<Item = &'a Node>, alphabet: Alphabet) -> Option<Joined> {
        let trees: Vec<_> = roots.map(|root| translate(root, alphabet)).collect();
        let config = thompson::Config::new()
            .utf8(false)
            .which_captures(thompson::WhichCaptures::None)
            .nfa_size_limit(Some(MAX_PROGRAM_BYTES));
        let nfa = thompson::Compiler::new().configure(config).build_many_from_hir(&trees).ok()?;
        let config = Config::new()
            .match_kind(MatchKind::All)
            .cache_capacity(MAX_STATES_BYTES)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(CLEARED_BEFORE_GIVING_UP))
            .minimum_bytes_per_state(Some(CHARACTERS_PER_STATE));
        let dfa = Builder::new().configure(config).build_from_nfa(nfa).ok()?;
        let (cache, found) = (dfa.create_cache(), PatternSet::new(dfa.pattern_len()));
        Some(Joined { dfa, cache, found })
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.dfa.memory_usage() + self.cache.memory_usage()
    }

    /// Which patterns match, by their places; one of them is enough with `any`. Nothing when it has given up.
    pub(crate) fn matches(
        &mut self,
        text: &[u8],
        any: bool,
    ) -> Option<impl Iterator<Item = usize> + use<'_>> {
        self.found.clear();
        let input = Input::new(text).earliest(any);
        self.dfa.try_which_overlapping_matches(&mut self.cache, &input, &mut self.found).ok()?;
        Some(self.found.iter().map(|pattern| pattern.as_usize()))
    }
}
