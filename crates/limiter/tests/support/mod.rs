//! GCRA as the standard writes it down, in rational numbers, for each key by itself and with memory without bound. Shares nothing
//! with the crate.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;

use num_rational::Ratio;

/// A time in microseconds, or a time's length.
pub(crate) type Time = Ratio<i128>;

pub(crate) struct Model {
    /// T in I.371: from one token to the next.
    interval: Time,
    /// Of a full bucket.
    tokens: i128,
    /// The theoretical arrival times.
    arrivals: HashMap<u32, Time>,
    latest: i128,
}

impl Model {
    pub(crate) fn new(limit: u64, window: u64, burst: u64) -> Model {
        Model {
            interval: Ratio::new(window.into(), limit.into()),
            tokens: burst.into(),
            arrivals: HashMap::new(),
            latest: 0,
        }
    }

    pub(crate) fn level(&mut self, key: u32, now: u64) -> Time {
        self.latest = self.latest.max(now.into());
        let now = Ratio::from_integer(self.latest);
        let arrival = self.arrivals.get(&key).copied().unwrap_or(now);
        if arrival > now { arrival - now } else { Ratio::from_integer(0) }
    }

    /// The level with the tokens, or, where there are too few, the level without.
    pub(crate) fn consume(&mut self, key: u32, cost: u64, now: u64) -> Result<Time, Time> {
        let level = self.level(key, now);
        let after = level + self.interval * i128::from(cost);
        if after > self.interval * self.tokens {
            return Err(level);
        }
        self.set(key, after);
        Ok(after)
    }

    pub(crate) fn refund(&mut self, key: u32, cost: u64, now: u64) {
        let level = self.level(key, now) - self.interval * i128::from(cost);
        self.set(key, level.max(Ratio::from_integer(0)));
    }

    pub(crate) fn reset(&mut self, key: u32) {
        self.arrivals.remove(&key);
    }

    /// The tokens of a key that are used, rounded down.
    pub(crate) fn used(&mut self, key: u32, now: u64) -> i128 {
        (self.level(key, now) / self.interval).to_integer()
    }

    pub(crate) fn set(&mut self, key: u32, level: Time) {
        self.arrivals.insert(key, level + Ratio::from_integer(self.latest));
    }
}

/// A small generator, so that a trace is the same each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn word(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea, Flood, 2014).
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound
    }
}

pub(crate) fn seed(number: u64) -> [u8; 32] {
    let mut random = Random(number);
    let mut seed = [0; 32];
    for word in seed.chunks_mut(8) {
        word.copy_from_slice(&random.word().to_le_bytes());
    }
    seed
}
