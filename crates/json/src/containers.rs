//! The walk over a text's brackets and keys: which container each token is in, how long arrays are, and whether a key comes
//! twice or is one to refuse. It judges what the masks of a block cannot; it suspects too much rather than too little.
//!
//! The places of brackets and keys are collected over many blocks and then gone through in loops that do one thing each:
//! the processor seldom guesses wrong in them, which is what a walk costs most by. The hashes of the open objects' keys lie on
//! a stack, and those of an object are compared when it closes.

use std::cell::Cell;

use crate::blocks::{BLOCK, Blocks, Pass};
use crate::grammar::Tokens;
use crate::hash::HashKey;
use crate::lists::{BATCH, Keys, LANES, List, Lists, PLACES};
use crate::strings::Strings;

/// What the walk looks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) max_depth: usize,
    pub(crate) duplicates: bool,
    /// Hashes of the keys to refuse.
    pub(crate) forbidden: Vec<u64>,
    pub(crate) operators: bool,
    /// In bytes of text.
    pub(crate) max_key: usize,
    pub(crate) max_array: usize,
}

impl Wanted {
    /// Whether single keys matter.
    fn keys(&self) -> bool {
        self.duplicates || self.picks_keys()
    }

    /// Whether keys matter by themselves.
    fn picks_keys(&self) -> bool {
        self.operators || !self.forbidden.is_empty() || self.max_key != usize::MAX
    }

    /// Whether arrays have to be counted: not when the text is too short for one that is too long.
    fn commas(&self, text: &[u8]) -> bool {
        text.len() / 2 > self.max_array
    }

    /// Whether a walk is needed at all, for a text that a parser judges afterwards.
    pub(crate) fn anything(&self, text: &[u8]) -> bool {
        self.keys() || self.commas(text)
    }
}

/// Objects of more keys are sorted to find equal ones; up to there each is compared with each.
const MANY_KEYS: usize = 64;

/// Memory that is used again for the next text.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    batch: Option<Box<Batch>>,
    /// Of the containers around each other.
    frames: Vec<Frame>,
    /// Of the keys of the open objects, the innermost last.
    hashes: Vec<u64>,
}

/// What is kept of a workspace for the next text, in elements.
const KEPT: usize = 4096;

thread_local! {
    /// One for all guards of a thread: some tens of kilobytes, too much for each of those that a program may make.
    static WORK: Cell<Workspace> = const { Cell::new(Workspace::new()) };
}

impl Workspace {
    const fn new() -> Workspace {
        Workspace { batch: None, frames: Vec::new(), hashes: Vec::new() }
    }

    /// Lends the thread's workspace.
    pub(crate) fn lend<T>(body: impl FnOnce(&mut Workspace) -> T) -> T {
        let mut work = WORK.try_with(Cell::take).unwrap_or_default();
        let result = body(&mut work);
        work.trim();
        // While the thread ends there may be no place to keep it.
        let _ = WORK.try_with(|place| place.set(work));
        result
    }

