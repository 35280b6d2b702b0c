//! Named keys, one of them primary, and the header that says which key sealed a message.
//!
//! Layout, in bytes: kind (1) ‖ length of the key id (1) ‖ key id ‖ nonce (24) ‖ ciphertext ‖ tag (16). The first three
//! are the header; it is authenticated in front of the caller's associated data, and as it carries its own length no
//! two pairs of header and associated data look the same. The kind keeps messages of one purpose from being taken for
//! another's.

use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::gcm::{Error, TAG_LENGTH};
use crate::random::nonce;
use crate::wipe::{WipedBytes, burn_stack};
use crate::xaes::{XAES_NONCE_LENGTH, XaesKey};

/// What was sealed. The values are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Bytes that the caller gave.
    Message = 1,
    /// A token: expiry and JSON.
    Token = 2,
    /// The header of a stream.
    Stream = 3,
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

/// One key of a ring. Wiped when the last ring that holds it is dropped.
pub(crate) struct RingKey {
    pub(crate) xaes: XaesKey,
    /// What the keys of streams are derived from.
    pub(crate) secret: Zeroizing<[u8; 32]>,
}

/// Keys by id; the first is primary.
pub struct Keyring {
    keys: Vec<(KeyId, Arc<RingKey>)>,
}

impl Keyring {
    /// A ring whose primary key is `primary`. Keys have 32 bytes.
    pub fn new(primary: KeyId, key: &[u8]) -> Result<Keyring, Error> {
        Ok(Keyring { keys: vec![(primary, ring_key(key)?)] })
    }

    /// Adds a key that only opens. False when the ring has that id already.
    pub fn add(&mut self, id: KeyId, key: &[u8]) -> Result<bool, Error> {
        if self.holds(&id) {
            return Ok(false);
        }
        self.keys.push((id, ring_key(key)?));
        Ok(true)
    }

    /// A ring with another primary key and all of this one's; nothing when this one has that id already. The same key under
    /// another name would be no rotation.
    pub fn rotate(&self, primary: KeyId, key: &[u8]) -> Result<Option<Keyring>, Error> {
        if self.holds(&primary) {
            return Ok(None);
        }
        if self.keys.iter().any(|(_, known)| bool::from(known.secret[..].ct_eq(key))) {
            return Err(Error::SameKey);
        }
        let mut keys = vec![(primary, ring_key(key)?)];
        keys.extend(self.keys.iter().cloned());
        Ok(Some(Keyring { keys }))
    }

    fn holds(&self, id: &KeyId) -> bool {
        self.keys.iter().any(|(known, _)| known == id)
    }

    /// How many keys there are.
    pub fn size(&self) -> usize {
        self.keys.len()
    }

    /// How much longer than the plaintext a message sealed now is.
    pub fn overhead(&self) -> usize {
        2 + self.keys[0].0.0.len() + XAES_NONCE_LENGTH + TAG_LENGTH
    }

    /// Seals under the primary key and returns the length, which is `plaintext.len() + overhead()`.
    pub fn seal(&self, aad: &[u8], plaintext: &[u8], destination: &mut [u8]) -> Result<usize, Error> {
        self.seal_as(Kind::Message, aad, plaintext, destination)
    }

    /// Opens under the key that the message names; writes the plaintext to the front of `destination`, and returns its
    /// length, which is less than that of `sealed`.
    pub fn open(&self, aad: &[u8], sealed: &[u8], destination: &mut [u8]) -> Result<usize, Error> {
        self.open_as(Kind::Message, aad, sealed, destination)
    }

    /// The message anew, under the primary key. Returns the length, at most `sealed.len() + overhead()`.
    pub fn reseal(&self, aad: &[u8], sealed: &[u8], destination: &mut [u8]) -> Result<usize, Error> {
        let mut plaintext = WipedBytes::zeros(sealed.len());
        let length = self.open(aad, sealed, &mut plaintext)?;
        self.seal(aad, &plaintext[..length], destination)
    }

