//! Bytecode of the backtracking engine: the IR as instructions over code units, in ECMAScript's order of preference.
//!
//! Counted loops are expanded. A loop whose body can match empty marks where an iteration starts and fails the iteration
//! that ends there (ECMA-262 §22.2.2.3.1, step 2.b); an iteration starts with the captures of its body unset (step 4).
//! Lookbehinds run from right to left.
//!
//! One pattern has up to four programs: with or without captures; and *plain* (loops over one character are single
//! instructions) or *memoised* (every place with more than one way in is a [`Inst::Memo`], see [`crate::backtracker`]).

use crate::lead::{Lead, NONE};
use crate::pattern::Error;
use crate::units::UnitSet;
use holdfast_regexp_syntax::Set;
use holdfast_regexp_syntax::{Assertion, Node};

/// Instructions, which bounds the work of a step count linear in them.
const MAX_INSTRUCTIONS: usize = 1 << 20;

pub(crate) const UNBOUNDED: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inst {
    /// One character of the set with this number.
    Char {
        set: u32,
    },
    CharBack {
        set: u32,
    },
    /// These units of the program's text.
    Text {
        start: u32,
        length: u32,
    },
    TextBack {
        start: u32,
        length: u32,
    },
    /// One unit.
    Unit(u16),
    /// `min` to `max` characters of the set, and then one of the lead `follow`. Plain programs only.
    Run {
        set: u32,
        min: u32,
        max: u32,
        greedy: bool,
        follow: u32,
    },
    /// Go on at the next instruction and, if that fails, at `other`. `guards` are the leads of both.
    Try {
        other: u32,
        guards: u32,
    },
    /// As [`Inst::Try`], the first of many: what comes next tells which way is the first that does not fail at once.
    Switch {
        table: u32,
        other: u32,
        guards: u32,
    },
    /// Go on at `preferred` and, if that fails, at the next instruction. `guards` are the leads of both.
    TryLast {
        preferred: u32,
        guards: u32,
    },
    Jump(u32),
    Save(u32),
    /// Captures from this slot up to, not including, that one become unset.
    Reset {
        from: u32,
        to: u32,
    },
    Assert(Assertion),
    /// An iteration of this loop starts.
    Enter(u32),
    /// The iteration ends: it fails if nothing was consumed.
    Check(u32),
    /// A place that is never tried twice at the same position: see [`Place`].
    Memo(u32),
    /// A lookaround for one character of the set.
    Peek {
        set: u32,
        behind: bool,
        negative: bool,
    },
    /// The body follows, up to its [`Inst::Holds`]; the text goes on at `end`.
    Look {
        negative: bool,
        end: u32,
    },
    /// The body of the innermost lookaround has matched.
    Holds,
    BackReference(u32),
    Match,
    Fail,
}

/// What is remembered of a place, beside the position: how many of the loops around it have made progress. An outer
/// loop's iteration starts before an inner one's, so it is a number, not a set.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its first key of `loops.len() + 1`.
    pub(crate) key: u32,
    /// Within a lookaround, also its first key among the places in lookarounds.
    pub(crate) look_key: Option<u32>,
    /// Those loops around it, in the same lookaround, that have to check for progress.
    pub(crate) loops: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) groups: Vec<u32>,
    pub(crate) ignore_case: bool,
    pub(crate) back: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) insts: Vec<Inst>,
    pub(crate) sets: Vec<UnitSet>,
    pub(crate) text: Vec<u16>,
    pub(crate) places: Vec<Place>,
    /// Keys of all places, and of those in lookarounds.
    pub(crate) keys: u32,
    pub(crate) look_keys: u32,
    pub(crate) loops: u32,
    pub(crate) slots: u32,
    pub(crate) references: Vec<Reference>,
    pub(crate) leads: Vec<Lead>,
    pub(crate) guards: Vec<(Lead, Lead)>,
    /// For each character up to U+00FF where a [`Inst::Switch`] goes on; 0: as the choice that it is.
    pub(crate) tables: Vec<[u32; 256]>,
    /// An assertion that every match starts with.
    pub(crate) asserted: Option<Assertion>,
    /// The set of a greedy loop that every match starts with, if what follows it cannot be in the set. Where such a match
    /// fails, it fails from everywhere in that run of characters: all of these starts come to the same end of it.
    pub(crate) leading: Option<u32>,
    /// The whole program is a greedy loop over one character: its set, and how often at least and at most.
    pub(crate) run: Option<(u32, u32, u32)>,
    /// Case as back-references compare it, by character.
    pub(crate) canonical: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) captures: bool,
    pub(crate) memoised: bool,
    /// Characters are code points, not units.
    pub(crate) unicode: bool,
}