    /// Gives back what only large texts need.
    fn trim(&mut self) {
        if self.frames.len() > KEPT {
            self.frames = Vec::new();
        }
        if self.hashes.len() > KEPT {
            self.hashes = Vec::new();
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    /// The bracket that opened it; the root has none.
    bracket: usize,
    /// Where its hashes start.
    base: usize,
    commas: usize,
}

/// What is collected of some blocks.
#[derive(Debug)]
#[repr(align(64))]
struct Batch {
    /// Where it starts in the text.
    start: usize,
    blocks: usize,
    /// Brackets: where they are, and how many keys and commas of the batch stand before each.
    brackets: usize,
    bracket: List<u32>,
    keys_before: List<u32>,
    commas_before: List<u32>,
    commas: usize,
    /// Opening and closing quotes of keys, and what they hash to.
    keys: usize,
    opening: List<u32>,
    closing: List<u32>,
    hash: List<u64>,
    /// For each block what is wrong in an object, and what is outside one.
    wrong_in_object: [u64; BATCH],
    wrong_elsewhere: [u64; BATCH],
    /// Where an object becomes the innermost container, or is no longer.
    turns: [u64; BATCH + 1],
}

impl Batch {
    fn new() -> Box<Batch> {
        Box::new(Batch {
            start: 0,
            blocks: 0,
            brackets: 0,
            bracket: [0; PLACES],
            keys_before: [0; PLACES],
            commas_before: [0; PLACES],
            commas: 0,
            keys: 0,
            opening: [0; PLACES],
            closing: [0; PLACES],
            hash: [0; PLACES],
            wrong_in_object: [0; BATCH],
            wrong_elsewhere: [0; BATCH],
            turns: [0; BATCH + 1],
        })
    }

    fn clear(&mut self, start: usize, turn: u64) {
        self.start = start;
        self.blocks = 0;
        self.brackets = 0;
        self.commas = 0;
        self.keys = 0;
        self.turns = [0; BATCH + 1];
        self.turns[0] = turn;
    }
}

pub(crate) struct Containers<'a> {
    wanted: &'a Wanted,
    wants_keys: bool,
    wants_commas: bool,
    text: &'a [u8],
    hash_key: HashKey,
    forbidden_bits: u64,
    batch: &'a mut Batch,
    frames: &'a mut Vec<Frame>,
    hashes: &'a mut Vec<u64>,
    /// The innermost open container, and how many there are around it.
    frame: Frame,
    depth: usize,
    /// The next hash's place.
    used: usize,
    /// All ones where the innermost container is an object.
    in_object: u64,
    /// Of the blocks before: the last opening and closing quote, and whether there was a backslash since that opening.
    last_opening: usize,
    last_closing: usize,
    backslash: bool,
    /// A comma or a colon outside strings; the first bracket; the one that closes the root.
    has_separators: bool,
    first_bracket: Option<usize>,
    last_bracket: Option<usize>,
    /// Something is wrong, or has to be looked at closely.
    pub(crate) suspicious: bool,
}

impl<'a> Containers<'a> {
    pub(crate) fn new(wanted: &'a Wanted, work: &'a mut Workspace, text: &'a [u8]) -> Self {
        let Workspace { batch, frames, hashes } = work;
        let batch = batch.get_or_insert_with(Batch::new);
        batch.clear(0, 0);
        Containers {
            wanted,
            wants_keys: wanted.keys(),
            wants_commas: wanted.commas(text),
            text,
            hash_key: HashKey::of_process(),
            forbidden_bits: wanted.forbidden.iter().fold(0, |bits, &hash| bits | HashKey::bit(hash)),
            batch,
            frames,
            hashes,
            frame: Frame::default(),
            depth: 0,
            used: 0,
            in_object: 0,
            last_opening: 0,
            last_closing: 0,
            backslash: false,
            has_separators: false,
            first_bracket: None,
            last_bracket: None,
            // Places are kept in 32 bits.
            suspicious: u32::try_from(text.len() + BLOCK).is_err(),
        }
    }

    /// Takes in the block at `at`.
    #[inline(always)]
    pub(crate) fn next<B: Blocks, const GRAMMAR: bool, const COUNTS: bool>(
        &mut self,
        strings: &Strings,
        tokens: &Tokens,
        wrong_in_object: u64,
        at: usize,
    ) {
        let keys_before = self.batch.keys;
        let key_ends =
            if COUNTS && self.wants_keys { self.collect_keys::<B>(strings, tokens.colon, at) } else { 0 };
        let batch = &mut *self.batch;
        let brackets = tokens.opens | tokens.closes;
        B::Lists::places(brackets, at as u32, &mut batch.bracket, batch.brackets);
        if COUNTS {
            B::Lists::ranks(brackets, key_ends, keys_before as u32, &mut batch.keys_before, batch.brackets);
        }
        if COUNTS && self.wants_commas {
            let commas = batch.commas as u32;
            B::Lists::ranks(brackets, tokens.comma, commas, &mut batch.commas_before, batch.brackets);
            batch.commas += tokens.comma.count_ones() as usize;
        }
        batch.brackets += brackets.count_ones() as usize;
        if GRAMMAR {
            batch.wrong_in_object[batch.blocks] = wrong_in_object;
            batch.wrong_elsewhere[batch.blocks] = tokens.colon;
            self.has_separators |= tokens.comma | tokens.colon != 0;
        }
        batch.blocks += 1;
        if batch.blocks == BATCH {
            B::apart(GoThrough::<GRAMMAR, COUNTS>(self));
        }
    }

