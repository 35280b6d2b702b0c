//! A hash of short byte strings under a key of this process: what an attacker cannot foresee, so that no choice of keys makes
//! them collide. The key comes from the standard library's `RandomState`, which has it from the operating system.
//!
//! Short strings are multiplied, in a way that eight can be at once; long ones are multiplied and folded, as wyhash and its
//! relatives do. It is no cryptographic hash: equal hashes make the exact scan look, and that one compares the keys.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// The process's key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashKey([u64; 4]);

/// What short strings are read as: one load, whatever their length.
pub(crate) const WINDOW: usize = 16;

impl HashKey {
    pub(crate) fn of_process() -> HashKey {
        static KEY: OnceLock<HashKey> = OnceLock::new();
        *KEY.get_or_init(|| HashKey([0, 1, 2, 3].map(|part: u8| RandomState::new().hash_one(part))))
    }

    /// Of the first `length` bytes of `window`, at most all, none of which is zero.
    #[inline(always)]
    pub(crate) fn short(&self, window: &[u8; WINDOW], length: usize) -> u64 {
        let (low, high) = window.split_at(8);
        let word = |half: &[u8]| half.try_into().map_or(0, u64::from_le_bytes);
        // Without zeros among the bytes, what is cut off tells the length.
        let [keep_low, keep_high] = KEEP[length];
        let (high_factor, factor) = self.factors();
        let high = (word(high) & keep_high).wrapping_mul(high_factor);
        (word(low) & keep_low).wrapping_add(high).wrapping_mul(factor)
    }

    /// What the high half of a short string is multiplied by, and then the sum of both: odd, so that nothing is lost. Strings
    /// of up to eight bytes never collide; longer ones do by chance that only who knows the factors can make.
    #[inline(always)]
    pub(crate) fn factors(&self) -> (u64, u64) {
        (self.0[0] | 1, self.0[1] | 1)
    }

    /// One of sixty-four bits, by which most other hashes are told apart.
    #[inline(always)]
    pub(crate) fn bit(hash: u64) -> u64 {
        1 << (hash >> 58)
    }

    pub(crate) fn long(&self, bytes: &[u8]) -> u64 {
        let mut hash = self.0[2] ^ bytes.len() as u64;
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = fold(hash ^ u64::from_le_bytes(word), self.0[3]);
        }
        hash
    }

    /// As the sieve hashes keys.
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        if bytes.len() > WINDOW {
            return self.long(bytes);
        }
        let mut window = [0; WINDOW];
        window[..bytes.len()].copy_from_slice(bytes);
        self.short(&window, bytes.len())
    }
}

/// The low bytes to keep for each length.
static KEEP: [[u64; 2]; WINDOW + 1] = {
    let mut keep = [[0, 0]; WINDOW + 1];
    let mut length = 1;
    while length <= WINDOW {
        keep[length] = if length <= 8 {
            [u64::MAX >> (64 - 8 * length), 0]
        } else {
            [u64::MAX, u64::MAX >> (128 - 8 * length)]
        };
        length += 1;
    }
    keep
};

#[inline(always)]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}
