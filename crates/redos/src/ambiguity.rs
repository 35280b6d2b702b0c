//! Where the ways through a graph of runs multiply, after Weber and Seidl, *On the Degree of Ambiguity of Finite
//! Automata*, 1991.
//!
//! - Two ways from a node to itself by the same word: with each repetition of the word there are twice as many. The number
//!   of ways is exponential (EDA), and otherwise polynomial.
//! - A word by which one node leads to itself and to another one that leads to itself too (IDA): with each repetition
//!   there is one more. A chain of d such pairs makes it nᵈ, and as a matcher takes a step for every way to every
//!   character of the text, nᵈ⁺¹ steps.
//!
//! No such pair: a number of ways that does not grow, and steps in proportion to the text.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::budget::{Budget, Exhausted};
use crate::components::components;
use crate::runs::{Edge, RunId, Runs};

/// Pairs of components of which a word is kept, besides how long the longest chain is.
const MAX_POLYNOMIAL: usize = 24;
const MAX_EXPONENTIAL: usize = 4;

/// A word that, repeated, multiplies the ways.
#[derive(Clone, Debug)]
pub(crate) struct Pump {
    /// The node that leads to itself.
    pub(crate) at: RunId,
    pub(crate) word: Vec<u32>,
    /// Nodes on the ways that multiply: of the first, and of the second.
    pub(crate) nodes: [Vec<RunId>; 2],
}

#[derive(Clone, Debug)]
pub(crate) enum Ambiguity {
    /// Every character of a text is tried in a bounded number of ways.
    Bounded,
    /// Chains are at most so long. `chain`: the pumps of a longest one, in the order of the text; `pumps`: those that begin
    /// the longest ones first.
    Polynomial {
        degree: u32,
        chain: Vec<Pump>,
        pumps: Vec<Pump>,
    },
    Exponential {
        pumps: Vec<Pump>,
    },
}

pub(crate) fn ambiguity(runs: &Runs, budget: &mut Budget) -> Result<Ambiguity, Exhausted> {
    let component =
        components(runs.nodes.len(), |node| &runs.edges[node][..], |edge: &Edge| edge.to as usize, budget)?;
    let search = Search::new(runs, component);
    let pumps = search.exponential(budget)?;
    if !pumps.is_empty() {
        return Ok(Ambiguity::Exponential { pumps });
    }
    search.polynomial(budget)
}

struct Search<'a> {
    runs: &'a Runs,
    component: Vec<u32>,
    /// The nodes of each component that has a cycle, by its number.
    cyclic: BTreeMap<u32, Vec<RunId>>,
}

/// Two nodes with the same future.
type Pair = (RunId, RunId);

/// A letter, and the group of the edges that read it.
type Label = (u32, u32);