    /// The text is over. With the grammar, whether there was one root, and it was closed.
    #[inline(always)]
    pub(crate) fn finish<B: Blocks, const GRAMMAR: bool, const COUNTS: bool>(&mut self) {
        B::apart(GoThrough::<GRAMMAR, COUNTS>(self));
        if GRAMMAR && !self.suspicious {
            self.suspicious = match (self.first_bracket, self.last_bracket) {
                (None, None) => self.has_separators,
                (Some(first), Some(last)) => {
                    let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
                    !self.text[..first].iter().all(is_space) || !self.text[last + 1..].iter().all(is_space)
                }
                _ => true,
            };
        }
    }

    /// Collects the keys before the colons of the block at `at`; returns the quotes that close them.
    #[inline(always)]
    fn collect_keys<B: Blocks>(&mut self, strings: &Strings, colon: u64, at: usize) -> u64 {
        let Strings { opening, closing, backslash, .. } = *strings;
        // Keys that end in this block right before their colons, and where they start: the n-th string to end is the n-th to
        // start, but for one that the block starts in.
        let mut ends = closing & colon >> 1;
        if colon & !(ends << 1) == 0 {
            let starts_before = strings.inside & 1 & !opening | closing & 1;
            let order = B::extract(ends, closing);
            let starts = B::deposit(order >> starts_before, opening);
            let first = self.batch.keys;
            // Written needed or not: which of the two it is cannot be foreseen.
            let carried = order & starts_before;
            let inside = (ends & ends.wrapping_neg()).wrapping_sub(1);
            self.suspicious |= (carried != 0) & (self.backslash | (backslash & inside != 0));
            self.batch.opening[first] = self.last_opening as u32;
            let carried = carried as usize;
            self.suspicious |= backslash & ends.wrapping_sub(starts) != 0;
            B::Lists::places(starts, at as u32, &mut self.batch.opening, first + carried);
            B::Lists::places(ends, at as u32, &mut self.batch.closing, first);
            self.batch.keys += ends.count_ones() as usize;
        } else {
            ends = self.collect_spaced_keys(strings, colon, at);
        }
        if opening != 0 {
            let place = highest(opening);
            self.last_opening = at + place;
            self.backslash = backslash >> place != 0;
        } else {
            self.backslash |= backslash != 0;
        }
        if closing != 0 {
            self.last_closing = at + highest(closing);
        }
        ends
    }

    /// As `collect_keys`, where a colon stands apart from its key; returns the colons, which stand for their keys.
    #[inline(never)]
    fn collect_spaced_keys(&mut self, strings: &Strings, colons: u64, at: usize) -> u64 {
        let mut colon = colons;
        while colon != 0 {
            let before_colon = (colon & colon.wrapping_neg()) - 1;
            colon &= colon - 1;
            let closing = strings.closing & before_colon;
            let (end, inside) = match closing {
                0 => (self.last_closing, 0),
                _ => (at + highest(closing), (1u64 << highest(closing)) - 1),
            };
            let opening = strings.opening & inside;
            let (start, before) = match opening {
                0 => (self.last_opening, 0),
                _ => (at + highest(opening), (1u64 << highest(opening)) - 1),
            };
            self.suspicious |= strings.backslash & inside & !before != 0 || (opening == 0 && self.backslash);
            let batch = &mut *self.batch;
            batch.opening[batch.keys] = start as u32;
            batch.closing[batch.keys] = end as u32;
            batch.keys += 1;
        }
        colons
    }