impl Program {
    pub(crate) fn compile(root: &Node, groups: u32, form: Form) -> Result<Program, Error> {
        let captures = form.captures;
        let mut compiler = Compiler {
            program: Program { slots: if captures { 2 * (groups + 1) } else { 2 }, ..Program::default() },
            form,
            known: std::collections::HashMap::new(),
            around: Vec::new(),
            in_look: false,
            join_is_pending: false,
        };
        compiler.node(root, false)?;
        compiler.join_is_pending = false;
        compiler.push(Inst::Match)?;
        let mut program = compiler.program;
        program.look_ahead();
        program.leading = program.leading();
        program.asserted = match program.insts[..] {
            [Inst::Assert(assertion), ..] => Some(assertion),
            _ => None,
        };
        program.run = match program.insts[..] {
            [Inst::Run { set, min: min @ 1.., max, greedy: true, .. }, Inst::Match] => Some((set, min, max)),
            [Inst::Char { set }, Inst::Match] => Some((set, 1, 1)),
            _ => None,
        };
        Ok(program)
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.insts.len() * size_of::<Inst>()
            + self.sets.iter().map(UnitSet::memory_usage).sum::<usize>()
            + 2 * self.text.len()
            + 64 * self.places.len()
            + 1024 * self.tables.len()
            + size_of::<Lead>() * (self.leads.len() + 2 * self.guards.len())
            + 8 * self.canonical.len()
    }
}

struct Compiler {
    program: Program,
    form: Form,
    known: std::collections::HashMap<Vec<(u32, u32)>, u32>,
    /// The loops around, in the same lookaround, that have to check for progress.
    around: Vec<u32>,
    in_look: bool,
    /// What comes next has more than one way in.
    join_is_pending: bool,
}

impl Compiler {
    fn here(&self) -> u32 {
        // At most MAX_INSTRUCTIONS.
        self.program.insts.len() as u32
    }

    fn push(&mut self, inst: Inst) -> Result<u32, Error> {
        if self.join_is_pending {
            match inst {
                // These go on to a place that is remembered, or to an end.
                Inst::Memo(_) | Inst::Match | Inst::Holds | Inst::Fail => self.join_is_pending = false,
                Inst::Jump(_) | Inst::Check(_) => {}
                _ => self.memo()?,
            }
        }
        if self.program.insts.len() == MAX_INSTRUCTIONS {
            return Err(Error::TooLarge("the compiled pattern has more than 1,048,576 instructions"));
        }
        self.program.insts.push(inst);
        Ok(self.here() - 1)
    }

    /// What comes next is a place to be remembered.
    fn memo(&mut self) -> Result<(), Error> {
        self.join_is_pending = false;
        if !self.form.memoised {
            return Ok(());
        }
        if let Some(Inst::Memo(_)) = self.program.insts.last() {
            return Ok(());
        }
        let keys = self.around.len() as u32 + 1;
        let key = self.program.keys;
        self.program.keys += keys;
        let look_key = self.in_look.then(|| {
            let first = self.program.look_keys;
            self.program.look_keys += keys;
            first
        });
        let place = Place { key, look_key, loops: self.around.clone() };
        self.program.places.push(place);
        let number = self.program.places.len() as u32 - 1;
        self.push(Inst::Memo(number))?;
        Ok(())
    }

