//! The walk over a text's brackets and keys: which container each token is in, how long arrays are, and whether a key comes
//! twice or is one to refuse. It judges what the masks cannot; it suspects too much rather than too little.
//!
//! Keys are hashed block by block; the hashes of the open objects lie on a stack, and those of an object are compared when it
//! closes.

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
        self.duplicates || self.operators || !self.forbidden.is_empty() || self.max_key != usize::MAX
    }

    /// Whether a walk is needed at all, for a text that a parser judges afterwards.
    pub(crate) fn anything(&self) -> bool {
        self.keys() || self.max_array != usize::MAX
    }
}

/// Where something is wrong for tokens in a container of each kind.
pub(crate) struct Wrongs {
    pub(crate) in_root: u64,
    pub(crate) in_object: u64,
    pub(crate) in_array: u64,
}

/// Brackets in one block close at most so many containers that were never opened, before anybody looks.
const SLACK: usize = BLOCK;

/// Hashes are copied, and compared, so many at a time.
pub(crate) const LANES: usize = 8;

/// Objects of more keys are sorted to find equal ones; up to there each is compared with each.
const MANY_KEYS: usize = 64;

/// Kinds of containers: places in `wrong_in`. As wide as the frame's other fields, so that a frame is read as it was written.
const ROOT: usize = 0;
const OBJECT: usize = 1;
const ARRAY: usize = 2;

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    kind: usize,
    /// Where its hashes start.
    base: usize,
    /// Of an array.
    commas: usize,
}

/// Memory that is used again for the next text.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Of the containers around each other.
    frames: Vec<Frame>,
    /// Of the keys of the open objects, the innermost last.
    hashes: Vec<u64>,
}

/// What is kept of a workspace for the next text, in elements.
const KEPT: usize = 4096;

impl Workspace {
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

pub(crate) struct Containers<'a> {
    wanted: &'a Wanted,
    keys: KeyScan<'a>,
    work: &'a mut Workspace,
    /// The innermost open container, and its place in `work.frames`.
    frame: Frame,
    innermost: usize,
    /// The next hash's place.
    used: usize,
    /// Something is wrong, or has to be looked at closely.
    pub(crate) suspicious: bool,
}

impl<'a> Containers<'a> {
    pub(crate) fn new(wanted: &'a Wanted, work: &'a mut Workspace, text: &'a [u8]) -> Self {
        work.frames.resize(work.frames.len().max(4 * SLACK), Frame::default());
        Containers {
            wanted,
            keys: KeyScan::new(wanted, text),
            work,
            frame: Frame { kind: ROOT, ..Frame::default() },
            innermost: SLACK,
            used: 0,
            suspicious: false,
        }
    }

    /// Whether all containers are closed.
    pub(crate) fn is_complete(&self) -> bool {
        self.innermost == SLACK
    }

    /// The block at `at`.
    #[inline(always)]
    pub(crate) fn next<B: Blocks>(&mut self, strings: &Strings, tokens: &Tokens, wrongs: &Wrongs, at: usize) {
        let mut colon = 0;
        if self.wanted.keys() {
            self.suspicious |= self.keys.next::<B>(strings, tokens.colon, at);
            if self.wanted.duplicates {
                colon = tokens.colon;
            }
        }
        if self.work.frames.len() < self.innermost + SLACK + 1
            || self.work.hashes.len() < self.used + BLOCK + LANES
        {
            self.grow();
        }
        let hashed = &self.keys.hashed;
        let frames = &mut self.work.frames[..];
        let hashes = &mut self.work.hashes[..];
        let wrong_in = [wrongs.in_root, wrongs.in_object, wrongs.in_array];
        let mut frame = self.frame;
        let mut innermost = self.innermost;
        let mut used = self.used;
        let mut deepest = innermost;
        let mut wrong = 0;
        let mut suspicious = false;
        let mut taken = 0;
        let mut done = 0u64;
        let mut brackets = tokens.opens | tokens.closes;
        loop {
            // The tokens up to the next bracket, or to the block's end, are in the innermost container.
            let bracket = brackets & brackets.wrapping_neg();
            let up_to = bracket | bracket.wrapping_sub(1);
            let segment = up_to & !done;
            done = up_to;
            wrong |= wrong_in[frame.kind] & segment;
            frame.commas += (tokens.comma & segment).count_ones() as usize;
            let keys = (colon & segment).count_ones() as usize;
            copy_lanes(hashes, used, hashed, taken);
            if keys > LANES {
                copy_rest(hashes, used, hashed, taken, keys);
            }
            used += keys;
            taken += keys;
            if bracket == 0 {
                break;
            }
            brackets ^= bracket;
            if tokens.opens & bracket != 0 {
                frames[innermost] = frame;
                innermost += 1;
                deepest = deepest.max(innermost);
                let kind = if tokens.open_brace & bracket != 0 { OBJECT } else { ARRAY };
                frame = Frame { kind, base: used, commas: 0 };
            } else {
                let kind = if tokens.close_brace & bracket != 0 { OBJECT } else { ARRAY };
                suspicious |= frame.kind != kind;
                suspicious |= kind == ARRAY && frame.commas >= self.wanted.max_array;
                let count = used.saturating_sub(frame.base);
                suspicious |= has_equal::<B>(hashes, frame.base, count);
                used -= count;
                innermost -= 1;
                frame = frames[innermost];
            }
        }
        // A text that closes what it never opened may leave frames behind that are not its own.
        self.suspicious |= suspicious
            || wrong != 0
            || innermost < SLACK
            || deepest - SLACK > self.wanted.max_depth
            || (frame.kind == ARRAY && frame.commas >= self.wanted.max_array);
        self.frame = frame;
        self.innermost = innermost;
        self.used = used;
    }

