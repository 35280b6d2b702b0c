//! Wiping what Rust's types do not: *ring*'s keys, which have no wiping of their own, and the stack.

use std::hint::black_box;
use std::ops::{Deref, DerefMut};

use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};

/// A key of *ring*'s that is overwritten when it is dropped. It stays where it is in memory.
pub(crate) struct WipedKey(Box<LessSafeKey>);

impl WipedKey {
    pub(crate) fn new(key: LessSafeKey) -> WipedKey {
        WipedKey(Box::new(key))
    }

    #[inline]
    pub(crate) fn get(&self) -> &LessSafeKey {
        &self.0
    }
}

impl Drop for WipedKey {
    fn drop(&mut self) {
        // Keys of both lengths have the same place for their schedule, of which the longer one fills more.
        if let Ok(zero) = UnboundKey::new(&AES_256_GCM, &[0; 32]) {
            *self.0 = LessSafeKey::new(zero);
            // The compiler has to assume that somebody looks, and so has to write.
            black_box(&mut *self.0);
        }
    }
}

/// Bytes that are wiped when they are dropped, and when asked; in one go, where `zeroize` writes each byte by itself.
#[derive(Default)]
pub(crate) struct WipedBytes(Vec<u8>);

impl WipedBytes {
    pub(crate) fn zeros(length: usize) -> WipedBytes {
        WipedBytes(vec![0; length])
    }

    /// The first `length` bytes, whatever is in them.
    pub(crate) fn at_least(&mut self, length: usize) -> &mut [u8] {
        if self.0.len() < length {
            // Not grown in place: what it leaves behind would not be wiped.
            *self = WipedBytes::zeros(length);
        }
        &mut self.0[..length]
    }

    pub(crate) fn wipe(&mut self) {
        self.0.fill(0);
        // The compiler has to assume that somebody looks, and so has to write.
        black_box(&mut *self.0);
    }
}

impl Deref for WipedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for WipedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for WipedBytes {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Overwrites the stack below the caller, where functions that it called have left what they worked on. To be called at the
/// depth at which they were.
#[inline(never)]
pub fn burn_stack() {
    let mut area = [0u8; BURNT];
    black_box(&mut area);
}

/// More than the frames of *ring*'s key set-up and encryption take together: 4 KiB left a key behind, 6 did not
/// (`__test__/key-memory.test.js`).
const BURNT: usize = 8 * 1024;
