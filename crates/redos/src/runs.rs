//! Everything that a matcher tries, on any text: a graph whose nodes are a character of the pattern that is about to be
//! tried and the future in which that happens. On one text, the matcher takes a step for each way through this graph.

use std::collections::HashMap;

use crate::alphabet::Alphabet;
use crate::budget::{Budget, Exhausted};
use crate::context::EDGE;
use crate::futures::{FutureId, Futures};
use crate::graph::Graph;

/// A place in [`Runs::nodes`].
pub(crate) type RunId = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    /// A character of the graph.
    pub(crate) character: u32,
    pub(crate) future: FutureId,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) letter: u32,
    /// Numbers the letters of a future, each with what follows it: edges from nodes with the same future go together when
    /// theirs are the same.
    pub(crate) group: u32,
    pub(crate) to: RunId,
    /// Whether there is more than one way from one node to the other that reads this letter.
    pub(crate) many: bool,
}

pub(crate) struct Runs {
    pub(crate) nodes: Vec<Run>,
    /// Of each node, by their groups.
    pub(crate) edges: Vec<Vec<Edge>>,
    /// How each node was found first. None: at the start of the text.
    from: Vec<Option<(RunId, u32)>>,
}

impl Runs {
    /// `anywhere`: matching begins at any position, not only where the text does.
    pub(crate) fn of(
        anywhere: bool,
        graph: &Graph,
        alphabet: &Alphabet,
        futures: &mut Futures<'_>,
        budget: &mut Budget,
    ) -> Result<Runs, Exhausted> {
        let mut runs = Runs { nodes: Vec::new(), edges: Vec::new(), from: Vec::new() };
        let mut places = HashMap::new();
        let last = if anywhere { futures.last_kind() } else { EDGE };
        for future in 0..FutureId::try_from(futures.len()).unwrap_or(FutureId::MAX) {
            for before in 0..=last {
                for &(character, _) in futures.tries(graph.start, future, before, budget)?.iter() {
                    runs.place(Run { character, future }, None, &mut places);
                }
            }
        }
        let mut id = 0;
        while let Some(&Run { character, future }) = runs.nodes.get(id as usize) {
            let (set, next) = {
                let character = &graph.characters[character as usize];
                (alphabet.members(character.set as usize), character.next)
            };
            for index in 0..futures.letters(future).len() {
                let (letter, future) = futures.letters(future)[index];
                if !set.has(letter as usize) {
                    continue;
                }
                let tries = futures.tries(next, future, futures.kind(letter), budget)?;
                budget.spend(8 + 16 * tries.len())?;
                for &(character, many) in tries.iter() {
                    let to = runs.place(Run { character, future }, Some((id, letter)), &mut places);
                    let group = u32::try_from(index).unwrap_or(u32::MAX);
                    runs.edges[id as usize].push(Edge { letter, group, to, many });
                }
            }
            id += 1;
        }
        Ok(runs)
    }

    fn place(&mut self, run: Run, from: Option<(RunId, u32)>, places: &mut HashMap<Run, RunId>) -> RunId {
        *places.entry(run).or_insert_with(|| {
            self.nodes.push(run);
            self.edges.push(Vec::new());
            self.from.push(from);
            RunId::try_from(self.nodes.len() - 1).unwrap_or(RunId::MAX)
        })
    }

    /// Letters by which a matcher gets to the node.
    pub(crate) fn prefix(&self, id: RunId) -> Vec<u32> {
        let mut prefix = Vec::new();
        let mut from = self.from[id as usize];
        while let Some((before, letter)) = from {
            prefix.push(letter);
            from = self.from[before as usize];
        }
        prefix.reverse();
        prefix
    }
}
