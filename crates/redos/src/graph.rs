//! A region of a program as a graph without cycles: what a matcher does at one position of the text, between two
//! characters. Whether an iteration is empty is resolved here, so that what a node does depends on the position alone.
//!
//! An iteration is empty if nothing was read since it began. Of the iterations around a place, those in which something
//! was read are the outermost so many: what is read in one is read in all around it. That number, with the state, is a
//! node; a character makes it all of them, a new iteration makes it those around.

use std::collections::HashMap;

use crate::budget::{Budget, Exhausted};
use crate::context::Condition;
use crate::program::{Program, State, Step};

/// A place in [`Graph::nodes`].
pub(crate) type Id = u32;

#[derive(Debug)]
pub(crate) enum Node {
    /// A place in [`Graph::characters`].
    Character(u32),
    Split(Vec<Id>),
    Condition(Condition, Id),
    Look {
        negative: bool,
        body: Body,
        next: Id,
    },
    Approximation(Id),
    /// An iteration that matched the empty string.
    Fail,
    Accept,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// In the same direction.
    Here(Id),
    /// In the other: the number of its region.
    Region(u32),
}

#[derive(Debug)]
pub(crate) struct Character {
    pub(crate) set: u32,
    pub(crate) origin: u32,
    pub(crate) repetition: Option<u32>,
    /// What comes after it.
    pub(crate) next: Id,
}

#[derive(Debug)]
pub(crate) struct Graph {
    /// Every node comes after those that it leads to, without a character between.
    pub(crate) nodes: Vec<Node>,
    pub(crate) characters: Vec<Character>,
    pub(crate) start: Id,
    /// Whether it is matched from the end of the text to its start.
    pub(crate) behind: bool,
}

/// A state and how many of the iterations around it are not empty.
type Key = (State, u32);

impl Graph {
    /// The most ways there are from one character to the next, or to an end; steps are not counted on them.
    pub(crate) fn ways(&self) -> f64 {
        let mut ways: Vec<f64> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let of = |id: Id| ways[id as usize];
            ways.push(match node {
                Node::Character(_) | Node::Fail | Node::Accept => 1.0,
                Node::Split(targets) => targets.iter().map(|&target| of(target)).sum(),
                Node::Condition(_, next) | Node::Approximation(next) => of(*next),
                Node::Look { body: Body::Here(body), next, .. } => of(*body) + of(*next),
                Node::Look { body: Body::Region(_), next, .. } => of(*next),
            });
        }
        ways.into_iter().fold(0.0, f64::max)
    }

    pub(crate) fn of(program: &Program, region: usize, budget: &mut Budget) -> Result<Graph, Exhausted> {
        let mut builder = Builder {
            program,
            nodes: Vec::new(),
            characters: Vec::new(),
            places: HashMap::new(),
            leaves: HashMap::new(),
            entries: Vec::new(),
        };
        let start = (program.regions[region].entry, 0);
        builder.visit(start, budget)?;
        // What comes after characters, which are found meanwhile.
        let mut done = 0;
        while let Some(&entry) = builder.entries.get(done) {
            builder.visit(entry, budget)?;
            done += 1;
        }
        for (character, entry) in builder.characters.iter_mut().zip(&builder.entries) {
            character.next = builder.places[entry];
        }
        let Builder { places, nodes, characters, .. } = builder;
        Ok(Graph { start: places[&start], behind: program.regions[region].behind, nodes, characters })
    }
}

struct Builder<'a> {
    program: &'a Program,
    nodes: Vec<Node>,
    characters: Vec<Character>,
    places: HashMap<Key, Id>,
    /// The nodes of characters: what is read before one changes nothing after it.
    leaves: HashMap<State, Id>,
    /// What comes after each character.
    entries: Vec<Key>,
}

impl Builder<'_> {
    /// Adds the node of `key`, all that it leads to first.
    fn visit(&mut self, key: Key, budget: &mut Budget) -> Result<(), Exhausted> {
        let mut stack = vec![key];
        while let Some(&key) = stack.last() {
            budget.spend(8)?;
            if self.places.contains_key(&key) {
                stack.pop();
                continue;
            }
            let before = stack.len();
            self.for_each_target(key, |target, places| {
                if !places.contains_key(&target) {
                    stack.push(target);
                }
            });
            if stack.len() == before {
                stack.pop();
                self.add(key);
            } else {
                budget.spend(stack.len() - before)?;
            }
        }
        Ok(())
    }

    fn for_each_target(&self, (state, read): Key, mut each: impl FnMut(Key, &HashMap<Key, Id>)) {
        let mut each = |target| each(target, &self.places);
        match &self.program.steps[state as usize] {
            Step::Character { .. } | Step::Accept => {}
            // The last on top of a stack would be the first to be added: the order does not matter.
            Step::Split(targets) => targets.iter().for_each(|&target| each((target, read))),
            Step::Look { body, region, next, .. } => {
                each((*next, read));
                if region.is_none() {
                    each((*body, 0));
                }
            }
            Step::Enter { scope, next } => each((*next, read.min(*scope))),
            Step::Leave { scope, next } => {
                if read > *scope {
                    each((*next, read));
                }
            }
            Step::BackReference { loose, .. } => each((*loose, read)),
            Step::Condition(_, next)
            | Step::Approximation(next)
            | Step::Save { next, .. }
            | Step::Forget { next, .. } => each((*next, read)),
        }
    }

    /// Adds the node of a key whose targets are there.
    fn add(&mut self, key: Key) {
        let (state, read) = key;
        let place = |target| self.places[&target];
        let node = match &self.program.steps[state as usize] {
            Step::Character { set, origin, repetition, scopes, next } => {
                if let Some(&leaf) = self.leaves.get(&state) {
                    self.places.insert(key, leaf);
                    return;
                }
                self.leaves.insert(state, Id::try_from(self.nodes.len()).unwrap_or(Id::MAX));
                self.characters.push(Character {
                    set: *set,
                    origin: *origin,
                    repetition: *repetition,
                    next: 0,
                });
                self.entries.push((*next, *scopes));
                Node::Character(u32::try_from(self.characters.len() - 1).unwrap_or(u32::MAX))
            }
            Step::Accept => Node::Accept,
            Step::Split(targets) => {
                Node::Split(targets.iter().map(|&target| place((target, read))).collect())
            }
            Step::Condition(condition, next) => Node::Condition(*condition, place((*next, read))),
            Step::Look { negative, body, region, next } => Node::Look {
                negative: *negative,
                body: region.map_or_else(|| Body::Here(place((*body, 0))), Body::Region),
                next: place((*next, read)),
            },
            Step::Approximation(next) => Node::Approximation(place((*next, read))),
            // These do nothing but lead on.
            Step::Enter { scope, next } => return self.lead(key, (*next, read.min(*scope))),
            Step::Leave { scope, next } if read > *scope => return self.lead(key, (*next, read)),
            Step::Leave { .. } => Node::Fail,
            Step::BackReference { loose, .. } => return self.lead(key, (*loose, read)),
            Step::Save { next, .. } | Step::Forget { next, .. } => return self.lead(key, (*next, read)),
        };
        self.nodes.push(node);
        self.places.insert(key, Id::try_from(self.nodes.len() - 1).unwrap_or(Id::MAX));
    }

    fn lead(&mut self, key: Key, to: Key) {
        let place = self.places[&to];
        self.places.insert(key, place);
    }
}
