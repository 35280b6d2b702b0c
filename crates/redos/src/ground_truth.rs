//! The truth about small patterns, by counting: every pattern of a grammar up to a size over two letters, with every short
//! prefix, pump and suffix.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::time::Duration;

use holdfast_regexp_syntax::{Characters, Flags, Set, lower};

use crate::alphabet::Alphabet;
use crate::analysis::Complexity;
use crate::analysis_tests::analysis;
use crate::attack::{Candidate, MAX_REPETITIONS, Model};
use crate::budget::Budget;
use crate::count::Searches;
use crate::graph::Graph;
use crate::growth::Growth;
use crate::program::{Loops, Program, Shape};

/// Letters, groups, loops and what joins them, each counted as one.
const SIZE: usize = 6;

/// Every pattern of exactly each size.
fn patterns() -> Vec<Vec<String>> {
    let mut by_size: Vec<Vec<String>> = vec![Vec::new(), vec!["a".into(), "b".into()]];
    for size in 2..=SIZE {
        let mut here = Vec::new();
        for body in &by_size[size - 1] {
            for quantifier in ["*", "?"] {
                here.push(format!("(?:{body}){quantifier}"));
            }
        }
        if size == 2 {
            here.push("a*?".into());
        }
        for left in 1..size - 1 {
            for one in &by_size[left] {
                for other in &by_size[size - 1 - left] {
                    here.push(format!("{one}{other}").replace("(?:a)", "a").replace("(?:b)", "b"));
                    here.push(format!("(?:{one}|{other})"));
                }
            }
        }
        here.sort_unstable();
        here.dedup();
        by_size.push(here);
    }
    by_size
}

fn words(letters: u32, longest: usize) -> Vec<Vec<u32>> {
    let mut words = vec![Vec::new()];
    let mut last = 0;
    for _ in 0..longest {
        let shorter = words[last..].to_vec();
        last = words.len();
        for word in shorter {
            words.extend((0..letters).map(|letter| [&word[..], &[letter]].concat()));
        }
    }
    words
}

/// The fastest growth that any short text shows.
fn counted(source: &str) -> Growth {
    let units: Vec<u16> = source.encode_utf16().collect();
    let flags = Flags::default();
    let lowered = lower(&units, flags, &Characters::default(), true).unwrap();
    let shape = Shape { steps: 10_000, loops: Loops::Exact, sticky: false, unicode: false };
    let program = Program::compile(&lowered.root, lowered.groups, shape).unwrap();
    let mut budget = Budget::new(1 << 40, Budget::deadline(Duration::from_secs(6000)));
    let graphs: Vec<Graph> =
        (0..program.regions.len()).map(|region| Graph::of(&program, region, &mut budget).unwrap()).collect();
    let mut sets = program.sets.clone();
    // Letters are a, b and any other.
    sets.extend([0x61, 0x62].map(|letter| Set::from_ranges([(letter, letter)])));
    let alphabet = Alphabet::of(&sets, program.last).unwrap();
    let letters: Vec<u32> = ['a', 'b', 'c']
        .into_iter()
        .filter_map(|letter| {
            (0..alphabet.len()).find(|&place| alphabet.character(place) == u32::from(letter))
        })
        .map(|place| place as u32)
        .collect();
    assert_eq!(letters.len(), 3);
    let spell = |word: &Vec<u32>| word.iter().map(|&letter| letters[letter as usize]).collect::<Vec<_>>();
    let model = Model {
        program: &program,
        graphs: &graphs,
        alphabet: &alphabet,
        canonical: &[],
        searches: Searches::First,
        unicode: false,
        has_bounds: false,
    };
    let mut fastest = Growth::Linear;
    for pump in words(2, 3).iter().filter(|pump| !pump.is_empty()) {
        for prefix in words(2, 1) {
            for suffix in words(3, 1) {
                let candidate = Candidate {
                    prefix: spell(&prefix),
                    pump: spell(pump),
                    suffix: spell(&suffix),
                    hotspots: Vec::new(),
                };
                if let Some(proof) =
                    model.prove(&candidate, Growth::Exponential, MAX_REPETITIONS, &mut budget).unwrap()
                {
                    fastest = fastest.max(proof.growth);
                }
            }
        }
    }
    fastest
}

#[test]
fn the_classification_agrees_with_counted_growth() {
    let mut seen = [0, 0, 0];
    let mut slower = Vec::new();
    for patterns in &patterns()[1..=SIZE] {
        for body in patterns {
            for source in [body.clone(), format!("^{body}$"), format!("{body}$")] {
                let said = match analysis(&source, "").complexity {
                    Complexity::Linear => Growth::Linear,
                    Complexity::Polynomial(degree) => Growth::Polynomial(degree),
                    Complexity::Exponential => Growth::Exponential,
                    Complexity::Unknown(reason) => panic!("{source}: {reason:?}"),
                };
                let counted = counted(&source);
                // What is said beyond it is said with a text that was counted, only longer ones than here.
                if said < counted {
                    slower.push((source, said, counted));
                }
                seen[match said {
                    Growth::Linear => 0,
                    Growth::Polynomial(_) => 1,
                    Growth::Exponential => 2,
                }] += 1;
            }
        }
    }
    assert!(
        slower.is_empty(),
        "{} are faster than said: {:?}",
        slower.len(),
        &slower[..slower.len().min(20)]
    );
    // That the patterns are of all sorts.
    assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
}
