//! The backtracking engine: runs a [`Program`] at one start, in ECMAScript's order of preference.
//!
//! A *plain* program backtracks as V8 does, up to a limit of steps. A *memoised* one never tries a [`Inst::Memo`] place
//! twice at the same position: as every place with more than one way in is one, no instruction runs more often than once
//! for each position and each number of loops around it, so a search costs O(instructions × text) however many starts it
//! tries, and so do all searches through one text that share a [`Memo`].
//!
//! Nothing recurses: what is still to be tried, what is to be restored, and lookarounds in progress are on one stack.

use crate::lead::NONE;
use crate::memo::{Memo, NIL};
use crate::program::{Inst, Program, Reference, UNBOUNDED};
use crate::stack::{
    BRANCH, Entry, Frame, KIND_BITS, LAZY, LOOK, LOOP, RUN, SLOT, Scratch, TRAIL_KEPT, Trail, UNSET, restores,
};
use crate::units::{Unit, is_folded_word, is_high, is_line_terminator, is_low, is_word, next, previous};
use holdfast_regexp_syntax::Assertion;

/// Why a run ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Steps,
    Memory,
}

/// What a search may use, and has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) steps: u64,
    pub(crate) max_steps: u64,
    /// Bytes for the stack, the trail and the memo.
    pub(crate) max_memory: usize,
    /// Whether a run has looked where the text ends: if not, more text would have changed nothing.
    pub(crate) saw_end: bool,
}

