//! The walk over a text's brackets and keys: which container each token is in, how long arrays are, and whether a key comes
//! twice or is one to refuse. It judges what the masks cannot; it suspects too much rather than too little.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

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

/// An object of so many keys gets a table; up to there its hashes are compared one by one.
const MANY_KEYS: usize = 32;

/// Brackets in one block close at most so many containers that were never opened, before anybody looks.
const SLACK: usize = 64;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Root,
    Object,
    Array,
}

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    kind: Kind,
    /// Of an array.
    commas: usize,
    /// Where its hashes start.
    base: usize,
    /// A bit for each hash.
    bloom: u64,
}

/// Memory that is used again for the next text.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    frames: Vec<Frame>,
    hashes: Vec<u64>,
    /// Of the open objects with many keys, the innermost last.
    tables: Vec<HashSet<u64, BuildHasherDefault<Unhashed>>>,
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
        self.tables.clear();
    }
}

pub(crate) struct Containers<'a> {
    wanted: &'a Wanted,
    hash_key: HashKey,
    work: &'a mut Workspace,
    /// The innermost open container's place in `work.frames`.
    innermost: usize,
    /// The next hash's place.
    used: usize,
    /// The last opening and closing quote of the blocks before.
    last_opening: usize,
    last_closing: usize,
    /// Something is wrong, or has to be looked at closely.
    pub(crate) suspicious: bool,
}

impl<'a> Containers<'a> {
    pub(crate) fn new(wanted: &'a Wanted, work: &'a mut Workspace) -> Self {
        work.frames.resize(work.frames.len().max(4 * SLACK), Frame::default());
        work.hashes.resize(work.hashes.len().max(256), 0);
        work.frames[SLACK] = Frame::default();
        Containers {
            wanted,
            hash_key: HashKey::of_process(),
            work,
            innermost: SLACK,
            used: 0,
            last_opening: 0,
            last_closing: 0,
            suspicious: false,
        }
    }

    /// Whether all containers are closed.
    pub(crate) fn is_complete(&self) -> bool {
        self.innermost == SLACK
    }

    /// The block at `at`.
    #[inline(always)]
    pub(crate) fn next(
        &mut self,
        strings: &Strings,
        tokens: &Tokens,
        wrongs: &Wrongs,
        text: &[u8],
        at: usize,
    ) {
        if self.work.frames.len() < self.innermost + SLACK + 1 {
            self.grow();
        }
        let wrong_in = [wrongs.in_root, wrongs.in_object, wrongs.in_array];
        let keys = if self.wanted.keys() { tokens.colon } else { 0 };
        let mut events = tokens.opens | tokens.closes | keys;
        let mut wrong = 0;
        let mut done = 0u64;
        let mut deepest = self.innermost;
        let mut frame = self.work.frames[self.innermost];
        while events != 0 {
            let event = events & events.wrapping_neg();
            events ^= event;
            if keys & event != 0 {
                self.key(&mut frame, strings, event, text, at);
                continue;
            }
            let up_to = event | (event - 1);
            let segment = up_to & !done;
            done = up_to;
            wrong |= wrong_in[frame.kind as usize] & segment;
            frame.commas += (tokens.comma & segment).count_ones() as usize;
            if tokens.opens & event != 0 {
                self.work.frames[self.innermost] = frame;
                self.innermost += 1;
                let kind = if tokens.open_brace & event != 0 { Kind::Object } else { Kind::Array };
                frame = Frame { kind, commas: 0, base: self.used, bloom: 0 };
                deepest = deepest.max(self.innermost);
            } else {
                let kind = if tokens.close_brace & event != 0 { Kind::Object } else { Kind::Array };
                self.suspicious |= frame.kind != kind;
                self.suspicious |= kind == Kind::Array && frame.commas >= self.wanted.max_array;
                if self.used.saturating_sub(frame.base) >= MANY_KEYS {
                    self.work.tables.pop();
                }
                self.used = self.used.min(frame.base);
                self.innermost -= 1;
                frame = self.work.frames[self.innermost];
            }
        }
        wrong |= wrong_in[frame.kind as usize] & !done;
        frame.commas += (tokens.comma & !done).count_ones() as usize;
        self.work.frames[self.innermost] = frame;
        self.suspicious |= wrong != 0
            || self.innermost < SLACK
            || deepest - SLACK > self.wanted.max_depth
            || (frame.kind == Kind::Array && frame.commas >= self.wanted.max_array);
        if strings.opening != 0 {
            self.last_opening = at + highest(strings.opening);
        }
        if strings.closing != 0 {
            self.last_closing = at + highest(strings.closing);
        }
    }