    fn node(&mut self, node: &Node, back: bool) -> Result<(), Error> {
        match node {
            Node::Empty => {}
            Node::Class(set) => self.class(set, back)?,
            Node::Assertion(assertion) => {
                self.push(Inst::Assert(*assertion))?;
            }
            Node::Concatenation(parts) => self.concatenation(parts, back)?,
            Node::Alternation(branches) => self.alternation(branches, back)?,
            Node::Repetition { min, max, greedy, body, .. } => {
                self.repetition(*min, *max, *greedy, body, back)?;
            }
            Node::Capture(group, body) => {
                let (first, last) =
                    if back { (2 * group + 1, 2 * group) } else { (2 * group, 2 * group + 1) };
                if self.form.captures {
                    self.push(Inst::Save(first))?;
                }
                self.node(body, back)?;
                if self.form.captures {
                    self.push(Inst::Save(last))?;
                }
            }
            Node::Look { behind, negative, body } => {
                if let Node::Class(set) = &**body {
                    let set = self.set(set);
                    self.push(Inst::Peek { set, behind: *behind, negative: *negative })?;
                    return Ok(());
                }
                let look = self.push(Inst::Look { negative: *negative, end: 0 })?;
                let around = std::mem::take(&mut self.around);
                let in_look = std::mem::replace(&mut self.in_look, true);
                self.memo()?;
                self.node(body, *behind)?;
                self.push(Inst::Holds)?;
                self.around = around;
                self.in_look = in_look;
                let end = self.here();
                self.program.insts[look as usize] = Inst::Look { negative: *negative, end };
            }
            Node::BackReference { groups, ignore_case } => {
                let reference = Reference { groups: groups.clone(), ignore_case: *ignore_case, back };
                self.program.references.push(reference);
                self.push(Inst::BackReference(self.program.references.len() as u32 - 1))?;
            }
        }
        Ok(())
    }

    fn class(&mut self, set: &Set, back: bool) -> Result<(), Error> {
        if let Some(unit) = self.spelling(set) {
            return self.text(&[unit], back);
        }
        if set.ranges().is_empty() {
            self.push(Inst::Fail)?;
            return Ok(());
        }
        let set = self.set(set);
        self.push(if back { Inst::CharBack { set } } else { Inst::Char { set } })?;
        Ok(())
    }

    fn set(&mut self, set: &Set) -> u32 {
        let sets = &mut self.program.sets;
        *self.known.entry(set.ranges().to_vec()).or_insert_with(|| {
            sets.push(UnitSet::new(set));
            sets.len() as u32 - 1
        })
    }

    /// The unit of a set's only character. With `u` a lone surrogate has none, as the unit could be half of a pair, and
    /// neither have characters above U+FFFF, which are one place or two.
    fn spelling(&self, set: &Set) -> Option<u16> {
        let &[(low, high)] = set.ranges() else { return None };
        let is_surrogate = (0xD800..=0xDFFF).contains(&low);
        if low != high || (self.form.unicode && is_surrogate) {
            return None;
        }
        u16::try_from(low).ok()
    }

    fn text(&mut self, units: &[u16], back: bool) -> Result<(), Error> {
        if let ([unit], false) = (units, back) {
            self.push(Inst::Unit(*unit))?;
            return Ok(());
        }
        let (start, length) = (self.program.text.len() as u32, units.len() as u32);
        self.program.text.extend_from_slice(units);
        self.push(if back { Inst::TextBack { start, length } } else { Inst::Text { start, length } })?;
        Ok(())
    }

    fn concatenation(&mut self, parts: &[Node], back: bool) -> Result<(), Error> {
        let mut at = 0;
        while at < parts.len() {
            let part = |at: usize| if back { &parts[parts.len() - 1 - at] } else { &parts[at] };
            let mut spelt = Vec::new();
            while at < parts.len() {
                let Node::Class(set) = part(at) else { break };
                let Some(unit) = self.spelling(set) else { break };
                spelt.push(unit);
                at += 1;
            }
            if back {
                spelt.reverse();
            }
            if !spelt.is_empty() {
                self.text(&spelt, back)?;
            } else {
                self.node(part(at), back)?;
                at += 1;
            }
        }
        Ok(())
    }

