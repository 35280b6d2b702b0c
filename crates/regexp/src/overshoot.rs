//! Whether finding *all* matches with the automaton is linear.
//!
//! A search that has found a match reads on while a preferred, longer one is still possible. If that can go on without end
//! and come to nothing, as for `/a[^]*b|a/` in a text of `a`s, each of n searches may read to the end. A deterministic
//! automaton tells: it happens only if, past a match, it can go round in states that are no match.

use std::collections::HashMap;

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton as _, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;

use crate::automaton::{Alphabet, translate};
use holdfast_regexp_syntax::Node;

/// Bytes of the deterministic automaton, and of the memory to build it.
const MAX_DENSE_BYTES: usize = 128 << 10;

/// Whether every search reads only boundedly further than its match. `false` also when that would take too long to tell.
pub(crate) fn is_bounded(root: &Node, alphabet: Alphabet) -> bool {
    let nfa = thompson::Compiler::new()
        .configure(thompson::Config::new().utf8(false).which_captures(thompson::WhichCaptures::None))
        .build_from_hir(&translate(root, alphabet));
    let config = dense::Config::new()
        .dfa_size_limit(Some(MAX_DENSE_BYTES))
        .determinize_size_limit(Some(MAX_DENSE_BYTES));
    let Ok(nfa) = nfa else { return false };
    let Ok(dfa) = dense::Builder::new().configure(config).build_from_nfa(&nfa) else { return false };
    let starts = [None, Some(b'a'), Some(b'\n'), Some(b' ')].into_iter().flat_map(|behind| {
        [Anchored::No, Anchored::Yes]
            .map(|anchored| start::Config::new().look_behind(behind).anchored(anchored))
    });
    let mut reached: HashMap<StateID, Mark> = HashMap::new();
    let mut waiting = Vec::new();
    for start in starts {
        let Ok(state) = dfa.start_state(&start) else { return false };
        waiting.push(state);
    }
    let mut matches = Vec::new();
    while let Some(state) = waiting.pop() {
        if reached.insert(state, Mark::New).is_some() {
            continue;
        }
        if dfa.is_match_state(state) {
            matches.push(state);
        }
        waiting.extend(successors(&dfa, state).filter(|state| !reached.contains_key(state)));
    }
    matches.into_iter().all(|state| comes_to_an_end(&dfa, state, &mut reached))
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    /// On the way that is being followed.
    Open,
    /// Every way from here ends, or comes to a match.
    Done,
}

/// Follows all ways from a match through states that are none. The ways are on a stack of our own.
fn comes_to_an_end(dfa: &dense::DFA<Vec<u32>>, from: StateID, marks: &mut HashMap<StateID, Mark>) -> bool {
    let onward =
        |state| successors(dfa, state).filter(|&state| !dfa.is_match_state(state)).collect::<Vec<_>>();
    let mut way = vec![(from, onward(from))];
    while let Some((state, ahead)) = way.last_mut() {
        let Some(next) = ahead.pop() else {
            marks.insert(*state, Mark::Done);
            way.pop();
            continue;
        };
        match marks.get(&next) {
            Some(Mark::Open) => return false,
            Some(Mark::Done) => {}
            _ => {
                marks.insert(next, Mark::Open);
                way.push((next, onward(next)));
            }
        }
    }
    true
}

fn successors(dfa: &dense::DFA<Vec<u32>>, state: StateID) -> impl Iterator<Item = StateID> + '_ {
    dfa.byte_classes()
        .representatives(0..=255u8)
        .filter_map(move |unit| unit.as_u8().map(|byte| dfa.next_state(state, byte)))
        .filter(move |&next| !dfa.is_dead_state(next) && !dfa.is_quit_state(next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flags;
    use holdfast_regexp_syntax::Characters;
    use holdfast_regexp_syntax::lower;

    #[test]
    fn tells_searches_that_read_on_for_nothing() {
        for (source, expected) in [
            (r"\w+", true),
            (r"\d+(?:\.\d+)?", true),
            ("foo|bar", true),
            (r"a.*?b", true),
            (r#""[^"]*""#, true),
            (r"\s+$", true),
            ("(?:ab)+", true),
            ("a[^]*b|a", false),
            ("a(?:.*b)?", false),
            (r"x\w*y|\w", false),
            ("(?:a|b)*?c", true),
            ("", true),
            ("a*", true),
        ] {
            let source: Vec<u16> = source.encode_utf16().collect();
            let lowered = lower(&source, Flags::default(), &Characters::default(), false);
            let root = lowered.map(|lowered| lowered.root);
            let root = root.unwrap_or(Node::Empty);
            assert_eq!(
                is_bounded(&root, Alphabet::Latin1),
                expected,
                "{}",
                String::from_utf16_lossy(&source)
            );
        }
    }
}