    /// The key before a colon.
    #[inline(always)]
    fn key(&mut self, frame: &mut Frame, strings: &Strings, colon: u64, text: &[u8], at: usize) {
        let closing = strings.closing & (colon - 1);
        let (opening, backslash, closing) = if closing == 0 {
            (self.last_opening, true, self.last_closing)
        } else {
            let place = highest(closing);
            let before = (1u64 << place) - 1;
            match strings.opening & before {
                0 => (self.last_opening, true, at + place),
                opening => {
                    let start = highest(opening);
                    (at + start, strings.backslash & before & (u64::MAX << start) != 0, at + place)
                }
            }
        };
        let (start, end) = (opening + 1, closing);
        // Saturating: a text that is no JSON may have a colon without a key.
        let length = end.saturating_sub(start);
        let window = text.get(start..).and_then(|rest| rest.first_chunk::<WINDOW>());
        let hash = match window {
            Some(window) if length <= WINDOW && !backslash => {
                self.suspicious |= self.wanted.operators && window[0] == b'$';
                self.hash_key.short(window, length)
            }
            _ => self.unusual_key(text.get(start..end).unwrap_or_default()),
        };
        self.suspicious |= length > self.wanted.max_key;
        if !self.wanted.forbidden.is_empty() {
            self.suspicious |= self.wanted.forbidden.contains(&hash);
        }
        if self.wanted.duplicates {
            self.remember(frame, hash);
        }
    }

    /// A key that is long, near the text's end, split between blocks, or has escapes.
    #[inline(never)]
    fn unusual_key(&mut self, key: &[u8]) -> u64 {
        // Characters can be spelt in several ways then: the exact scan knows them all.
        self.suspicious |= key.contains(&b'\\');
        self.suspicious |= self.wanted.operators && key.first() == Some(&b'$');
        self.hash_key.hash(key)
    }

    #[inline(always)]
    fn remember(&mut self, frame: &mut Frame, hash: u64) {
        let count = self.used.saturating_sub(frame.base);
        let bit = 1u64 << (hash & 63);
        if count >= MANY_KEYS - 1 {
            self.remember_among_many(frame.base, hash);
        } else if frame.bloom & bit != 0 {
            let others = self.work.hashes.get(frame.base..self.used);
            self.suspicious |= others.is_none_or(|others| others.contains(&hash));
        }
        frame.bloom |= bit;
        if self.used == self.work.hashes.len() {
            self.work.hashes.resize(2 * self.used, 0);
        }
        self.work.hashes[self.used] = hash;
        self.used += 1;
    }

    #[inline(never)]
    fn remember_among_many(&mut self, base: usize, hash: u64) {
        let before = self.work.hashes.get(base..self.used).unwrap_or_default();
        if before.len() == MANY_KEYS - 1 {
            self.work.tables.push(before.iter().copied().collect());
        }
        let is_new = self.work.tables.last_mut().is_none_or(|table| table.insert(hash));
        self.suspicious |= !is_new;
    }

    #[inline(never)]
    fn grow(&mut self) {
        let length = 2 * self.work.frames.len();
        self.work.frames.resize(length, Frame::default());
    }
}

#[inline(always)]
fn highest(mask: u64) -> usize {
    63 - mask.leading_zeros() as usize
}

/// Takes what is a hash already as it is.
#[derive(Default)]
pub(crate) struct Unhashed(u64);

impl Hasher for Unhashed {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
