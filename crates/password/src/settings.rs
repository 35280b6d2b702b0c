//! How new hashes are made, and what a stored one may ask for.

/// What a new hash is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Argon2id, version 19 (RFC 9106).
    Argon2id(Argon2Settings),
    /// bcrypt, `$2b$`, with this cost (log2 of the rounds).
    Bcrypt(u32),
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

/// The most that a stored hash may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// KiB.
    pub memory_kib: u32,
    /// Argon2 passes.
    pub passes: u32,
    /// Argon2 lanes.
    pub lanes: u32,
    /// bcrypt cost.
    pub cost: u32,
}

/// A hasher's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For new hashes.
    pub algorithm: Algorithm,
    /// For stored ones.
    pub limits: Limits,
}
