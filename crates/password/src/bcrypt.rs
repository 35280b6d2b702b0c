//! bcrypt, for one password or several at once.

use zeroize::{Zeroize, Zeroizing};

use crate::blowfish::{Blowfish, KeyWords, SaltWords};

/// Bytes of a password that bcrypt reads.
pub(crate) const MAX_PASSWORD: usize = 72;
/// Bytes.
pub(crate) const SALT_LENGTH: usize = 16;
/// The last of 24 bytes of output was dropped by the first implementation, and by all since.
pub(crate) const DIGEST_LENGTH: usize = 23;

pub(crate) type Salt = [u8; SALT_LENGTH];
pub(crate) type Digest = [u8; DIGEST_LENGTH];

/// Hashes that are computed together, at most: beyond four the tables leave the first-level cache of small processors.
pub(crate) const MOST_TOGETHER: usize = 4;

/// How often the rounds ask whether to go on: about every two milliseconds for each password.
const ROUNDS_AT_ONCE: u32 = 32;

/// A password and its salt, as the rounds take them. Wiped when dropped.
pub(crate) struct Input {
    key: KeyWords,
    salt: SaltWords,
}

impl Input {
    /// At most [`MAX_PASSWORD`] bytes of the password are read, as every implementation does.
    pub(crate) fn new(password: &[u8], salt: &Salt) -> Input {
        Input::of(password, salt, |word, byte| word << 8 | u32::from(byte))
    }

    /// As `$2x$` has it: in PHP and others before 2011, `char` was signed, and a byte above 0x7F put ones over the three
    /// before it.
    pub(crate) fn sign_extended(password: &[u8], salt: &Salt) -> Input {
        Input::of(password, salt, |word, byte| word << 8 | i32::from(byte as i8) as u32)
    }

    fn of(password: &[u8], salt: &Salt, join: fn(u32, u8) -> u32) -> Input {
        // The password and a NUL, again and again; without a NUL where there is no room for one.
        let mut bytes = Zeroizing::new([0; MAX_PASSWORD + 1]);
        let length = password.len().min(MAX_PASSWORD);
        bytes[..length].copy_from_slice(&password[..length]);
        let cycle = &bytes[..(length + 1).min(MAX_PASSWORD)];
        let mut next = cycle.iter().cycle();
        let mut key = [0; 18];
        for word in &mut key {
            *word = next.by_ref().take(4).fold(0, |word, &byte| join(word, byte));
        }
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(salt.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        Input { key, salt: words }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// The digests of up to [`MOST_TOGETHER`] inputs, at the price of little more than one; nothing when `go_on` says so, which
/// is asked between rounds.
pub(crate) fn digests(cost: u32, inputs: &[Input], go_on: &dyn Fn() -> bool) -> Option<Vec<Digest>> {
    match inputs {
        [first] => together(cost, [first], go_on).map(Vec::from),
        [first, second] => together(cost, [first, second], go_on).map(Vec::from),
        [first, second, third] => together(cost, [first, second, third], go_on).map(Vec::from),
        [first, second, third, fourth] => {
            together(cost, [first, second, third, fourth], go_on).map(Vec::from)
        }
        [] => Some(Vec::new()),
        more => {
            let mut all = Vec::with_capacity(more.len());
            for some in more.chunks(MOST_TOGETHER) {
                all.extend(digests(cost, some, go_on)?);
            }
            Some(all)
        }
    }
}

#[inline(never)]
fn together<const N: usize>(cost: u32, inputs: [&Input; N], go_on: &dyn Fn() -> bool) -> Option<[Digest; N]> {
    let keys = Zeroizing::new(inputs.map(|input| input.key));
    let salts = inputs.map(|input| input.salt);
    let mut blowfish = Blowfish::new(&keys, &salts);
    let rounds = 1u32 << cost;
    for round in 0..rounds {
        if round % ROUNDS_AT_ONCE == 0 && !go_on() {
            return None;
        }
        blowfish.round(&keys, &salts);
    }
    // "OrpheanBeholderScryDoubt", sixty-four times.
    const TEXT: [[u32; 2]; 3] =
        [[0x4F72_7068, 0x6561_6E42], [0x6568_6F6C, 0x6465_7253], [0x6372_7944, 0x6F75_6274]];
    let mut digests = [[0; DIGEST_LENGTH]; N];
    for (part, &block) in TEXT.iter().enumerate() {
        let mut blocks = [block; N];
        for _ in 0..64 {
            blowfish.encrypt(&mut blocks);
        }
        for (digest, [left, right]) in digests.iter_mut().zip(blocks) {
            let bytes = (u64::from(left) << 32 | u64::from(right)).to_be_bytes();
            let rest = &mut digest[8 * part..];
            let length = rest.len().min(8);
            rest[..length].copy_from_slice(&bytes[..length]);
        }
    }
    Some(digests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(cost: u32, password: &[u8], salt: &Salt) -> Digest {
        digests(cost, &[Input::new(password, salt)], &|| true).unwrap()[0]
    }

    /// The oracle: the `bcrypt` crate's raw function, over the `blowfish` crate.
    fn oracle(cost: u32, password: &[u8], salt: &Salt) -> Digest {
        let mut key = password[..password.len().min(MAX_PASSWORD)].to_vec();
        if key.len() < MAX_PASSWORD {
            key.push(0);
        }
        bcrypt::bcrypt(cost, *salt, &key)[..DIGEST_LENGTH].try_into().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// For every mix of lengths, alone and together.
        #[test]
        fn agrees_with_the_bcrypt_crate(
            inputs in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..80), any::<Salt>()), 1..10),
            cost in 4u32..6,
        ) {
            let ready: Vec<Input> = inputs.iter().map(|(password, salt)| Input::new(password, salt)).collect();
            let digests = digests(cost, &ready, &|| true).unwrap();
            for ((password, salt), found) in inputs.iter().zip(digests) {
                prop_assert_eq!(found, oracle(cost, password, salt));
                prop_assert_eq!(found, digest(cost, password, salt));
            }
        }
    }

    #[test]
    fn every_length_up_to_the_limit_and_beyond() {
        for length in 0..=MAX_PASSWORD + 2 {
            let password: Vec<u8> = (0..length).map(|at| (at * 37 + 129) as u8).collect();
            assert_eq!(digest(4, &password, &[9; 16]), oracle(4, &password, &[9; 16]), "{length}");
        }
    }

    #[test]
    fn the_old_bug_shows_above_ascii_only() {
        let salt = [3; 16];
        let buggy =
            |password: &[u8]| digests(4, &[Input::sign_extended(password, &salt)], &|| true).unwrap()[0];
        assert_eq!(buggy(b"plain ASCII"), digest(4, b"plain ASCII", &salt));
        assert_ne!(buggy(b"\xA3"), digest(4, b"\xA3", &salt));
        // What made it a hole: the bytes before one above ASCII are lost.
        assert_eq!(buggy(b"\xFF\xA3345"), buggy(b"\xFF\xA334\xFF\xFF\xFF\xA3345"));
    }

    #[test]
    fn stops_when_told() {
        let asked = std::cell::Cell::new(0);
        let go_on = || {
            asked.set(asked.get() + 1);
            asked.get() < 3
        };
        let input = || Input::new(b"x", &[0; 16]);
        // Of 2³¹ rounds, the work of minutes.
        assert_eq!(digests(31, &[input()], &go_on), None);
        assert_eq!(asked.get(), 3);
        asked.set(0);
        assert_eq!(digests(31, &[input(), input(), input()], &go_on), None);
    }
}
