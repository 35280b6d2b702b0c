//! What can still become of a matcher at a position, which depends on the rest of the text alone.
//!
//! A matcher tries a way only after the ones before it have failed, so whether it does depends on what follows. What
//! follows matters as the set of characters of the graph from which a match is found in it: a [`Future`]. Read backwards
//! from the end, the text goes through these like an automaton through its states. (Weideman et al., *Analyzing Matching
//! Time Behavior of Backtracking Regular Expression Matchers by Using Ambiguity of NFA*, CIAA 2016, has the idea.)
//!
//! Where it is not known whether something matches, a future has two sets: of what matches for certain, and of what
//! may. A way is tried unless one before it matches for certain.

use std::collections::HashMap;
use std::rc::Rc;

use crate::alphabet::Alphabet;
use crate::bits::Bits;
use crate::budget::{Budget, Exhausted};
use crate::context::{Asked, Bits as Seen, Condition, EDGE, Kind};
use crate::graph::{Body, Graph, Id, Node};

/// A place in [`Futures::all`].
pub(crate) type FutureId = u32;

/// More are not told apart: there is another way, without them.
const MAX_FUTURES: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Future {
    /// The characters of the graph from which a match is certain, and those from which there may be one.
    must: Bits,
    may: Bits,
    /// What kind of character follows.
    next: Kind,
}

/// What is known of a node in a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Match {
    must: bool,
    may: bool,
}

const NEVER: Match = Match { must: false, may: false };
const PERHAPS: Match = Match { must: false, may: true };
const ALWAYS: Match = Match { must: true, may: true };

/// A character of the graph that is tried, and whether it is tried in more than one way.
pub(crate) type Try = (u32, bool);

pub(crate) struct Futures<'a> {
    graph: &'a Graph,
    alphabet: &'a Alphabet,
    /// The kind of each letter, and what conditions see of each kind.
    kinds: Vec<Kind>,
    bits: Vec<Option<Seen>>,
    all: Vec<Future>,
    places: HashMap<Future, FutureId>,
    /// Of each future the letters that lead to another one, with that one: in the direction of the text.
    forward: Vec<Vec<(u32, FutureId)>>,
    /// Of each future how it came to be: the letter that was read, and what follows. None: the end of the text.
    rest: Vec<Option<(u32, FutureId)>>,
    /// What is known of the nodes, by future and by the kind of the character before.
    matches: HashMap<(FutureId, Kind), Rc<[Match]>>,
    tries: HashMap<(Id, FutureId, Kind), Rc<[Try]>>,
    /// Of a node all that it leads to without a character between, and itself, the first ones first.
    reach: HashMap<Id, Rc<[Id]>>,
    /// Of each node, while it is counted.
    visits: Vec<u8>,
}

impl<'a> Futures<'a> {
    /// All futures there are. `blind`: none are told apart, as if everything might match and nothing did for certain.
    pub(crate) fn of(
        graph: &'a Graph,
        alphabet: &'a Alphabet,
        asked: &Asked,
        blind: bool,
        budget: &mut Budget,
    ) -> Result<Futures<'a>, Exhausted> {
        let (kinds, bits) = kinds(graph, alphabet, asked);
        let mut futures = Futures {
            graph,
            alphabet,
            kinds,
            bits,
            all: Vec::new(),
            places: HashMap::new(),
            forward: Vec::new(),
            rest: Vec::new(),
            matches: HashMap::new(),
            tries: HashMap::new(),
            reach: HashMap::new(),
            visits: vec![0; graph.nodes.len()],
        };
        let none = Bits::new(graph.characters.len());
        futures.place(Future { must: none.clone(), may: none, next: EDGE }, None, budget)?;
        let mut place = 0;
        while place < futures.all.len() {
            futures.read_backwards(u32::try_from(place).unwrap_or(u32::MAX), blind, budget)?;
            place += 1;
        }
        Ok(futures)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The letters that may come next in a future, with the future after each.
    pub(crate) fn letters(&self, future: FutureId) -> &[(u32, FutureId)] {
        &self.forward[future as usize]
    }

    pub(crate) fn kind(&self, letter: u32) -> Kind {
        self.kinds[letter as usize]
    }