impl<'a> Search<'a> {
    fn new(runs: &'a Runs, component: Vec<u32>) -> Search<'a> {
        let mut cyclic: BTreeMap<u32, Vec<RunId>> = BTreeMap::new();
        for (node, edges) in runs.edges.iter().enumerate() {
            if edges.iter().any(|edge| component[edge.to as usize] == component[node]) {
                cyclic.entry(component[node]).or_default().push(RunId::try_from(node).unwrap_or(RunId::MAX));
            }
        }
        Search { runs, component, cyclic }
    }

    /// The edges within the node's component.
    fn inner(&self, node: RunId) -> impl Iterator<Item = &'a Edge> + '_ {
        let component = self.component[node as usize];
        self.runs.edges[node as usize]
            .iter()
            .filter(move |edge| self.component[edge.to as usize] == component)
    }

    fn future(&self, node: RunId) -> u32 {
        self.runs.nodes[node as usize].future
    }

    /// Both nodes and what they lead to together, each within its component; with how much work that was.
    fn together(&self, (left, right): Pair, step: &mut dyn FnMut(Label, Pair)) -> usize {
        let others: Vec<&Edge> = self.inner(right).collect();
        let (mut first, mut work) = (0, others.len());
        for one in self.inner(left) {
            while others.get(first).is_some_and(|other| other.group < one.group) {
                first += 1;
            }
            for other in others[first..].iter().take_while(|other| other.group == one.group) {
                work += 1;
                step((one.letter, one.group), (one.to, other.to));
            }
            work += 1;
        }
        work
    }

    fn exponential(&self, budget: &mut Budget) -> Result<Vec<Pump>, Exhausted> {
        let mut pumps = Vec::new();
        // What comes first in a text has the highest number.
        for nodes in self.cyclic.values().rev() {
            let mut forks = Vec::new();
            for &node in nodes {
                let edges: Vec<&Edge> = self.inner(node).collect();
                budget.spend(edges.len())?;
                if let Some(edge) = edges.iter().find(|edge| edge.many) {
                    let back = self.path(edge.to, node, budget)?;
                    let mut word = vec![edge.letter];
                    word.extend(back.iter().map(|&(letter, _)| letter));
                    let mut ways = vec![node, edge.to];
                    ways.extend(back.iter().map(|&(_, to)| to));
                    pumps.push(Pump { at: node, word, nodes: [ways.clone(), ways] });
                }
                // Edges that go together stand together.
                if edges.windows(2).any(|pair| pair[0].group == pair[1].group) {
                    forks.push(node);
                }
                if pumps.len() >= MAX_EXPONENTIAL {
                    return Ok(pumps);
                }
            }
            if !forks.is_empty() {
                pumps.extend(self.diverging(&forks, budget)?);
            }
        }
        Ok(pumps)
    }

    /// A way by which a node leads to another, as letters and nodes.
    fn path(&self, from: RunId, to: RunId, budget: &mut Budget) -> Result<Vec<(u32, RunId)>, Exhausted> {
        let mut came: HashMap<RunId, (RunId, u32)> = HashMap::new();
        let mut queue = VecDeque::from([from]);
        let mut seen = HashSet::from([from]);
        while let Some(node) = queue.pop_front() {
            if node == to {
                break;
            }
            for edge in self.inner(node) {
                budget.spend(4)?;
                if seen.insert(edge.to) {
                    came.insert(edge.to, (node, edge.letter));
                    queue.push_back(edge.to);
                }
            }
        }
        let (mut path, mut at) = (Vec::new(), to);
        while at != from {
            let Some(&(before, letter)) = came.get(&at) else { break };
            path.push((letter, at));
            at = before;
        }
        path.reverse();
        Ok(path)
    }

    /// Two ways that part at one of these nodes and meet again there.
    fn diverging(&self, forks: &[RunId], budget: &mut Budget) -> Result<Option<Pump>, Exhausted> {
        let starts: Vec<Pair> = forks.iter().map(|&node| (node, node)).collect();
        let product = Product::explore(&starts, budget, |pair, step| self.together(pair, step))?;
        let component = product.components(budget)?;
        let mut parts: HashSet<u32> = HashSet::new();
        for (place, &(left, right)) in product.nodes.iter().enumerate() {
            if left != right {
                parts.insert(component[place]);
            }
        }
        let fork = (0..starts.len()).find(|&place| parts.contains(&component[place]));
        let Some(fork) = fork else { return Ok(None) };
        let is_apart = |place: usize| product.nodes[place].0 != product.nodes[place].1;
        let within = |place: usize| component[place] == component[fork];
        let Some(out) = product.path(fork, within, is_apart) else { return Ok(None) };
        let apart = out.last().map_or(fork, |&(_, place)| place);
        let Some(back) = product.path(apart, within, |place| place == fork) else { return Ok(None) };
        let way: Vec<_> = out.into_iter().chain(back).collect();
        let node = product.nodes[fork].0;
        let mut nodes = [vec![node], vec![node]];
        for &(_, place) in &way {
            nodes[0].push(product.nodes[place].0);
            nodes[1].push(product.nodes[place].1);
        }
        Ok(Some(Pump { at: node, word: way.iter().map(|&(letter, _)| letter).collect(), nodes }))
    }

    /// How long the longest chain of pairs is, and pumps.
    fn polynomial(&self, budget: &mut Budget) -> Result<Ambiguity, Exhausted> {
        // What each component leads to: numbers of components are in an order in which that comes first.
        let count = self.component.iter().max().map_or(0, |&highest| highest as usize + 1);
        let mut targets: Vec<HashSet<u32>> = vec![HashSet::new(); count];
        for (node, edges) in self.runs.edges.iter().enumerate() {
            for edge in edges {
                budget.spend(2)?;
                let to = self.component[edge.to as usize];
                if to != self.component[node] {
                    targets[self.component[node] as usize].insert(to);
                }
            }
        }
        // The longest chain that begins in a component, and the one in what it leads to or in itself, and where that is.
        let mut own = vec![0; count];
        let mut reached = vec![0; count];
        let mut leader: Vec<u32> = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
        let mut cyclic_after: Vec<Vec<u32>> = vec![Vec::new(); count];
        let mut chains: HashMap<u32, (u32, Pump)> = HashMap::new();
        for from in 0..count {
            let mut after: HashSet<u32> = HashSet::new();
            for &to in &targets[from] {
                if reached[to as usize] > reached[from] {
                    (reached[from], leader[from]) = (reached[to as usize], leader[to as usize]);
                }
                after.extend(&cyclic_after[to as usize]);
                if self.cyclic.contains_key(&to) {
                    after.insert(to);
                }
                budget.spend(4 + cyclic_after[to as usize].len())?;
            }
            let mut after: Vec<u32> = after.into_iter().collect();
            let from_id = u32::try_from(from).unwrap_or(u32::MAX);
            if self.cyclic.contains_key(&from_id) {
                // Those with the longest chains first, and of these the nearest: then the others need not be looked at.
                after.sort_unstable_by_key(|&to| {
                    (std::cmp::Reverse(reached[to as usize]), std::cmp::Reverse(to))
                });
                for &to in &after {
                    if reached[to as usize] < own[from] {
                        break;
                    }
                    if let Some(pump) = self.pair(from_id, to, budget)? {
                        own[from] = reached[to as usize] + 1;
                        chains.insert(from_id, (to, pump));
                        break;
                    }
                }
                if own[from] > reached[from] {
                    (reached[from], leader[from]) = (own[from], from_id);
                }
            }
            after.sort_unstable();
            cyclic_after[from] = after;
        }
        let degree = reached.iter().copied().max().unwrap_or(0);
        if degree == 0 {
            return Ok(Ambiguity::Bounded);
        }
        let mut ordered: Vec<(u32, &(u32, Pump))> =
            chains.iter().map(|(&from, chain)| (from, chain)).collect();
        ordered.sort_unstable_by_key(|&(from, (_, pump))| {
            (
                std::cmp::Reverse(own[from as usize]),
                self.future(pump.at),
                pump.word.len(),
                std::cmp::Reverse(from),
            )
        });
        let mut chain = Vec::new();
        let mut link = ordered.first().map(|&(from, _)| from);
        while let Some((to, pump)) = link.and_then(|from| chains.get(&from)) {
            chain.push(pump.clone());
            link = Some(leader[*to as usize]);
        }
        let pumps = ordered.into_iter().take(MAX_POLYNOMIAL).map(|(_, (_, pump))| pump.clone()).collect();
        Ok(Ambiguity::Polynomial { degree, chain, pumps })
    }

    /// A word by which a node of the one component leads to itself and to one of the other that leads to itself.
    fn pair(&self, from: u32, to: u32, budget: &mut Budget) -> Result<Option<Pump>, Exhausted> {
        let mut starts: Vec<Pair> = Vec::new();
        for &left in &self.cyclic[&from] {
            for &right in &self.cyclic[&to] {
                budget.spend(1)?;
                if self.future(left) == self.future(right) {
                    starts.push((left, right));
                }
            }
        }
        if starts.is_empty() {
            return Ok(None);
        }
        let product = Product::explore(&starts, budget, |pair, step| self.together(pair, step))?;
        let component = product.components(budget)?;
        for place in 0..product.nodes.len() {
            let is_cyclic = product.edges[place].iter().any(|&(_, to)| component[to] == component[place]);
            if is_cyclic
                && let Some(pump) = self.between(product.nodes[place], (&product, &component), budget)?
            {
                return Ok(Some(pump));
            }
        }
        Ok(None)
    }

    /// A word by which `left` leads to itself and to `right`, and `right` to itself.
    fn between(
        &self,
        (left, right): Pair,
        (product, component): (&Product<Pair>, &[u32]),
        budget: &mut Budget,
    ) -> Result<Option<Pump>, Exhausted> {
        let home = component[product.places[&(left, right)]];
        let to = self.component[right as usize];
        // The two cycles, and the way from one to the other between them.
        let triples = Product::explore(&[(left, left, right)], budget, |(one, middle, other), step| {
            let ways = &self.runs.edges[middle as usize];
            let mut work = 0;
            for &(label, pair) in &product.edges[product.places[&(one, other)]] {
                work += 2;
                if component[pair] != home {
                    continue;
                }
                let (next_one, next_other) = product.nodes[pair];
                let first = ways.partition_point(|way| way.group < label.1);
                for way in ways[first..].iter().take_while(|way| way.group == label.1) {
                    work += 1;
                    if self.component[way.to as usize] >= to {
                        step(label, (next_one, way.to, next_other));
                    }
                }
            }
            work
        })?;
        let goal = (left, right, right);
        let Some(way) = triples.path(0, |_| true, |place| triples.nodes[place] == goal) else {
            return Ok(None);
        };
        let mut nodes = [vec![left], vec![right]];
        for &(_, place) in &way {
            nodes[0].push(triples.nodes[place].0);
            nodes[1].push(triples.nodes[place].2);
        }
        let word = way.iter().map(|&(letter, _)| letter).collect();
        Ok(Some(Pump { at: left, word, nodes }))
    }
}

/// Several nodes that read the same text, as far as there is any.
struct Product<N> {
    nodes: Vec<N>,
    places: HashMap<N, usize>,
    /// What is read, and where it leads.
    edges: Vec<Vec<(Label, usize)>>,
}

impl<N: Copy + Eq + std::hash::Hash> Product<N> {
    fn explore(
        starts: &[N],
        budget: &mut Budget,
        next: impl Fn(N, &mut dyn FnMut(Label, N)) -> usize,
    ) -> Result<Product<N>, Exhausted> {
        let mut product = Product { nodes: Vec::new(), places: HashMap::new(), edges: Vec::new() };
        for &start in starts {
            product.place(start);
        }
        let mut at = 0;
        while let Some(&node) = product.nodes.get(at) {
            let mut edges = Vec::new();
            let work = next(node, &mut |label, to| edges.push((label, product.place(to))));
            budget.spend(16 + work + 16 * edges.len())?;
            product.edges[at] = edges;
            at += 1;
        }
        Ok(product)
    }

    fn place(&mut self, node: N) -> usize {
        *self.places.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            self.edges.push(Vec::new());
            self.nodes.len() - 1
        })
    }

    fn components(&self, budget: &mut Budget) -> Result<Vec<u32>, Exhausted> {
        components(self.nodes.len(), |node| &self.edges[node][..], |edge: &(Label, usize)| edge.1, budget)
    }

    /// The shortest way of at least one letter from a place to a goal, within some places.
    fn path(
        &self,
        from: usize,
        within: impl Fn(usize) -> bool,
        is_goal: impl Fn(usize) -> bool,
    ) -> Option<Vec<(u32, usize)>> {
        let mut came: Vec<Option<(usize, u32)>> = vec![None; self.nodes.len()];
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            for &((letter, _), to) in &self.edges[at] {
                if !within(to) || came[to].is_some() {
                    continue;
                }
                came[to] = Some((at, letter));
                if is_goal(to) {
                    let (mut path, mut place) = (Vec::new(), to);
                    loop {
                        let (before, letter) = came[place]?;
                        path.push((letter, place));
                        place = before;
                        if place == from {
                            path.reverse();
                            return Some(path);
                        }
                    }
                }
                queue.push_back(to);
            }
        }
        None
    }
}
