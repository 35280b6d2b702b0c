//! Wiping what Rust's types do not: *ring*'s keys, which have no wiping of their own, and the stack.

use std::hint::black_box;

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

/// Overwrites the stack below the caller, where functions that it called have left what they worked on. To be called at the
/// depth at which they were.
#[inline(never)]
pub fn burn_stack() {
    let mut area = [0u8; BURNT];
    black_box(&mut area);
}

/// More than the frames of *ring*'s key set-up and encryption take together.
const BURNT: usize = 4096;