    fn alternation(&mut self, branches: &[Node], back: bool) -> Result<(), Error> {
        let Some((last, others)) = branches.split_last() else { return Ok(()) };
        let mut ends = Vec::with_capacity(others.len());
        for branch in others {
            let fork = self.push(Inst::Try { other: 0, guards: NONE })?;
            self.node(branch, back)?;
            ends.push(self.push(Inst::Jump(0))?);
            self.join_is_pending = false;
            self.program.insts[fork as usize] = Inst::Try { other: self.here(), guards: NONE };
        }
        self.node(last, back)?;
        for end in ends {
            self.program.insts[end as usize] = Inst::Jump(self.here());
        }
        self.join_is_pending = true;
        Ok(())
    }

    fn repetition(
        &mut self,
        min: u32,
        max: Option<u32>,
        greedy: bool,
        body: &Node,
        back: bool,
    ) -> Result<(), Error> {
        if max == Some(0) {
            return Ok(());
        }
        if let (Node::Class(set), false, false) = (body, back, self.form.memoised)
            && (min, max) != (1, Some(1))
        {
            let set = self.set(set);
            self.push(Inst::Run { set, min, max: max.unwrap_or(UNBOUNDED), greedy, follow: NONE })?;
            return Ok(());
        }
        let captures = self.captures(body);
        for iteration in 0..min {
            if iteration > 0 {
                self.reset(captures)?;
            }
            self.node(body, back)?;
        }
        let check = body.is_nullable();
        match max {
            None => {
                self.memo()?;
                let head = self.here() - u32::from(self.form.memoised);
                let fork = self.fork(greedy)?;
                self.iteration(body, back, captures, check)?;
                // A plain program makes the choice again where it stands, in place of a jump back to it.
                self.push(match (self.form.memoised, greedy) {
                    (true, _) => Inst::Jump(head),
                    (false, true) => Inst::TryLast { preferred: fork + 1, guards: NONE },
                    (false, false) => Inst::Try { other: fork + 1, guards: NONE },
                })?;
                self.join_is_pending = false;
                self.close(fork, greedy);
            }
            Some(max) => {
                let mut forks = Vec::new();
                for _ in min..max {
                    forks.push(self.fork(greedy)?);
                    self.iteration(body, back, captures, check)?;
                }
                let any = !forks.is_empty();
                for fork in forks {
                    self.close(fork, greedy);
                }
                self.join_is_pending |= any;
            }
        }
        Ok(())
    }

    /// The choice between an iteration, which follows, and none: closed by `close`.
    fn fork(&mut self, greedy: bool) -> Result<u32, Error> {
        self.push(if greedy {
            Inst::Try { other: 0, guards: NONE }
        } else {
            Inst::TryLast { preferred: 0, guards: NONE }
        })
    }

    fn close(&mut self, fork: u32, greedy: bool) {
        let end = self.here();
        self.program.insts[fork as usize] = if greedy {
            Inst::Try { other: end, guards: NONE }
        } else {
            Inst::TryLast { preferred: end, guards: NONE }
        };
    }

    fn iteration(
        &mut self,
        body: &Node,
        back: bool,
        captures: Option<(u32, u32)>,
        check: bool,
    ) -> Result<(), Error> {
        self.reset(captures)?;
        if !check {
            return self.node(body, back);
        }
        let number = self.program.loops;
        self.program.loops += 1;
        self.push(Inst::Enter(number))?;
        self.around.push(number);
        self.node(body, back)?;
        self.around.pop();
        self.push(Inst::Check(number))?;
        Ok(())
    }

    /// The slots of the groups in a loop's body.
    fn captures(&self, body: &Node) -> Option<(u32, u32)> {
        if !self.form.captures {
            return None;
        }
        let (mut all, mut always) = (Vec::new(), Vec::new());
        body.captures(&mut all, &mut always);
        // Groups are numbered by their opening parentheses: those in a body follow each other.
        let (first, last) = (all.iter().min()?, all.iter().max()?);
        Some((2 * first, 2 * last + 2))
    }

    fn reset(&mut self, captures: Option<(u32, u32)>) -> Result<(), Error> {
        if let Some((from, to)) = captures {
            self.push(Inst::Reset { from, to })?;
        }
        Ok(())
    }
}
