//! How many steps a backtracking matcher takes, without taking them.
//!
//! What a matcher does from a node of the graph at a position of the text depends on nothing else, where there are no
//! back-references: so it takes the same number of steps each time it comes there, and these are counted once. A
//! number of steps that has thirty digits is found in as many operations as the graph has nodes, times the characters.
//! [`crate::machine`] does the same in the plain way; a test has the two agree.

use crate::alphabet::Alphabet;
use crate::budget::{Budget, Exhausted};
use crate::context::{Bits, Condition};
use crate::graph::{Body, Graph, Node};
use crate::program::Program;

/// Steps, exactly up to 2⁵³ and with that many digits beyond, and whether there was a match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tally {
    pub(crate) steps: f64,
    pub(crate) matched: bool,
    /// Where the match ends, if there is one.
    pub(crate) end: usize,
}

const FAILED: Tally = Tally { steps: 0.0, matched: false, end: 0 };

/// Which searches are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Searches {
    /// One, from the start of the text.
    First,
    /// That, and from the end of each match the next one, as `replace` does with the flag g.
    All,
    /// The worst one from any place in the text.
    Worst,
}

/// All that is needed to count, for one program.
pub(crate) struct Counter<'a> {
    program: &'a Program,
    graphs: &'a [Graph],
    alphabet: &'a Alphabet,
    /// Of each letter what conditions see of it.
    bits: Vec<Bits>,
    /// Whether what stands in for something else never matches, instead of matching all that it can.
    refuses: bool,
}

impl<'a> Counter<'a> {
    /// `graphs`: of the program's regions.
    pub(crate) fn new(program: &'a Program, graphs: &'a [Graph], alphabet: &'a Alphabet) -> Counter<'a> {
        let bits = (0..alphabet.len()).map(|letter| program.asked.bits(alphabet.character(letter))).collect();
        Counter { program, graphs, alphabet, bits, refuses: false }
    }

    /// The same where back-references never match.
    pub(crate) fn refusing(self) -> Counter<'a> {
        Counter { refuses: true, ..self }
    }

    /// The steps of searches in a text of letters.
    pub(crate) fn count(
        &self,
        text: &[u32],
        which: Searches,
        budget: &mut Budget,
    ) -> Result<Tally, Exhausted> {
        // Of each region what comes of beginning it at each position. Regions are needed by those before them.
        let mut outcomes: Vec<Vec<Tally>> = vec![Vec::new(); self.graphs.len()];
        for region in (0..self.graphs.len()).rev() {
            outcomes[region] = self.region(region, text, &outcomes, budget)?;
        }
        let searches = &outcomes[0];
        let mut tally = searches[0];
        match which {
            Searches::First => {}
            Searches::All => {
                let (mut at, mut last) = (0, tally);
                while last.matched {
                    at = last.end.max(at + usize::from(last.end == at));
                    let Some(&next) = searches.get(at) else { break };
                    tally.steps += next.steps;
                    last = next;
                }
            }
            Searches::Worst => tally.steps = searches.iter().fold(0.0, |most, tally| tally.steps.max(most)),
        }
        Ok(tally)
    }

    fn region(
        &self,
        region: usize,
        text: &[u32],
        outcomes: &[Vec<Tally>],
        budget: &mut Budget,
    ) -> Result<Vec<Tally>, Exhausted> {
        let graph = &self.graphs[region];
        let behind = self.program.regions[region].behind;
        let mut tallies = vec![FAILED; text.len() + 1];
        let mut here = vec![FAILED; graph.nodes.len()];
        // What comes after each character, where it has been read.
        let mut after = vec![FAILED; graph.characters.len()];
        for step in 0..=text.len() {
            budget.spend(graph.nodes.len())?;
            // The positions that reading leads to come first.
            let at = if behind { step } else { text.len() - step };
            let letter = if behind { at.checked_sub(1).map(|at| text[at]) } else { text.get(at).copied() };
            for (id, node) in graph.nodes.iter().enumerate() {
                here[id] = match node {
                    Node::Accept => Tally { steps: 0.0, matched: true, end: at },
                    Node::Fail => FAILED,
                    Node::Character(character) => {
                        let set = graph.characters[*character as usize].set as usize;
                        match letter {
                            Some(letter) if self.alphabet.members(set).has(letter as usize) => {
                                plus(1.0, after[*character as usize])
                            }
                            _ => Tally { steps: 1.0, ..FAILED },
                        }
                    }
                    Node::Split(targets) => {
                        let mut sum = FAILED;
                        for &target in targets {
                            sum = plus(sum.steps, here[target as usize]);
                            if sum.matched {
                                break;
                            }
                        }
                        sum
                    }
                    Node::Condition(condition, next) => {
                        let next =
                            if self.holds(*condition, text, at) { here[*next as usize] } else { FAILED };
                        plus(1.0, next)
                    }
                    Node::Look { negative, body, next } => {
                        let body = match body {
                            Body::Here(body) => here[*body as usize],
                            Body::Region(region) => outcomes[*region as usize][at],
                        };
                        let next = if body.matched == *negative { FAILED } else { here[*next as usize] };
                        plus(1.0 + body.steps, next)
                    }
                    Node::Approximation(_) if self.refuses => FAILED,
                    Node::Approximation(next) => here[*next as usize],
                };
            }
            for (after, character) in after.iter_mut().zip(&graph.characters) {
                *after = here[character.next as usize];
            }
            tallies[at] = here[graph.start as usize];
        }
        Ok(tallies)
    }

    fn holds(&self, condition: Condition, text: &[u32], at: usize) -> bool {
        let bits = |letter: u32| self.bits[letter as usize];
        let before = at.checked_sub(1).map(|at| bits(text[at]));
        let after = text.get(at).map(|&letter| bits(letter));
        condition.holds(before, after)
    }
}

fn plus(steps: f64, tally: Tally) -> Tally {
    Tally { steps: steps + tally.steps, ..tally }
}
