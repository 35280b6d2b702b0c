//! XAES-256-GCM: AES-256-GCM with 192-bit nonces. C2SP, `XAES-256-GCM.md`.
//!
//! The first half of the nonce derives a key for this message by AES-CMAC (SP 800-108r1 in counter mode, one block
//! each), the second half is the nonce of AES-256-GCM under it. Random nonces are safe for 2⁸⁰ messages.

use aes::Aes256Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use zeroize::Zeroizing;

use crate::gcm::{Error, NONCE_LENGTH, decrypt_under, encrypt_under};
use crate::wipe::burn_stack;

/// Bytes of a nonce.
pub(crate) const XAES_NONCE_LENGTH: usize = 24;

/// One XAES-256-GCM key.
pub struct XaesKey {
    /// Wipes its key schedule when it is dropped.
    cipher: Aes256Enc,
    /// CMAC's first subkey.
    subkey: Zeroizing<[u8; 16]>,
}

impl XaesKey {
    /// A key of exactly 32 bytes.
    pub fn new(key: &[u8]) -> Result<XaesKey, Error> {
        let cipher = Aes256Enc::new_from_slice(key).map_err(|_| Error::KeyLength)?;
        let mut block = aes::Block::default();
        cipher.encrypt_block(&mut block);
        // Doubling in GF(2¹²⁸), SP 800-38B §6.1; without a branch on the secret bit.
        let value = u128::from_be_bytes(block.into());
        let doubled = (value << 1) ^ ((value >> 127) * 0x87);
        Ok(XaesKey { cipher, subkey: Zeroizing::new(doubled.to_be_bytes()) })
    }

    /// Writes ciphertext ‖ tag to the front of `destination` and returns their length.
    pub fn encrypt(
        &self,
        nonce: &[u8; XAES_NONCE_LENGTH],
        aad: &[u8],
        plaintext: &[u8],
        destination: &mut [u8],
    ) -> Result<usize, Error> {
        self.with_message_key(nonce, |key, nonce| encrypt_under(key, nonce, aad, plaintext, destination))
    }

    /// Writes the plaintext to the front of `destination` and returns its length.
    pub fn decrypt(
        &self,
        nonce: &[u8; XAES_NONCE_LENGTH],
        aad: &[u8],
        sealed: &[u8],
        destination: &mut [u8],
    ) -> Result<usize, Error> {
        self.with_message_key(nonce, |key, nonce| decrypt_under(key, nonce, aad, sealed, destination))
    }

    /// Leaves nothing of the message's key behind.
    fn with_message_key(
        &self,
        nonce: &[u8; XAES_NONCE_LENGTH],
        body: impl FnOnce(&LessSafeKey, &[u8; NONCE_LENGTH]) -> Result<usize, Error>,
    ) -> Result<usize, Error> {
        let result = self.derive(nonce, body);
        burn_stack();
        result
    }

    /// Not inlined: the key has to be in a frame of its own, which is burnt.
    #[inline(never)]
    fn derive(
        &self,
        nonce: &[u8; XAES_NONCE_LENGTH],
        body: impl FnOnce(&LessSafeKey, &[u8; NONCE_LENGTH]) -> Result<usize, Error>,
    ) -> Result<usize, Error> {
        let (first, rest) = nonce.split_at(12);
        let subkey = u128::from_be_bytes(*self.subkey);
        let mut key = [aes::Block::default(), aes::Block::default()];
        for (counter, half) in (1u8..).zip(&mut key) {
            let mut message = [0u8; 16];
            message[..4].copy_from_slice(&[0, counter, b'X', 0]);
            message[4..].copy_from_slice(first);
            *half = (u128::from_be_bytes(message) ^ subkey).to_be_bytes().into();
        }
        self.cipher.encrypt_blocks(&mut key);
        let [first_half, second_half] = key.map(<[u8; 16]>::from);
        let key = [first_half, second_half];
        let key = UnboundKey::new(&AES_256_GCM, key.as_flattened()).map_err(|_| Error::KeyLength)?;
        let rest = rest.try_into().map_err(|_| Error::Decrypt)?;
        body(&LessSafeKey::new(key), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use xaes_256_gcm::aead::{Aead, Payload};

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    // C2SP XAES-256-GCM.md, "Test vectors": keys of 32 bytes 0x01 and 0x03.
    #[test]
    fn vectors_of_the_specification() {
        for (key, aad, expected) in [
            (1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
            (3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
        ] {
            let nonce = *b"ABCDEFGHIJKLMNOPQRSTUVWX";
            let mut sealed = [0; 12 + 16];
            let key = XaesKey::new(&[key; 32]).unwrap();
            assert_eq!(key.encrypt(&nonce, aad.as_bytes(), b"XAES-256-GCM", &mut sealed), Ok(28));
            assert_eq!(sealed[..], hex(expected));
        }
    }

    proptest! {
        #[test]
        fn agrees_with_rustcrypto(
            key in any::<[u8; 32]>(), nonce in any::<[u8; 24]>(),
            aad in prop::collection::vec(any::<u8>(), 0..40), plaintext in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let theirs = xaes_256_gcm::Xaes256Gcm::new_from_slice(&key).unwrap();
            let expected = theirs.encrypt(&nonce.into(), Payload { msg: &plaintext, aad: &aad }).unwrap();
            let ours = XaesKey::new(&key).unwrap();
            let mut sealed = vec![0; plaintext.len() + 16];
            prop_assert_eq!(ours.encrypt(&nonce, &aad, &plaintext, &mut sealed), Ok(sealed.len()));
            prop_assert_eq!(&sealed, &expected);
            let mut opened = vec![0; plaintext.len()];
            prop_assert_eq!(ours.decrypt(&nonce, &aad, &sealed, &mut opened), Ok(opened.len()));
            prop_assert_eq!(opened, plaintext);
        }
    }
}
