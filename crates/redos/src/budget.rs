//! What an analysis may use: work, which is counted, so that the same pattern gets the same answer on any machine; and,
//! behind that, a time limit.

use std::time::{Duration, Instant};

/// Work between two looks at the clock: some tens of microseconds.
const BETWEEN_LOOKS: u64 = 1 << 14;

/// Why an analysis stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exhausted {
    Work,
    Time,
}

pub(crate) struct Budget {
    left: u64,
    until_look: u64,
    deadline: Instant,
}

impl Budget {
    pub(crate) fn new(work: u64, deadline: Instant) -> Budget {
        Budget { left: work, until_look: BETWEEN_LOOKS, deadline }
    }

    pub(crate) fn deadline(time: Duration) -> Instant {
        let now = Instant::now();
        now.checked_add(time).unwrap_or_else(|| now + Duration::from_secs(u64::from(u32::MAX)))
    }

    /// Counts work; a unit is some nanoseconds.
    pub(crate) fn spend(&mut self, work: usize) -> Result<(), Exhausted> {
        let work = work as u64;
        self.left = self.left.checked_sub(work).ok_or(Exhausted::Work)?;
        if self.until_look <= work {
            self.until_look = BETWEEN_LOOKS;
            if Instant::now() >= self.deadline {
                return Err(Exhausted::Time);
            }
        } else {
            self.until_look -= work;
        }
        Ok(())
    }
}
