//! Searching with the backtracking engine: the programs of a pattern, and when which one runs.
//!
//! A search starts on the plain program. Benign texts never make it spend 16 steps for each unit of a text (8 of a long one);
//! where one does, the memoised program goes on from the start that was being tried, and stays in charge of that text. So
//! the work is linear in the text in any case, and the memory that remembering takes is only paid where it is needed.

use crate::backtracker::{Stop, Work, holds, run};
use crate::memo::Memo;
use crate::pattern::{Error, Limits};
use crate::program::{Form, Program};
use crate::stack::{Scratch, UNSET};
use crate::start::Start;
use crate::units::{Unit, next};
use crate::work::add;
use holdfast_regexp_syntax::Node;

/// Of the plain program: for each unit of the first [`GENEROUS_UNITS`], for each one after these, and some for free.
const STEPS_A_UNIT: u64 = 16;
const STEPS_A_UNIT_AFTER: u64 = 8;
const GENEROUS_UNITS: u64 = 64 << 10;
const FREE_STEPS: u64 = 4096;

/// What a text of that many units is worth on the plain program.
fn plain_steps(units: usize) -> u64 {
    let generous = GENEROUS_UNITS.min(units as u64);
    FREE_STEPS + STEPS_A_UNIT * generous + STEPS_A_UNIT_AFTER * (units as u64 - generous)
}

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
    /// There when the memoised program is in charge.
    memo: Option<Box<Memo>>,
    captures: bool,
    steps: u64,
    /// Where the last match ended.
    end: usize,
}

impl Progress {
    pub(crate) fn new(captures: bool) -> Progress {
        Progress { memo: None, captures, steps: 0, end: 0 }
    }

    #[cfg(test)]
    pub(crate) fn memoised(captures: bool, program: &Program, length: usize) -> Progress {
        let memo = Memo::new(program.keys, program.look_keys, length);
        Progress { memo: Some(Box::new(memo)), ..Progress::new(captures) }
    }

    /// Whether captures are wanted, or bounds only.
    pub(crate) fn captures(&self) -> bool {
        self.captures
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.memo.as_ref().map_or(0, |memo| memo.memory_usage())
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
        let found = self.find_within::<U, PAIRS>(root, text, from, sticky, progress, limits, u64::MAX)?;
        Ok(found == Some(true))
    }

    /// The same, as long as the text has taken no more than `max_steps` in all; nothing then.
    #[allow(clippy::too_many_arguments, reason = "a search has as many")]
    pub(crate) fn find_within<U: Unit, const PAIRS: bool>(
        &mut self,
        root: &Node,
        text: &[U],
        from: usize,
        sticky: bool,
        progress: &mut Progress,
        limits: Limits,
        max_steps: u64,
    ) -> Result<Option<bool>, Error> {
        let linear_steps = match limits.backreference_steps {
            Some(steps) if self.has_references => steps,
            _ => plain_steps(text.len()),
        };
        let steps = linear_steps.min(max_steps);
        let mut at = from;
        let found = match self.plain::<U, PAIRS>(root, text, &mut at, sticky, progress, limits, steps)? {
            Some(found) => Ok(Some(found)),
            None if max_steps < linear_steps => Ok(None),
            None if self.has_references => Err(Error::Budget),
            None => self.memoised::<U, PAIRS>(root, text, at, sticky, progress, limits).map(Some),
        };
        self.scratch.shrink();
        found
    }

    /// Whether there is a match in `text` that would be the same if more text came after it; nothing when that cannot be
    /// told with few steps. For finding matches near the start of a text that is not all there.
    pub(crate) fn find_early<U: Unit, const PAIRS: bool>(
        &mut self,
        root: &Node,
        text: &[U],
        sticky: bool,
        captures: bool,
        limits: Limits,
    ) -> Result<bool, Error> {
        let max_steps = plain_steps(text.len());
        let mut work = Work { steps: 0, max_steps, max_memory: limits.memory, saw_end: false };
        let place = self.program(root, false, captures)?;
        let memo = &mut Memo::default();
        let found = self.each_start::<U, PAIRS, false>(place, text, &mut 0, sticky, memo, &mut work);
        Ok(found == Ok(true) && !work.saw_end)
    }

    /// `at` becomes the start that was tried last. Nothing when that took too many steps, or before had.
    #[allow(clippy::too_many_arguments, reason = "a search has as many")]
    #[inline]
    fn plain<U: Unit, const PAIRS: bool>(
        &mut self,
        root: &Node,
        text: &[U],
        at: &mut usize,
        sticky: bool,
        progress: &mut Progress,
        limits: Limits,
        max_steps: u64,
    ) -> Result<Option<bool>, Error> {
        if progress.memo.is_some() {
            return Ok(None);
        }
        let mut work = Work { steps: progress.steps, max_steps, max_memory: limits.memory, saw_end: false };
        let place = self.program(root, false, progress.captures)?;
        let memo = &mut Memo::default();
        let result = self.each_start::<U, PAIRS, false>(place, text, at, sticky, memo, &mut work);
        progress.steps = work.steps;
        match result {
            Ok(found) => Ok(Some(found)),
            Err(Stop::Memory) => Err(Error::Memory),
            Err(Stop::Steps) => Ok(None),
        }
    }

