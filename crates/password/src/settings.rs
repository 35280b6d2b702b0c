//! How new hashes are made, and what a stored one may ask for.

use zeroize::Zeroizing;

/// What a new hash is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Argon2id, version 19 (RFC 9106).
    Argon2id(Argon2Settings),
    /// bcrypt, `$2b$`, with this cost (log2 of the rounds).
    Bcrypt(u32),
    /// scrypt (RFC 7914).
    Scrypt(ScryptSettings),
}

/// Argon2's parameters. The caller has checked them against the ranges given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Settings {
    /// KiB, at least `8 * lanes`.
    pub memory_kib: u32,
    /// At least 1.
    pub passes: u32,
    /// At least 1.
    pub lanes: u32,
    /// Bytes, 4 to 64.
    pub tag_length: usize,
    /// Bytes, 8 to 64.
    pub salt_length: usize,
}

/// scrypt's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScryptSettings {
    /// log2 of N.
    pub log_n: u32,
    /// Block size.
    pub r: u32,
    /// Parallelization: computed one after the other.
    pub p: u32,
}

impl ScryptSettings {
    /// What a hash takes, rounded up: `128 · r · (N + p)` bytes; as much as can be where that is more than can be said.
    pub fn memory_kib(&self) -> u64 {
        let blocks = 1u64.checked_shl(self.log_n).and_then(|n| n.checked_add(u64::from(self.p)));
        let bytes = blocks.and_then(|blocks| blocks.checked_mul(128 * u64::from(self.r)));
        bytes.map_or(u64::MAX, |bytes| bytes.div_ceil(1024))
    }
}

/// The most that a stored hash may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// KiB, for argon2 and scrypt; all ones: no limit.
    pub memory_kib: u32,
    /// Argon2 passes.
    pub passes: u32,
    /// Argon2 lanes, and scrypt's parallelization.
    pub lanes: u32,
    /// bcrypt cost.
    pub cost: u32,
    /// log2 of scrypt's N.
    pub log_n: u32,
}

/// Secrets that argon2 hashes are made with, each under a name that stands in the hash.
#[derive(Clone)]
pub struct Pepper {
    /// The name of the one for new hashes.
    pub current: String,
    /// All that stored hashes may name.
    pub keys: Vec<(String, Zeroizing<Vec<u8>>)>,
}

impl Pepper {
    pub(crate) fn key(&self, name: &str) -> Option<&[u8]> {
        self.keys.iter().find(|(other, _)| other == name).map(|(_, key)| key.as_slice())
    }
}

/// A hasher's settings.
#[derive(Clone)]
pub struct Settings {
    /// For new hashes.
    pub algorithm: Algorithm,
    /// For stored ones.
    pub limits: Limits,
    /// For argon2.
    pub pepper: Option<Pepper>,
    /// Whether bcrypt reads the first 72 bytes of a longer password, as other libraries do.
    pub bcrypt_truncates: bool,
}

impl Settings {
    /// The name of the pepper that new hashes are made with.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.pepper.as_ref().map(|pepper| pepper.current.as_str())
    }
}
