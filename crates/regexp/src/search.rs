//! Searching with the backtracking engine: the programs of a pattern, and when which one runs.
//!
//! A search starts on the plain program. Benign texts never make it spend [`STEPS_A_UNIT`] steps for each unit of the text;
//! where one does, the memoised program goes on from the start that was being tried, and stays in charge of that text. So
//! the work is linear in the text in any case, and the memory that remembering takes is only paid where it is needed.

use crate::backtracker::{Scratch, Stop, UNSET, Work, run};
use crate::ir::Node;
use crate::memo::Memo;
use crate::pattern::{Error, Limits};
use crate::program::{Form, Program};
use crate::start::Start;
use crate::units::Unit;

/// Of the plain program; and some for free.
const STEPS_A_UNIT: u64 = 16;
const FREE_STEPS: u64 = 4096;

pub(crate) struct Backtracker {
    start: Start,
    groups: u32,
    unicode: bool,
    has_references: bool,
    canonical: Vec<(u32, u32)>,
    programs: [Option<Program>; 4],
    scratch: Scratch,
}

/// What successive searches of one text share.
pub(crate) struct Progress {
    memo: Memo,
    is_memoised: bool,
    captures: bool,
    steps: u64,
    /// Where the last match ended.
    end: usize,
}

impl Progress {
    pub(crate) fn new(captures: bool) -> Progress {
        Progress { memo: Memo::new(0, 0, 0), is_memoised: false, captures, steps: 0, end: 0 }
    }

    #[cfg(test)]
    pub(crate) fn memoised(captures: bool, program: &Program, length: usize) -> Progress {
        let memo = Memo::new(program.keys, program.look_keys, length);
        Progress { memo, is_memoised: true, ..Progress::new(captures) }
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.memo.memory_usage()
    }

    /// Steps taken so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }
}

impl Backtracker {
    pub(crate) fn new(root: &Node, groups: u32, unicode: bool, canonical: Vec<(u32, u32)>) -> Backtracker {
        Backtracker {
            start: Start::of(root, unicode),
            groups,
            unicode,
            has_references: root.has_reference(),
            canonical,
            programs: [const { None }; 4],
            scratch: Scratch::default(),
        }
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.programs.iter().flatten().map(Program::memory_usage).sum::<usize>() + self.scratch.memory_usage()
    }

    /// Starts and ends of the last match's groups, [`UNSET`] for those that took no part.
    pub(crate) fn slots(&self) -> &[u32] {
        &self.scratch.slots
    }

    /// The first match at or, unless `sticky`, after `from`. `PAIRS`: the text's surrogate pairs are characters.
    pub(crate) fn find<U: Unit, const PAIRS: bool>(
        &mut self,
        root: &Node,
        text: &[U],
        from: usize,
        sticky: bool,
        progress: &mut Progress,
        limits: Limits,
    ) -> Result<bool, Error> {
        let found = self.find_from::<U, PAIRS>(root, text, from, sticky, progress, limits);
        self.scratch.shrink();
        found
    }

    fn find_from<U: Unit, const PAIRS: bool>(
        &mut self,
        root: &Node,
        text: &[U],
        from: usize,
        sticky: bool,
        progress: &mut Progress,
        limits: Limits,
    ) -> Result<bool, Error> {
        let mut at = from;
        if !progress.is_memoised {
            let max_steps = match limits.backreference_steps {
                Some(steps) if self.has_references => steps,
                _ => FREE_STEPS + STEPS_A_UNIT * (text.len() as u64 + 1),
            };
            let mut work = Work { steps: progress.steps, max_steps, max_memory: limits.memory };
            self.program(root, false, progress.captures)?;
            let result = self.each_start::<U, PAIRS, false>(text, &mut at, sticky, progress, &mut work);
            progress.steps = work.steps;
            match result {
                Ok(found) => return Ok(found),
                Err(Stop::Memory) => return Err(Error::Memory),
                Err(Stop::Steps) if self.has_references => return Err(Error::Budget),
                Err(Stop::Steps) => {}
            }
        }
        let program = self.program(root, true, progress.captures)?;
        // Before the end of the last match there is what was tried on the way to it, and did not fail.
        if !progress.is_memoised || at < progress.end {
            progress.memo = Memo::new(program.keys, program.look_keys, text.len());
            progress.is_memoised = true;
        }
        let mut work = Work { steps: progress.steps, max_steps: u64::MAX, max_memory: limits.memory };
        let result = self.each_start::<U, PAIRS, true>(text, &mut at, sticky, progress, &mut work);
        progress.steps = work.steps;
        let found = result.map_err(|_| Error::Memory)?;
        if found {
            progress.end = self.scratch.slots[1] as usize;
            progress.memo.forget(progress.end);
        }
        Ok(found)
    }

    fn each_start<U: Unit, const PAIRS: bool, const MEMOISED: bool>(
        &mut self,
        text: &[U],
        at: &mut usize,
        sticky: bool,
        progress: &mut Progress,
        work: &mut Work,
    ) -> Result<bool, Stop> {
        let place = place_of(MEMOISED, progress.captures || self.has_references);
        // Compiled just now.
        let Some(program) = &self.programs[place] else { return Ok(false) };
        loop {
            match self.start.next::<U, PAIRS>(text, *at) {
                Some(start) if start == *at || !sticky => *at = start,
                _ => return Ok(false),
            }
            if run::<U, PAIRS, MEMOISED>(program, text, *at, &mut self.scratch, &mut progress.memo, work)? {
                return Ok(true);
            }
            if sticky || *at >= text.len() {
                return Ok(false);
            }
            *at += 1;
        }
    }

    fn program(&mut self, root: &Node, memoised: bool, captures: bool) -> Result<&Program, Error> {
        let captures = captures || self.has_references;
        let form = Form { captures, memoised, unicode: self.unicode };
        let place = &mut self.programs[place_of(memoised, captures)];
        let program = match place.take() {
            Some(program) => program,
            None => {
                let mut program = Program::compile(root, self.groups, form)?;
                program.canonical.clone_from(&self.canonical);
                program
            }
        };
        Ok(place.insert(program))
    }
}

fn place_of(memoised: bool, captures: bool) -> usize {
    usize::from(memoised) * 2 + usize::from(captures)
}

/// A slot as an offset.
pub(crate) fn offset(slot: u32) -> Option<usize> {
    (slot != UNSET).then_some(slot as usize)
}
