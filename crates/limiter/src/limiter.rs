//! The generic cell rate algorithm (ITU-T I.371, annex A) for the keys of a table.
//!
//! Times are counted in the rate's units since an epoch, in which the theoretical arrival time of a key is a whole number: the
//! answers are exactly those of arithmetic with rationals.

use crate::Rate;
use crate::hash::KeyHasher;
use crate::table::{Found, Table};

/// Times stay below this, and with the level of an empty bucket on top below 2⁶³.
const MOST_TIME: u64 = 1 << 62;

/// What `consume` says. The level is how long it takes until the bucket is full, in units of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The tokens were taken: the level with them.
    Taken(u64),
    /// There were too few of them: the level as it is.
    Refused(u64),
}

/// A key, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

/// Limits the rate of each of many keys.
pub struct Limiter {
    rate: Rate,
    hasher: KeyHasher,
    table: Table,
    /// In microseconds; nothing until the first call.
    epoch: Option<u64>,
    /// The latest time so far, in units since the epoch.
    now: u64,
}

/// What a limiter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Keys in use, and keys that have recovered and whose cells were not looked at since.
    pub keys: usize,
    /// Bytes of the table.
    pub bytes: usize,
    /// Keys in use that had to make room for others, or could not be stored.
    pub evictions: u64,
}

impl Limiter {
    /// Holds `keys` keys or a few more; `seed` is secret and random.
    #[must_use]
    pub fn new(rate: Rate, keys: usize, seed: &[u8; 32]) -> Limiter {
        Limiter { rate, hasher: KeyHasher::new(seed), table: Table::new(keys), epoch: None, now: 0 }
    }

    /// The key that is this text, of characters up to U+00FF.
    #[inline]
    #[must_use]
    pub fn key(&self, text: &[u8]) -> Key {
        Key(self.hasher.bytes(text))
    }

    /// The key that is this text in UTF-16, in which a character is over U+00FF.
    #[must_use]
    pub fn wide_key(&self, text: &[u16]) -> Key {
        Key(self.hasher.units(text))
    }

    /// Takes `cost` tokens, if there are as many. `now` is in microseconds; a time before one that was given already is taken
    /// for that one.
    #[inline]
    pub fn consume(&mut self, key: Key, cost: u64, now: u64) -> Answer {
        let now = self.units(now);
        let found = self.table.find(key.0);
        let level = self.level(&found, now);
        let after = level + self.rate.price(cost);
        if after > self.rate.capacity() {
            return Answer::Refused(level);
        }
        if cost > 0 {
            self.table.set(key.0, &found, now + after, now);
        }
        Answer::Taken(after)
    }

    /// The level of a key.
    pub fn peek(&mut self, key: Key, now: u64) -> u64 {
        let now = self.units(now);
        self.level(&self.table.find(key.0), now)
    }

    /// Gives tokens back that were taken.
    pub fn refund(&mut self, key: Key, cost: u64, now: u64) {
        let now = self.units(now);
        let found = self.table.find(key.0);
        let level = self.level(&found, now);
        // A key that lost its cell has a level too, that of the floor. A full bucket has no room for more.
        if level > 0 {
            let less = level.saturating_sub(self.rate.price(cost));
            self.table.set(key.0, &found, now + less, now);
        }
    }

    /// Raises the level of a key to this one, if it is lower.
    pub fn raise(&mut self, key: Key, level: u64, now: u64) {
        let now = self.units(now);
        let found = self.table.find(key.0);
        if level > self.level(&found, now) {
            self.table.set(key.0, &found, now + level.min(self.rate.capacity()), now);
        }
    }

    /// Fills a key's bucket.
    pub fn reset(&mut self, key: Key, now: u64) {
        self.refund(key, u64::MAX, now);
    }

    /// What is held.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { keys: self.table.keys(), bytes: self.table.bytes(), evictions: self.table.evictions() }
    }

    #[inline]
    fn level(&self, found: &Found, now: u64) -> u64 {
        found.until.saturating_sub(now)
    }

    /// The time in units; never goes back.
    #[inline]
    fn units(&mut self, now: u64) -> u64 {
        let elapsed = now.saturating_sub(self.epoch.unwrap_or(now));
        let units = u128::from(elapsed) * u128::from(self.rate.per_microsecond());
        match u64::try_from(units) {
            Ok(units) if units < MOST_TIME && self.epoch.is_some() => self.now = self.now.max(START + units),
            _ => self.start_epoch(now, units),
        }
        self.now
    }

    #[cold]
    fn start_epoch(&mut self, now: u64, units: u128) {
        // Later than any time in the table, if it does not fit.
        self.table.shift(u64::try_from(units).unwrap_or(u64::MAX));
        self.epoch = Some(now);
        self.now = START;
    }
}

/// The first time of an epoch: 0 is that of cells that are free.
const START: u64 = 1;
