//! AES-128-GCM and AES-256-GCM, NIST SP 800-38D, over *ring*. Works from a source slice into a destination slice.

use std::sync::atomic::{AtomicU64, Ordering};

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

use crate::random::nonce;
use crate::wipe::WipedKey;

/// Bytes of a nonce.
pub const NONCE_LENGTH: usize = 12;
/// Bytes of an authentication tag.
pub const TAG_LENGTH: usize = 16;
/// SP 800-38D, §5.2.1.1: 2³⁹ − 256 bits.
const MAX_PLAINTEXT: u64 = (1 << 36) - 32;
/// SP 800-38D, §8.3: with random 96-bit nonces fewer than 2³² messages a key keep a collision below 2⁻³².
const MAX_RANDOM_NONCES: u64 = (1 << 32) - 1;

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Authentication failed, for whatever reason.
    Decrypt,
    /// The message names a key that the ring does not hold.
    UnknownKey,
    /// The token has expired.
    Expired,
    /// The new key is one that the ring has already.
    SameKey,
    /// The key has sealed as many messages as random nonces are safe for.
    KeyExhausted,
    /// The key is not 16 or 32 bytes.
    KeyLength,
    /// The destination is too short, or the plaintext longer than the mode allows.
    Length,
    /// The operating system gave no random bytes.
    Random,
}

/// One AES-GCM key, wiped when it is dropped.
pub struct GcmKey {
    key: WipedKey,
    /// Messages sealed with a random nonce.
    sealed: AtomicU64,
}

impl GcmKey {
    /// A key of 16 or 32 bytes.
    pub fn new(key: &[u8]) -> Result<GcmKey, Error> {
        let algorithm = match key.len() {
            16 => &AES_128_GCM,
            32 => &AES_256_GCM,
            _ => return Err(Error::KeyLength),
        };
        let key = UnboundKey::new(algorithm, key).map_err(|_| Error::KeyLength)?;
        Ok(GcmKey { key: WipedKey::new(LessSafeKey::new(key)), sealed: AtomicU64::new(0) })
    }

    /// Writes ciphertext ‖ tag to the front of `destination` and returns their length.
    pub fn encrypt(
        &self,
        nonce: &[u8; NONCE_LENGTH],
        aad: &[u8],
        plaintext: &[u8],
        destination: &mut [u8],
    ) -> Result<usize, Error> {
        encrypt_under(self.key.get(), nonce, aad, plaintext, destination)
    }

    /// Writes the plaintext to the front of `destination` and returns its length. On failure what was written is zero.
    pub fn decrypt(
        &self,
        nonce: &[u8; NONCE_LENGTH],
        aad: &[u8],
        sealed: &[u8],
        destination: &mut [u8],
    ) -> Result<usize, Error> {
        decrypt_under(self.key.get(), nonce, aad, sealed, destination)
    }

    /// Writes nonce ‖ ciphertext ‖ tag, the nonce random.
    pub fn seal(&self, aad: &[u8], plaintext: &[u8], destination: &mut [u8]) -> Result<usize, Error> {
        // Claimed before it is used: two threads cannot both take the last place.
        let claim = |sealed| (sealed < MAX_RANDOM_NONCES).then_some(sealed + 1);
        self.sealed
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, claim)
            .map_err(|_| Error::KeyExhausted)?;
        let (head, body) = destination.split_at_mut_checked(NONCE_LENGTH).ok_or(Error::Length)?;
        let nonce = nonce::<NONCE_LENGTH>()?;
        head.copy_from_slice(&nonce);
        Ok(NONCE_LENGTH + self.encrypt(&nonce, aad, plaintext, body)?)
    }

    /// The reverse of [`GcmKey::seal`].
    pub fn open(&self, aad: &[u8], sealed: &[u8], destination: &mut [u8]) -> Result<usize, Error> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(Error::Decrypt)?;
        self.decrypt(nonce, aad, body, destination)
    }
}

/// As [`GcmKey::encrypt`].
pub(crate) fn encrypt_under(
    key: &LessSafeKey,
    nonce: &[u8; NONCE_LENGTH],
    aad: &[u8],
    plaintext: &[u8],
    destination: &mut [u8],
) -> Result<usize, Error> {
    let length = plaintext.len();
    let total = length.checked_add(TAG_LENGTH).ok_or(Error::Length)?;
    let destination = destination.get_mut(..total).ok_or(Error::Length)?;
    let (body, tag) = destination.split_at_mut(length);
    body.copy_from_slice(plaintext);
    tag.copy_from_slice(encrypt_in_place(key, nonce, aad, body)?.as_ref());
    Ok(total)
}

