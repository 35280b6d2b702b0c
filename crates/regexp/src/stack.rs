//! The backtracking engine's memory: what is to be tried or restored when an attempt fails, the lookarounds in progress, and
//! what these will be remembered for.

/// An unset slot.
pub(crate) const UNSET: u32 = u32::MAX;

/// What is to be done when the current attempt fails, last in first out. Three words: texts of megabytes make many.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The kind, and above it where to go on, which slot or which loop.
    pub(crate) what: u32,
    pub(crate) first: u32,
    pub(crate) second: u32,
}

pub(crate) const KIND_BITS: u32 = 3;
/// Go on there, at `first`; the trail was `second` long.
pub(crate) const BRANCH: u32 = 0;
/// A loop over one character, there, has matched up to `second`: go on a character before that, down to `first`.
pub(crate) const RUN: u32 = 1;
/// A lazy loop over one character, there, has come to `first`: take one more, of `second`, and go on.
pub(crate) const LAZY: u32 = 2;
/// The slot was `first`.
pub(crate) const SLOT: u32 = 3;
/// The loop's iteration had started at `first`.
pub(crate) const LOOP: u32 = 4;
/// The body of the innermost lookaround has failed.
pub(crate) const LOOK: u32 = 5;

impl Entry {
    #[inline(always)]
    pub(crate) fn new(kind: u32, place: u32, first: u32, second: u32) -> Entry {
        // Programs have at most 2²⁰ instructions, and fewer slots and loops.
        Entry { what: place << KIND_BITS | kind, first, second }
    }

    #[inline(always)]
    pub(crate) fn slot(slot: u32, old: u32) -> Entry {
        Entry::new(SLOT, slot, old, 0)
    }

    pub(crate) fn is_slot(self) -> bool {
        self.what & ((1 << KIND_BITS) - 1) == SLOT
    }
}

/// Whether the entries on top, since the last choice, already restore the slot.
#[inline(always)]
pub(crate) fn restores(stack: &[Entry], slot: u32) -> bool {
    stack
        .iter()
        .rev()
        .take(4)
        .take_while(|entry| entry.is_slot())
        .any(|entry| entry.what >> KIND_BITS == slot)
}

#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) negative: bool,
    pub(crate) end: u32,
    pub(crate) at: u32,
    pub(crate) stack: u32,
    pub(crate) trail: u32,
}

/// What has happened since the innermost lookaround began, and what its success will be remembered for.
#[derive(Clone, Copy)]
pub(crate) enum Trail {
    Place { look_key: u32, at: u32 },
    Slot { slot: u32, value: u32 },
    Outcomes(u32),
}

/// Entries of the trail that stay when a long lookaround has ended.
pub(crate) const TRAIL_KEPT: usize = 4096;

/// Memory that runs reuse.
#[derive(Default)]
pub(crate) struct Scratch {
    /// After a match: start and end of the whole match and of each group.
    pub(crate) slots: Vec<u32>,
    pub(crate) loops: Vec<u32>,
    pub(crate) stack: Vec<Entry>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) trail: Vec<Trail>,
}

impl Scratch {
    /// So many slots, none of which is set.
    #[inline(always)]
    pub(crate) fn unset(&mut self, slots: usize) -> &mut [u32] {
        if self.slots.len() != slots {
            self.slots.resize(slots, UNSET);
        }
        for slot in &mut self.slots {
            *slot = UNSET;
        }
        &mut self.slots
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.stack.capacity() * size_of::<Entry>() + self.trail.capacity() * size_of::<Trail>()
    }

    /// Gives memory back that only large texts need.
    pub(crate) fn shrink(&mut self) {
        const KEPT: usize = 16 << 10;
        if self.stack.capacity() > KEPT {
            self.stack = Vec::new();
        }
        if self.trail.capacity() > KEPT {
            self.trail = Vec::new();
        }
    }
}