    pub(crate) fn seal_as(
        &self,
        kind: Kind,
        aad: &[u8],
        plaintext: &[u8],
        destination: &mut [u8],
    ) -> Result<usize, Error> {
        let (_, key) = self.primary();
        let header_length = self.header_length();
        if destination.len() < header_length + XAES_NONCE_LENGTH {
            return Err(Error::Length);
        }
        let (header, rest) = destination.split_at_mut(header_length);
        self.write_header(kind, header);
        let (nonce_place, body) = rest.split_at_mut(XAES_NONCE_LENGTH);
        let nonce = nonce::<XAES_NONCE_LENGTH>()?;
        nonce_place.copy_from_slice(&nonce);
        let written = joined(header, aad, |aad| key.xaes.encrypt(&nonce, aad, plaintext, body))?;
        Ok(header_length + XAES_NONCE_LENGTH + written)
    }

    pub(crate) fn open_as(
        &self,
        kind: Kind,
        aad: &[u8],
        sealed: &[u8],
        destination: &mut [u8],
    ) -> Result<usize, Error> {
        let (key, header, rest) = self.key_of(kind, sealed)?;
        let (nonce, body) = rest.split_first_chunk::<XAES_NONCE_LENGTH>().ok_or(Error::Decrypt)?;
        joined(header, aad, |aad| key.xaes.decrypt(nonce, aad, body, destination))
    }

    pub(crate) fn primary(&self) -> (&KeyId, &RingKey) {
        let (id, key) = &self.keys[0];
        (id, key)
    }

    pub(crate) fn header_length(&self) -> usize {
        2 + self.keys[0].0.0.len()
    }

    /// Of what is sealed under the primary key; `header` has its length.
    pub(crate) fn write_header(&self, kind: Kind, header: &mut [u8]) {
        let KeyId(id) = self.primary().0;
        header[0] = kind as u8;
        // At most 32.
        header[1] = id.len() as u8;
        header[2..].copy_from_slice(id);
    }

    /// The key that a header names, the header, and what follows it.
    pub(crate) fn key_of<'a>(
        &self,
        kind: Kind,
        sealed: &'a [u8],
    ) -> Result<(&RingKey, &'a [u8], &'a [u8]), Error> {
        let [found_kind, id_length, rest @ ..] = sealed else { return Err(Error::Decrypt) };
        let (id, _) = rest.split_at_checked(usize::from(*id_length)).ok_or(Error::Decrypt)?;
        if *found_kind != kind as u8 || !is_key_id(id) {
            return Err(Error::Decrypt);
        }
        // Ids are public: they stand in the clear in every message.
        let (_, key) = self.keys.iter().find(|(known, _)| *known.0 == *id).ok_or(Error::UnknownKey)?;
        let (header, rest) = sealed.split_at(2 + id.len());
        Ok((key, header, rest))
    }
}

fn ring_key(bytes: &[u8]) -> Result<Arc<RingKey>, Error> {
    let key = make_ring_key(bytes);
    burn_stack();
    key
}

/// Not inlined: what it leaves on the stack is burnt by its caller.
#[inline(never)]
fn make_ring_key(bytes: &[u8]) -> Result<Arc<RingKey>, Error> {
    let xaes = XaesKey::new(bytes)?;
    let mut key = Arc::new(RingKey { xaes, secret: Zeroizing::new([0; 32]) });
    let place = Arc::get_mut(&mut key).ok_or(Error::KeyLength)?;
    place.secret.copy_from_slice(bytes);
    Ok(key)
}

/// Lends `header ‖ aad`, from the stack while it is short.
#[inline]
fn joined<T>(header: &[u8], aad: &[u8], body: impl FnOnce(&[u8]) -> T) -> T {
    let length = header.len() + aad.len();
    let mut short = [0; SHORT_AAD];
    if let Some(place) = short.get_mut(..length) {
        let (front, back) = place.split_at_mut(header.len());
        front.copy_from_slice(header);
        back.copy_from_slice(aad);
        return body(place);
    }
    body(&[header, aad].concat())
}