    pub(crate) fn last_kind(&self) -> Kind {
        Kind::try_from(self.bits.len() - 1).unwrap_or(Kind::MAX)
    }

    /// Letters that make the future come true, up to the end of the text.
    pub(crate) fn suffix(&self, future: FutureId) -> Vec<u32> {
        let mut suffix = Vec::new();
        let mut rest = self.rest[future as usize];
        while let Some((letter, next)) = rest {
            suffix.push(letter);
            rest = self.rest[next as usize];
        }
        suffix
    }

    fn place(
        &mut self,
        future: Future,
        rest: Option<(u32, FutureId)>,
        budget: &mut Budget,
    ) -> Result<FutureId, Exhausted> {
        budget.spend(4 + self.graph.characters.len() / 32)?;
        if let Some(&place) = self.places.get(&future) {
            return Ok(place);
        }
        if self.all.len() >= MAX_FUTURES {
            return Err(Exhausted::Work);
        }
        let place = FutureId::try_from(self.all.len()).unwrap_or(FutureId::MAX);
        self.places.insert(future.clone(), place);
        self.all.push(future);
        self.forward.push(Vec::new());
        self.rest.push(rest);
        Ok(place)
    }

    /// Finds the futures of texts that are one letter longer.
    fn read_backwards(&mut self, next: FutureId, blind: bool, budget: &mut Budget) -> Result<(), Exhausted> {
        for letter in 0..u32::try_from(self.alphabet.len()).unwrap_or(u32::MAX) {
            let kind = self.kind(letter);
            let characters = &self.graph.characters;
            let (mut must, mut may) = (Bits::new(characters.len()), Bits::new(characters.len()));
            if !blind {
                let matches = self.matches(next, kind, budget)?;
                budget.spend(characters.len())?;
                for (place, character) in characters.iter().enumerate() {
                    if self.alphabet.members(character.set as usize).has(letter as usize) {
                        let after = matches[character.next as usize];
                        must.set(place, after.must);
                        may.set(place, after.may);
                    }
                }
            } else {
                budget.spend(characters.len())?;
                for place in 0..characters.len() {
                    may.set(place, true);
                }
            }
            let future = self.place(Future { must, may, next: kind }, Some((letter, next)), budget)?;
            self.forward[future as usize].push((letter, next));
        }
        Ok(())
    }

    /// What is known of every node at a position before which a character of a kind stands.
    fn matches(
        &mut self,
        future: FutureId,
        before: Kind,
        budget: &mut Budget,
    ) -> Result<Rc<[Match]>, Exhausted> {
        if let Some(matches) = self.matches.get(&(future, before)) {
            return Ok(Rc::clone(matches));
        }
        budget.spend(2 * self.graph.nodes.len())?;
        let Future { must, may, next: after } = &self.all[future as usize];
        let mut matches: Vec<Match> = Vec::with_capacity(self.graph.nodes.len());
        for node in &self.graph.nodes {
            let of = |id: Id| matches[id as usize];
            matches.push(match node {
                Node::Accept => ALWAYS,
                Node::Fail => NEVER,
                Node::Character(place) => {
                    Match { must: must.has(*place as usize), may: may.has(*place as usize) }
                }
                Node::Split(targets) => Match {
                    must: targets.iter().any(|&target| of(target).must),
                    may: targets.iter().any(|&target| of(target).may),
                },
                Node::Condition(condition, next) => {
                    if self.holds(*condition, before, *after) {
                        of(*next)
                    } else {
                        NEVER
                    }
                }
                Node::Look { negative, body, next } => {
                    let look = look(*negative, body, of);
                    let next = of(*next);
                    Match { must: look.must && next.must, may: look.may && next.may }
                }
                Node::Approximation(next) => Match { must: false, ..of(*next) },
            });
        }
        let matches: Rc<[Match]> = matches.into();
        self.matches.insert((future, before), Rc::clone(&matches));
        Ok(matches)
    }