    #[cold]
    fn grow(&mut self) {
        let Workspace { frames, hashes } = &mut *self.work;
        frames.resize(frames.len().max(2 * (self.innermost + SLACK)), Frame::default());
        hashes.resize(hashes.len().max(2 * (self.used + BLOCK + LANES)), 0);
    }
}

/// Copies eight hashes, however many are meant.
#[inline(always)]
fn copy_lanes(hashes: &mut [u64], to: usize, hashed: &[u64], from: usize) {
    let target = hashes.get_mut(to..).and_then(|rest| rest.first_chunk_mut::<LANES>());
    let source = hashed.get(from..).and_then(|rest| rest.first_chunk::<LANES>());
    if let (Some(target), Some(source)) = (target, source) {
        *target = *source;
    }
}

#[cold]
fn copy_rest(hashes: &mut [u64], to: usize, hashed: &[u64], from: usize, count: usize) {
    hashes[to..to + count].copy_from_slice(&hashed[from..from + count]);
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

/// Finds the keys before colons, hashes them, and looks at each by itself.
struct KeyScan<'a> {
    wanted: &'a Wanted,
    hash_key: HashKey,
    text: &'a [u8],
    /// A bit for each forbidden hash.
    forbidden: u64,
    /// The last opening and closing quote of the blocks before, and whether there was a backslash since that opening.
    opening: usize,
    closing: usize,
    backslash: bool,
    /// Of the keys of this block.
    hashed: [u64; BLOCK + LANES],
}

impl<'a> KeyScan<'a> {
    fn new(wanted: &'a Wanted, text: &'a [u8]) -> Self {
        KeyScan {
            wanted,
            hash_key: HashKey::of_process(),
            text,
            forbidden: wanted.forbidden.iter().fold(0, |bits, hash| bits | 1 << (hash & 63)),
            opening: 0,
            closing: 0,
            backslash: false,
            hashed: [0; BLOCK + LANES],
        }
    }

    /// Hashes the keys before the colons of the block at `at`; whether one is suspicious.
    #[inline(always)]
    fn next<B: Blocks>(&mut self, strings: &Strings, colon: u64, at: usize) -> bool {
        let Strings { opening, closing, backslash, .. } = *strings;
        // Keys that end in this block right before their colons, and where they start: the n-th string to end is the n-th to
        // start, but for one that the block starts in.
        let ends = closing & colon >> 1;
        let mut suspicious = false;
        if colon & !(ends << 1) == 0 {
            let starts_before = strings.inside & 1 & !opening | closing & 1;
            let order = B::extract(ends, closing);
            let starts = B::deposit(order >> starts_before, opening);
            suspicious |= backslash & ends.wrapping_sub(starts) != 0;
            let mut count = 0;
            let mut open = starts;
            let mut close = ends;
            if order & starts_before != 0 {
                let inside = (close & close.wrapping_neg()) - 1;
                suspicious |= self.backslash || backslash & inside != 0;
                let end = at + close.trailing_zeros() as usize;
                close &= close - 1;
                suspicious |= self.hash(self.opening + 1, end, count);
                count += 1;
            }
            while close != 0 {
                let start = at + open.trailing_zeros() as usize + 1;
                let end = at + close.trailing_zeros() as usize;
                open &= open.wrapping_sub(1);
                close &= close - 1;
                suspicious |= self.hash(start, end, count);
                count += 1;
            }
        } else {
            suspicious |= self.spaced(strings, colon, at);
        }
        if opening != 0 {
            let place = highest(opening);
            self.opening = at + place;
            self.backslash = backslash >> place != 0;
        } else {
            self.backslash |= backslash != 0;
        }
        if closing != 0 {
            self.closing = at + highest(closing);
        }
        suspicious
    }

    /// As `next`, where a colon stands apart from its key.
    #[inline(never)]
    fn spaced(&mut self, strings: &Strings, mut colon: u64, at: usize) -> bool {
        let mut suspicious = false;
        let mut count = 0;
        while colon != 0 {
            let before_colon = (colon & colon.wrapping_neg()) - 1;
            colon &= colon - 1;
            let closing = strings.closing & before_colon;
            let (end, inside) = match closing {
                0 => (self.closing, 0),
                _ => (at + highest(closing), (1u64 << highest(closing)) - 1),
            };
            let opening = strings.opening & inside;
            let start = match opening {
                0 => self.opening,
                _ => at + highest(opening),
            };
            let before = if opening == 0 { 0 } else { (1u64 << highest(opening)) - 1 };
            suspicious |= strings.backslash & inside & !before != 0 || (opening == 0 && self.backslash);
            suspicious |= self.hash(start + 1, end, count);
            count += 1;
        }
        suspicious
    }

    /// Hashes the key between `start` and `end`, the `count`-th of the block; whether it is suspicious by itself.
    #[inline(always)]
    fn hash(&mut self, start: usize, end: usize, count: usize) -> bool {
        // A text that is no JSON may have a colon without a key.
        let length = end.saturating_sub(start);
        let window = self.text.get(start..).and_then(|rest| rest.first_chunk::<WINDOW>());
        let hash = match window {
            Some(window) if length <= WINDOW => self.hash_key.short(window, length),
            _ => self.hash_key.hash(self.text.get(start..end).unwrap_or_default()),
        };
        self.hashed[count] = hash;
        length > self.wanted.max_key
            || self.wanted.operators && self.text.get(start) == Some(&b'$')
            || self.forbidden & 1 << (hash & 63) != 0 && self.wanted.forbidden.contains(&hash)
    }
}

#[inline(always)]
fn highest(mask: u64) -> usize {
    63 - mask.leading_zeros() as usize
}