    fn memoised<U: Unit, const PAIRS: bool>(
        &mut self,
        root: &Node,
        text: &[U],
        mut at: usize,
        sticky: bool,
        progress: &mut Progress,
        limits: Limits,
    ) -> Result<bool, Error> {
        let place = self.program(root, true, progress.captures)?;
        let Some(program) = &self.programs[place] else { return Ok(false) }; // compiled just now
        // Before the end of the last match there is what was tried on the way to it, and did not fail.
        if at < progress.end {
            progress.memo = None;
        }
        let memo = match &mut progress.memo {
            Some(memo) => memo,
            none => {
                if Memo::least(program.keys, program.look_keys, text.len()) > limits.memory {
                    return Err(Error::Memory);
                }
                none.insert(Box::new(Memo::new(program.keys, program.look_keys, text.len())))
            }
        };
        let mut work =
            Work { steps: progress.steps, max_steps: u64::MAX, max_memory: limits.memory, saw_end: false };
        let result = self.each_start::<U, PAIRS, true>(place, text, &mut at, sticky, memo, &mut work);
        progress.steps = work.steps;
        let found = result.map_err(|_| Error::Memory)?;
        if found {
            progress.end = self.scratch.slots[1] as usize;
            memo.forget(progress.end);
        }
        Ok(found)
    }

    fn each_start<U: Unit, const PAIRS: bool, const MEMOISED: bool>(
        &mut self,
        place: usize,
        text: &[U],
        at: &mut usize,
        sticky: bool,
        memo: &mut Memo,
        work: &mut Work,
    ) -> Result<bool, Stop> {
        // Compiled just now.
        let Some(program) = &self.programs[place] else { return Ok(false) };
        loop {
            // A sticky search must not look further than where it stands: it may be one of many.
            if !sticky {
                let start = self.start.next::<U, PAIRS>(text, *at);
                add((start.unwrap_or(text.len()) - *at) as u64);
                match start {
                    Some(start) => *at = start,
                    None => return Ok(false),
                }
            }
            if let Some(assertion) = program.asserted {
                work.steps += 1;
                work.saw_end |= *at == text.len();
                if !holds(assertion, text, *at) {
                    if sticky || *at >= text.len() {
                        return Ok(false);
                    }
                    *at += 1;
                    continue;
                }
            }
            if !MEMOISED && let Some((set, min, max)) = program.run {
                // The same as below, without a machine.
                let set = &program.sets[set as usize];
                let (mut end, mut count) = (*at, 0);
                while count < max && end < text.len() {
                    let (code, after) = next::<U, PAIRS>(text, end);
                    if !set.contains(code) {
                        break;
                    }
                    (end, count) = (after, count + 1);
                }
                work.steps += (end - *at) as u64 + 1;
                work.saw_end |= end == text.len();
                if count >= min {
                    let slots = self.scratch.unset(program.slots as usize);
                    (slots[0], slots[1]) = (*at as u32, end as u32);
                    return Ok(true);
                }
                if sticky {
                    return Ok(false);
                }
                if work.steps > work.max_steps {
                    return Err(Stop::Steps);
                }
                // Where the run ends is no start either; where none begins, the next place may be one.
                *at = end.max(*at + 1);
                if *at > text.len() {
                    return Ok(false);
                }
                continue;
            }
            if run::<U, PAIRS, MEMOISED>(program, text, *at, &mut self.scratch, memo, work)? {
                return Ok(true);
            }
            if sticky || *at >= text.len() {
                return Ok(false);
            }
            let (code, after) = next::<U, PAIRS>(text, *at);
            match program.leading.map(|set| &program.sets[set as usize]) {
                Some(set) if set.contains(code) => {
                    *at = after;
                    while *at < text.len() {
                        let (code, after) = next::<U, PAIRS>(text, *at);
                        if !set.contains(code) {
                            break;
                        }
                        *at = after;
                    }
                }
                _ => *at += 1,
            }
        }
    }

    /// Sees to it that there is the program, and says where.
    #[inline]
    fn program(&mut self, root: &Node, memoised: bool, captures: bool) -> Result<usize, Error> {
        let captures = captures || self.has_references;
        let place = usize::from(memoised) * 2 + usize::from(captures);
        if self.programs[place].is_none() {
            let form = Form { captures, memoised, unicode: self.unicode };
            let mut program = Program::compile(root, self.groups, form)?;
            program.canonical.clone_from(&self.canonical);
            self.programs[place] = Some(program);
        }
        Ok(place)
    }
}

/// A slot as an offset.
pub(crate) fn offset(slot: u32) -> Option<usize> {
    (slot != UNSET).then_some(slot as usize)
}
