//! What the memoised run remembers: which places were tried where, and how lookarounds succeeded.
//!
//! Failure depends on the place, the position and the progress of the loops around, and on nothing that came before: it
//! holds for every start of a search and for later searches of the same text. Within a lookaround so does success, which is
//! remembered with the captures it leads to; that keeps lookarounds linear that succeed everywhere.

/// Bits of a page, and entries of a page of successes.
const PAGE_BITS: usize = 1 << 15;
const PAGE_ENTRIES: usize = 1 << 10;

/// No captures.
pub(crate) const NIL: u32 = 0;

/// A capture that a success leads to: a list from [`NIL`], each slot at most once.
#[derive(Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) slot: u32,
    pub(crate) value: u32,
    pub(crate) next: u32,
}

#[derive(Default)]
pub(crate) struct Memo {
    keys: usize,
    look_keys: usize,
    tried: Vec<Option<Box<[u64; PAGE_BITS / 64]>>>,
    /// One more than the list of captures; 0: none known.
    successes: Vec<Option<Box<[u32; PAGE_ENTRIES]>>>,
    outcomes: Vec<Outcome>,
    /// In pages.
    bytes: usize,
}

impl Memo {
    /// Bytes that a memo takes before anything is remembered in it.
    pub(crate) fn least(keys: u32, look_keys: u32, length: usize) -> usize {
        let pages = |keys: u32, page: usize| (keys as usize).saturating_mul(length + 1).div_ceil(page);
        8 * (pages(keys, PAGE_BITS) + pages(look_keys, PAGE_ENTRIES))
    }

    /// For a text of `length` units.
    pub(crate) fn new(keys: u32, look_keys: u32, length: usize) -> Memo {
        let (keys, look_keys) = (keys as usize, look_keys as usize);
        let pages =
            |entries: usize, page: usize| (0..entries.div_ceil(page)).map(|_| None).collect::<Vec<_>>();
        let tried = pages(keys * (length + 1), PAGE_BITS);
        let successes: Vec<_> =
            (0..(look_keys * (length + 1)).div_ceil(PAGE_ENTRIES)).map(|_| None).collect();
        let bytes = 8 * (tried.len() + successes.len());
        // The list of no captures.
        let outcomes = vec![Outcome { slot: u32::MAX, value: u32::MAX, next: NIL }];
        Memo { keys, look_keys, tried, successes, outcomes, bytes }
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.bytes + self.outcomes.capacity() * size_of::<Outcome>()
    }

    /// Marks the place as tried. Whether it had been.
    #[inline]
    pub(crate) fn try_once(&mut self, key: u32, at: usize) -> bool {
        let bit = at * self.keys + key as usize;
        let page = match &mut self.tried[bit / PAGE_BITS] {
            Some(page) => page,
            empty => {
                self.bytes += PAGE_BITS / 8;
                empty.insert(Box::new([0; PAGE_BITS / 64]))
            }
        };
        let word = &mut page[bit % PAGE_BITS / 64];
        let mask = 1 << (bit % 64);
        let was = *word & mask != 0;
        *word |= mask;
        was
    }

    /// A match ended here: what led to it has been tried and has not failed. Places before it are not reached again.
    pub(crate) fn forget(&mut self, at: usize) {
        for bit in at * self.keys..(at + 1) * self.keys {
            if let Some(page) = &mut self.tried[bit / PAGE_BITS] {
                page[bit % PAGE_BITS / 64] &= !(1 << (bit % 64));
            }
        }
    }

    /// The captures that a place in a lookaround is known to lead to.
    pub(crate) fn success(&self, look_key: u32, at: usize) -> Option<u32> {
        let entry = at * self.look_keys + look_key as usize;
        let page = self.successes[entry / PAGE_ENTRIES].as_ref()?;
        page[entry % PAGE_ENTRIES].checked_sub(1)
    }

    pub(crate) fn set_success(&mut self, look_key: u32, at: usize, outcomes: u32) {
        let entry = at * self.look_keys + look_key as usize;
        let page = match &mut self.successes[entry / PAGE_ENTRIES] {
            Some(page) => page,
            empty => {
                self.bytes += PAGE_ENTRIES * 4;
                empty.insert(Box::new([0; PAGE_ENTRIES]))
            }
        };
        page[entry % PAGE_ENTRIES] = outcomes + 1;
    }

    /// The list with an earlier capture in front; what happens later to the same slot wins.
    pub(crate) fn with(&mut self, outcomes: u32, slot: u32, value: u32) -> u32 {
        if self.list(outcomes).any(|outcome| outcome.slot == slot) {
            return outcomes;
        }
        self.outcomes.push(Outcome { slot, value, next: outcomes });
        // Memory limits end a run long before this many.
        self.outcomes.len() as u32 - 1
    }

    /// The same with a list of them.
    pub(crate) fn with_all(&mut self, outcomes: u32, earlier: u32) -> u32 {
        if outcomes == NIL {
            return earlier;
        }
        let mut result = outcomes;
        let mut at = earlier;
        while at != NIL {
            let Outcome { slot, value, next } = self.outcomes[at as usize];
            result = self.with(result, slot, value);
            at = next;
        }
        result
    }

    pub(crate) fn list(&self, outcomes: u32) -> impl Iterator<Item = Outcome> + '_ {
        let mut at = outcomes;
        std::iter::from_fn(move || {
            if at == NIL {
                return None;
            }
            let outcome = self.outcomes[at as usize];
            at = outcome.next;
            Some(outcome)
        })
    }
}