/// Whether the program matches at `start`. The slots then tell where.
pub(crate) fn run<U: Unit, const PAIRS: bool, const MEMOISED: bool>(
    program: &Program,
    text: &[U],
    start: usize,
    scratch: &mut Scratch,
    memo: &mut Memo,
    work: &mut Work,
) -> Result<bool, Stop> {
    scratch.unset(program.slots as usize);
    let Scratch { slots, loops, stack, frames, trail } = scratch;
    loops.resize(program.loops as usize, 0);
    stack.clear();
    frames.clear();
    trail.clear();
    slots[0] = start as u32;
    let insts = &program.insts[..];
    // Whoever looks for starts has seen that the assertion holds.
    let (mut pc, mut at) = (usize::from(program.asserted.is_some()), start);
    let (mut steps, max_steps) = (work.steps, work.max_steps);

    // Room for one more entry: as much again as there is, but no more than half of what the memory limit leaves.
    macro_rules! push {
        ($to:ident, $entry:expr) => {{
            if $to.len() == $to.capacity() {
                let used = stack.capacity() * size_of::<Entry>()
                    + trail.capacity() * size_of::<Trail>()
                    + if MEMOISED { memo.memory_usage() } else { 0 };
                let room = work.max_memory.saturating_sub(used) / size_of::<Entry>();
                let more = $to.capacity().min(room / 2).max(64);
                if room < 64 {
                    work.steps = steps;
                    return Err(Stop::Memory);
                }
                $to.reserve_exact(more);
            }
            $to.push($entry);
        }};
    }

    'step: loop {
        steps += 1;
        if steps > max_steps {
            work.steps = steps;
            return Err(Stop::Steps);
        }
        'fail: {
            match insts[pc] {
                Inst::Unit(unit) => {
                    let Some(found) = text.get(at) else {
                        work.saw_end = true;
                        break 'fail;
                    };
                    if found.code() == u32::from(unit) {
                        at += 1;
                        pc += 1;
                        continue 'step;
                    }
                    break 'fail;
                }
                Inst::Char { set } => {
                    if at < text.len() {
                        let (code, after) = next::<U, PAIRS>(text, at);
                        if program.sets[set as usize].contains(code) {
                            at = after;
                            pc += 1;
                            continue 'step;
                        }
                    } else {
                        work.saw_end = true;
                    }
                    break 'fail;
                }
                Inst::CharBack { set } => {
                    if at > 0 {
                        let (code, before) = previous::<U, PAIRS>(text, at);
                        if program.sets[set as usize].contains(code) {
                            at = before;
                            pc += 1;
                            continue 'step;
                        }
                    }
                    break 'fail;
                }
                Inst::Text { start, length } => {
                    let wanted = &program.text[start as usize..(start + length) as usize];
                    work.saw_end |= at + wanted.len() > text.len();
                    if let Some(found) = text.get(at..at + wanted.len())
                        && same(found, wanted)
                    {
                        at += wanted.len();
                        pc += 1;
                        continue 'step;
                    }
                    break 'fail;
                }
                Inst::TextBack { start, length } => {
                    let wanted = &program.text[start as usize..(start + length) as usize];
                    if let Some(from) = at.checked_sub(wanted.len())
                        && same(&text[from..at], wanted)
                    {
                        at = from;
                        pc += 1;
                        continue 'step;
                    }
                    break 'fail;
                }
                Inst::Run { set, min, max, greedy, follow } => {
                    let set = &program.sets[set as usize];
                    let from = at;
                    let mut count = 0;
                    while count < min {
                        if at == text.len() {
                            work.saw_end = true;
                            break 'fail;
                        }
                        let (code, after) = next::<U, PAIRS>(text, at);
                        if !set.contains(code) {
                            break 'fail;
                        }
                        at = after;
                        count += 1;
                    }
                    if !greedy {
                        steps += (at - from) as u64;
                        if max > min {
                            let left = if max == UNBOUNDED { UNBOUNDED } else { max - min };
                            push!(stack, Entry::new(LAZY, pc as u32, at as u32, left));
                        }
                        pc += 1;
                        continue 'step;
                    }
                    let low = at;
                    if PAIRS || max != UNBOUNDED {
                        while count < max && at < text.len() {
                            let (code, after) = next::<U, PAIRS>(text, at);
                            if !set.contains(code) {
                                break;
                            }
                            at = after;
                            count += 1;
                        }
                    } else {
                        let rest = &text[at..];
                        at += rest.iter().position(|unit| !set.contains(unit.code())).unwrap_or(rest.len());
                    }
                    steps += (at - from) as u64;
                    work.saw_end |= at == text.len();
                    if follow != NONE {
                        let follow = &program.leads[follow as usize];
                        let end = at;
                        loop {
                            if follow.admits(text, at) {
                                break;
                            }
                            if at == low {
                                steps += (end - at) as u64;
                                break 'fail;
                            }
                            at = previous::<U, PAIRS>(text, at).1;
                        }
                        steps += (end - at) as u64;
                    }
                    if at > low {
                        push!(stack, Entry::new(RUN, pc as u32, low as u32, at as u32));
                    }
                    pc += 1;
                    continue 'step;
                }
                Inst::Switch { other, guards, .. } | Inst::Try { other, guards } => {
                    if let Inst::Switch { table, .. } = insts[pc] {
                        match text.get(at).map(|unit| unit.code()) {
                            Some(code @ 0..0x100) => {
                                let way = program.tables[table as usize][code as usize & 0xFF];
                                if way != 0 {
                                    pc = way as usize;
                                    continue 'step;
                                }
                            }
                            Some(_) => {}
                            None => work.saw_end = true,
                        }
                    }
                    if guards != NONE {
                        work.saw_end |= at == text.len();
                        let (this, that) = &program.guards[guards as usize];
                        if !this.admits(text, at) {
                            pc = other as usize;
                            continue 'step;
                        }
                        if !that.admits(text, at) {
                            pc += 1;
                            continue 'step;
                        }
                    }
                    push!(stack, Entry::new(BRANCH, other, at as u32, trail.len() as u32));
                    pc += 1;
                    continue 'step;
                }
                Inst::TryLast { preferred, guards } => {
                    if guards != NONE {
                        work.saw_end |= at == text.len();
                        let (this, that) = &program.guards[guards as usize];
                        if !this.admits(text, at) {
                            pc += 1;
                            continue 'step;
                        }
                        if !that.admits(text, at) {
                            pc = preferred as usize;
                            continue 'step;
                        }
                    }
                    push!(stack, Entry::new(BRANCH, pc as u32 + 1, at as u32, trail.len() as u32));
                    pc = preferred as usize;
                    continue 'step;
                }
                Inst::Jump(target) => {
                    pc = target as usize;
                    continue 'step;
                }
                Inst::Save(slot) => {
                    if !restores(stack, slot) {
                        push!(stack, Entry::slot(slot, slots[slot as usize]));
                    }
                    slots[slot as usize] = at as u32;
                    if MEMOISED && !frames.is_empty() {
                        push!(trail, Trail::Slot { slot, value: at as u32 });
                    }
                    pc += 1;
                    continue 'step;
                }
                Inst::Reset { from, to } => {
                    for slot in from..to {
                        if slots[slot as usize] != UNSET {
                            if !restores(stack, slot) {
                                push!(stack, Entry::slot(slot, slots[slot as usize]));
                            }
                            slots[slot as usize] = UNSET;
                        }
                        if MEMOISED && !frames.is_empty() {
                            push!(trail, Trail::Slot { slot, value: UNSET });
                        }
                    }
                    steps += u64::from(to - from) / 4;
                    pc += 1;
                    continue 'step;
                }
                Inst::Assert(assertion) => {
                    work.saw_end |= at == text.len();
                    if holds(assertion, text, at) {
                        pc += 1;
                        continue 'step;
                    }
                    break 'fail;
                }
                Inst::Enter(number) => {
                    push!(stack, Entry::new(LOOP, number, loops[number as usize], 0));
                    loops[number as usize] = at as u32;
                    pc += 1;
                    continue 'step;
                }
                Inst::Check(number) => {
                    if loops[number as usize] != at as u32 {
                        pc += 1;
                        continue 'step;
                    }
                    break 'fail;
                }
                Inst::Memo(place) => {
                    if !MEMOISED {
                        pc += 1;
                        continue 'step;
                    }
                    let place = &program.places[place as usize];
                    let progress =
                        place.loops.iter().take_while(|&&number| loops[number as usize] != at as u32).count()
                            as u32;
                    if memo.memory_usage() > work.max_memory {
                        work.steps = steps;
                        return Err(Stop::Memory);
                    }
                    let Some(look_key) = place.look_key else {
                        if memo.try_once(place.key + progress, at) {
                            break 'fail;
                        }
                        pc += 1;
                        continue 'step;
                    };
                    let look_key = look_key + progress;
                    if !memo.try_once(place.key + progress, at) {
                        push!(trail, Trail::Place { look_key, at: at as u32 });
                        pc += 1;
                        continue 'step;
                    }
                    let Some(outcomes) = memo.success(look_key, at) else { break 'fail };
                    push!(trail, Trail::Outcomes(outcomes));
                    for outcome in memo.list(outcomes) {
                        push!(stack, Entry::slot(outcome.slot, slots[outcome.slot as usize]));
                        slots[outcome.slot as usize] = outcome.value;
                    }
                    // On to where the body's end would be reached.
                }
                Inst::Peek { set, behind, negative } => {
                    let set = &program.sets[set as usize];
                    let found = if behind {
                        at > 0 && set.contains(previous::<U, PAIRS>(text, at).0)
                    } else {
                        work.saw_end |= at == text.len();
                        at < text.len() && set.contains(next::<U, PAIRS>(text, at).0)
                    };
                    if found != negative {
                        pc += 1;
                        continue 'step;
                    }
                    break 'fail;
                }
                Inst::Look { negative, end } => {
                    frames.push(Frame {
                        negative,
                        end,
                        at: at as u32,
                        stack: stack.len() as u32,
                        trail: trail.len() as u32,
                    });
                    push!(stack, Entry::new(LOOK, 0, 0, 0));
                    pc += 1;
                    continue 'step;
                }
                Inst::Holds => {}
                Inst::BackReference(number) => {
                    let reference = &program.references[number as usize];
                    let before = at;
                    // How far it reads is not worth telling.
                    work.saw_end = true;
                    match refer::<U, PAIRS>(program, reference, slots, text, at) {
                        Some(after) => {
                            at = after;
                            steps += before.abs_diff(after) as u64;
                            pc += 1;
                            continue 'step;
                        }
                        None => break 'fail,
                    }
                }
                Inst::Match => {
                    slots[1] = at as u32;
                    work.steps = steps;
                    return Ok(true);
                }
                Inst::Fail => break 'fail,
            }

            // The body of the innermost lookaround has matched.
            let Some(frame) = frames.pop() else { break 'fail };
            if MEMOISED {
                let mut outcomes = NIL;
                for entry in trail[frame.trail as usize..].iter().rev() {
                    match *entry {
                        Trail::Place { look_key, at } => memo.set_success(look_key, at as usize, outcomes),
                        Trail::Slot { slot, value } => outcomes = memo.with(outcomes, slot, value),
                        Trail::Outcomes(earlier) => outcomes = memo.with_all(outcomes, earlier),
                    }
                }
                steps += (trail.len() - frame.trail as usize) as u64;
                trail.truncate(frame.trail as usize);
                if trail.capacity() > TRAIL_KEPT && trail.len() < TRAIL_KEPT / 2 {
                    trail.shrink_to(TRAIL_KEPT);
                }
                if outcomes != NIL && !frame.negative && !frames.is_empty() {
                    push!(trail, Trail::Outcomes(outcomes));
                }
            }
            let base = frame.stack as usize;
            if frame.negative {
                while stack.len() > base {
                    if let Some(entry) = stack.pop().filter(|entry| entry.is_slot()) {
                        slots[(entry.what >> KIND_BITS) as usize] = entry.first;
                    }
                }
                break 'fail;
            }
            // Nothing in the body is tried again, but its captures are unset should what follows fail.
            let mut kept = base;
            if program.slots > 2 {
                for place in base..stack.len() {
                    let entry = stack[place];
                    if entry.is_slot() && !restores(&stack[..kept], entry.what >> KIND_BITS) {
                        stack[kept] = entry;
                        kept += 1;
                    }
                }
                steps += (stack.len() - base) as u64 / 4;
            }
            stack.truncate(kept);
            at = frame.at as usize;
            pc = frame.end as usize;
            continue 'step;
        }

        loop {
            let Some(top) = stack.pop() else {
                work.steps = steps;
                return Ok(false);
            };
            let place = (top.what >> KIND_BITS) as usize;
            match top.what & ((1 << KIND_BITS) - 1) {
                BRANCH => {
                    pc = place;
                    at = top.first as usize;
                    if MEMOISED {
                        trail.truncate(top.second as usize);
                    }
                    break;
                }
                SLOT => slots[place] = top.first,
                LOOP => loops[place] = top.first,
                RUN => {
                    let low = top.first as usize;
                    at = previous::<U, PAIRS>(text, top.second as usize).1;
                    if let Inst::Run { follow, .. } = insts[place]
                        && follow != NONE
                    {
                        let follow = &program.leads[follow as usize];
                        let from = at;
                        // `at` lies before the end.
                        while !follow.admits(text, at) && at > low {
                            at = previous::<U, PAIRS>(text, at).1;
                        }
                        steps += (from - at) as u64;
                        if at == low && !follow.admits(text, at) {
                            continue;
                        }
                    }
                    if at > low {
                        // There was room for one just now.
                        stack.push(Entry::new(RUN, place as u32, low as u32, at as u32));
                    }
                    pc = place + 1;
                    break;
                }
                LAZY => {
                    let Inst::Run { set, follow, .. } = insts[place] else { continue };
                    let set = &program.sets[set as usize];
                    at = top.first as usize;
                    let mut left = top.second;
                    let mut found = false;
                    while left > 0 && at < text.len() {
                        let (code, after) = next::<U, PAIRS>(text, at);
                        if !set.contains(code) {
                            break;
                        }
                        at = after;
                        if left != UNBOUNDED {
                            left -= 1;
                        }
                        steps += 1;
                        if follow == NONE || program.leads[follow as usize].admits(text, at) {
                            found = true;
                            break;
                        }
                    }
                    work.saw_end |= at == text.len();
                    if !found {
                        continue;
                    }
                    if left > 0 {
                        stack.push(Entry::new(LAZY, place as u32, at as u32, left));
                    }
                    pc = place + 1;
                    break;
                }
                _ => {
                    // The body of the innermost lookaround has failed.
                    let Some(frame) = frames.pop() else { continue };
                    if MEMOISED {
                        trail.truncate(frame.trail as usize);
                    }
                    if frame.negative {
                        at = frame.at as usize;
                        pc = frame.end as usize;
                        break;
                    }
                }
            }
        }
    }
}

