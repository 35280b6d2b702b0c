//! A backtracking matcher that takes a program as it stands: one way after the other, each with its own copy of what it
//! has seen. It counts its steps: a character, an assertion, a lookaround or a back-reference that is tried.
//!
//! It is what the rest of this crate makes claims about, as plain as can be. Counting by it takes as long as the attack
//! does, so [`crate::count`] counts the same in another way, and this one only where there are back-references.

use crate::program::{Program, State, Step};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) steps: u64,
    pub(crate) matched: bool,
}

/// More steps than allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped;

/// Turns for each step that it may take.
const TURNS: u64 = 20;

pub(crate) struct Machine<'a> {
    program: &'a Program,
    text: &'a [u32],
    /// Of characters that are equal under `i` the one that stands for all, sorted.
    canonical: &'a [(u32, u32)],
    limit: u64,
    steps: u64,
    /// What it takes to go from one step to the next, which is none of the steps.
    turns: u64,
}

/// One way through the pattern.
#[derive(Clone)]
struct Way {
    state: State,
    at: usize,
    /// Where the iterations around it began.
    begun: Vec<usize>,
    slots: Vec<Option<usize>>,
}

impl<'a> Machine<'a> {
    pub(crate) fn run(
        program: &'a Program,
        text: &'a [u32],
        canonical: &'a [(u32, u32)],
        limit: u64,
    ) -> Result<Outcome, Stopped> {
        let mut machine = Machine { program, text, canonical, limit, steps: 0, turns: 0 };
        let slots = vec![None; 2 * (program.groups as usize + 1)];
        let region = program.regions[0];
        let matched = machine.attempt(region.entry, 0, region.behind, slots)?.is_some();
        Ok(Outcome { steps: machine.steps, matched })
    }

    fn step(&mut self) -> Result<(), Stopped> {
        self.steps += 1;
        if self.steps > self.limit { Err(Stopped) } else { Ok(()) }
    }

    fn turn(&mut self, turns: usize) -> Result<(), Stopped> {
        self.turns += turns as u64;
        if self.turns > TURNS * self.limit { Err(Stopped) } else { Ok(()) }
    }

    /// The slots as the first way leaves them that comes to an end. Recurses as deep as lookarounds nest.
    fn attempt(
        &mut self,
        state: State,
        at: usize,
        behind: bool,
        slots: Vec<Option<usize>>,
    ) -> Result<Option<Vec<Option<usize>>>, Stopped> {
        let mut ways = vec![Way { state, at, begun: Vec::new(), slots }];
        while let Some(mut way) = ways.pop() {
            loop {
                self.turn(1)?;
                match &self.program.steps[way.state as usize] {
                    Step::Accept => return Ok(Some(way.slots)),
                    Step::Split(targets) => {
                        let Some((first, others)) = targets.split_first() else { break };
                        self.turn(others.len() * (1 + way.slots.len() / 16))?;
                        for &state in others.iter().rev() {
                            ways.push(Way { state, ..way.clone() });
                        }
                        way.state = *first;
                    }
                    Step::Character { set, next, .. } => {
                        self.step()?;
                        let set = &self.program.sets[*set as usize];
                        match self.read(way.at, behind) {
                            Some(at) if set.contains(self.text[at.min(way.at)]) => {
                                (way.at, way.state) = (at, *next);
                            }
                            _ => break,
                        }
                    }
                    Step::Condition(condition, next) => {
                        self.step()?;
                        let before = way.at.checked_sub(1).map(|at| self.program.asked.bits(self.text[at]));
                        let after =
                            self.text.get(way.at).map(|&character| self.program.asked.bits(character));
                        if !condition.holds(before, after) {
                            break;
                        }
                        way.state = *next;
                    }
                    Step::Look { negative, body, region, next } => {
                        self.step()?;
                        let (entry, direction) = match region {
                            Some(region) => {
                                let region = self.program.regions[*region as usize];
                                (region.entry, region.behind)
                            }
                            None => (*body, behind),
                        };
                        match (self.attempt(entry, way.at, direction, way.slots.clone())?, negative) {
                            (Some(slots), false) => way.slots = slots,
                            (None, true) => {}
                            _ => break,
                        }
                        way.state = *next;
                    }
                    Step::Enter { scope, next } => {
                        way.begun.truncate(*scope as usize);
                        way.begun.push(way.at);
                        way.state = *next;
                    }
                    Step::Leave { scope, next } => {
                        if way.begun[*scope as usize] == way.at {
                            break;
                        }
                        way.state = *next;
                    }
                    Step::Save { slot, next } => {
                        way.slots[*slot as usize] = Some(way.at);
                        way.state = *next;
                    }
                    Step::Forget { groups: (first, last), next } => {
                        way.slots[2 * *first as usize..2 * (*last as usize + 1)].fill(None);
                        way.state = *next;
                    }
                    Step::BackReference { groups, ignore_case, behind, next, .. } => {
                        self.step()?;
                        match self.again(&way, groups, *ignore_case, *behind)? {
                            Some(at) => (way.at, way.state) = (at, *next),
                            None => break,
                        }
                    }
                    Step::Approximation(next) => way.state = *next,
                }
            }
        }
        Ok(None)
    }

    /// Where the next position is, if there is one.
    fn read(&self, at: usize, behind: bool) -> Option<usize> {
        if behind { at.checked_sub(1) } else { (at < self.text.len()).then_some(at + 1) }
    }

    /// Where the text of the group that has matched ends, if it stands here again.
    fn again(
        &mut self,
        way: &Way,
        groups: &[u32],
        ignore_case: bool,
        behind: bool,
    ) -> Result<Option<usize>, Stopped> {
        let span = groups.iter().find_map(|&group| {
            let (start, end) = (way.slots[2 * group as usize], way.slots[2 * group as usize + 1]);
            Some((start?, end?))
        });
        let Some((start, end)) = span else { return Ok(Some(way.at)) };
        let length = end.saturating_sub(start);
        let from = if behind { way.at.checked_sub(length) } else { Some(way.at) };
        let Some(from) = from.filter(|from| from + length <= self.text.len()) else { return Ok(None) };
        for offset in 0..length {
            self.step()?;
            let (left, right) = (self.text[start + offset], self.text[from + offset]);
            if left != right && !(ignore_case && self.canonical(left) == self.canonical(right)) {
                return Ok(None);
            }
        }
        Ok(Some(if behind { from } else { from + length }))
    }

    fn canonical(&self, character: u32) -> u32 {
        match self.canonical.binary_search_by_key(&character, |&(character, _)| character) {
            Ok(place) => self.canonical[place].1,
            Err(_) => character,
        }
    }
}
