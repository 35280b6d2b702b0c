//! The walk over a text's brackets and keys: which container each token is in, how long arrays are, and whether a key comes
//! twice or is one to refuse. It judges what the masks of a block cannot; it suspects too much rather than too little.
//!
//! The places of brackets and keys are collected over many blocks and then gone through in loops that do one thing each:
//! the processor seldom guesses wrong in them, which is what a walk costs most by. The hashes of the open objects' keys lie on
//! a stack, and those of an object are compared when it closes.

use crate::blocks::{BLOCK, Blocks};
use crate::grammar::Tokens;
use crate::hash::{HashKey, WINDOW};
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

    /// Whether a walk is needed at all, for a text that a parser judges afterwards.
    pub(crate) fn anything(&self) -> bool {
        self.keys() || self.max_array != usize::MAX
    }
}

/// Blocks that are collected before their places are gone through.
const BATCH: usize = 32;

/// Places that a batch can have: one a byte.
const PLACES: usize = BATCH * BLOCK + BLOCK;

/// Hashes are copied, and compared, so many at a time.
pub(crate) const LANES: usize = 8;

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

impl Workspace {
    pub(crate) const fn new() -> Workspace {
        Workspace { batch: None, frames: Vec::new(), hashes: Vec::new() }
    }

    /// Gives back what only large texts need.
    pub(crate) fn trim(&mut self) {
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

/// A bracket's place, and how many keys and commas of the batch stand before it.
#[derive(Clone, Copy, Debug, Default)]
struct Bracket {
    place: u32,
    keys: u32,
    commas: u32,
}

/// What is collected of some blocks.
#[derive(Debug)]
struct Batch {
    /// Where it starts in the text.
    start: usize,
    blocks: usize,
    brackets: usize,
    bracket: [Bracket; PLACES],
    commas: usize,
    /// Opening and closing quotes of keys, and what they hash to.
    keys: usize,
    opening: [u32; PLACES],
    closing: [u32; PLACES],
    hash: [u64; PLACES],
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
            bracket: [Bracket::default(); PLACES],
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
    text: &'a [u8],
    hash_key: HashKey,
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
            text,
            hash_key: HashKey::of_process(),
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
        let mut left = brackets;
        let mut place = batch.brackets;
        // Two at a time, needed or not: few blocks have more.
        while let Some(two) = batch.bracket.get_mut(place..).and_then(|rest| rest.first_chunk_mut::<2>()) {
            for target in two {
                let bracket = left & left.wrapping_neg();
                let before = bracket.wrapping_sub(1);
                *target = Bracket {
                    place: at as u32 + left.trailing_zeros(),
                    keys: if COUNTS { keys_before as u32 + (key_ends & before).count_ones() } else { 0 },
                    commas: if COUNTS {
                        batch.commas as u32 + (tokens.comma & before).count_ones()
                    } else {
                        0
                    },
                };
                left ^= bracket;
            }
            place += 2;
            if left == 0 {
                break;
            }
        }
        batch.brackets += brackets.count_ones() as usize;
        batch.commas += tokens.comma.count_ones() as usize;
        if GRAMMAR {
            batch.wrong_in_object[batch.blocks] = wrong_in_object;
            batch.wrong_elsewhere[batch.blocks] = tokens.colon;
            self.has_separators |= tokens.comma | tokens.colon != 0;
        }
        batch.blocks += 1;
        if batch.blocks == BATCH {
            self.go_through::<B, GRAMMAR, COUNTS>();
        }
    }

    /// The text is over. With the grammar, whether there was one root, and it was closed.
    #[inline(always)]
    pub(crate) fn finish<B: Blocks, const GRAMMAR: bool, const COUNTS: bool>(&mut self) {
        self.go_through::<B, GRAMMAR, COUNTS>();
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
            let mut carried = 0;
            if order & starts_before != 0 {
                let inside = (ends & ends.wrapping_neg()) - 1;
                self.suspicious |= self.backslash || backslash & inside != 0;
                self.batch.opening[first] = self.last_opening as u32;
                carried = 1;
            }
            self.suspicious |= backslash & ends.wrapping_sub(starts) != 0;
            collect(starts, at, &mut self.batch.opening, first + carried);
            collect(ends, at, &mut self.batch.closing, first);
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
            self.hash_keys();
        }
        self.walk::<B, GRAMMAR, COUNTS>();
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
    fn hash_keys(&mut self) {
        let (text, wanted) = (self.text, self.wanted);
        let Batch { keys, opening, closing, hash, .. } = &mut *self.batch;
        let forbidden = wanted.forbidden.iter().fold(0u64, |bits, hash| bits | 1 << (hash & 63));
        let mut suspicious = false;
        for ((&opening, &closing), place) in opening.iter().zip(&*closing).zip(hash).take(*keys) {
            let start = opening as usize + 1;
            // A text that is no JSON may have a colon without a key.
            let length = (closing as usize).saturating_sub(start);
            let window = text.get(start..).and_then(|rest| rest.first_chunk::<WINDOW>());
            *place = match window {
                Some(window) if length <= WINDOW => self.hash_key.short(window, length),
                _ => self.hash_key.hash(text.get(start..start + length).unwrap_or_default()),
            };
            suspicious |= length > wanted.max_key;
            suspicious |= wanted.operators && text.get(start) == Some(&b'$');
            if forbidden & 1 << (*place & 63) != 0 {
                suspicious |= wanted.forbidden.contains(&*place);
            }
        }
        self.suspicious |= suspicious;
    }

    #[inline(always)]
    fn walk<B: Blocks, const GRAMMAR: bool, const COUNTS: bool>(&mut self) {
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
        for &Bracket { place, keys: keys_before, commas: commas_before } in &batch.bracket[..batch.brackets] {
            let (place, keys_before, commas_before) =
                (place as usize, keys_before as usize, commas_before as usize);
            let bracket = text.get(place).map_or(0, |&byte| usize::from(byte));
            // What stands before the bracket is in the innermost container.
            if COUNTS {
                push_hashes(hashes, used, &batch.hash, keys, keys_before - keys);
                used += keys_before - keys;
                keys = keys_before;
                frame.commas += commas_before - commas;
                commas = commas_before;
            }
            let was_object = frame.bracket;
            if bracket & OPENS != 0 {
                if depth == 0 {
                    suspicious |= self.first_bracket.is_some();
                    self.first_bracket = Some(place);
                }
                frames[depth] = frame;
                depth += 1;
                deepest = deepest.max(depth);
                frame = Frame { bracket, base: used, commas: 0 };
            } else {
                suspicious |= frame.bracket ^ bracket != PAIR;
                suspicious |= frame.commas >= max_array && bracket & BRACE == 0;
                if COUNTS {
                    let count = used.saturating_sub(frame.base);
                    suspicious |= has_equal::<B>(hashes, frame.base, count);
                    used -= count;
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
        if COUNTS {
            frame.commas += batch.commas - commas;
        }
        suspicious |= deepest > max_depth || (frame.bracket & BRACE == 0 && frame.commas >= max_array);
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

/// Writes the places of the ones of `mask`, which starts at `at`: at least four, needed or not.
#[inline(always)]
fn collect(mut mask: u64, at: usize, places: &mut [u32; PLACES], mut next: usize) {
    while let Some(four) = places.get_mut(next..).and_then(|rest| rest.first_chunk_mut::<4>()) {
        for place in four {
            *place = at as u32 + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
        next += 4;
        if mask == 0 {
            break;
        }
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

/// Whether two of the `count` hashes from `base` on are equal; they may be left in another order.
#[inline(always)]
fn has_equal<B: Blocks>(hashes: &mut [u64], base: usize, count: usize) -> bool {
    if count <= 1 {
        return false;
    }
    if count <= LANES
        && let Some(lanes) = hashes.get(base..).and_then(|rest| rest.first_chunk::<LANES>())
    {
        return B::has_equal(lanes, count);
    }
    hashes.get_mut(base..base + count).is_none_or(has_equal_among_many)
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