/// Encrypts `body` where it stands.
pub(crate) fn encrypt_in_place(
    key: &LessSafeKey,
    nonce: &[u8; NONCE_LENGTH],
    aad: &[u8],
    body: &mut [u8],
) -> Result<Tag, Error> {
    if is_too_long(body.len()) {
        return Err(Error::Length);
    }
    let nonce = Nonce::assume_unique_for_key(*nonce);
    key.seal_in_place_separate_tag(nonce, Aad::from(aad), body).map_err(|_| Error::Length)
}

/// As [`GcmKey::decrypt`].
pub(crate) fn decrypt_under(
    key: &LessSafeKey,
    nonce: &[u8; NONCE_LENGTH],
    aad: &[u8],
    sealed: &[u8],
    destination: &mut [u8],
) -> Result<usize, Error> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG_LENGTH>().ok_or(Error::Decrypt)?;
    let destination = destination.get_mut(..ciphertext.len()).ok_or(Error::Length)?;
    destination.copy_from_slice(ciphertext);
    decrypt_in_place(key, nonce, aad, destination, tag)?;
    Ok(ciphertext.len())
}

/// Decrypts `body` where it stands. On failure it is zero.
pub(crate) fn decrypt_in_place(
    key: &LessSafeKey,
    nonce: &[u8; NONCE_LENGTH],
    aad: &[u8],
    body: &mut [u8],
    tag: &[u8; TAG_LENGTH],
) -> Result<(), Error> {
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = match is_too_long(body.len()) {
        true => Err(ring::error::Unspecified),
        false => {
            let tag = Tag::from(*tag);
            key.open_in_place_separate_tag(nonce, Aad::from(aad), tag, body, 0..).map(|_| ())
        }
    };
    opened.map_err(|_| {
        body.fill(0);
        Error::Decrypt
    })
}

fn is_too_long(length: usize) -> bool {
    length as u64 > MAX_PLAINTEXT
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes_gcm::aead::{Aead, KeyInit, Payload};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_rustcrypto(
            long in any::<bool>(), key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(),
            aad in prop::collection::vec(any::<u8>(), 0..40), plaintext in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let key = if long { &key[..] } else { &key[..16] };
            let payload = Payload { msg: &plaintext, aad: &aad };
            let expected = if long {
                aes_gcm::Aes256Gcm::new_from_slice(key).unwrap().encrypt(&nonce.into(), payload).unwrap()
            } else {
                aes_gcm::Aes128Gcm::new_from_slice(key).unwrap().encrypt(&nonce.into(), payload).unwrap()
            };
            let ours = GcmKey::new(key).unwrap();
            let mut sealed = vec![0; plaintext.len() + TAG_LENGTH];
            prop_assert_eq!(ours.encrypt(&nonce, &aad, &plaintext, &mut sealed), Ok(sealed.len()));
            prop_assert_eq!(&sealed, &expected);
            let mut opened = vec![0; plaintext.len()];
            prop_assert_eq!(ours.decrypt(&nonce, &aad, &sealed, &mut opened), Ok(opened.len()));
            prop_assert_eq!(opened, plaintext);
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_rejected() {
        let key = GcmKey::new(&[7; 32]).unwrap();
        let mut sealed = [0; 12 + 20 + 16];
        assert_eq!(key.seal(b"aad", &[9; 20], &mut sealed), Ok(48));
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed;
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut plain = [0xFF; 20];
            assert_eq!(key.open(b"aad", &damaged, &mut plain), Err(Error::Decrypt));
            assert_eq!(plain, [0; 20], "no plaintext is left behind");
        }
        for cut in 0..sealed.len() {
            assert_eq!(key.open(b"aad", &sealed[..cut], &mut [0; 48]), Err(Error::Decrypt));
        }
        assert_eq!(key.open(b"", &sealed, &mut [0; 20]), Err(Error::Decrypt));
    }

    #[test]
    fn the_last_random_nonce() {
        let key = GcmKey::new(&[1; 16]).unwrap();
        key.sealed.store(MAX_RANDOM_NONCES - 1, Ordering::Relaxed);
        assert_eq!(key.seal(b"", b"", &mut [0; 28]), Ok(28));
        for _ in 0..2 {
            assert_eq!(key.seal(b"", b"", &mut [0; 28]), Err(Error::KeyExhausted));
        }
    }

    #[test]
    fn lengths() {
        assert!(matches!(GcmKey::new(&[0; 24]), Err(Error::KeyLength)));
        let key = GcmKey::new(&[0; 32]).unwrap();
        assert_eq!(key.encrypt(&[0; 12], b"", b"abc", &mut [0; 18]), Err(Error::Length));
        assert_eq!(key.seal(b"", b"", &mut [0; 3]), Err(Error::Length));
        assert!(!is_too_long(68_719_476_704) && is_too_long(68_719_476_705));
    }
}
