//! Named keys, one of them primary, and the header that says which key sealed a message.
//!
//! Layout, in bytes: kind (1) ‖ length of the key id (1) ‖ key id ‖ nonce (24) ‖ ciphertext ‖ tag (16). The first three
//! are the header; it is authenticated in front of the caller's associated data, and as it carries its own length no
//! two pairs of header and associated data look the same. The kind keeps messages of one purpose from being taken for
//! another's.

use crate::gcm::{Error, TAG_LENGTH, random};
use crate::xaes::{XAES_NONCE_LENGTH, XaesKey};

/// What was sealed. The values are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Bytes that the caller gave.
    Message = 1,
    /// A token: expiry and JSON.
    Token = 2,
}

/// The name of a key: 1 to 32 ASCII letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(Box<[u8]>);

/// The text is not a key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyIdError;

const MAX_KEY_ID: usize = 32;

impl KeyId {
    /// Checks `text`.
    pub fn new(text: &[u8]) -> Result<KeyId, KeyIdError> {
        if is_key_id(text) { Ok(KeyId(text.into())) } else { Err(KeyIdError) }
    }
}

fn is_key_id(text: &[u8]) -> bool {
    (1..=MAX_KEY_ID).contains(&text.len())
        && text.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Keys by id; the first is primary.
pub struct Keyring {
    keys: Vec<(KeyId, XaesKey)>,
}

impl Keyring {
    /// A ring whose primary key is `primary`.
    pub fn new(primary: (KeyId, XaesKey)) -> Keyring {
        Keyring { keys: vec![primary] }
    }

    /// Adds a key that only opens. False when the ring has that id already.
    pub fn add(&mut self, id: KeyId, key: XaesKey) -> bool {
        let fresh = self.keys.iter().all(|(known, _)| *known != id);
        if fresh {
            self.keys.push((id, key));
        }
        fresh
    }

    /// How much longer than the plaintext a message sealed now is.
    pub fn overhead(&self) -> usize {
        2 + self.keys[0].0.0.len() + XAES_NONCE_LENGTH + TAG_LENGTH
    }

    /// Seals under the primary key and returns the length, which is `plaintext.len() + overhead()`.
    pub fn seal(
        &self,
        kind: Kind,
        aad: &[u8],
        plaintext: &[u8],
        destination: &mut [u8],
    ) -> Result<usize, Error> {
        let (KeyId(id), key) = &self.keys[0];
        let header_length = 2 + id.len();
        if destination.len() < header_length + XAES_NONCE_LENGTH {
            return Err(Error::Length);
        }
        let (header, rest) = destination.split_at_mut(header_length);
        header[0] = kind as u8;
        // At most 32.
        header[1] = id.len() as u8;
        header[2..].copy_from_slice(id);
        let (nonce_place, body) = rest.split_at_mut(XAES_NONCE_LENGTH);
        let mut nonce = [0; XAES_NONCE_LENGTH];
        random(&mut nonce)?;
        nonce_place.copy_from_slice(&nonce);
        let written = key.encrypt(&nonce, &[header, aad].concat(), plaintext, body)?;
        Ok(header_length + XAES_NONCE_LENGTH + written)
    }

    /// Opens under the key that the message names; writes the plaintext to the front of `destination`, which is at least
    /// as long as `sealed`, and returns its length.
    pub fn open(
        &self,
        kind: Kind,
        aad: &[u8],
        sealed: &[u8],
        destination: &mut [u8],
    ) -> Result<usize, Error> {
        let [found_kind, id_length, rest @ ..] = sealed else { return Err(Error::Decrypt) };
        let (id, rest) = rest.split_at_checked(usize::from(*id_length)).ok_or(Error::Decrypt)?;
        if *found_kind != kind as u8 || !is_key_id(id) {
            return Err(Error::Decrypt);
        }
        // Ids are public: they stand in the clear in every message.
        let (_, key) = self.keys.iter().find(|(known, _)| *known.0 == *id).ok_or(Error::UnknownKey)?;
        let (nonce, body) = rest.split_first_chunk::<XAES_NONCE_LENGTH>().ok_or(Error::Decrypt)?;
        let header = &sealed[..2 + id.len()];
        key.decrypt(nonce, &[header, aad].concat(), body, destination)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ring(primary: &str, others: &[(&str, u8)]) -> Keyring {
        let entry =
            |id: &str, byte: u8| (KeyId::new(id.as_bytes()).unwrap(), XaesKey::new(&[byte; 32]).unwrap());
        let mut ring = Keyring::new(entry(primary, 1));
        for &(id, byte) in others {
            let (id, key) = entry(id, byte);
            assert!(ring.add(id, key));
        }
        ring
    }

    fn seal(ring: &Keyring, kind: Kind, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; plaintext.len() + ring.overhead()];
        assert_eq!(ring.seal(kind, aad, plaintext, &mut sealed), Ok(sealed.len()));
        sealed
    }

    #[test]
    fn old_messages_open_after_a_rotation() {
        let old = ring("2025", &[]);
        let sealed = seal(&old, Kind::Message, b"", b"note");
        let mut new = Keyring::new((KeyId::new(b"2026").unwrap(), XaesKey::new(&[2; 32]).unwrap()));
        assert_eq!(new.open(Kind::Message, b"", &sealed, &mut [0; 99]), Err(Error::UnknownKey));
        assert!(new.add(KeyId::new(b"2025").unwrap(), XaesKey::new(&[1; 32]).unwrap()));
        let mut plain = [0; 99];
        assert_eq!(new.open(Kind::Message, b"", &sealed, &mut plain), Ok(4));
        assert_eq!(&plain[..4], b"note");
    }

    #[test]
    fn kinds_do_not_mix() {
        let ring = ring("a", &[]);
        let sealed = seal(&ring, Kind::Message, b"session", b"x");
        assert_eq!(ring.open(Kind::Token, b"session", &sealed, &mut [0; 99]), Err(Error::Decrypt));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_rejected() {
        let ring = ring("key", &[("kex", 9)]);
        let sealed = seal(&ring, Kind::Message, b"aad", b"plaintext");
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let error = ring.open(Kind::Message, b"aad", &damaged, &mut [0; 99]).unwrap_err();
            let in_id = (1..5).contains(&(bit / 8));
            assert!(error == Error::Decrypt || (in_id && error == Error::UnknownKey), "bit {bit}: {error:?}");
        }
        for cut in 0..sealed.len() {
            let error = ring.open(Kind::Message, b"aad", &sealed[..cut], &mut [0; 99]).unwrap_err();
            assert_eq!(error, Error::Decrypt, "cut {cut}");
        }
    }

    #[test]
    fn key_ids() {
        for good in ["a", "A-z_0", &"x".repeat(32)] {
            assert!(KeyId::new(good.as_bytes()).is_ok());
        }
        for bad in ["", "é", "a b", "a/b", &"x".repeat(33)] {
            assert!(KeyId::new(bad.as_bytes()).is_err());
        }
    }

    proptest! {
        #[test]
        fn opens_what_it_sealed(aad in prop::collection::vec(any::<u8>(), 0..20), plaintext in prop::collection::vec(any::<u8>(), 0..300)) {
            let ring = ring("k1", &[("k2", 5)]);
            let sealed = seal(&ring, Kind::Token, &aad, &plaintext);
            let mut opened = vec![0; sealed.len()];
            prop_assert_eq!(ring.open(Kind::Token, &aad, &sealed, &mut opened), Ok(plaintext.len()));
            prop_assert_eq!(&opened[..plaintext.len()], &plaintext[..]);
        }
    }
}