const SHORT_AAD: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> KeyId {
        KeyId::new(text.as_bytes()).unwrap()
    }

    fn ring(primary: &str, others: &[(&str, u8)]) -> Keyring {
        let mut ring = Keyring::new(id(primary), &[1; 32]).unwrap();
        for &(other, byte) in others {
            assert_eq!(ring.add(id(other), &[byte; 32]), Ok(true));
        }
        ring
    }

    fn seal(ring: &Keyring, kind: Kind, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; plaintext.len() + ring.overhead()];
        assert_eq!(ring.seal_as(kind, aad, plaintext, &mut sealed), Ok(sealed.len()));
        sealed
    }

    #[test]
    fn old_messages_open_after_a_rotation() {
        let old = ring("2025", &[]);
        let sealed = seal(&old, Kind::Message, b"", b"note");
        let mut new = Keyring::new(id("2026"), &[2; 32]).unwrap();
        assert_eq!(new.open(b"", &sealed, &mut [0; 99]), Err(Error::UnknownKey));
        assert_eq!(new.add(id("2025"), &[1; 32]), Ok(true));
        assert_eq!(new.add(id("2025"), &[3; 32]), Ok(false));
        assert_eq!(new.add(id("2026"), &[3; 32]), Ok(false));
        let rotated = old.rotate(id("2026"), &[2; 32]).unwrap().unwrap();
        assert_eq!((rotated.size(), old.size()), (2, 1));
        assert!(rotated.rotate(id("2025"), &[4; 32]).unwrap().is_none());
        assert_eq!(rotated.rotate(id("2027"), &[1; 32]).err(), Some(Error::SameKey));
        assert_eq!(rotated.rotate(id("2027"), &[1; 31]).err(), Some(Error::KeyLength));
        drop(old);
        for ring in [&new, &rotated] {
            let mut plain = [0; 99];
            assert_eq!(ring.open(b"", &sealed, &mut plain), Ok(4));
            assert_eq!(&plain[..4], b"note");
            let mut again = vec![0; sealed.len() + ring.overhead()];
            let length = ring.reseal(b"", &sealed, &mut again).unwrap();
            assert_eq!(length, sealed.len());
            assert_eq!(again[2..6], *b"2026");
            assert_eq!(ring.open(b"", &again[..length], &mut plain), Ok(4));
            assert_eq!(ring.reseal(b"x", &sealed, &mut again), Err(Error::Decrypt));
        }
    }

    #[test]
    fn associated_data_of_every_length() {
        let ring = ring("key", &[]);
        for length in (0..300).chain([100_000]) {
            let mut aad = vec![5; length];
            let sealed = seal(&ring, Kind::Message, &aad, b"x");
            assert_eq!(ring.open(&aad, &sealed, &mut [0; 99]), Ok(1), "{length}");
            if let Some(last) = aad.last_mut() {
                *last = 6;
                assert_eq!(ring.open(&aad, &sealed, &mut [0; 99]), Err(Error::Decrypt));
                assert_eq!(ring.open(&aad[1..], &sealed, &mut [0; 99]), Err(Error::Decrypt));
            }
        }
    }

    #[test]
    fn kinds_do_not_mix() {
        let ring = ring("a", &[]);
        let sealed = seal(&ring, Kind::Message, b"session", b"x");
        assert_eq!(ring.open_as(Kind::Token, b"session", &sealed, &mut [0; 99]), Err(Error::Decrypt));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_rejected() {
        let ring = ring("key", &[("kex", 9)]);
        let sealed = seal(&ring, Kind::Message, b"aad", b"plaintext");
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let error = ring.open(b"aad", &damaged, &mut [0; 99]).unwrap_err();
            let in_id = (1..5).contains(&(bit / 8));
            assert!(error == Error::Decrypt || (in_id && error == Error::UnknownKey), "bit {bit}: {error:?}");
        }
        for cut in 0..sealed.len() {
            let error = ring.open(b"aad", &sealed[..cut], &mut [0; 99]).unwrap_err();
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
            prop_assert_eq!(ring.open_as(Kind::Token, &aad, &sealed, &mut opened), Ok(plaintext.len()));
            prop_assert_eq!(&opened[..plaintext.len()], &plaintext[..]);
        }
    }
}
