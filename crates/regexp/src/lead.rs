//! What a program looks ahead for: which characters can come next where it goes one way or another.
//!
//! It lets a run pass over ways that fail at once: loops that cannot be followed, choices, and rows of alternatives.

use crate::program::{Inst, Program, UNBOUNDED};
use crate::units::{Unit, UnitSet};
use holdfast_regexp_syntax::Set;

/// No lead is known.
pub(crate) const NONE: u32 = u32::MAX;

/// Steps ahead that are looked at for a lead.
const LEAD_STEPS: usize = 24;
/// A row of so many choices is switched, in so many tables of 1 KiB at the most.
const SWITCHED: usize = 4;
const MAX_TABLES: usize = 64;

/// What has to come next, of the characters up to U+00FF, and whether others may: what lets a run pass over ways that fail
/// at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Lead {
    latin1: [u64; 4],
    wide: bool,
    /// Nothing has to come.
    end: bool,
}

impl Lead {
    #[inline(always)]
    pub(crate) fn admits<U: Unit>(&self, text: &[U], at: usize) -> bool {
        let Some(code) = text.get(at).map(|unit| unit.code()) else { return self.end };
        if code < 0x100 { self.latin1[(code >> 6) as usize & 3] & (1 << (code & 63)) != 0 } else { self.wide }
    }

    fn add(&mut self, set: &UnitSet) {
        let (latin1, wide) = set.lead();
        for (mine, its) in self.latin1.iter_mut().zip(latin1) {
            *mine |= its;
        }
        self.wide |= wide;
    }
}

impl Program {
    /// Tells loops over one character what has to follow them, and choices what each way has to start with.
    pub(crate) fn look_ahead(&mut self) {
        for pc in 0..self.insts.len() {
            let next = pc as u32 + 1;
            match self.insts[pc] {
                Inst::Run { set, min, max, greedy, .. } => {
                    let Some(lead) = self.lead(next) else { continue };
                    self.leads.push(lead);
                    let follow = self.leads.len() as u32 - 1;
                    self.insts[pc] = Inst::Run { set, min, max, greedy, follow };
                }
                Inst::Try { other, .. } => {
                    let guards = self.guards(next, other);
                    self.insts[pc] = Inst::Try { other, guards };
                    self.switch(pc);
                }
                Inst::TryLast { preferred, .. } => {
                    let guards = self.guards(preferred, next);
                    self.insts[pc] = Inst::TryLast { preferred, guards };
                }
                _ => {}
            }
        }
    }

    /// Replaces the first choice of a long row of them.
    fn switch(&mut self, pc: usize) {
        let Inst::Try { other, guards } = self.insts[pc] else { return };
        let mut ways = vec![];
        let mut at = other;
        while let Some(&Inst::Try { other: next, .. }) = self.insts.get(at as usize) {
            ways.push((at, at + 1));
            at = next;
        }
        ways.push((at, at));
        if ways.len() + 1 < SWITCHED || self.tables.len() == MAX_TABLES {
            return;
        }
        let Some(first) = self.lead(pc as u32 + 1) else { return };
        let leads: Vec<_> = ways.iter().map(|&(choice, way)| (choice, self.lead(way))).collect();
        let mut table = [0; 256];
        for code in 0..=255u8 {
            if first.admits(&[code], 0) {
                continue;
            }
            // The last way is gone whatever comes: it fails where it is tried.
            let way = leads.iter().find(|(_, lead)| lead.is_none_or(|lead| lead.admits(&[code], 0)));
            table[usize::from(code)] = way.or(leads.last()).map_or(0, |&(choice, _)| choice);
        }
        self.tables.push(table);
        self.insts[pc] = Inst::Switch { table: self.tables.len() as u32 - 1, other, guards };
    }

    pub(crate) fn leading(&self) -> Option<u32> {
        let first = self.insts.iter().find(|inst| !matches!(inst, Inst::Save(_)))?;
        let Inst::Run { set, max: UNBOUNDED, min: 1.., greedy: true, follow } = *first else { return None };
        let follow = self.leads.get(follow as usize)?;
        let (latin1, wide) = self.sets[set as usize].lead();
        let shared = follow.latin1.iter().zip(latin1).any(|(one, other)| one & other != 0);
        let is_disjoint = !(shared || follow.wide && wide);
        // What a group captured from one start may stand again where that from another does not.
        (is_disjoint && self.references.is_empty()).then_some(set)
    }

    fn guards(&mut self, first: u32, second: u32) -> u32 {
        let any = Lead { latin1: [u64::MAX; 4], wide: true, end: true };
        let ways = (self.lead(first), self.lead(second));
        if ways == (None, None) {
            return NONE;
        }
        self.guards.push((ways.0.unwrap_or(any), ways.1.unwrap_or(any)));
        self.guards.len() as u32 - 1
    }

    /// What has to come next for the program to go on from there; nothing when it may end, or that is not known.
    fn lead(&self, from: u32) -> Option<Lead> {
        let mut lead = Lead::default();
        let mut waiting = vec![from];
        for _ in 0..LEAD_STEPS {
            let Some(pc) = waiting.pop() else { return Some(lead) };
            match self.insts[pc as usize] {
                Inst::Char { set } => lead.add(&self.sets[set as usize]),
                Inst::Unit(unit) => lead.add(&singleton(unit)),
                Inst::Text { start, .. } => lead.add(&singleton(self.text[start as usize])),
                Inst::Run { set, min, .. } => {
                    lead.add(&self.sets[set as usize]);
                    if min == 0 {
                        waiting.push(pc + 1);
                    }
                }
                Inst::Try { other, .. } | Inst::Switch { other, .. } => waiting.extend([pc + 1, other]),
                Inst::TryLast { preferred, .. } => waiting.extend([pc + 1, preferred]),
                Inst::Jump(target) => waiting.push(target),
                // Whatever follows starts with one of these.
                Inst::Peek { set, behind: false, negative: false } => lead.add(&self.sets[set as usize]),
                // What consumes nothing can only make fewer ways go on.
                Inst::Peek { .. } => waiting.push(pc + 1),
                Inst::Look { end, .. } => waiting.push(end),
                Inst::Save(_) | Inst::Reset { .. } | Inst::Assert(_) | Inst::Enter(_) | Inst::Memo(_) => {
                    waiting.push(pc + 1);
                }
                Inst::Check(_) => waiting.push(pc + 1),
                Inst::Fail => {}
                Inst::CharBack { .. }
                | Inst::TextBack { .. }
                | Inst::BackReference(_)
                | Inst::Holds
                | Inst::Match => return None,
            }
        }
        None
    }
}

fn singleton(unit: u16) -> UnitSet {
    UnitSet::new(&Set::from_ranges([(u32::from(unit), u32::from(unit))]))
}