    /// The characters that a matcher tries from a node on, when it comes there once.
    pub(crate) fn tries(
        &mut self,
        from: Id,
        future: FutureId,
        before: Kind,
        budget: &mut Budget,
    ) -> Result<Rc<[Try]>, Exhausted> {
        if let Some(tries) = self.tries.get(&(from, future, before)) {
            return Ok(Rc::clone(tries));
        }
        let matches = self.matches(future, before, budget)?;
        let reach = self.reach(from, budget)?;
        budget.spend(16 + 2 * reach.len())?;
        let after = self.all[future as usize].next;
        // How often the matcher comes to each node: 2 stands for more. All zero again at the end.
        let mut visits = std::mem::take(&mut self.visits);
        visits[from as usize] = 1;
        let mut tries: Vec<Try> = Vec::new();
        for &id in reach.iter() {
            let times = std::mem::take(&mut visits[id as usize]);
            if times == 0 {
                continue;
            }
            let mut visit = |target: Id| {
                let visits = &mut visits[target as usize];
                *visits = (*visits + times).min(2);
            };
            match &self.graph.nodes[id as usize] {
                Node::Accept | Node::Fail => {}
                Node::Character(place) => tries.push((*place, times > 1)),
                Node::Split(targets) => {
                    for &target in targets {
                        visit(target);
                        if matches[target as usize].must {
                            break;
                        }
                    }
                }
                Node::Condition(condition, next) => {
                    if self.holds(*condition, before, after) {
                        visit(*next);
                    }
                }
                Node::Look { negative, body, next } => {
                    if let Body::Here(body) = body {
                        visit(*body);
                    }
                    if look(*negative, body, |id| matches[id as usize]).may {
                        visit(*next);
                    }
                }
                Node::Approximation(next) => visit(*next),
            }
        }
        self.visits = visits;
        let tries: Rc<[Try]> = tries.into();
        self.tries.insert((from, future, before), Rc::clone(&tries));
        Ok(tries)
    }

    fn reach(&mut self, from: Id, budget: &mut Budget) -> Result<Rc<[Id]>, Exhausted> {
        if let Some(reach) = self.reach.get(&from) {
            return Ok(Rc::clone(reach));
        }
        let mut seen = std::collections::BTreeSet::from([from]);
        let mut stack = vec![from];
        while let Some(id) = stack.pop() {
            budget.spend(4)?;
            let mut visit = |target: Id| {
                if seen.insert(target) {
                    stack.push(target);
                }
            };
            match &self.graph.nodes[id as usize] {
                Node::Accept | Node::Fail | Node::Character(_) => {}
                Node::Split(targets) => targets.iter().for_each(|&target| visit(target)),
                Node::Condition(_, next) | Node::Approximation(next) => visit(*next),
                Node::Look { body, next, .. } => {
                    visit(*next);
                    if let Body::Here(body) = body {
                        visit(*body);
                    }
                }
            }
        }
        // Nodes come after those that they lead to.
        let reach: Rc<[Id]> = seen.into_iter().rev().collect();
        self.reach.insert(from, Rc::clone(&reach));
        Ok(reach)
    }

    fn holds(&self, condition: Condition, before: Kind, after: Kind) -> bool {
        let (read, to_read) = (self.bits[before as usize], self.bits[after as usize]);
        if self.graph.behind { condition.holds(to_read, read) } else { condition.holds(read, to_read) }
    }
}

/// Whether a lookaround holds.
fn look(negative: bool, body: &Body, of: impl Fn(Id) -> Match) -> Match {
    let body = match body {
        Body::Here(body) => of(*body),
        Body::Region(_) => PERHAPS,
    };
    if negative { Match { must: !body.may, may: !body.must } } else { body }
}

/// The kind of each letter, from 1 on, and what is seen of each kind; as few as the conditions of the graph ask for.
fn kinds(graph: &Graph, alphabet: &Alphabet, asked: &Asked) -> (Vec<Kind>, Vec<Option<Seen>>) {
    let mask = graph.nodes.iter().fold(0, |mask, node| match node {
        Node::Condition(condition, _) => mask | condition.asks(),
        _ => mask,
    });
    let mut bits = vec![None];
    let kinds = (0..alphabet.len())
        .map(|letter| {
            let seen = Some(asked.bits(alphabet.character(letter)) & mask);
            let kind = bits.iter().position(|&known| known == seen).unwrap_or_else(|| {
                bits.push(seen);
                bits.len() - 1
            });
            Kind::try_from(kind).unwrap_or(Kind::MAX)
        })
        .collect();
    (kinds, bits)
}
