//! Work done on this thread, counted: instructions of the backtracking engine, and characters that automata went through.
//! What is said about time in docs/regexp.md is tested by these numbers, not by a clock.

use std::cell::Cell;

thread_local! {
    static DONE: Cell<u64> = const { Cell::new(0) };
}

#[inline]
pub(crate) fn add(steps: u64) {
    DONE.set(DONE.get().wrapping_add(steps));
}

/// The work done on this thread since it was last asked.
pub fn take_work() -> u64 {
    DONE.replace(0)
}
