//! Random bytes from the operating system, and nonces made of them.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};

use crate::gcm::Error;

/// Fills `bytes` from the operating system.
pub fn random(bytes: &mut [u8]) -> Result<(), Error> {
    SystemRandom::new().fill(bytes).map_err(|_| Error::Random)
}

/// A random nonce.
///
/// Asking the system takes three times as long as sealing a short message, so this thread asks for many at once; each byte is
/// handed out once. A machine that is stopped, copied and continued twice has the rest of such a batch twice, and two messages
/// under one nonce give the key of their tags away. So the time is laid over each nonce: it is as random as before, and
/// differs between copies that do not draw it in the same nanosecond.
pub(crate) fn nonce<const LENGTH: usize>() -> Result<[u8; LENGTH], Error> {
    let mut nonce = [0; LENGTH];
    BATCH.with_borrow_mut(|batch| batch.take(&mut nonce, &mut random))?;
    lay_over(&mut nonce, now());
    Ok(nonce)
}

thread_local! {
    static BATCH: RefCell<Batch> = const { RefCell::new(Batch { bytes: [0; BATCH_BYTES], left: 0 }) };
}

/// Larger ones are hardly cheaper: from here on the bytes themselves are what takes the time.
const BATCH_BYTES: usize = 512;

struct Batch {
    bytes: [u8; BATCH_BYTES],
    /// Those not handed out yet are in front.
    left: usize,
}

impl Batch {
    fn take(
        &mut self,
        destination: &mut [u8],
        fill: &mut dyn FnMut(&mut [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.left < destination.len() {
            self.left = 0;
            fill(&mut self.bytes)?;
            self.left = BATCH_BYTES;
        }
        self.left -= destination.len();
        let taken = &mut self.bytes[self.left..][..destination.len()];
        destination.copy_from_slice(taken);
        taken.fill(0);
        Ok(())
    }
}

fn lay_over(nonce: &mut [u8], time: u64) {
    if let Some(last) = nonce.last_chunk_mut::<8>() {
        *last = (u64::from_le_bytes(*last) ^ time).to_le_bytes();
    }
}

/// Nanoseconds since 1970, in as many bits as there are.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_else(|error| error.duration());
    since.as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// 1, 2, 3 … in place of randomness.
    fn counting() -> impl FnMut(&mut [u8]) -> Result<(), Error> {
        let mut next = 0u32;
        move |bytes| {
            for pair in bytes.chunks_exact_mut(4) {
                next += 1;
                pair.copy_from_slice(&next.to_le_bytes());
            }
            Ok(())
        }
    }

    #[test]
    fn every_byte_is_handed_out_once() {
        let mut batch = Batch { bytes: [0; BATCH_BYTES], left: 0 };
        let mut fill = counting();
        let mut seen = HashSet::new();
        for round in 0..1000 {
            let mut taken = vec![0; if round % 3 == 0 { 24 } else { 12 }];
            batch.take(&mut taken, &mut fill).unwrap();
            for word in taken.chunks_exact(4) {
                assert_ne!(word, [0; 4]);
                assert!(seen.insert(word.to_vec()), "handed out twice");
            }
            assert!(batch.bytes[batch.left..].iter().all(|&byte| byte == 0), "what was handed out is wiped");
        }
    }

    #[test]
    fn nothing_is_handed_out_when_the_system_fails() {
        let mut batch = Batch { bytes: [7; BATCH_BYTES], left: 5 };
        for _ in 0..2 {
            let mut taken = [0; 12];
            assert_eq!(batch.take(&mut taken, &mut |_| Err(Error::Random)), Err(Error::Random));
            assert_eq!(taken, [0; 12]);
        }
    }

    #[test]
    fn copies_of_a_batch_give_different_nonces() {
        let original = [5; 24];
        let (mut here, mut there) = (original, original);
        lay_over(&mut here, 1_800_000_000_000_000_000);
        lay_over(&mut there, 1_800_000_000_000_000_001);
        assert_ne!(here, there);
        assert_eq!(here[..16], original[..16]);
        assert_ne!(here, original);
    }

    #[test]
    fn nonces_are_drawn_with_the_time() {
        let before = now();
        assert!(before > 1_700_000_000_000_000_000);
        let nonces: HashSet<[u8; 12]> = (0..10_000).map(|_| nonce().unwrap()).collect();
        assert_eq!(nonces.len(), 10_000);
        let ones: u32 = nonces.iter().flatten().map(|byte| byte.count_ones()).sum();
        // Half of 960,000 bits, give or take ten standard deviations.
        assert!(ones.abs_diff(480_000) < 4_900, "{ones} bits are set");
    }
}