    /// Goes through what was collected, and starts anew.
    #[inline(always)]
    fn go_through<B: Blocks, const GRAMMAR: bool, const COUNTS: bool>(&mut self) {
        if COUNTS {
            self.hash_keys::<B>();
        }
        if COUNTS && self.wants_commas {
            self.walk::<B, GRAMMAR, COUNTS, true>();
        } else {
            self.walk::<B, GRAMMAR, COUNTS, false>();
        }
        if GRAMMAR {
            let batch = &*self.batch;
            let mut wrong = 0;
            for block in 0..batch.blocks {
                let in_object = B::parity(batch.turns[block]) ^ self.in_object;
                self.in_object = ((in_object as i64) >> 63) as u64;
                wrong |= batch.wrong_in_object[block] & in_object | batch.wrong_elsewhere[block] & !in_object;
            }
            self.suspicious |= wrong != 0;
        }
        let batch = &mut *self.batch;
        batch.clear(batch.start + batch.blocks * BLOCK, batch.turns[batch.blocks]);
    }

    #[inline(always)]
    fn hash_keys<B: Blocks>(&mut self) {
        let Batch { keys, opening, closing, hash, .. } = &mut *self.batch;
        let keys = Keys {
            text: self.text,
            hash_key: self.hash_key,
            forbidden: &self.wanted.forbidden,
            forbidden_bits: self.forbidden_bits,
            max_length: self.wanted.max_key,
            operators: self.wanted.operators,
            count: *keys,
            opening,
            closing,
        };
        self.suspicious |= B::Lists::hash(&keys, hash);
    }

    #[inline(always)]
    fn walk<B: Blocks, const GRAMMAR: bool, const COUNTS: bool, const COMMAS: bool>(&mut self) {
        let room = self.depth + self.batch.brackets + 1;
        if self.frames.len() < room {
            self.frames.resize(2 * room, Frame::default());
        }
        let room = self.used + self.batch.keys + LANES;
        if self.hashes.len() < room {
            self.hashes.resize(2 * room, 0);
        }
        let text = self.text;
        let (frames, hashes) = (&mut self.frames[..], &mut self.hashes[..]);
        let batch = &mut *self.batch;
        let (max_depth, max_array) = (self.wanted.max_depth, self.wanted.max_array);
        let (mut frame, mut depth, mut used) = (self.frame, self.depth, self.used);
        let (mut keys, mut commas) = (0, 0);
        let mut deepest = depth;
        let mut suspicious = false;
        let before = batch.keys_before.iter().zip(&batch.commas_before);
        for (&place, (&keys_before, &commas_before)) in batch.bracket.iter().zip(before).take(batch.brackets)
        {
            let place = place as usize;
            let bracket = text.get(place).map_or(0, |&byte| usize::from(byte));
            // The keys since the bracket before are in the innermost container, and the commas.
            let from = keys;
            if COUNTS {
                keys = keys_before as usize;
            }
            if COMMAS {
                frame.commas += commas_before as usize - commas;
                commas = commas_before as usize;
            }
            let was_object = frame.bracket;
            if bracket & OPENS != 0 {
                if depth == 0 {
                    suspicious |= self.first_bracket.is_some();
                    self.first_bracket = Some(place);
                }
                if COUNTS {
                    push_hashes(hashes, used, &batch.hash, from, keys - from);
                    used += keys - from;
                }
                frames[depth] = frame;
                depth += 1;
                deepest = deepest.max(depth);
                frame = Frame { bracket, base: used, commas: 0 };
            } else {
                suspicious |= frame.bracket ^ bracket != PAIR;
                if COMMAS {
                    suspicious |= frame.commas >= max_array && bracket & BRACE == 0;
                }
                if COUNTS {
                    suspicious |= has_equal::<B>(hashes, frame.base, used, &batch.hash, from, keys);
                    used = frame.base;
                }
                if depth == 0 {
                    suspicious = true;
                    break;
                }
                depth -= 1;
                frame = frames[depth];
                if depth == 0 {
                    self.last_bracket = Some(place);
                }
            }
            if GRAMMAR {
                let turn = ((was_object ^ frame.bracket) & BRACE) as u64 / BRACE as u64;
                let behind = place + 1 - batch.start;
                batch.turns[behind / BLOCK] ^= turn << (behind % BLOCK);
            }
        }
        let rest = batch.keys - keys;
        hashes[used..used + rest].copy_from_slice(&batch.hash[keys..batch.keys]);
        if COMMAS {
            frame.commas += batch.commas - commas;
            suspicious |= frame.bracket & BRACE == 0 && frame.commas >= max_array;
        }
        suspicious |= deepest > max_depth;
        self.suspicious |= suspicious;
        self.frame = frame;
        self.depth = depth;
        self.used = used + rest;
    }
}

/// Of the brackets' codes: the bit that opening ones have, the one that braces have, and how a pair differs.
const OPENS: usize = 0x02;
const BRACE: usize = 0x20;
const PAIR: usize = 0x06;

/// What was collected is gone through in a function of its own: it needs all the registers.
struct GoThrough<'r, 'a, const GRAMMAR: bool, const COUNTS: bool>(&'r mut Containers<'a>);

impl<const GRAMMAR: bool, const COUNTS: bool> Pass for GoThrough<'_, '_, GRAMMAR, COUNTS> {
    type Output = ();

