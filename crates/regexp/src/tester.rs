//! Whether a short Latin-1 text matches, and nothing else: the fastest way through the commonest question.
//!
//! A table automaton waits for one memory access a step, and that is all its time. This one steps two bytes at a time:
//! its table is indexed by a state and a *pair* of byte classes. It is made from regex-automata's dense DFA, which stays
//! the authority on what the pattern means; "matched" and "cannot match any more" are states that are never left.

use std::collections::HashMap;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, Input};

use crate::automaton::{Alphabet, translate};
use holdfast_regexp_syntax::Node;

/// Bytes of the dense DFA, and of the memory to build it: determinisation can be exponential.
const MAX_DENSE_BYTES: usize = 64 << 10;
/// Entries of the table of pairs, four bytes each.
const MAX_ENTRIES: usize = 64 << 10;

/// The states that are never left.
const DEAD: u32 = 0;
const MATCHED: u32 = 1;

pub(crate) struct Tester {
    /// The class of each byte, below `1 << class_bits`.
    class: [u8; 256],
    class_bits: u32,
    /// `pairs[state | first class << class_bits | second class]` is the next state; a state is its number, shifted left
    /// by `2 * class_bits`.
    pairs: Vec<u32>,
    /// `first[class]` is the state after one byte: texts of odd length start with it.
    first: Vec<u32>,
    start: u32,
    /// Whether the text may end in a state, by its number.
    accepts: Vec<bool>,
    /// `singles[(number << class_bits) | class]` is the next state's number.
    singles: Vec<u32>,
}

/// The same automaton one byte a step, for callers who have the text elsewhere: JavaScript walks through the shortest texts
/// itself, because a call of native code takes longer.
pub struct Table {
    /// The class of each character up to U+00FF.
    pub class: [u8; 256],
    /// The number of classes is at most two to this power.
    pub class_bits: u32,
    /// `next[state | class]` is the next state; a state is its number, shifted left by `class_bits`. State 0 cannot match
    /// any more, state 1 has matched; both are never left.
    pub next: Vec<u32>,
    /// Where a text starts.
    pub start: u32,
    /// Whether a text that ends in a state matches, by the state's number.
    pub accepts: Vec<bool>,
}

impl Tester {
    /// On longer texts the search strategies of [`crate::automaton::Automaton`] are faster.
    pub(crate) const MAX_HAYSTACK: usize = 256;

    /// Nothing when the tables would be too large.
    pub(crate) fn build(root: &Node, sticky: bool) -> Option<Tester> {
        let nfa = thompson::Compiler::new()
            .configure(thompson::Config::new().utf8(false).which_captures(thompson::WhichCaptures::None))
            .build_from_hir(&translate(root, Alphabet::Latin1))
            .ok()?;
        let config = dense::Config::new()
            .start_kind(if sticky { StartKind::Anchored } else { StartKind::Unanchored })
            .dfa_size_limit(Some(MAX_DENSE_BYTES))
            .determinize_size_limit(Some(MAX_DENSE_BYTES));
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).ok()?;
        let anchored = if sticky { Anchored::Yes } else { Anchored::No };
        let start =
            dfa.start_state(&start::Config::from_input_forward(&Input::new("").anchored(anchored))).ok()?;
        Tester::from_dense(&dfa, start)
    }

    /// Whether the text, in Latin-1, has a match.
    #[inline]
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        let class = |byte: u8| u32::from(self.class[usize::from(byte)]);
        let (mut state, pairs) = match text {
            [first, rest @ ..] if text.len() % 2 == 1 => (self.first[class(*first) as usize], rest),
            _ => (self.start, text),
        };
        for pair in pairs.chunks_exact(2) {
            state = self.pairs[(state | (class(pair[0]) << self.class_bits) | class(pair[1])) as usize];
        }
        self.accepts[(state >> (2 * self.class_bits)) as usize]
    }

    pub(crate) fn table(&self) -> Table {
        Table {
            class: self.class,
            class_bits: self.class_bits,
            next: self.singles.iter().map(|number| number << self.class_bits).collect(),
            start: self.start >> self.class_bits,
            accepts: self.accepts.clone(),
        }
    }

    pub(crate) fn memory_usage(&self) -> usize {
        4 * (self.pairs.len() + self.first.len() + self.singles.len()) + self.accepts.len()
    }

    fn from_dense<D: AsRef<[u32]>>(dfa: &dense::DFA<D>, start: StateID) -> Option<Tester> {
        let (class, representatives) = latin1_classes(dfa);
        let class_bits = representatives.len().next_power_of_two().trailing_zeros();
        let width = 1usize << class_bits;

        // Breadth first from the start; DEAD and MATCHED come first and need no state of the DFA.
        let mut states = Numbering::default();
        let start = states.number(dfa, start);
        let mut singles = vec![DEAD; width];
        singles.extend(vec![MATCHED; width]);
        let mut accepts = vec![false, true];
        let mut next = 0;
        while let Some(&state) = states.in_order.get(next) {
            next += 1;
            for class in 0..width {
                let byte = representatives.get(class).copied().unwrap_or(0);
                let target = dfa.next_state(state, byte);
                if dfa.is_quit_state(target) {
                    return None;
                }
                singles.push(states.number(dfa, target));
            }
            accepts.push(dfa.is_match_state(dfa.next_eoi_state(state)));
            if (states.in_order.len() + 2) * width * width > MAX_ENTRIES {
                return None;
            }
        }
        let shifted = |number: u32| number << (2 * class_bits);
        let step = |number: u32, class: usize| singles[number as usize * width + class];
        let mut pairs = Vec::with_capacity(accepts.len() * width * width);
        for number in 0..u32::try_from(accepts.len()).ok()? {
            for first in 0..width {
                pairs.extend((0..width).map(|second| shifted(step(step(number, first), second))));
            }
        }
        let first = (0..width).map(|class| shifted(step(start, class))).collect();
        Some(Tester { class, class_bits, pairs, first, start: shifted(start), accepts, singles })
    }
}

/// The classes that the DFA tells apart within Latin-1, renumbered from 0, and a byte of each.
fn latin1_classes<D: AsRef<[u32]>>(dfa: &dense::DFA<D>) -> ([u8; 256], Vec<u8>) {
    let known = dfa.byte_classes();
    let mut class = [0u8; 256];
    let mut representatives: Vec<u8> = Vec::new();
    for byte in 0..=255u8 {
        let same = representatives.iter().position(|&other| known.get(other) == known.get(byte));
        let number = same.unwrap_or(representatives.len());
        if number == representatives.len() {
            representatives.push(byte);
        }
        // At most 255, as there are 256 bytes.
        class[usize::from(byte)] = number as u8;
    }
    (class, representatives)
}

/// Numbers for the DFA's states, in the order in which they are met.
#[derive(Default)]
struct Numbering {
    in_order: Vec<StateID>,
    numbers: HashMap<StateID, u32>,
}

impl Numbering {
    fn number<D: AsRef<[u32]>>(&mut self, dfa: &dense::DFA<D>, state: StateID) -> u32 {
        if dfa.is_dead_state(state) {
            return DEAD;
        }
        if dfa.is_match_state(state) {
            return MATCHED;
        }
        let in_order = &mut self.in_order;
        *self.numbers.entry(state).or_insert_with(|| {
            in_order.push(state);
            // The DFA has at most MAX_DENSE_BYTES bytes, and so far fewer states.
            in_order.len() as u32 + 1
        })
    }
}