fn same<U: Unit>(found: &[U], wanted: &[u16]) -> bool {
    found.iter().zip(wanted).all(|(unit, &wanted)| unit.code() == u32::from(wanted))
}

#[inline(always)]
pub(crate) fn holds<U: Unit>(assertion: Assertion, text: &[U], at: usize) -> bool {
    let before = |is: fn(u32) -> bool| at > 0 && is(text[at - 1].code());
    let after = |is: fn(u32) -> bool| at < text.len() && is(text[at].code());
    match assertion {
        Assertion::InputStart => at == 0,
        Assertion::InputEnd => at == text.len(),
        Assertion::LineStart => at == 0 || before(is_line_terminator),
        Assertion::LineEnd => at == text.len() || after(is_line_terminator),
        Assertion::WordBoundary => before(is_word) != after(is_word),
        Assertion::NotWordBoundary => before(is_word) == after(is_word),
        Assertion::FoldedWordBoundary => before(is_folded_word) != after(is_folded_word),
        Assertion::NotFoldedWordBoundary => before(is_folded_word) == after(is_folded_word),
    }
}

/// Where the text that a group captured ends when it stands here again, or starts if it is matched backwards.
fn refer<U: Unit, const PAIRS: bool>(
    program: &Program,
    reference: &Reference,
    slots: &[u32],
    text: &[U],
    at: usize,
) -> Option<usize> {
    let captured = reference.groups.iter().find_map(|&group| {
        let (start, end) = (slots[2 * group as usize], slots[2 * group as usize + 1]);
        (start != UNSET && end != UNSET).then_some(start as usize..end as usize)
    });
    // V8 looks whether it ended between the halves of a pair, also after what is unset or empty.
    let split = |at: usize| {
        PAIRS && at > 0 && at < text.len() && is_low(text[at].code()) && is_high(text[at - 1].code())
    };
    let Some(captured) = captured else { return (!split(at)).then_some(at) };
    let wanted = &text[captured];
    let (from, to) =
        if reference.back { (at.checked_sub(wanted.len())?, at) } else { (at, at + wanted.len()) };
    let found = text.get(from..to)?;
    let after = if reference.back { from } else { to };
    if split(after) {
        return None;
    }
    let matches = if reference.ignore_case {
        let fold = |code: u32| {
            program
                .canonical
                .binary_search_by_key(&code, |&(from, _)| from)
                .map_or(code, |at| program.canonical[at].1)
        };
        let (mut left, mut right) = (0, 0);
        loop {
            if left == wanted.len() || right == found.len() {
                break left == wanted.len() && right == found.len();
            }
            let (a, after_a) = next::<U, PAIRS>(wanted, left);
            let (b, after_b) = next::<U, PAIRS>(found, right);
            if fold(a) != fold(b) {
                break false;
            }
            (left, right) = (after_a, after_b);
        }
    } else {
        wanted == found
    };
    matches.then_some(after)
}
