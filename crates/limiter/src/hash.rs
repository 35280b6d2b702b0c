//! Keys are reduced to 64 bits by SipHash-1-3 (Aumasson, Bernstein, 2012; the variant for hash tables) under a key that nobody
//! knows, so that nobody can look for keys with the same hash.
//!
//! Two keys with the same hash share one cell: neither is allowed more than its limit then, but both less. Among n keys in use a
//! new one meets such a one with a probability of n / 2⁶⁴: with 10 million 5 × 10⁻¹³.

use siphasher::sip::SipHasher13;

/// The secret keys: one for text of bytes, one for text of wider characters.
pub(crate) struct KeyHasher {
    narrow: SipHasher13,
    wide: SipHasher13,
}

impl KeyHasher {
    pub(crate) fn new(seed: &[u8; 32]) -> KeyHasher {
        let [mut narrow, mut wide] = [[0; 16]; 2];
        narrow.copy_from_slice(&seed[..16]);
        wide.copy_from_slice(&seed[16..]);
        KeyHasher { narrow: SipHasher13::new_with_key(&narrow), wide: SipHasher13::new_with_key(&wide) }
    }

    /// Of text whose characters are at most U+00FF.
    #[inline]
    pub(crate) fn bytes(&self, text: &[u8]) -> u64 {
        nonzero(self.narrow.hash(text))
    }

    /// Of text in UTF-16 with a character over U+00FF. Any sequence of units, lone surrogates included.
    pub(crate) fn units(&self, text: &[u16]) -> u64 {
        let bytes: Vec<u8> = text.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        nonzero(self.wide.hash(&bytes))
    }
}

/// 0 stands for no hash in the table.
#[inline]
fn nonzero(hash: u64) -> u64 {
    hash.max(1)
}
