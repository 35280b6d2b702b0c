//! Work done on this thread, counted: instructions of the backtracking engine, and characters that automata went through.
//! What is said about time in docs/regexp.md is tested by these numbers, not by a clock. Only tests pay for it.

#[cfg(feature = "count-work")]
thread_local! {
    static DONE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

#[inline(always)]
pub(crate) fn add(steps: u64) {
    #[cfg(feature = "count-work")]
    DONE.set(DONE.get().wrapping_add(steps));
    #[cfg(not(feature = "count-work"))]
    let _ = steps;
}

/// The work done on this thread since it was last asked.
#[cfg(feature = "count-work")]
pub fn take_work() -> u64 {
    DONE.replace(0)
}