    #[inline(always)]
    fn run<B: Blocks>(self) {
        self.0.go_through::<B, GRAMMAR, COUNTS>();
    }
}

/// Copies eight hashes, needed or not, and whatever there is beyond.
#[inline(always)]
fn push_hashes(hashes: &mut [u64], to: usize, hashed: &[u64], from: usize, count: usize) {
    let target = hashes.get_mut(to..).and_then(|rest| rest.first_chunk_mut::<LANES>());
    let source = hashed.get(from..).and_then(|rest| rest.first_chunk::<LANES>());
    if let (Some(target), Some(source)) = (target, source) {
        *target = *source;
    }
    if count > LANES {
        hashes[to..to + count].copy_from_slice(&hashed[from..from + count]);
    }
}

/// Whether two of the hashes of an object are equal: `hashes` from `base` to `used`, and `hashed` between the other two.
#[inline(always)]
fn has_equal<B: Blocks>(
    hashes: &mut [u64],
    base: usize,
    used: usize,
    hashed: &[u64],
    from: usize,
    to: usize,
) -> bool {
    let (before, more) = (used.saturating_sub(base), to - from);
    let first = hashes.get(base..).and_then(|rest| rest.first_chunk::<LANES>());
    let second = hashed.get(from..).and_then(|rest| rest.first_chunk::<LANES>());
    if before + more <= LANES
        && let (Some(first), Some(second)) = (first, second)
    {
        return B::has_equal(first, before, second, more);
    }
    push_hashes(hashes, used, hashed, from, more);
    hashes.get_mut(base..used + more).is_none_or(has_equal_among_many)
}

#[inline(never)]
fn has_equal_among_many(hashes: &mut [u64]) -> bool {
    if hashes.len() > MANY_KEYS {
        hashes.sort_unstable();
        return hashes.windows(2).any(|pair| pair[0] == pair[1]);
    }
    let mut equal = false;
    for (index, &hash) in hashes.iter().enumerate() {
        equal |= hashes[index + 1..].iter().fold(false, |equal, &other| equal | (other == hash));
    }
    equal
}

#[inline(always)]
fn highest(mask: u64) -> usize {
    63 - mask.leading_zeros() as usize
}
